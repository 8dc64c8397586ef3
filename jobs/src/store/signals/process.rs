//! What the processing jobs read and write.

use chrono::NaiveDateTime;
use pgvector::HalfVector;
use serde_json::{Map, Value};
use sqlx::{FromRow, PgConnection, types::Json};

/// A signal to be processed.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Unprocessed {
    pub(crate) id: String,
    pub(crate) workspace_id: String,
    pub(crate) verbatim: String,
    pub(crate) content_hash: Vec<u8>,
    pub(crate) severity: Option<String>,
    pub(crate) frequency: Option<String>,
    pub(crate) user_segment: Option<String>,
    pub(crate) interpretation: Option<String>,
    pub(crate) trace_id: Option<String>,
}

/// Those of the ids that wait for processing.
pub(crate) async fn unprocessed(
    conn: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<Vec<Unprocessed>> {
    sqlx::query_as(
        "select id, workspace_id, verbatim, content_hash, severity, frequency, user_segment, interpretation, trace_id
         from signals.signals
         where id = any ($1) and processed_at is null and deleted_at is null and content_hash is not null
         order by workspace_id, id",
    )
    .bind(ids)
    .fetch_all(conn)
    .await
}

/// Serialises the writers of results in one workspace until the transaction ends, so that each sees
/// what the other has heard.
pub(crate) async fn lock_workspace(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('signals.process ' || $1, 0))")
        .bind(workspace_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Signals processed after `after` that are no duplicates, newest first.
pub(crate) async fn heard_since(
    conn: &mut PgConnection,
    workspace_id: &str,
    model_id: i16,
    after: NaiveDateTime,
    rows_max: i64,
) -> sqlx::Result<Vec<(String, Vec<u8>, NaiveDateTime, HalfVector)>> {
    sqlx::query_as(
        "select s.id, s.content_hash, s.processed_at, e.vector
         from signals.signals s join ops.embeddings e on e.model_id = $2 and e.content_hash = s.content_hash
         where s.workspace_id = $1 and s.processed_at > $3 and s.deleted_at is null and s.duplicate_of is null
         order by s.processed_at desc, s.id desc limit $4",
    )
    .bind(workspace_id)
    .bind(model_id)
    .bind(after)
    .bind(rows_max)
    .fetch_all(conn)
    .await
}

/// Locks the rows whose text is still the one that was judged and that nobody has processed.
pub(crate) async fn lock_current(
    conn: &mut PgConnection,
    ids: &[String],
    hashes: &[Vec<u8>],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select s.id from signals.signals s
         join unnest($1::text[], $2::bytea[]) as n (id, hash) on n.id = s.id and n.hash = s.content_hash
         where s.processed_at is null and s.deleted_at is null
         order by s.id for update of s",
    )
    .bind(ids)
    .bind(hashes)
    .fetch_all(conn)
    .await
}

/// Who said exactly this first, per hash: (hash, signal).
pub(crate) async fn first_to_say(
    conn: &mut PgConnection,
    workspace_id: &str,
    hashes: &[Vec<u8>],
) -> sqlx::Result<Vec<(Vec<u8>, String)>> {
    sqlx::query_as(
        "select distinct on (content_hash) content_hash, id from signals.signals
         where workspace_id = $1 and content_hash = any ($2) and processed_at is not null
           and deleted_at is null and duplicate_of is null
         order by content_hash, processed_at, id",
    )
    .bind(workspace_id)
    .bind(hashes)
    .fetch_all(conn)
    .await
}

/// Those of the ids that still say what they said.
pub(crate) async fn still_says(
    conn: &mut PgConnection,
    workspace_id: &str,
    ids: &[String],
    hashes: &[Vec<u8>],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select s.id from signals.signals s
         join unnest($2::text[], $3::bytea[]) as n (id, hash) on n.id = s.id and n.hash = s.content_hash
         where s.workspace_id = $1 and s.deleted_at is null",
    )
    .bind(workspace_id)
    .bind(ids)
    .bind(hashes)
    .fetch_all(conn)
    .await
}

/// Results, column-wise.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) ids: Vec<String>,
    pub(crate) severities: Vec<Option<String>>,
    pub(crate) frequencies: Vec<Option<String>>,
    pub(crate) segments: Vec<Option<String>>,
    pub(crate) interpretations: Vec<Option<String>>,
    pub(crate) provenances: Vec<Json<Map<String, Value>>>,
    pub(crate) ai_classifications: Vec<Json<Value>>,
    pub(crate) classifications: Vec<Json<Value>>,
    pub(crate) duplicates_of: Vec<Option<String>>,
    pub(crate) duplicate_kinds: Vec<Option<String>>,
    pub(crate) duplicate_scores: Vec<Option<f32>>,
}

impl Results {
    /// Writes all and stamps `processed_at`. What a person, the sender or the endpoint has said stays.
    pub(crate) async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query(
            "update signals.signals s set
               severity = coalesce(s.severity, n.severity), frequency = coalesce(s.frequency, n.frequency),
               user_segment = coalesce(s.user_segment, n.user_segment),
               interpretation = coalesce(s.interpretation, n.interpretation),
               provenance = n.provenance || s.provenance,
               ai_classification = n.ai_classification, classification = n.classification,
               duplicate_of = n.duplicate_of, duplicate_kind = n.duplicate_kind, duplicate_score = n.duplicate_score,
               processed_at = clock_timestamp() at time zone 'utc', updated_at = now() at time zone 'utc'
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[],
                         $8::jsonb[], $9::text[], $10::text[], $11::real[])
               as n (id, severity, frequency, user_segment, interpretation, provenance, ai_classification,
                     classification, duplicate_of, duplicate_kind, duplicate_score)
             where s.id = n.id",
        )
        .bind(&self.ids)
        .bind(&self.severities)
        .bind(&self.frequencies)
        .bind(&self.segments)
        .bind(&self.interpretations)
        .bind(&self.provenances)
        .bind(&self.ai_classifications)
        .bind(&self.classifications)
        .bind(&self.duplicates_of)
        .bind(&self.duplicate_kinds)
        .bind(&self.duplicate_scores)
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Moves signals that have a project to `linked`.
pub(crate) async fn mark_linked(conn: &mut PgConnection, ids: &[String]) -> sqlx::Result<()> {
    sqlx::query(
        "update signals.signals set status = 'linked', updated_at = now() at time zone 'utc'
         where id = any ($1) and status in ('new', 'reviewed')",
    )
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a signal without a project back to `reviewed`.
pub(crate) async fn mark_reviewed(conn: &mut PgConnection, id: &str) -> sqlx::Result<()> {
    sqlx::query(
        "update signals.signals set status = 'reviewed', updated_at = now() at time zone 'utc'
         where id = $1 and status = 'linked'",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// The confidence with which the project was suggested for the signal.
pub(crate) async fn suggested(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_id: &str,
    project_id: &str,
) -> sqlx::Result<Option<f32>> {
    let found: Option<Option<f32>> = sqlx::query_scalar(
        "select (select (m ->> 'confidence')::real from jsonb_array_elements(s.ai_classification -> 'projectMatches') m
                 where m ->> 'projectId' = $3 limit 1)
         from signals.signals s where s.workspace_id = $1 and s.id = $2",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(project_id)
    .fetch_optional(conn)
    .await?;
    Ok(found.flatten())
}

/// Takes a dismissed project out of what is said about the signal.
pub(crate) async fn forget_match(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_id: &str,
    project_id: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update signals.signals s set
           ai_classification = jsonb_set(s.ai_classification, '{projectMatches}', coalesce(
             (select jsonb_agg(m) from jsonb_array_elements(s.ai_classification -> 'projectMatches') m
              where m ->> 'projectId' <> $3), '[]')),
           classification = case when s.classification ->> 'projectId' = $3
             then s.classification - array['projectId', 'projectName', 'reason'] else s.classification end,
           updated_at = now() at time zone 'utc'
         where s.workspace_id = $1 and s.id = $2 and s.ai_classification is not null",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(project_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Processed signals without a project that a changed project may concern: id, verbatim, vector; the
/// newest of the last 30 days. What a person or the endpoint decided is left alone.
pub(crate) async fn open_to_change(
    conn: &mut PgConnection,
    workspace_id: &str,
    model_id: i16,
    rows_max: i64,
) -> sqlx::Result<Vec<(String, String, HalfVector)>> {
    sqlx::query_as(
        "select s.id, s.verbatim, e.vector
         from signals.signals s join ops.embeddings e on e.model_id = $2 and e.content_hash = s.content_hash
         where s.workspace_id = $1 and s.status in ('new', 'reviewed') and s.processed_at is not null
           and s.deleted_at is null and s.processed_at > (now() at time zone 'utc') - interval '30 days'
           and coalesce(s.classification ->> 'method', 'embedding') = 'embedding'
         order by s.created_at desc, s.id desc limit $3",
    )
    .bind(workspace_id)
    .bind(model_id)
    .bind(rows_max)
    .fetch_all(conn)
    .await
}

/// Writes new classifications of signals that nobody has linked or edited meanwhile.
pub(crate) async fn reclassify(
    conn: &mut PgConnection,
    ids: &[String],
    ai_classifications: &[Json<Value>],
    classifications: &[Json<Value>],
) -> sqlx::Result<()> {
    sqlx::query(
        "update signals.signals s set ai_classification = n.ai, classification = n.own,
           updated_at = now() at time zone 'utc'
         from unnest($1::text[], $2::jsonb[], $3::jsonb[]) as n (id, ai, own)
         where s.id = n.id and s.status in ('new', 'reviewed') and s.processed_at is not null and s.deleted_at is null",
    )
    .bind(ids)
    .bind(ai_classifications)
    .bind(classifications)
    .execute(conn)
    .await?;
    Ok(())
}
