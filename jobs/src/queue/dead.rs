//! Dead letters: search and replay.

use chrono::{DateTime, Utc};
use millrace_config::point::{Point, may_fail};
use serde::Serialize;
use sqlx::{PgExecutor, Row};
use utoipa::ToSchema;

use super::{Queue, enqueue::Ready, wake::Place};

/// Which dead letters; `None` does not filter.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeadFilter {
    /// Tenant.
    pub workspace_id: Option<String>,
    /// `ops.dead_letters.id`.
    pub ids: Option<Vec<i64>>,
    /// `Job::KIND`.
    pub kind: Option<String>,
    /// The source its delivery came from.
    pub source_id: Option<String>,
    /// attempts_exhausted, crashed, permanent or undecodable.
    pub reason: Option<String>,
    /// Died at or after.
    pub since: Option<DateTime<Utc>>,
    /// Died before.
    pub until: Option<DateTime<Utc>>,
    /// Only ids below: the last id of the page before. Not used by replays.
    pub before: Option<i64>,
    /// Rows, 1 to 10000.
    pub limit: i64,
}

/// A dead letter without its payload.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
#[expect(missing_docs, reason = "columns of ops.dead_letters")]
pub struct DeadRow {
    pub id: i64,
    pub job_id: i64,
    pub workspace_id: String,
    pub kind: String,
    pub source_id: Option<String>,
    pub event_id: Option<uuid::Uuid>,
    pub reason: String,
    pub error: Option<String>,
    pub attempt: i32,
    pub crashes: i32,
    pub trace_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub died_at: DateTime<Utc>,
    pub replayed_at: Option<DateTime<Utc>>,
    pub replayed_as: Option<i64>,
}

/// A replayed dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// `ops.dead_letters.id`.
    pub letter: i64,
    /// The new job's id.
    pub job: i64,
}

impl Queue {
    /// Dead letters, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn dead(
        &self,
        db: impl PgExecutor<'_>,
        filter: &DeadFilter,
    ) -> sqlx::Result<Vec<DeadRow>> {
        sqlx::query_as(
            "select id, job_id, workspace_id, kind, source_id, event_id, reason, error, attempt, crashes, trace_id,
                    created_at, died_at, replayed_at, replayed_as
             from ops.dead_letters
             where ($1::text is null or workspace_id = $1) and ($2::bigint[] is null or id = any($2))
               and ($3::text is null or kind = $3) and ($4::text is null or source_id = $4)
               and ($5::text is null or reason = $5)
               and ($6::timestamptz is null or died_at >= $6) and ($7::timestamptz is null or died_at < $7)
               and ($8::bigint is null or id < $8)
             order by id desc limit $9",
        )
        .bind(&filter.workspace_id)
        .bind(&filter.ids)
        .bind(&filter.kind)
        .bind(&filter.source_id)
        .bind(&filter.reason)
        .bind(filter.since)
        .bind(filter.until)
        .bind(filter.before)
        .bind(filter.limit.clamp(1, 10_000))
        .fetch_all(db)
        .await
    }

    /// Enqueue the jobs of dead letters again, with all their attempts. Letters already replayed are taken again only
    /// when named by id. After the commit, hand what is ready to [`Queue::wake_ready`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn replay(
        &self,
        db: impl PgExecutor<'_>,
        filter: &DeadFilter,
    ) -> sqlx::Result<(Vec<Replayed>, Ready)> {
        let rows = sqlx::query(include_str!("replay.sql"))
            .bind(&filter.workspace_id)
            .bind(&filter.ids)
            .bind(&filter.kind)
            .bind(&filter.source_id)
            .bind(&filter.reason)
            .bind(filter.since)
            .bind(filter.until)
            .bind(filter.limit.clamp(1, 10_000))
            .fetch_all(db)
            .await?;
        may_fail(Point::LettersReplayed)?;
        let places: sqlx::Result<Vec<_>> = rows.iter().map(Place::from_row).collect();
        let replayed: sqlx::Result<Vec<_>> = rows
            .iter()
            .map(|row| Ok(Replayed { letter: row.try_get("replay_of")?, job: row.try_get("id")? }))
            .collect();
        Ok((replayed?, Ready(places?)))
    }
}
