//! Jobs that do nothing, countably.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use millrace_jobs::{
    ctx::Ctx,
    jobs,
    queue::{Job, Leased, Spec, Verdict},
};
use serde::{Deserialize, Serialize};

pub(crate) static RAN: AtomicUsize = AtomicUsize::new(0);
pub(crate) static SENT: Mutex<Vec<Option<Instant>>> = Mutex::new(Vec::new());
pub(crate) static WAITED: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

/// A job whose rounds can be measured.
pub(crate) trait Measured: Job {
    /// The list with this job alone.
    fn specs() -> &'static [Spec];
    /// Number `n`.
    fn number(n: usize) -> Self;
}

/// One job per call, as the peer runs them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Noop {
    n: usize,
}

impl Job for Noop {
    const KIND: &'static str = "bench.noop";
    const CONCURRENCY: usize = 64;

    async fn run(_: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        RAN.fetch_add(batch.len(), Ordering::Relaxed);
        batch.iter().map(|_| Verdict::Done).collect()
    }
}

impl Measured for Noop {
    fn specs() -> &'static [Spec] {
        jobs![Noop]
    }
    fn number(n: usize) -> Self {
        Self { n }
    }
}

/// 64 jobs per call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NoopBatch {
    n: usize,
}

impl Job for NoopBatch {
    const KIND: &'static str = "bench.batch";
    const BATCH_MAX: usize = 64;

    async fn run(_: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        RAN.fetch_add(batch.len(), Ordering::Relaxed);
        batch.iter().map(|_| Verdict::Done).collect()
    }
}

impl Measured for NoopBatch {
    fn specs() -> &'static [Spec] {
        jobs![NoopBatch]
    }
    fn number(n: usize) -> Self {
        Self { n }
    }
}

/// Notes how long ago its enqueueing commit returned.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Timed {
    pub(crate) n: usize,
}

impl Job for Timed {
    const KIND: &'static str = "bench.noop";

    async fn run(_: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        for leased in &batch {
            let sent = lock(&SENT).get(leased.job.n).copied().flatten();
            lock(&WAITED).extend(sent.map(|s| s.elapsed()));
        }
        RAN.fetch_add(batch.len(), Ordering::Relaxed);
        batch.iter().map(|_| Verdict::Done).collect()
    }
}

/// Nothing panics while it holds one of these.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
