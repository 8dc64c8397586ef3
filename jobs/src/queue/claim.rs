//! Claiming: fair among tenants, by priority without starvation, flat however long the queue and however many dead
//! rows lie in front of it.
//!
//! A job gets a new position, the highest so far, whenever it becomes ready. So what lies before the last claimed
//! position of a (tenant, class) is claimed, dead, or was committed late. A claimer keeps that position as a low-water
//! mark and never walks what lies before it; late commits come with a hint that lowers the mark, and the sweep
//! (`janitor.rs`) re-reads the true first positions now and then. Losing a mark costs time, never a job.

use std::collections::BTreeMap;

use millrace_config::point::{Point, may_fail};
use serde_json::value::RawValue;
use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow, types::Json};

use super::{LeaseId, Queue};

/// Tenants looked at in one statement.
const TENANTS_MAX: usize = 64;
/// Every so many claims serve another class than the highest first.
const TURNS: usize = 4;
/// No work known.
const NONE: i64 = i64::MAX;

/// A claimed job, payload not decoded.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: LeaseId,
    pub(crate) spared: i32,
    pub(crate) attempts_max: i32,
    pub(crate) workspace_id: String,
    pub(crate) priority: i16,
    pub(crate) position: i64,
    pub(crate) payload: Box<RawValue>,
    pub(crate) trace_id: Option<String>,
    /// Seconds from ready to claimed.
    pub(crate) waited_s: f64,
    /// Counts towards a cap: its end may free a place.
    pub(crate) capped: bool,
}

impl Claimed {
    /// Deliveries that count against `attempts_max`, this one included.
    pub(crate) const fn counted(&self) -> i32 {
        self.id.attempt - self.spared
    }

    pub(crate) fn from_row(row: &PgRow, capped: bool) -> sqlx::Result<Self> {
        Ok(Self {
            id: LeaseId { job: row.try_get("id")?, attempt: row.try_get("attempt")? },
            spared: row.try_get("spared")?,
            attempts_max: row.try_get("attempts_max")?,
            workspace_id: row.try_get("workspace_id")?,
            priority: row.try_get("priority")?,
            position: row.try_get("position")?,
            payload: row.try_get::<Json<Box<RawValue>>, _>("payload")?.0,
            trace_id: row.try_get("trace_id")?,
            waited_s: row.try_get("waited_s")?,
            capped,
        })
    }
}

/// What one kind's claimer knows: which tenants and classes may have ready jobs, and from where on.
#[derive(Debug, Default)]
pub(crate) struct Known {
    tenants: BTreeMap<String, [i64; 4]>,
    /// Marks of tenants at their cap; the end of one of their jobs brings them back.
    parked: BTreeMap<String, [i64; 4]>,
    /// The last tenant served; the next claim starts behind it.
    served: String,
    turn: usize,
}

impl Known {
    /// `priority` of `workspace_id` may have work from `position` on.
    pub(crate) fn hint(&mut self, workspace_id: &str, priority: i16, position: i64) {
        let Some(class) = usize::try_from(priority).ok().filter(|c| *c < 4) else { return };
        let parked = self.parked.remove(workspace_id);
        let marks = self
            .tenants
            .entry(workspace_id.to_owned())
            .or_insert_with(|| parked.unwrap_or([NONE; 4]));
        if let Some(mark) = marks.get_mut(class) {
            *mark = (*mark).min(position.saturating_sub(1));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// The next tenants in turn and how many jobs each may give.
    fn next(&mut self, want: usize) -> (Vec<(String, [i64; 4])>, usize) {
        use std::ops::Bound::{Excluded, Unbounded};
        let count = self.tenants.len().min(want).min(TENANTS_MAX);
        let behind = self.tenants.range::<str, _>((Excluded(self.served.as_str()), Unbounded));
        let picked: Vec<_> =
            behind.chain(self.tenants.iter()).take(count).map(|(t, m)| (t.clone(), *m)).collect();
        if let Some((last, _)) = picked.last() {
            self.served.clone_from(last);
        }
        (picked, want.div_ceil(count.max(1)))
    }

    /// Highest class first; every fourth time one of the others, in turn.
    fn classes(&mut self) -> [i16; 4] {
        self.turn = self.turn.wrapping_add(1);
        if !self.turn.is_multiple_of(TURNS) {
            return [0, 1, 2, 3];
        }
        match (self.turn / TURNS) % 3 {
            0 => [3, 0, 1, 2],
            1 => [2, 0, 1, 3],
            _ => [1, 0, 2, 3],
        }
    }

    /// A tenant that gave less than its share has no more; of the others, what was claimed is behind the mark.
    fn claimed(&mut self, asked: &[(String, [i64; 4])], share: usize, jobs: &[Claimed]) {
        for (tenant, _) in asked {
            let of_tenant = || jobs.iter().filter(|j| j.workspace_id == *tenant);
            if of_tenant().count() < share {
                self.tenants.remove(tenant);
            } else if let Some(marks) = self.tenants.get_mut(tenant) {
                for job in of_tenant() {
                    let class = usize::try_from(job.priority).ok().and_then(|c| marks.get_mut(c));
                    if let Some(mark) = class {
                        *mark = if *mark == NONE { job.position } else { job.position.max(*mark) };
                    }
                }
            }
        }
    }

    fn park(&mut self, tenant: &str) {
        if let Some((tenant, marks)) = self.tenants.remove_entry(tenant) {
            self.parked.insert(tenant, marks);
        }
    }
}

impl Queue {
    /// Claim up to about `want` jobs of `kind` for `worker` among the places in `known`.
    pub(crate) async fn claim(
        &self,
        kind: &str,
        worker: &str,
        known: &mut Known,
        want: usize,
    ) -> sqlx::Result<Vec<Claimed>> {
        let (tenants, share) = known.next(want);
        let classes = known.classes();
        let capped = self.capped(kind, &tenants).await?;
        let (limited, free): (Vec<_>, Vec<_>) =
            tenants.into_iter().partition(|(t, _)| capped.contains(t));
        let mut jobs = Vec::new();
        if !free.is_empty() {
            let ask = Ask { kind, worker, classes, tenants: &free, share, capped: false };
            jobs = self.ask(&ask, self.pool()).await?;
            known.claimed(&free, share, &jobs);
        }
        for one in limited {
            match self.claim_capped(kind, worker, classes, &one, share).await? {
                None => known.park(&one.0),
                Some((allowed, more)) => {
                    known.claimed(std::slice::from_ref(&one), allowed, &more);
                    jobs.extend(more);
                }
            }
        }
        if !jobs.is_empty() {
            may_fail(Point::JobsClaimed)?;
        }
        jobs.sort_unstable_by_key(|j| (j.priority, j.position));
        Ok(jobs)
    }

    /// Those of `tenants` that have a cap. The claim statement checks again.
    async fn capped(
        &self,
        kind: &str,
        tenants: &[(String, [i64; 4])],
    ) -> sqlx::Result<Vec<String>> {
        if !self.inner.caps.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        sqlx::query_scalar(
            "select workspace_id from ops.queue_limits where kind = $1 and workspace_id = any($2)",
        )
        .bind(kind)
        .bind(tenants.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>())
        .fetch_all(self.pool())
        .await
    }

    /// Count and claim in one transaction. Returns the number asked for and the jobs, or `None` at the cap.
    async fn claim_capped(
        &self,
        kind: &str,
        worker: &str,
        classes: [i16; 4],
        tenant: &(String, [i64; 4]),
        share: usize,
    ) -> sqlx::Result<Option<(usize, Vec<Claimed>)>> {
        let mut tx = self.pool().begin().await?;
        let share = share.min(places_left(&mut tx, kind, &tenant.0).await?);
        if share == 0 {
            return Ok(None);
        }
        let tenants = std::slice::from_ref(tenant);
        let jobs = self
            .ask(&Ask { kind, worker, classes, tenants, share, capped: true }, &mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some((share, jobs)))
    }

    async fn ask<'c>(&self, ask: &Ask<'_>, db: impl PgExecutor<'c>) -> sqlx::Result<Vec<Claimed>> {
        let marks = |class: usize| -> Vec<i64> {
            ask.tenants.iter().map(|(_, m)| m.get(class).copied().unwrap_or(NONE)).collect()
        };
        let share = i64::try_from(ask.share).unwrap_or(i64::MAX);
        sqlx::query(include_str!("claim.sql"))
            .bind(ask.kind)
            .bind(ask.tenants.iter().map(|(t, _)| t.as_str()).collect::<Vec<_>>())
            .bind(vec![share; ask.tenants.len()])
            .bind(marks(0))
            .bind(marks(1))
            .bind(marks(2))
            .bind(marks(3))
            .bind(ask.classes.as_slice())
            .bind(ask.worker)
            .bind(ask.capped)
            .bind(self.settings().lease_ms.cast_signed())
            .fetch_all(db)
            .await?
            .iter()
            .map(|row| Claimed::from_row(row, ask.capped))
            .collect()
    }
}

/// How many more jobs of a kind a tenant may run. The limit's row stays locked until the transaction ends, so that two
/// workers cannot both take the last place.
pub(crate) async fn places_left(
    conn: &mut PgConnection,
    kind: &str,
    workspace_id: &str,
) -> sqlx::Result<usize> {
    let max: Option<i32> = sqlx::query_scalar(
        "select running_max from ops.queue_limits where kind = $1 and workspace_id = $2 for update",
    )
    .bind(kind)
    .bind(workspace_id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(max) = max else { return Ok(usize::MAX) };
    let running: i64 = sqlx::query_scalar(
        "select count(*) from ops.jobs
         where kind = $1 and workspace_id = $2 and state = 'running' and capped",
    )
    .bind(kind)
    .bind(workspace_id)
    .fetch_one(&mut *conn)
    .await?;
    Ok(usize::try_from(i64::from(max).saturating_sub(running)).unwrap_or(0))
}

struct Ask<'a> {
    kind: &'a str,
    worker: &'a str,
    classes: [i16; 4],
    tenants: &'a [(String, [i64; 4])],
    share: usize,
    capped: bool,
}
