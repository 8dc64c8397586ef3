//! A job type with its type erased, for the list of jobs.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use serde_json::value::RawValue;

use super::{Job, Leased, NewJob, Verdict, claim::Claimed};
use crate::ctx::Ctx;

/// A [`Job`] as the runtime sees it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `Job::KIND`.
    pub kind: &'static str,
    /// `Job::ATTEMPTS_MAX`.
    pub attempts_max: i32,
    /// `Job::TIMEOUT`.
    pub timeout: Duration,
    /// `Job::BATCH_MAX`.
    pub batch_max: usize,
    /// `Job::CONCURRENCY`.
    pub concurrency: usize,
    pub(crate) run: fn(Arc<Ctx>, Vec<Claimed>) -> BoxFuture<'static, Vec<Ended>>,
}

/// How a job of a batch ended, before the runtime decides what that means.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The job said so.
    Verdict(Verdict),
    /// Its payload is not a payload of its kind.
    Undecodable(serde_json::Error),
}

/// Erase a job type.
#[must_use]
pub const fn spec<J: Job>() -> Spec {
    assert!(
        J::BATCH_MAX > 0 && J::CONCURRENCY > 0 && J::ATTEMPTS_MAX > 0,
        "a job needs at least one of each"
    );
    Spec {
        kind: J::KIND,
        attempts_max: J::ATTEMPTS_MAX,
        timeout: J::TIMEOUT,
        batch_max: J::BATCH_MAX,
        concurrency: J::CONCURRENCY,
        run: |ctx, batch| run::<J>(ctx, batch).boxed(),
    }
}

impl Spec {
    /// A job of this kind with an empty object for a payload, of no tenant: what a schedule enqueues.
    #[must_use]
    pub fn periodic(&self, schedule: &str) -> NewJob {
        NewJob {
            kind: self.kind,
            workspace_id: String::new(),
            payload: RawValue::from_string("{}".into()).unwrap_or_default(),
            priority: 2,
            attempts_max: self.attempts_max,
            unique_key: Some(schedule.to_owned()),
            delay: Duration::ZERO,
            trace_id: None,
        }
    }
}

async fn run<J: Job>(ctx: Arc<Ctx>, batch: Vec<Claimed>) -> Vec<Ended> {
    let mut ended: Vec<Option<Ended>> = Vec::with_capacity(batch.len());
    let mut leased = Vec::with_capacity(batch.len());
    for claimed in batch {
        match serde_json::from_str::<J>(claimed.payload.get()) {
            Err(error) => ended.push(Some(Ended::Undecodable(error))),
            Ok(job) => {
                ended.push(None);
                leased.push(Leased {
                    id: claimed.id,
                    attempts_before: claimed.counted() - 1,
                    workspace_id: claimed.workspace_id,
                    trace_id: claimed.trace_id,
                    job,
                });
            }
        }
    }
    let verdicts = if leased.is_empty() { Vec::new() } else { J::run(ctx, leased).await };
    let mut verdicts = verdicts.into_iter();
    ended
        .into_iter()
        .map(|e| match e {
            Some(e) => e,
            None => Ended::Verdict(verdicts.next().unwrap_or_else(|| {
                Verdict::Retry(anyhow::anyhow!(
                    "the job returned fewer verdicts than it was given jobs"
                ))
            })),
        })
        .collect()
}

/// Fails the build when two jobs of a list share a kind.
pub const fn assert_unique(specs: &[Spec]) {
    let mut rest = specs;
    while let Some((first, others)) = rest.split_first() {
        let mut others_left = others;
        while let Some((other, more)) = others_left.split_first() {
            assert!(!same(first.kind.as_bytes(), other.kind.as_bytes()), "two jobs share a kind");
            others_left = more;
        }
        rest = others;
    }
}

const fn same(mut a: &[u8], mut b: &[u8]) -> bool {
    while let (Some((x, left)), Some((y, right))) = (a.split_first(), b.split_first()) {
        if *x != *y {
            return false;
        }
        (a, b) = (left, right);
    }
    a.is_empty() && b.is_empty()
}

/// The list of jobs: `jobs![A, B]` is a `&'static [Spec]`. Two jobs of one kind do not compile.
#[macro_export]
macro_rules! jobs {
    ($($job:ty),* $(,)?) => {{
        const SPECS: &[$crate::queue::Spec] = &[$($crate::queue::spec::<$job>()),*];
        const { $crate::queue::assert_unique(SPECS) };
        SPECS
    }};
}
