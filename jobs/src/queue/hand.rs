//! A worker operated by hand, for tests and tools: nothing happens that it is not told to do.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chrono::DateTime;
use tokio::{sync::mpsc, time::Instant};

use super::{
    LeaseId, Spec,
    call::{self, End},
    claim::Known,
    completer,
    held::Call,
    keeper, lone,
    runtime::Shared,
};
use crate::ctx::Ctx;

/// Jobs of one kind in a [`step`].
const STEP_JOBS_MAX: usize = 1000;

/// One worker. What it has in hand when it is dropped runs out, as with a killed process.
#[derive(Debug)]
pub struct Hand {
    shared: Arc<Shared>,
    ended: mpsc::Receiver<Vec<End>>,
    calls: VecDeque<Call>,
}

impl Hand {
    /// A worker on `specs`.
    #[must_use]
    pub fn new(ctx: &Arc<Ctx>, specs: &'static [Spec]) -> Self {
        let (shared, ended) = Shared::new(ctx.clone(), specs);
        Self { shared, ended, calls: VecDeque::new() }
    }

    /// Its `ops.jobs.leased_by`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.worker
    }

    /// The janitor's round: what is due becomes ready, what dead workers held comes back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tidy(&self) -> sqlx::Result<()> {
        self.shared.queue.promote(DateTime::UNIX_EPOCH).await?;
        self.shared.queue.expire(DateTime::UNIX_EPOCH).await?;
        Ok(())
    }

    /// Take up to about `want` jobs of `kind` in hand, as a claimer that has just started does.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(&mut self, kind: &str, want: usize) -> sqlx::Result<Vec<LeaseId>> {
        let queue = &self.shared.queue;
        let kind = self.shared.kinds.iter().find(|k| k.spec.kind == kind).cloned();
        let Some(kind) = kind else { return Ok(Vec::new()) };
        // Hints may be old; the sweep's are true.
        kind.inbox.take();
        queue.sweep(None).await?;
        let mut known = Known::default();
        for ((tenant, class), position) in kind.inbox.take() {
            known.hint(&tenant, class, position);
        }
        let asked_at = Instant::now();
        let jobs = queue.claim(kind.spec.kind, &self.shared.worker, &mut known, want).await?;
        let leases = jobs.iter().map(|job| job.id).collect();
        let until = asked_at + Duration::from_millis(queue.settings().lease_ms);
        self.calls.extend(self.shared.held.take(&kind, jobs, until));
        Ok(leases)
    }

    /// Take the suspect in hand whose turn it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim_suspect(&mut self) -> sqlx::Result<Option<LeaseId>> {
        let next = lone::next(&self.shared).await?;
        let lease = next.as_ref().and_then(|call| call.jobs.first()).map(|job| job.id);
        self.calls.extend(next);
        Ok(lease)
    }

    /// The keeper's round: extend all leases, let go of lost ones, stop what somebody cancelled.
    pub async fn beat(&self) {
        let lease = Duration::from_millis(self.shared.queue.settings().lease_ms);
        keeper::round(&self.shared, lease, true).await;
    }

    /// Run the call with this lease, and write down how it ended. False: it is not in hand.
    pub async fn run(&mut self, lease: LeaseId) -> bool {
        let with = |call: &Call| call.jobs.iter().any(|job| job.id == lease);
        let found = self.calls.iter().position(with).and_then(|at| self.calls.remove(at));
        let Some(call) = found else { return false };
        call::run(self.shared.clone(), call).await;
        self.write().await;
        true
    }

    async fn run_all(&mut self) {
        for call in std::mem::take(&mut self.calls) {
            call::run(self.shared.clone(), call).await;
        }
    }

    async fn write(&mut self) {
        let ends = std::iter::from_fn(|| self.ended.try_recv().ok()).flatten().collect();
        completer::write(&self.shared, ends).await;
    }
}

/// One round of one worker: tidy, claim what is ready of each kind and run it, then one suspect; at last write down how
/// all of it ended. Returns how many jobs ran.
///
/// # Errors
/// Those of the database.
pub async fn step(ctx: &Arc<Ctx>, specs: &'static [Spec]) -> sqlx::Result<usize> {
    let mut hand = Hand::new(ctx, specs);
    hand.tidy().await?;
    let mut ran = 0;
    for spec in specs {
        ran += hand.claim(spec.kind, STEP_JOBS_MAX).await?.len();
        hand.run_all().await;
    }
    ran += usize::from(hand.claim_suspect().await?.is_some());
    hand.run_all().await;
    hand.write().await;
    Ok(ran)
}
