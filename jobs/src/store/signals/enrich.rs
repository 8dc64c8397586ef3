//! What the optional endpoint reads and writes.

use serde_json::{Map, Value};
use sqlx::{FromRow, PgConnection, types::Json};

/// A processed signal as the endpoint sees it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Enrichable {
    pub(crate) verbatim: String,
    pub(crate) content_hash: Vec<u8>,
    pub(crate) status: String,
    pub(crate) ai_classification: Option<Json<Value>>,
    pub(crate) classification: Option<Json<Value>>,
}

/// The signal, if it is processed and the endpoint has not spoken yet.
pub(crate) async fn enrichable(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Option<Enrichable>> {
    sqlx::query_as(
        "select verbatim, content_hash, status, ai_classification, classification from signals.signals
         where workspace_id = $1 and id = $2 and processed_at is not null and enriched_at is null and deleted_at is null",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// What the endpoint said.
#[derive(Debug, Default)]
pub(crate) struct Enrichment {
    pub(crate) severity: Option<String>,
    pub(crate) frequency: Option<String>,
    pub(crate) user_segment: Option<String>,
    pub(crate) interpretation: Option<String>,
    /// Entries for the fields that are given.
    pub(crate) provenance: Map<String, Value>,
    /// Replaces column `classification`, if the endpoint was asked about the project.
    pub(crate) classification: Option<Value>,
}

/// Writes it over what the local model said, never over a user or the sender. False if the text
/// changed meanwhile.
pub(crate) async fn write(
    conn: &mut PgConnection,
    id: &str,
    content_hash: &[u8],
    said: &Enrichment,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update signals.signals s set
           severity = case when coalesce(s.provenance #>> '{severity,by}', 'model') = 'model' and (s.severity is null or s.provenance ? 'severity') then coalesce($3, s.severity) else s.severity end,
           frequency = case when coalesce(s.provenance #>> '{frequency,by}', 'model') = 'model' and (s.frequency is null or s.provenance ? 'frequency') then coalesce($4, s.frequency) else s.frequency end,
           user_segment = case when coalesce(s.provenance #>> '{user_segment,by}', 'model') = 'model' and (s.user_segment is null or s.provenance ? 'user_segment') then coalesce($5, s.user_segment) else s.user_segment end,
           interpretation = case when coalesce(s.provenance #>> '{interpretation,by}', 'model') = 'model' and (s.interpretation is null or s.provenance ? 'interpretation') then coalesce($6, s.interpretation) else s.interpretation end,
           provenance = s.provenance || coalesce(
             (select jsonb_object_agg(n.key, n.value) from jsonb_each($7) n
              where case when s.provenance ? n.key then s.provenance -> n.key ->> 'by' = 'model'
                    else to_jsonb(s) -> n.key = 'null' end), '{}'),
           classification = case when s.status in ('new', 'reviewed') then coalesce($8, s.classification) else s.classification end,
           enriched_at = clock_timestamp() at time zone 'utc', updated_at = now() at time zone 'utc'
         where s.id = $1 and s.content_hash = $2 and s.processed_at is not null and s.deleted_at is null",
    )
    .bind(id)
    .bind(content_hash)
    .bind(&said.severity)
    .bind(&said.frequency)
    .bind(&said.user_segment)
    .bind(&said.interpretation)
    .bind(Json(&said.provenance))
    .bind(said.classification.as_ref().map(Json))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
