//! The leases this process holds, so that they can be extended, and their work stopped when they are lost.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LeaseId, claim::Claimed, runtime::Kind, wake::lock};

/// Jobs handed to one run of a job's code.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) jobs: Vec<Claimed>,
    pub(crate) lost: Arc<Lost>,
    pub(crate) grip: Grip,
}

/// A call in hand. Dropped before its ends are in the completer's hands, it lets its leases run out.
#[derive(Debug)]
pub(crate) struct Grip {
    pub(crate) kind: Arc<Kind>,
    jobs: usize,
    leases: Leases,
}

impl Grip {
    /// Somebody else answers for the leases.
    pub(crate) fn hand_on(mut self) {
        self.leases.ids.clear();
    }
}

impl Drop for Grip {
    fn drop(&mut self) {
        self.kind.let_go(self.jobs);
    }
}

/// Leases that are kept alive until this is dropped.
#[derive(Debug)]
pub(crate) struct Leases {
    held: Held,
    ids: Vec<LeaseId>,
}

impl Drop for Leases {
    fn drop(&mut self) {
        let mut leases = lock(&self.held.leases);
        for id in &self.ids {
            if leases.get(&id.job).is_some_and(|h| h.attempt == id.attempt) {
                leases.remove(&id.job);
            }
        }
    }
}

/// Set when none of a call's leases is held any more: nothing it could still do would count.
#[derive(Debug)]
pub(crate) struct Lost {
    left: AtomicUsize,
    pub(crate) token: CancellationToken,
}

impl Lost {
    fn one(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.token.cancel();
        }
    }
}

#[derive(Debug)]
struct Hold {
    attempt: i32,
    /// On this process's monotonic clock, counted from before the statement that set the lease.
    until: Instant,
    call: Arc<Lost>,
}

/// All leases of this process; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    leases: Arc<Mutex<HashMap<i64, Hold>>>,
}

impl Held {
    /// Take claimed jobs in hand, in calls as large as their kind allows.
    pub(crate) fn take(&self, kind: &Arc<Kind>, jobs: Vec<Claimed>, until: Instant) -> Vec<Call> {
        kind.take(&jobs);
        let batch_max = kind.spec.batch_max;
        let mut calls = Vec::with_capacity(jobs.len().div_ceil(batch_max));
        let mut leases = lock(&self.leases);
        let mut jobs = jobs.into_iter().peekable();
        while jobs.peek().is_some() {
            let jobs: Vec<Claimed> = jobs.by_ref().take(batch_max).collect();
            let left = AtomicUsize::new(jobs.len());
            let lost = Arc::new(Lost { left, token: CancellationToken::new() });
            for job in &jobs {
                let hold = Hold { attempt: job.id.attempt, until, call: lost.clone() };
                // An attempt before, whose lease ran out, may still be running here.
                if let Some(before) = leases.insert(job.id.job, hold) {
                    before.call.one();
                }
            }
            let ids = jobs.iter().map(|job| job.id).collect();
            let grip =
                Grip { kind: kind.clone(), jobs: jobs.len(), leases: self.until_dropped(ids) };
            calls.push(Call { jobs, lost, grip });
        }
        calls
    }

    /// Their deliveries are over when this is dropped.
    pub(crate) fn until_dropped(&self, ids: Vec<LeaseId>) -> Leases {
        Leases { held: self.clone(), ids }
    }

    /// These are no longer ours: forget them, and stop calls that have none left.
    pub(crate) fn lose(&self, ids: impl Iterator<Item = LeaseId>) {
        let mut leases = lock(&self.leases);
        for id in ids {
            if leases.get(&id.job).is_some_and(|h| h.attempt == id.attempt)
                && let Some(hold) = leases.remove(&id.job)
            {
                hold.call.one();
            }
        }
    }

    /// All, sorted by job.
    pub(crate) fn all(&self) -> Vec<LeaseId> {
        self.filter(|_| true)
    }

    /// Those that end within `margin`, sorted by job.
    pub(crate) fn ending(&self, margin: Duration) -> Vec<LeaseId> {
        let limit = Instant::now() + margin;
        self.filter(|hold| hold.until <= limit)
    }

    pub(crate) fn extended(&self, ids: &[i64], until: Instant) {
        let mut leases = lock(&self.leases);
        for id in ids {
            if let Some(hold) = leases.get_mut(id) {
                hold.until = until;
            }
        }
    }

    fn filter(&self, keep: impl Fn(&Hold) -> bool) -> Vec<LeaseId> {
        let mut ids: Vec<LeaseId> = lock(&self.leases)
            .iter()
            .filter(|(_, hold)| keep(hold))
            .map(|(job, hold)| LeaseId { job: *job, attempt: hold.attempt })
            .collect();
        ids.sort_unstable_by_key(|id| id.job);
        ids
    }
}
