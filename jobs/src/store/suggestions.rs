//! What the service suggests, and what is like what: reads only.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgExecutor};
use utoipa::ToSchema;

/// A project that a signal may belong to, not yet linked or dismissed.
#[derive(Debug, Clone, FromRow, serde::Serialize, ToSchema)]
pub struct Suggestion {
    /// Signal.
    pub signal_id: String,
    /// First 500 characters of what it says.
    pub excerpt: String,
    /// Project.
    pub project_id: String,
    /// Its name today.
    pub project_name: String,
    /// Calibrated probability.
    pub confidence: f32,
    /// What spoke for it.
    pub reason: Option<String>,
    /// When the signal was said.
    pub created_at: DateTime<Utc>,
}

/// Open suggestions of the last 30 days with at least `confidence_min`, surest first; for one signal
/// if `signal_id` is given. From `asked_from` on also those that are shown whatever the threshold.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    signal_id: Option<&str>,
    confidence_min: f32,
    asked_from: f32,
    limit: i64,
) -> sqlx::Result<Vec<Suggestion>> {
    sqlx::query_as(
        "select s.id as signal_id, left(s.verbatim, 500) as excerpt, p.id as project_id, p.name as project_name,
                (m ->> 'confidence')::real as confidence, m ->> 'matchReason' as reason,
                s.created_at at time zone 'utc' as created_at
         from signals.signals s
         cross join lateral jsonb_array_elements(s.ai_classification -> 'projectMatches') m
         join signals.projects p on p.workspace_id = s.workspace_id and p.id = m ->> 'projectId' and p.status = 'active'
         where s.workspace_id = $1 and ($2::text is null or s.id = $2)
           and s.processed_at is not null and s.deleted_at is null and s.status <> 'archived'
           and s.suggestion_dismissed_at is null
           and s.created_at > (now() at time zone 'utc') - interval '30 days'
           and ((m ->> 'confidence')::real >= $3
             or (m ->> 'confidence')::real >= $4 and signals.asked_anyway(s.id, p.id))
           and not exists (select from signals.signal_projects l where l.signal_id = s.id and l.project_id = p.id)
           and not exists (select from signals.suggestion_feedback f
                           where f.signal_id = s.id and f.project_id = p.id and f.verdict = 'dismissed')
         order by confidence desc, s.id, p.id limit $5",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(confidence_min)
    .bind(asked_from)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// A signal and how like another it is.
#[derive(Debug, Clone, FromRow, serde::Serialize, ToSchema)]
pub struct Similar {
    /// Signal.
    pub signal_id: String,
    /// First 500 characters of what it says.
    pub excerpt: String,
    /// Cosine.
    pub similarity: f32,
    /// State of its work-flow.
    pub status: String,
    /// When it was said.
    pub created_at: DateTime<Utc>,
}

/// The signals of the workspace most like this one; `None` if there is no such signal, or it has no
/// vector yet.
///
/// # Errors
/// Those of the database.
pub async fn similar(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_id: &str,
    limit: i64,
) -> sqlx::Result<Option<Vec<Similar>>> {
    let known: bool = sqlx::query_scalar(
        "select exists (select from signals.signal_embeddings where workspace_id = $1 and signal_id = $2)",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .fetch_one(&mut *conn)
    .await?;
    if !known {
        return Ok(None);
    }
    let found = sqlx::query_as(
        "with asked as materialized (
           select e.model_id, e.embedding from signals.signal_embeddings e
           where e.workspace_id = $1 and e.signal_id = $2 order by e.model_id desc limit 1
         )
         select s.id as signal_id, left(s.verbatim, 500) as excerpt, (1 - (e.vector <=> asked.embedding))::real as similarity,
                s.status, s.created_at at time zone 'utc' as created_at
         from asked join signals.signals s on s.workspace_id = $1 and s.id <> $2 and s.deleted_at is null
         join ops.embeddings e on e.model_id = asked.model_id and e.content_hash = s.content_hash
         order by e.vector <=> asked.embedding, s.id limit $3",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(Some(found))
}
