//! What became of the deliveries of each source, counted.

use serde::Serialize;
use sqlx::PgExecutor;
use utoipa::ToSchema;

/// Deliveries of one source, since it was added.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct SourceTally {
    /// Source.
    pub source_id: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// All deliveries that found the source.
    pub received: i64,
    /// Stored as new events.
    pub accepted: i64,
    /// Stored before.
    pub duplicates: i64,
    /// Handshakes answered.
    pub replied: i64,
    /// Given no 2xx.
    pub refused: i64,
    /// Of `refused`: how many for which reason.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    pub refused_by_reason: serde_json::Value,
}

/// One line per source of `workspace` (or of all), oldest source first.
///
/// # Errors
/// Those of the database.
pub async fn by_source(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
) -> sqlx::Result<Vec<SourceTally>> {
    sqlx::query_as(
        "select s.id as source_id, s.kind, s.name,
                coalesce(sum(r.n), 0)::bigint as received,
                coalesce(sum(r.n) filter (where r.outcome = 'accepted'), 0)::bigint as accepted,
                coalesce(sum(r.n) filter (where r.outcome = 'duplicate'), 0)::bigint as duplicates,
                coalesce(sum(r.n) filter (where r.outcome = 'replied'), 0)::bigint as replied,
                coalesce(sum(r.n) filter (where r.outcome = 'refused'), 0)::bigint as refused,
                coalesce(jsonb_object_agg(r.reason, r.n) filter (where r.outcome = 'refused'), '{}') as refused_by_reason
         from ops.sources s
         left join (select workspace_id, source_id, outcome, reason, sum(count) as n
                    from ops.delivery_counts group by workspace_id, source_id, outcome, reason) r
                on r.workspace_id = s.workspace_id and r.source_id = s.id
         where $1::text is null or s.workspace_id = $1
         group by s.id, s.kind, s.name, s.created_at
         order by s.created_at, s.id",
    )
    .bind(workspace)
    .fetch_all(db)
    .await
}
