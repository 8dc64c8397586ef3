//! Enqueueing in the caller's transaction.

use std::collections::HashMap;

use millrace_config::point::{Point, may_fail};
use sqlx::{PgConnection, Row};

use super::{NewJob, Queue, wake::Place};

/// Rounds of "insert, else look up the waiting one" before giving up: each round is lost only to a job that started
/// between the two statements.
const ROUNDS: usize = 5;

/// The class of jobs that say nothing else.
const PRIORITY_NORMAL: i16 = 2;

/// What became of a [`NewJob`].
#[derive(Debug, Clone)]
pub struct Enqueued {
    /// `ops.jobs.id`, of the new job or of the waiting one with the same unique key.
    pub id: i64,
    /// False: a waiting job with the same unique key stands for it.
    pub fresh: bool,
    /// Where a claimer finds it, if it is ready.
    place: Option<(Place, i64)>,
}

/// Where claimers find jobs that became ready.
#[derive(Debug, Default)]
#[must_use = "claimers are told after the commit"]
pub struct Ready(pub(super) Vec<(Place, i64)>);

impl Queue {
    /// Insert jobs in the caller's transaction, in order. A unique key that is taken does not fail: the waiting job is
    /// returned, and does not start before this transaction ends, so that it sees what the transaction wrote. After the
    /// commit, hand the result to [`Queue::wake`].
    ///
    /// # Errors
    /// Those of the database; the transaction is then lost.
    pub async fn enqueue(
        &self,
        conn: &mut PgConnection,
        jobs: &[NewJob],
    ) -> sqlx::Result<Vec<Enqueued>> {
        let mut done: Vec<Option<Enqueued>> = vec![None; jobs.len()];
        let mut open: Vec<usize> = (0..jobs.len()).collect();
        // One order for everybody, so that two transactions with the same keys wait instead of deadlocking.
        open.sort_by(|a, b| key_of(jobs, *a).cmp(&key_of(jobs, *b)));
        for _ in 0..ROUNDS {
            insert(conn, jobs, &open, &mut done).await?;
            may_fail(Point::JobsEnqueued)?;
            open.retain(|i| done.get(*i).is_some_and(Option::is_none));
            if open.is_empty() {
                return Ok(done.into_iter().flatten().collect());
            }
            look_up(conn, jobs, &open, &mut done).await?;
            open.retain(|i| done.get(*i).is_some_and(Option::is_none));
        }
        if open.is_empty() {
            return Ok(done.into_iter().flatten().collect());
        }
        Err(sqlx::Error::Protocol("unique key neither free nor taken".into()))
    }

    /// Tell claimers, here and elsewhere, that committed jobs are ready. Forgetting to call it costs at most a second.
    pub fn wake(&self, enqueued: &[Enqueued]) {
        self.wakes().spread(enqueued.iter().filter_map(|e| e.place.clone()));
    }

    /// As [`Queue::wake`], for jobs that somebody made ready.
    pub fn wake_ready(&self, ready: Ready) {
        self.wakes().spread(ready.0);
    }

    /// Tell workers, here and elsewhere, that a running job was cancelled. Forgetting to call it costs a heartbeat.
    pub fn wake_cancels(&self) {
        self.wakes().spread_cancel();
    }

    /// As [`Queue::wake`], for jobs added by the SQL function `ops.enqueue`: per workspace, the first position.
    pub fn wake_at(&self, kind: &str, first: impl IntoIterator<Item = (String, i64)>) {
        let place =
            |workspace_id| Place { kind: kind.to_owned(), workspace_id, priority: PRIORITY_NORMAL };
        self.wakes().spread(first.into_iter().map(|(tenant, position)| (place(tenant), position)));
    }
}

fn key_of(jobs: &[NewJob], index: usize) -> Option<(&str, &str, &str)> {
    let job = jobs.get(index)?;
    Some((&job.workspace_id, job.kind, job.unique_key.as_deref()?))
}

fn millis(delay: std::time::Duration) -> i64 {
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 1_000_000)
}

async fn insert(
    conn: &mut PgConnection,
    jobs: &[NewJob],
    open: &[usize],
    done: &mut [Option<Enqueued>],
) -> sqlx::Result<()> {
    let picked: Vec<&NewJob> = open.iter().filter_map(|i| jobs.get(*i)).collect();
    let rows = sqlx::query(include_str!("enqueue.sql"))
        .bind(picked.iter().map(|j| j.workspace_id.as_str()).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.kind).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.priority).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| millis(j.delay)).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.attempts_max).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.unique_key.as_deref()).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.payload.get()).collect::<Vec<_>>())
        .bind(picked.iter().map(|j| j.trace_id.as_deref()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    for row in rows {
        let nth: i64 = row.try_get(0)?;
        let index = usize::try_from(nth - 1).ok().and_then(|n| open.get(n)).copied();
        let Some((index, job)) = index.and_then(|i| Some((i, jobs.get(i)?))) else { continue };
        let place = Place {
            kind: job.kind.to_owned(),
            workspace_id: job.workspace_id.clone(),
            priority: job.priority,
        };
        let position: i64 = row.try_get(2)?;
        if let Some(slot) = done.get_mut(index) {
            *slot = Some(Enqueued {
                id: row.try_get(1)?,
                fresh: true,
                place: job.delay.is_zero().then_some((place, position)),
            });
        }
    }
    Ok(())
}

async fn look_up(
    conn: &mut PgConnection,
    jobs: &[NewJob],
    open: &[usize],
    done: &mut [Option<Enqueued>],
) -> sqlx::Result<()> {
    let keys: Vec<(&str, &str, &str)> = open.iter().filter_map(|i| key_of(jobs, *i)).collect();
    let rows = sqlx::query(include_str!("waiting.sql"))
        .persistent(false)
        .bind(keys.iter().map(|k| k.0).collect::<Vec<_>>())
        .bind(keys.iter().map(|k| k.1).collect::<Vec<_>>())
        .bind(keys.iter().map(|k| k.2).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let mut waiting: HashMap<(&str, &str, &str), Enqueued> = HashMap::new();
    for row in &rows {
        let place = row.try_get::<bool, _>("ready")?.then(|| Place::from_row(row)).transpose()?;
        let id = row.try_get("id")?;
        let key = (row.try_get("workspace_id")?, row.try_get("kind")?, row.try_get("unique_key")?);
        waiting.insert(key, Enqueued { id, fresh: false, place });
    }
    for index in open {
        if let Some(slot) = done.get_mut(*index) {
            *slot = key_of(jobs, *index).and_then(|key| waiting.get(&key)).cloned();
        }
    }
    Ok(())
}
