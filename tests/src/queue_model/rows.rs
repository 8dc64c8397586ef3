//! Rows of the queue's tables: as the reference keeps them, and as the tables hold them.

use std::collections::BTreeMap;

use millrace_jobs::queue::NewJob;
use sqlx::{PgPool, Row};

/// A living job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) tenant: String,
    pub(super) kind: String,
    pub(super) key: Option<String>,
    pub(super) priority: i16,
    pub(super) attempts_max: i32,
    /// Zero until the database has told: a fresh one is the highest so far, whatever it is.
    pub(super) position: i64,
    pub(super) state: State,
    pub(super) attempt: i32,
    pub(super) spared: i32,
    pub(super) crashes: i32,
    pub(super) capped: bool,
    pub(super) cancel_requested: bool,
    pub(super) replay_of: Option<i64>,
}

/// Where a living job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// May be claimed.
    Ready,
    /// Waits for its time, which may have come.
    Scheduled {
        /// It has.
        due: bool,
    },
    /// Held by a worker.
    Running {
        /// `leased_by`.
        worker: String,
        /// Its lease ran out.
        late: bool,
    },
}

/// Delivery and crashes of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) outcome: String,
    pub(super) attempt: i32,
    pub(super) crashes: i32,
}

/// A job that gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Zero until the database has told.
    pub(super) id: i64,
    pub(super) job: Job,
    pub(super) reason: String,
    pub(super) replayed_as: Option<i64>,
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Done,
    Commit,
    Retry,
    Snooze,
    Cancel,
    Die,
}

impl Job {
    /// Held by a worker, whatever became of that.
    #[must_use]
    pub(super) const fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }
}

pub(super) fn job(id: i64, new: &NewJob) -> Job {
    let state = if new.delay.is_zero() { State::Ready } else { State::Scheduled { due: false } };
    Job {
        id,
        tenant: new.workspace_id.clone(),
        kind: new.kind.to_owned(),
        key: new.unique_key.clone(),
        priority: new.priority,
        attempts_max: new.attempts_max,
        position: 0,
        state,
        attempt: 0,
        spared: 0,
        crashes: 0,
        capped: false,
        cancel_requested: false,
        replay_of: None,
    }
}

pub(super) async fn jobs_of(pool: &PgPool) -> BTreeMap<i64, Job> {
    let rows = sqlx::query(
        "select id, workspace_id, kind, unique_key, priority, attempts_max, position, state, attempt, spared, crashes,
                capped, cancel_requested, replay_of, coalesce(leased_by, '') as worker,
                coalesce(lease_until < now(), false) as late, run_at <= now() as due
         from ops.jobs",
    );
    let rows = rows.fetch_all(pool).await.unwrap();
    let job = |row: &sqlx::postgres::PgRow| Job {
        id: row.get("id"),
        tenant: row.get("workspace_id"),
        kind: row.get("kind"),
        key: row.get("unique_key"),
        priority: row.get("priority"),
        attempts_max: row.get("attempts_max"),
        position: row.get("position"),
        state: match row.get::<&str, _>("state") {
            "ready" => State::Ready,
            "scheduled" => State::Scheduled { due: row.get("due") },
            _ => State::Running { worker: row.get("worker"), late: row.get("late") },
        },
        attempt: row.get("attempt"),
        spared: row.get("spared"),
        crashes: row.get("crashes"),
        capped: row.get("capped"),
        cancel_requested: row.get("cancel_requested"),
        replay_of: row.get("replay_of"),
    };
    rows.iter().map(job).map(|job| (job.id, job)).collect()
}

pub(super) async fn history_of(pool: &PgPool) -> BTreeMap<i64, Finished> {
    let rows: Vec<(i64, String, i32, i32)> =
        sqlx::query_as("select id, outcome, attempt, crashes from ops.job_history")
            .fetch_all(pool)
            .await
            .unwrap();
    let finished = |(id, outcome, attempt, crashes)| (id, Finished { outcome, attempt, crashes });
    rows.into_iter().map(finished).collect()
}

pub(super) type Told = (i64, String, i32, i32, Option<i64>);

pub(super) async fn letters_of(pool: &PgPool) -> BTreeMap<i64, Told> {
    let rows: Vec<(i64, i64, String, i32, i32, Option<i64>)> = sqlx::query_as(
        "select job_id, id, reason, attempt, crashes, replayed_as from ops.dead_letters",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let told = |(job, id, reason, attempt, crashes, replayed)| {
        (job, (id, reason, attempt, crashes, replayed))
    };
    rows.into_iter().map(told).collect()
}
