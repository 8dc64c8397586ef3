//! What the queue is to do, in memory: a row is a struct, a statement is a loop.

use std::collections::{BTreeMap, BTreeSet};

use millrace_jobs::queue::{LeaseId, NewJob};

use super::rows::{Does, Finished, Job, Letter, State, job};

/// Leases that may run out before a job is a dead letter.
pub(super) const CRASHES_MAX: i32 = 3;

/// Everything the queue knows, and what its workers believe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reference {
    /// Living, by id.
    pub(super) jobs: BTreeMap<i64, Job>,
    /// Ended, by id.
    pub(super) history: BTreeMap<i64, Finished>,
    /// Dead, by the id of the job.
    pub(super) letters: BTreeMap<i64, Letter>,
    /// Jobs so far.
    pub(super) enqueued: usize,
    /// The highest id so far.
    last_id: i64,
    /// Ends refused by the fence.
    pub(super) refused: u64,
    /// Ends given up because the worker knew that its lease was lost.
    pub(super) lost: u64,
    /// (tenant, kind); empty means all.
    pub(super) pauses: BTreeSet<(String, String)>,
    /// Of (tenant, kind).
    pub(super) limits: BTreeMap<(String, String), i64>,
}

impl Reference {
    /// `got`: id and freshness as the queue returned them.
    pub(super) fn enqueue(&mut self, new: &[NewJob], got: &[(i64, bool)]) -> Result<(), String> {
        let mut order: Vec<usize> = (0..new.len()).collect();
        let key = |n: &NewJob| n.unique_key.clone().map(|k| (n.workspace_id.clone(), n.kind, k));
        order.sort_by_key(|i| key(&new[*i]));
        for i in order {
            let (wanted, (id, fresh)) = (&new[i], got[i]);
            let waiting =
                self.waiting(&wanted.workspace_id, wanted.kind, wanted.unique_key.as_deref());
            match waiting {
                Some(there) if (there, false) != (id, fresh) => {
                    return Err(format!("{there} waits with this key, not {id} ({fresh})"));
                }
                Some(_) => {}
                None if !fresh || self.last_id >= id => {
                    return Err(format!("{id} ({fresh}) is not a new job"));
                }
                None => self.insert(job(id, wanted)),
            }
        }
        Ok(())
    }

    fn insert(&mut self, job: Job) {
        self.last_id = job.id;
        self.enqueued += 1;
        self.jobs.insert(job.id, job);
    }

    fn waiting(&self, tenant: &str, kind: &str, key: Option<&str>) -> Option<i64> {
        let key = key?;
        let same = |j: &&Job| j.tenant == tenant && j.kind == kind && j.key.as_deref() == Some(key);
        self.jobs.values().filter(same).find(|j| !j.is_running()).map(|j| j.id)
    }

    fn is_paused(&self, tenant: &str, kind: &str) -> bool {
        ["", tenant].iter().any(|t| {
            ["", kind].iter().any(|k| self.pauses.contains(&((*t).to_owned(), (*k).to_owned())))
        })
    }

    /// How many more may run, if there is a cap.
    fn places(&self, tenant: &str, kind: &str) -> Option<i64> {
        let max = *self.limits.get(&(tenant.to_owned(), kind.to_owned()))?;
        let runs = |j: &&Job| j.tenant == tenant && j.kind == kind && j.is_running() && j.capped;
        let running = i64::try_from(self.jobs.values().filter(runs).count()).unwrap();
        Some((max - running).max(0))
    }

    fn lease(&mut self, id: i64, worker: &str) -> LeaseId {
        let capped = {
            let j = &self.jobs[&id];
            self.limits.contains_key(&(j.tenant.clone(), j.kind.clone()))
        };
        let job = self.jobs.get_mut(&id).unwrap();
        job.state = State::Running { worker: worker.to_owned(), late: false };
        job.attempt += 1;
        job.capped = capped;
        LeaseId { job: id, attempt: job.attempt }
    }

    /// Tenants in order, a fair share each; within a tenant the higher class first, then who has waited longest.
    pub(super) fn claim(&mut self, worker: &str, kind: &str, want: usize) -> Vec<LeaseId> {
        let ready = |j: &&Job| j.kind == kind && j.state == State::Ready && j.crashes < 2;
        let mut tenants: BTreeMap<String, Vec<(i16, i64, i64)>> = BTreeMap::new();
        for j in self.jobs.values().filter(ready) {
            if !self.is_paused(&j.tenant, kind) {
                let place = (j.priority, j.position, j.id);
                tenants.entry(j.tenant.clone()).or_default().push(place);
            }
        }
        let served = tenants.len().min(want);
        let share = want.div_ceil(served.max(1));
        let mut leases = Vec::new();
        for (tenant, mut places) in tenants.into_iter().take(served) {
            places.sort_unstable();
            let left =
                self.places(&tenant, kind).map_or(usize::MAX, |p| usize::try_from(p).unwrap());
            let taken = places.into_iter().take(share.min(left));
            leases.extend(taken.map(|(_, _, id)| self.lease(id, worker)));
        }
        leases
    }

    /// One that crashed twice runs alone; the one that has waited longest of those that may.
    pub(super) fn claim_suspect(&mut self, worker: &str) -> Option<LeaseId> {
        let may = |j: &&Job| {
            j.state == State::Ready
                && j.crashes >= 2
                && !self.is_paused(&j.tenant, &j.kind)
                && self.places(&j.tenant, &j.kind) != Some(0)
        };
        let next = self.jobs.values().filter(may).min_by_key(|j| j.position)?.id;
        Some(self.lease(next, worker))
    }

    fn held(&self, lease: LeaseId) -> bool {
        self.jobs.get(&lease.job).is_some_and(|j| j.is_running() && j.attempt == lease.attempt)
    }

    /// The end of a delivery that its worker still believes in.
    pub(super) fn end(&mut self, lease: LeaseId, does: Does) {
        if !self.held(lease) {
            self.refused += 1;
            return;
        }
        match does {
            Does::Done | Does::Commit => self.finish(lease.job, "done", 0),
            Does::Cancel => self.finish(lease.job, "cancelled", 0),
            Does::Die => self.bury(lease.job, "permanent", 0),
            Does::Snooze => self.back(lease.job, true),
            Does::Retry => {
                let job = &self.jobs[&lease.job];
                if job.attempt - job.spared >= job.attempts_max {
                    self.bury(lease.job, "attempts_exhausted", 0);
                } else {
                    self.back(lease.job, false);
                }
            }
        }
    }

    /// Back to the queue, unless another with its key waits or it was cancelled meanwhile.
    fn back(&mut self, id: i64, spare: bool) {
        let job = &self.jobs[&id];
        if job.cancel_requested
            || self.waiting(&job.tenant, &job.kind, job.key.as_deref()).is_some()
        {
            return self.finish(id, "cancelled", 0);
        }
        let job = self.jobs.get_mut(&id).unwrap();
        job.state = State::Scheduled { due: false };
        (job.position, job.capped) = (0, false);
        job.spared += i32::from(spare);
    }

    fn finish(&mut self, id: i64, outcome: &str, crashes: i32) {
        let job = self.jobs.remove(&id).unwrap();
        let (attempt, crashes) = (job.attempt, job.crashes + crashes);
        self.history.insert(id, Finished { outcome: outcome.to_owned(), attempt, crashes });
    }

    fn bury(&mut self, id: i64, reason: &str, crashes: i32) {
        let mut job = self.jobs[&id].clone();
        job.crashes += crashes;
        self.finish(id, "dead", crashes);
        self.letters
            .insert(id, Letter { id: 0, job, reason: reason.to_owned(), replayed_as: None });
    }

    /// What the worker holds is extended or, if somebody asked for it, stopped. Returns what it holds no longer.
    pub(super) fn beat(&mut self, leases: &[LeaseId]) -> Vec<LeaseId> {
        let mut lost = Vec::new();
        for lease in leases {
            if !self.held(*lease) {
                lost.push(*lease);
                continue;
            }
            let job = self.jobs.get_mut(&lease.job).unwrap();
            if let State::Running { late, .. } = &mut job.state {
                *late = false;
            }
            if job.cancel_requested {
                self.finish(lease.job, "cancelled", 0);
                lost.push(*lease);
            }
        }
        lost
    }

    /// What is due becomes ready; what dead workers held comes back or is buried.
    pub(super) fn tidy(&mut self) {
        for job in self.jobs.values_mut().filter(|j| j.state == State::Scheduled { due: true }) {
            (job.state, job.position) = (State::Ready, 0);
        }
        let late = |j: &&Job| matches!(j.state, State::Running { late: true, .. });
        let late: Vec<Job> = self.jobs.values().filter(late).cloned().collect();
        // Newest first: of the jobs with one key that died together, it is the one that comes back.
        let mut groups: BTreeMap<(String, String, Option<String>, i64), Vec<Job>> = BTreeMap::new();
        for job in late.into_iter().rev() {
            let crashes = job.crashes + 1;
            if job.cancel_requested {
                self.finish(job.id, "cancelled", 1);
            } else if crashes >= CRASHES_MAX || job.attempt - job.spared >= job.attempts_max {
                self.bury(job.id, "crashed", 1);
            } else {
                let alone = if job.key.is_none() { job.id } else { 0 };
                let same = (job.tenant.clone(), job.kind.clone(), job.key.clone(), alone);
                groups.entry(same).or_default().push(job);
            }
        }
        for ((tenant, kind, key, _), group) in groups {
            let crashes = group.iter().map(|j| j.crashes).max().unwrap() + 1;
            let waiting = self.waiting(&tenant, &kind, key.as_deref());
            for (nth, job) in group.iter().enumerate() {
                if nth > 0 || waiting.is_some() {
                    self.finish(job.id, "cancelled", 1);
                    continue;
                }
                let job = self.jobs.get_mut(&job.id).unwrap();
                (job.state, job.position, job.capped) = (State::Ready, 0, false);
                job.crashes = crashes;
            }
            if let Some(heir) = waiting.and_then(|id| self.jobs.get_mut(&id)) {
                heir.crashes = heir.crashes.max(crashes);
            }
        }
    }

    /// By a person: what waits is over, what runs is told to stop.
    pub(super) fn cancel(&mut self, id: i64) {
        match self.jobs.get_mut(&id) {
            Some(job) if job.is_running() => job.cancel_requested = true,
            Some(_) => self.finish(id, "cancelled", 0),
            None => {}
        }
    }

    /// By a person: a job that waits for its time runs at once.
    pub(super) fn retry(&mut self, id: i64) {
        if let Some(job) = self.jobs.get_mut(&id)
            && matches!(job.state, State::Scheduled { .. })
        {
            (job.state, job.position) = (State::Ready, 0);
        }
    }

    /// A cap of a tenant in a kind, or none.
    pub(super) fn limit(&mut self, tenant: &str, kind: &str, max: Option<i64>) {
        let of = (tenant.to_owned(), kind.to_owned());
        match max {
            Some(max) => self.limits.insert(of, max),
            None => self.limits.remove(&of),
        };
        let running = |j: &&mut Job| j.tenant == tenant && j.kind == kind && j.is_running();
        for job in self.jobs.values_mut().filter(running) {
            job.capped = max.is_some();
        }
    }

    /// A new job for each letter of `kind` (by id even those replayed before); `got`: letter and new job as returned.
    pub(super) fn replay(
        &mut self,
        kind: &str,
        ids: Option<&[i64]>,
        got: &[(i64, i64)],
    ) -> Result<(), String> {
        let mut letters: Vec<Letter> = self.letters.values().cloned().collect();
        letters.sort_by_key(|l| l.id);
        let mut got = got.iter().copied().collect::<BTreeMap<_, _>>();
        for letter in letters {
            let named = ids.is_some_and(|ids| ids.contains(&letter.id));
            let meant = if ids.is_some() { named } else { letter.replayed_as.is_none() };
            let (dead, old) = (letter.job.id, letter.job);
            if !meant || old.kind != kind {
                continue;
            }
            let blocked = self.waiting(&old.tenant, &old.kind, old.key.as_deref()).is_some();
            match got.remove(&letter.id) {
                None if blocked => continue,
                Some(id) if !blocked && id > self.last_id => {
                    self.insert(Job {
                        id,
                        state: State::Ready,
                        position: 0,
                        attempt: 0,
                        spared: 0,
                        crashes: 0,
                        capped: false,
                        cancel_requested: false,
                        replay_of: Some(letter.id),
                        ..old
                    });
                    self.letters.get_mut(&dead).unwrap().replayed_as = Some(id);
                }
                other => return Err(format!("letter {} ({blocked}) became {other:?}", letter.id)),
            }
        }
        if got.is_empty() { Ok(()) } else { Err(format!("replayed, too: {got:?}")) }
    }
}
