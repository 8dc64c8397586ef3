//! What became of a set of events: reads only.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

/// How far the work on a set of events is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Progress {
    /// Events not normalised yet.
    pub events_waiting: i64,
    /// Signals whose current version comes from one of the events.
    pub signals: i64,
    /// Those of them not processed yet.
    pub signals_waiting: i64,
}

impl Progress {
    /// Nothing is left to do.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.events_waiting == 0 && self.signals_waiting == 0
    }
}

/// Effects of the events of one source, or of all.
#[derive(Debug, Clone, Default, Serialize, sqlx::FromRow)]
pub struct Became {
    /// Events.
    pub events: i64,
    /// Of these, turned into records.
    pub normalized: i64,
    /// Understood and meant to be nothing.
    pub ignored: i64,
    /// Held with a reason.
    pub quarantined: i64,
    /// Signals whose current version comes from one of the events.
    pub signals: i64,
    /// Of these, with a project as their class.
    pub classified: i64,
    /// With a link to a project that was written without asking.
    pub linked: i64,
    /// With no project as their class.
    pub new_initiative: i64,
    /// Marked as near-duplicates of an earlier one.
    pub near_duplicates: i64,
    /// Marked as the same text as an earlier one.
    pub exact_duplicates: i64,
    /// Edited at their source.
    pub edited: i64,
    /// Deleted at their source.
    pub deleted: i64,
    /// Median from receipt to result, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile of the same.
    pub p95_ms: Option<f64>,
}

/// How far the work on `events` of a workspace is.
///
/// # Errors
/// If the database does not answer.
pub async fn progress(
    pool: &PgPool,
    workspace_id: &str,
    events: &[Uuid],
) -> Result<Progress, sqlx::Error> {
    sqlx::query_as(
        "select (select count(*) from ops.events e
                 where e.id = any($2) and e.workspace_id = $1 and e.state = 'stored') as events_waiting,
                count(*) as signals,
                count(*) filter (where s.processed_at is null and s.deleted_at is null) as signals_waiting
         from signals.signals s
         where s.workspace_id = $1 and s.event_id = any($2)",
    )
    .bind(workspace_id)
    .bind(events)
    .fetch_one(pool)
    .await
}

#[derive(sqlx::FromRow)]
struct BySource {
    source_id: Option<String>,
    #[sqlx(flatten)]
    became: Became,
}

/// What became of `events` of a workspace: in total, and by source id.
///
/// # Errors
/// If the database does not answer.
pub async fn by_source(
    pool: &PgPool,
    workspace_id: &str,
    events: &[Uuid],
) -> Result<(Became, BTreeMap<String, Became>), sqlx::Error> {
    let rows: Vec<BySource> = sqlx::query_as(include_str!("outcome.sql"))
        .bind(workspace_id)
        .bind(events)
        .fetch_all(pool)
        .await?;
    let mut total = Became::default();
    let mut by_source = BTreeMap::new();
    for row in rows {
        match row.source_id {
            Some(id) => drop(by_source.insert(id, row.became)),
            None => total = row.became,
        }
    }
    Ok((total, by_source))
}
