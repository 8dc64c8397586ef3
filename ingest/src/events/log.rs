//! Reading back what was delivered: list, show, the bytes themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of a stored delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventState {
    /// Durable, not read yet.
    Stored,
    /// It became records.
    Normalized,
    /// Understood, and meant to be nothing.
    Ignored,
    /// Not understood: held with its reason.
    Quarantined,
}

impl EventState {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Normalized => "normalized",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Which events; absent fields match all.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventFilter {
    /// Ids
    pub ids: Option<Vec<Uuid>>,
    /// Id or name of the source
    pub source: Option<String>,
    /// State
    pub state: Option<EventState>,
    /// Why it was ignored or quarantined
    pub reason: Option<String>,
    /// The vendor's event type
    pub event_type: Option<String>,
    /// Received at or after (RFC 3339)
    pub from: Option<DateTime<Utc>>,
    /// Received before (RFC 3339)
    pub to: Option<DateTime<Utc>>,
}

/// A stored delivery.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct EventRow {
    /// Id.
    pub id: Uuid,
    /// Tenant.
    pub workspace_id: String,
    /// Source.
    pub source_id: String,
    /// Kind of the source; absent if the source is gone.
    pub source_kind: Option<String>,
    /// Name of the source.
    pub source_name: Option<String>,
    /// The vendor's event type.
    pub event_type: Option<String>,
    /// `stored`, `normalized`, `ignored` or `quarantined`.
    pub state: String,
    /// Why it was ignored or quarantined.
    pub reason: Option<String>,
    /// How many records it became.
    pub records: Option<i32>,
    /// Size of the body as received.
    pub body_bytes: i32,
    /// Trace from request to row, 32 hex digits.
    pub trace_id: String,
    /// When it was stored.
    pub received_at: DateTime<Utc>,
    /// When it was last read.
    pub normalized_at: Option<DateTime<Utc>>,
}

/// An event with what only its own page shows.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct EventDetail {
    /// The event.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub event: EventRow,
    /// Where and what was not understood; never a part of the payload.
    pub detail: Option<String>,
    /// Its bytes are still there, so it can be replayed.
    pub replayable: bool,
}

/// Events of `workspace` (or all), newest first, `after` the (time, id) given; at most `limit`.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    filter: &EventFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<EventRow>> {
    // Unprepared: a plan for these values, in which absent filters cost nothing.
    sqlx::query_as(
        "select e.id, e.workspace_id, e.source_id, s.kind as source_kind, s.name as source_name, e.event_type, e.state,
                e.reason, e.records, e.body_bytes, e.trace_id, e.received_at, e.normalized_at
         from ops.events e left join ops.sources s on s.id = e.source_id
         where ($1::text is null or e.workspace_id = $1)
           and ($2::text is null or $2 in (e.source_id, s.name))
           and ($3::text is null or e.state = $3)
           and ($4::text is null or e.reason = $4)
           and ($5::text is null or e.event_type = $5)
           and ($6::timestamptz is null or e.received_at >= $6)
           and ($7::timestamptz is null or e.received_at < $7)
           and ($8::uuid[] is null or e.id = any ($8))
           and ($9::timestamptz is null or (e.received_at, e.id) < ($9, $10::uuid))
         order by e.received_at desc, e.id desc
         limit $11",
    )
    .bind(workspace)
    .bind(&filter.source)
    .bind(filter.state.map(EventState::as_str))
    .bind(&filter.reason)
    .bind(&filter.event_type)
    .bind(filter.from)
    .bind(filter.to)
    .bind(&filter.ids)
    .bind(after.map(|(at, _)| at))
    .bind(after.map(|(_, id)| id))
    .bind(limit)
    .persistent(false)
    .fetch_all(db)
    .await
}

/// One event, if it is `workspace`'s (or with `None`, anybody's).
///
/// # Errors
/// Those of the database.
pub async fn get(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    id: Uuid,
) -> sqlx::Result<Option<EventDetail>> {
    sqlx::query_as(
        "select e.id, e.workspace_id, e.source_id, s.kind as source_kind, s.name as source_name, e.event_type, e.state,
                e.reason, e.records, e.body_bytes, e.trace_id, e.received_at, e.normalized_at,
                (select q.detail from ops.quarantine q where q.event_id = e.id and q.released_at is null) as detail,
                exists (select from ops.event_bodies b
                        where b.event_id = e.id and b.received_at = e.received_at) as replayable
         from ops.events e left join ops.sources s on s.id = e.source_id
         where e.id = $1 and ($2::text is null or e.workspace_id = $2)",
    )
    .bind(id)
    .bind(workspace)
    .fetch_optional(db)
    .await
}

/// The body of an event exactly as received, if it is `workspace`'s and has not expired.
///
/// # Errors
/// Those of the database.
pub async fn body(
    db: impl PgExecutor<'_>,
    workspace: &str,
    id: Uuid,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar(
        "select b.body from ops.events e
         join ops.event_bodies b on b.event_id = e.id and b.received_at = e.received_at
         where e.id = $1 and e.workspace_id = $2",
    )
    .bind(id)
    .bind(workspace)
    .fetch_optional(db)
    .await
}
