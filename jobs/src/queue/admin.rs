//! Looking at the queue and intervening: what the command line and the read side are made of.
//!
//! A `workspace_id` of `None` means every tenant.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use super::{Queue, enqueue::Ready, wake::Place};

/// Which jobs to list; `None` does not filter.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Tenant.
    pub workspace_id: Option<String>,
    /// `Job::KIND`.
    pub kind: Option<String>,
    /// ready, scheduled or running.
    pub state: Option<String>,
    /// Only ids below: the last id of the page before.
    pub before: Option<i64>,
    /// Rows, 1 to 1000.
    pub limit: i64,
}

/// A living job.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[expect(missing_docs, reason = "columns of ops.jobs")]
pub struct JobRow {
    pub id: i64,
    pub workspace_id: String,
    pub kind: String,
    pub state: String,
    pub priority: i16,
    pub attempt: i32,
    pub spared: i32,
    pub attempts_max: i32,
    pub crashes: i32,
    pub run_at: DateTime<Utc>,
    pub leased_by: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub cancel_requested: bool,
    pub unique_key: Option<String>,
    pub last_error: Option<String>,
    pub trace_id: Option<String>,
    pub replay_of: Option<i64>,
    pub created_at: DateTime<Utc>,
}

/// A finished job.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[expect(missing_docs, reason = "columns of ops.job_history")]
pub struct FinishedRow {
    pub id: i64,
    pub workspace_id: String,
    pub kind: String,
    pub outcome: String,
    pub attempt: i32,
    pub crashes: i32,
    pub trace_id: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: DateTime<Utc>,
}

/// A job wherever it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "where", rename_all = "snake_case")]
pub enum JobView {
    /// In `ops.jobs`.
    Living(Box<JobRow>),
    /// In `ops.job_history`; a dead one is in the dead letters too.
    Finished(Box<FinishedRow>),
}

/// What cancelling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancelled {
    /// It had not started and is gone.
    Now,
    /// It is running; its worker has been told.
    Requested,
    /// No such living job.
    NotFound,
}

/// A pause; an empty kind or workspace means all.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[expect(missing_docs, reason = "columns of ops.queue_pauses")]
pub struct PauseRow {
    pub workspace_id: String,
    pub kind: String,
    pub reason: Option<String>,
    pub paused_at: DateTime<Utc>,
}

impl Queue {
    /// Living jobs, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list(
        &self,
        db: impl PgExecutor<'_>,
        filter: &JobFilter,
    ) -> sqlx::Result<Vec<JobRow>> {
        sqlx::query_as(
            "select id, workspace_id, kind, state, priority, attempt, spared, attempts_max, crashes, run_at, leased_by,
                    lease_until, started_at, cancel_requested, unique_key, last_error, trace_id, replay_of, created_at
             from ops.jobs
             where ($1::text is null or workspace_id = $1) and ($2::text is null or kind = $2)
               and ($3::text is null or state = $3) and ($4::bigint is null or id < $4)
             order by id desc limit $5",
        )
        .bind(&filter.workspace_id)
        .bind(&filter.kind)
        .bind(&filter.state)
        .bind(filter.before)
        .bind(filter.limit.clamp(1, 1000))
        .fetch_all(db)
        .await
    }

    /// One job, living or finished.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn show(
        &self,
        conn: &mut PgConnection,
        workspace_id: Option<&str>,
        id: i64,
    ) -> sqlx::Result<Option<JobView>> {
        let living: Option<JobRow> = sqlx::query_as(
            "select id, workspace_id, kind, state, priority, attempt, spared, attempts_max, crashes, run_at, leased_by,
                    lease_until, started_at, cancel_requested, unique_key, last_error, trace_id, replay_of, created_at
             from ops.jobs where id = $1 and ($2::text is null or workspace_id = $2)",
        )
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut *conn)
        .await?;
        if let Some(row) = living {
            return Ok(Some(JobView::Living(Box::new(row))));
        }
        let finished: Option<FinishedRow> = sqlx::query_as(
            "select id, workspace_id, kind, outcome, attempt, crashes, trace_id, error, created_at, started_at, finished_at
             from ops.job_history where id = $1 and ($2::text is null or workspace_id = $2)
             order by finished_at desc limit 1",
        )
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut *conn)
        .await?;
        Ok(finished.map(|row| JobView::Finished(Box::new(row))))
    }

    /// Run a scheduled job (one that waits for its next attempt, or for its time) at once. `None`: none such. After the
    /// commit, hand the result to [`Queue::wake_ready`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn retry(
        &self,
        db: impl PgExecutor<'_>,
        workspace_id: Option<&str>,
        id: i64,
    ) -> sqlx::Result<Option<Ready>> {
        let row = sqlx::query(
            "update ops.jobs set state = 'ready', run_at = now(), position = nextval('ops.job_positions')
             where id = $1 and state = 'scheduled' and ($2::text is null or workspace_id = $2)
             returning kind, workspace_id, priority, position",
        )
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(db)
        .await?;
        row.as_ref().map(|row| Ok(Ready(vec![Place::from_row(row)?]))).transpose()
    }

    /// Cancel a living job; a running one is stopped by its worker, which [`Queue::wake_cancels`] tells after the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn cancel(
        &self,
        conn: &mut PgConnection,
        workspace_id: Option<&str>,
        id: i64,
    ) -> sqlx::Result<Cancelled> {
        let gone: Option<i64> = sqlx::query_scalar(
            "with gone as (
               delete from ops.jobs
               where id = $1 and state <> 'running' and ($2::text is null or workspace_id = $2)
               returning *
             )
             insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, trace_id, created_at, started_at)
             select id, workspace_id, kind, 'cancelled', attempt, crashes, trace_id, created_at, started_at from gone
             returning id",
        )
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut *conn)
        .await?;
        if gone.is_some() {
            return Ok(Cancelled::Now);
        }
        let told: Option<i64> = sqlx::query_scalar(
            "update ops.jobs set cancel_requested = true
             where id = $1 and state = 'running' and ($2::text is null or workspace_id = $2)
             returning id",
        )
        .bind(id)
        .bind(workspace_id)
        .fetch_optional(&mut *conn)
        .await?;
        Ok(if told.is_some() { Cancelled::Requested } else { Cancelled::NotFound })
    }

    /// Claim no more of a kind, a tenant, or (both empty) anything. Running jobs go on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pause(&self, workspace_id: &str, kind: &str, reason: &str) -> sqlx::Result<()> {
        sqlx::query(
            "insert into ops.queue_pauses (workspace_id, kind, reason) values ($1, $2, $3)
             on conflict (workspace_id, kind) do update set reason = excluded.reason",
        )
        .bind(workspace_id)
        .bind(kind)
        .bind(reason)
        .execute(self.pool())
        .await
        .map(drop)
    }

    /// Undo exactly that pause; claims go on within a second. False: there was none.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn resume(&self, workspace_id: &str, kind: &str) -> sqlx::Result<bool> {
        let done =
            sqlx::query("delete from ops.queue_pauses where workspace_id = $1 and kind = $2")
                .bind(workspace_id)
                .bind(kind)
                .execute(self.pool())
                .await?;
        Ok(done.rows_affected() > 0)
    }

    /// All pauses.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pauses(&self) -> sqlx::Result<Vec<PauseRow>> {
        sqlx::query_as(
            "select workspace_id, kind, reason, paused_at from ops.queue_pauses order by 1, 2",
        )
        .fetch_all(self.pool())
        .await
    }

    /// At most `running_max` jobs of this tenant and kind at once; `None` lifts the cap. What runs already counts.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn limit(
        &self,
        workspace_id: &str,
        kind: &str,
        running_max: Option<i32>,
    ) -> sqlx::Result<()> {
        let mut tx = self.pool().begin().await?;
        sqlx::query(
            "with off as (delete from ops.queue_limits where $3::int is null and workspace_id = $1 and kind = $2)
             insert into ops.queue_limits (workspace_id, kind, running_max)
             select $1, $2, $3 where $3 is not null
             on conflict (workspace_id, kind) do update set running_max = excluded.running_max",
        )
        .bind(workspace_id)
        .bind(kind)
        .bind(running_max)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "update ops.jobs set capped = $3
             where workspace_id = $1 and kind = $2 and state = 'running' and capped <> $3",
        )
        .bind(workspace_id)
        .bind(kind)
        .bind(running_max.is_some())
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }
}
