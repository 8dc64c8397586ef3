//! How signals stand, counted. Reads only.

use serde::Serialize;
use sqlx::PgExecutor;
use utoipa::ToSchema;

/// Signals of one source, counted.
#[derive(Debug, Clone, Default, sqlx::FromRow, Serialize, ToSchema)]
pub struct SignalTally {
    /// Source; absent for signals that came without one.
    pub source_id: Option<String>,
    /// Signals that are not deleted.
    pub signals: i64,
    /// Of them: embedded and classified.
    pub processed: i64,
    /// Of them: classified to a project.
    pub to_project: i64,
    /// Of them: classified as a new initiative.
    pub new_initiative: i64,
    /// Of them: linked to a project.
    pub linked: i64,
    /// Of them: say what an earlier one says.
    pub duplicates: i64,
    /// Deleted at their source.
    pub deleted: i64,
}

/// One line per source of `workspace` (or of all).
///
/// # Errors
/// Those of the database.
pub async fn by_source(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
) -> sqlx::Result<Vec<SignalTally>> {
    sqlx::query_as(
        "select s.source_id,
                count(*) filter (where s.deleted_at is null) as signals,
                count(*) filter (where s.deleted_at is null and s.processed_at is not null) as processed,
                count(*) filter (where s.deleted_at is null and s.classification ->> 'projectId' is not null) as to_project,
                count(*) filter (where s.deleted_at is null and (s.classification ->> 'isNewInitiative')::bool) as new_initiative,
                count(*) filter (where s.deleted_at is null and s.status = 'linked') as linked,
                count(*) filter (where s.deleted_at is null and s.duplicate_of is not null) as duplicates,
                count(*) filter (where s.deleted_at is not null) as deleted
         from signals.signals s
         where $1::text is null or s.workspace_id = $1
         group by s.source_id order by s.source_id",
    )
    .bind(workspace)
    .fetch_all(db)
    .await
}
