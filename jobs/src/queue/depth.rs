//! How much waits, runs and lies dead.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgExecutor, Row};
use utoipa::ToSchema;

use super::{Queue, janitor::PLACES_MAX};

/// Living jobs and dead letters of one kind.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
pub struct Depth {
    /// `Job::KIND`.
    pub kind: String,
    /// May run now.
    pub ready: i64,
    /// Waits for its time or its next attempt.
    pub scheduled: i64,
    /// Leased by a worker.
    pub running: i64,
    /// Gave up and not replayed since.
    pub dead: i64,
    /// Since when the oldest ready job could have run, seconds.
    pub oldest_ready_s: Option<f64>,
}

/// A process that runs jobs, or did until lately.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Worker {
    /// Id.
    pub id: String,
    /// Machine.
    pub host: String,
    /// Process id there.
    pub pid: i32,
    /// Kinds it runs.
    pub kinds: Vec<String>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Since its last sign of life, seconds.
    pub silent_s: f64,
    /// It takes no more work.
    pub draining: bool,
}

impl Queue {
    /// One line per kind that has living jobs or dead letters; of one tenant, or of all.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn depth(
        &self,
        db: impl PgExecutor<'_>,
        workspace_id: Option<&str>,
    ) -> sqlx::Result<Vec<Depth>> {
        sqlx::query_as(
            "select kind, sum(ready)::bigint as ready, sum(scheduled)::bigint as scheduled, sum(running)::bigint as running,
                    sum(dead)::bigint as dead, max(oldest_ready_s) as oldest_ready_s
             from (
               select kind, count(*) filter (where state = 'ready') as ready,
                      count(*) filter (where state = 'scheduled') as scheduled,
                      count(*) filter (where state = 'running') as running, 0 as dead,
                      extract(epoch from now() - min(run_at) filter (where state = 'ready'))::float8 as oldest_ready_s
               from ops.jobs where $1::text is null or workspace_id = $1 group by kind
               union all
               select kind, 0, 0, 0, count(*), null
               from ops.dead_letters where replayed_at is null and ($1::text is null or workspace_id = $1) group by kind
             ) counted
             group by kind order by kind",
        )
        .bind(workspace_id)
        .fetch_all(db)
        .await
    }

    /// Since when the job that has waited longest could have run, seconds; 0 if none waits. Work that is paused does not
    /// count: it waits on purpose.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn oldest_ready_s(&self) -> sqlx::Result<f64> {
        let places = sqlx::query(include_str!("sweep.sql"))
            .bind("")
            .bind("")
            .bind(-1_i16)
            .bind(PLACES_MAX)
            .fetch_all(self.pool())
            .await?;
        let mut oldest = 0.0_f64;
        for place in places {
            if !place.try_get::<bool, _>("paused")? {
                oldest = oldest.max(place.try_get("age_s")?);
            }
        }
        Ok(oldest)
    }

    /// Processes that run jobs, the most recently heard first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn workers(&self) -> sqlx::Result<Vec<Worker>> {
        sqlx::query_as(
            "select id, host, pid, kinds, started_at, extract(epoch from now() - heartbeat_at)::float8 as silent_s, draining
             from ops.workers order by heartbeat_at desc, id",
        )
        .fetch_all(self.pool())
        .await
    }
}
