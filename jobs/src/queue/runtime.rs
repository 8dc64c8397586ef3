//! Composition: one claimer and one apalis worker per kind, and the tasks they share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use apalis_core::{monitor::Monitor, worker::builder::WorkerBuilder};
use millrace_config::point::{Point, may_die};
use tokio::{
    sync::{Notify, mpsc},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;

use super::{
    Queue, Spec,
    backend::{Buffer, KindBackend},
    call::{self, End},
    claim::Claimed,
    claimer, completer,
    held::Held,
    janitor, keeper, lone,
    metrics::KindMetrics,
    wake::Inbox,
};
use crate::{ctx::Ctx, task::lasting};

/// Calls that may wait for the completer before handlers wait for it.
const ENDS_MAX: usize = 4096;

/// One kind in this process.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) spec: &'static Spec,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) buffer: Arc<Buffer>,
    /// Woken when a job ends.
    pub(crate) room: Notify,
    /// Claimed, not ended.
    in_hand: AtomicUsize,
    total_ended: AtomicUsize,
    metrics: KindMetrics,
}

impl Kind {
    fn new(spec: &'static Spec, queue: &Queue) -> Self {
        Self {
            spec,
            inbox: queue.wakes().inbox(spec.kind),
            buffer: Arc::default(),
            room: Notify::new(),
            in_hand: AtomicUsize::new(0),
            total_ended: AtomicUsize::new(0),
            metrics: KindMetrics::new(spec.kind),
        }
    }

    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand.load(Ordering::Acquire)
    }

    pub(crate) fn total_ended(&self) -> usize {
        self.total_ended.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self, jobs: &[Claimed]) {
        self.in_hand.fetch_add(jobs.len(), Ordering::AcqRel);
        self.metrics.claimed.increment(u64::try_from(jobs.len()).unwrap_or(0));
        for job in jobs {
            self.metrics.waited.record(job.waited_s);
        }
    }

    pub(crate) fn started(&self, jobs: usize) {
        self.metrics.running.increment(f64::from(u32::try_from(jobs).unwrap_or(0)));
    }

    pub(crate) fn ended(&self, jobs: usize) {
        self.metrics.running.decrement(f64::from(u32::try_from(jobs).unwrap_or(0)));
        self.total_ended.fetch_add(jobs, Ordering::Relaxed);
    }

    /// Out of hand, run or not.
    pub(crate) fn let_go(&self, jobs: usize) {
        self.in_hand.fetch_sub(jobs, Ordering::AcqRel);
        self.room.notify_one();
    }
}

/// What the tasks of a runtime share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ctx: Arc<Ctx>,
    pub(crate) queue: Queue,
    /// `ops.workers.id`.
    pub(crate) worker: String,
    pub(crate) held: Held,
    pub(crate) kinds: Vec<Arc<Kind>>,
    /// Claim nothing more.
    pub(crate) stop: CancellationToken,
    /// Time to drain is over: stop running jobs.
    pub(crate) halt: CancellationToken,
    /// Everything is written: end the background tasks.
    pub(crate) over: CancellationToken,
    ends: mpsc::Sender<Vec<End>>,
    given_up: AtomicBool,
}

impl Shared {
    pub(crate) fn new(
        ctx: Arc<Ctx>,
        specs: &'static [Spec],
    ) -> (Arc<Self>, mpsc::Receiver<Vec<End>>) {
        let queue = ctx.queue.clone();
        let (ends, ended) = mpsc::channel(ENDS_MAX);
        let shared = Arc::new(Self {
            kinds: specs.iter().map(|spec| Arc::new(Kind::new(spec, &queue))).collect(),
            worker: format!("{:016x}", rand::random::<u64>()),
            held: Held::default(),
            stop: CancellationToken::new(),
            halt: CancellationToken::new(),
            over: CancellationToken::new(),
            given_up: AtomicBool::new(false),
            ctx,
            queue,
            ends,
        });
        (shared, ended)
    }

    /// Hand ends of deliveries to the completer; waits when it is far behind.
    pub(crate) async fn end(&self, ends: Vec<End>) {
        if self.ends.send(ends).await.is_err() {
            tracing::error!("completer is gone; jobs run again when their leases end");
        }
    }

    /// Shutdown ran out of patience with the database.
    pub(crate) fn given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Runs jobs in this process.
#[derive(Debug)]
pub struct Runtime;

/// A running runtime. Dropping it without [`RuntimeHandle::drain`] leaves its leases to run out.
#[derive(Debug)]
pub struct RuntimeHandle {
    shared: Arc<Shared>,
    claimers: JoinSet<()>,
    workers: JoinSet<()>,
    background: JoinSet<()>,
    completer: JoinHandle<()>,
    /// No more ends will come.
    flush: CancellationToken,
}

impl Runtime {
    /// Start working on `specs` (see [`crate::jobs!`]). Install the metrics recorder before.
    #[must_use]
    pub fn start(ctx: Arc<Ctx>, specs: &'static [Spec]) -> RuntimeHandle {
        let (shared, ended) = Shared::new(ctx, specs);
        let mut claimers = JoinSet::new();
        for kind in &shared.kinds {
            let (shared, kind) = (shared.clone(), kind.clone());
            let run = move || claimer::run(shared.clone(), kind.clone());
            claimers.spawn(lasting("claimer", run));
        }
        let mut background = JoinSet::new();
        spawn(&mut background, &shared, "keeper", keeper::run);
        spawn(&mut background, &shared, "sweep", janitor::sweep);
        spawn(&mut background, &shared, "expiry", janitor::expire);
        spawn(&mut background, &shared, "promotion", janitor::promote);
        spawn(&mut background, &shared, "listener", janitor::listen);
        let mut workers = JoinSet::new();
        spawn(&mut workers, &shared, "workers", monitor);
        spawn(&mut workers, &shared, "suspects", lone::run);
        let flush = CancellationToken::new();
        let completer = tokio::spawn(completer::run(shared.clone(), ended, flush.clone()));
        RuntimeHandle { shared, claimers, workers, background, completer, flush }
    }
}

fn spawn<F>(
    tasks: &mut JoinSet<()>,
    shared: &Arc<Shared>,
    name: &'static str,
    run: impl Fn(Arc<Shared>) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let shared = shared.clone();
    tasks.spawn(lasting(name, move || run(shared.clone())));
}

/// One apalis worker per kind.
async fn monitor(shared: Arc<Shared>) {
    let mut monitor = Monitor::new();
    for kind in &shared.kinds {
        let (shared, kind) = (shared.clone(), kind.clone());
        monitor = monitor.register(move |_| {
            let shared = shared.clone();
            WorkerBuilder::new(kind.spec.kind)
                .backend(KindBackend(kind.buffer.clone()))
                .layer(ConcurrencyLimitLayer::new(kind.spec.concurrency))
                .build(move |call| call::contained(shared.clone(), call))
        });
    }
    let stop = shared.stop.clone();
    let signal = async move {
        stop.cancelled().await;
        Ok(())
    };
    if let Err(error) = monitor.run_with_signal(signal).await {
        tracing::error!(%error, "apalis ended with an error");
    }
}

impl RuntimeHandle {
    /// Stop claiming, give back what has not started, let running jobs end within `queue.drain_ms`, give back the
    /// rest. No attempt is consumed and no lease stays behind.
    pub async fn drain(mut self) {
        let shared = &self.shared;
        shared.stop.cancel();
        all(&mut self.claimers).await;
        may_die(Point::DrainBegins);
        for kind in &shared.kinds {
            for call in kind.buffer.empty() {
                call::release(shared, call).await;
            }
        }
        let patience = Duration::from_millis(shared.queue.settings().drain_ms);
        if timeout(patience, all(&mut self.workers)).await.is_err() {
            tracing::warn!("running jobs did not end in time and are given back");
            shared.halt.cancel();
            all(&mut self.workers).await;
        }
        self.flush.cancel();
        if timeout(Duration::from_secs(5), &mut self.completer).await.is_err() {
            shared.given_up.store(true, Ordering::Relaxed);
            self.completer
                .await
                .unwrap_or_else(|error| tracing::error!(%error, "completer panicked"));
        }
        shared.over.cancel();
        all(&mut self.background).await;
        may_die(Point::DrainEnds);
        keeper::deregister(shared).await;
    }
}

async fn all(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task of the runtime panicked");
        }
    }
}
