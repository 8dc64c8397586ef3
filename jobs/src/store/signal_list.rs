//! Reading signals for people and programs: lists, one signal, its history. Reads only.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgExecutor;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::record::{Origin, Severity};

/// Where a signal is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Status {
    New,
    Reviewed,
    Linked,
    Archived,
}

impl Status {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::New, Self::Reviewed, Self::Linked, Self::Archived];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reviewed => "reviewed",
            Self::Linked => "linked",
            Self::Archived => "archived",
        }
    }
}

/// Which signals; absent fields match all. Deleted ones never match.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SignalFilter {
    /// Where it is in its life
    #[param(inline)]
    pub status: Option<Status>,
    /// Where it came from
    #[param(inline)]
    pub source: Option<Origin>,
    /// Severity
    #[param(inline)]
    pub severity: Option<Severity>,
    /// Linked to the project with this id
    pub project: Option<String>,
    /// Linked to this persona
    pub persona: Option<String>,
    /// Created at or after (RFC 3339)
    pub from: Option<DateTime<Utc>>,
    /// Created before (RFC 3339)
    pub to: Option<DateTime<Utc>>,
    /// Embedded and classified, or not yet
    pub processed: Option<bool>,
    /// Marked as a duplicate of an earlier signal, or not
    pub duplicate: Option<bool>,
    /// Classified as a new initiative, or to a project
    pub new_initiative: Option<bool>,
    /// Words to find in the text, as typed into a search engine: `export "as csv" -excel`
    pub q: Option<String>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// `next` of the page before
    pub cursor: Option<String>,
}

/// A signal in a list.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct SignalRow {
    /// Id.
    pub id: String,
    /// Tenant.
    pub workspace_id: String,
    /// First 500 characters of the user's own words.
    pub excerpt: String,
    /// What it means, if anybody said so.
    pub interpretation: Option<String>,
    /// `critical`, `high`, `medium` or `low`.
    pub severity: Option<String>,
    /// `common`, `occasional` or `rare`.
    pub frequency: Option<String>,
    /// Who says it: plan, role, size, industry.
    pub user_segment: Option<String>,
    /// Where it came from.
    pub source: String,
    /// The source that delivered it.
    pub source_id: Option<String>,
    /// Link back to the original.
    pub source_url: Option<String>,
    /// `new`, `reviewed`, `linked` or `archived`.
    pub status: String,
    /// Free tags.
    #[schema(value_type = Vec<String>)]
    pub tags: Value,
    /// What the classifier says: project or new initiative, confidence, method, reason.
    #[schema(value_type = Option<Object>)]
    pub classification: Option<Value>,
    /// The earlier signal that says the same.
    pub duplicate_of: Option<String>,
    /// `exact` or `near`.
    pub duplicate_kind: Option<String>,
    /// When it was said, or received if the source does not know.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// When it was embedded and classified.
    pub processed_at: Option<DateTime<Utc>>,
}

/// A signal with everything known about it.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct SignalDetail {
    /// As in lists.
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub row: SignalRow,
    /// The user's own words; empty once deleted.
    pub verbatim: String,
    /// The object's key at its source.
    pub source_ref: Option<String>,
    /// What else the source said.
    #[schema(value_type = Option<Object>)]
    pub source_metadata: Option<Value>,
    /// Who said what: field -> {by, confidence, evidence}.
    #[schema(value_type = Object)]
    pub provenance: Value,
    /// Suggested projects with their confidence, as the classifier left them.
    #[schema(value_type = Option<Object>)]
    pub ai_classification: Option<Value>,
    /// When the interview took place.
    pub interview_date: Option<NaiveDate>,
    /// Who was interviewed.
    pub interviewee: Option<String>,
    /// The delivery that wrote the current version.
    pub event_id: Option<Uuid>,
    /// Trace of that delivery.
    pub trace_id: Option<String>,
    /// Event time of the current text, microseconds since 1970.
    pub version: i64,
    /// The signal this one is a part of.
    pub parent_id: Option<String>,
    /// How alike it and `duplicate_of` are, 0 to 1.
    pub duplicate_score: Option<f32>,
    /// Bytes that are no text were replaced.
    pub sanitized: bool,
    /// When the optional endpoint answered.
    pub enriched_at: Option<DateTime<Utc>>,
    /// When it was deleted at its source.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// One version of a signal.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct Version {
    /// Event time, microseconds since 1970.
    pub version: i64,
    /// `created`, `edited` or `deleted`.
    pub change: String,
    /// The text then; erased by a delete.
    pub verbatim: Option<String>,
    /// The delivery that said so.
    pub event_id: Option<Uuid>,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
}

/// A project that a signal is linked to.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct Link {
    /// Project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// Why.
    pub reason: Option<String>,
    /// How sure, 0 to 1; absent for links made by hand.
    pub confidence: Option<f32>,
    /// User who made it; absent for the service and for API keys.
    pub linked_by: Option<String>,
    /// When.
    pub linked_at: DateTime<Utc>,
}

/// A persona that a signal speaks for.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct Persona {
    /// Persona.
    pub persona_id: String,
    /// How sure, 0 to 1.
    pub confidence: Option<f32>,
    /// When.
    pub linked_at: DateTime<Utc>,
}

/// What one delivery became.
#[derive(Debug, Clone, sqlx::FromRow, Serialize, ToSchema)]
pub struct Effect {
    /// `signal` or `inbox_item`.
    pub kind: String,
    /// Id of the row.
    pub id: String,
    /// What the delivery did to it: `created`, `edited` or `deleted`.
    pub change: String,
    /// Nothing is left to be done for it.
    pub processed: bool,
}

/// Signals of `workspace` (or all), newest first, `after` the (time, id) given; at most `limit`.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    filter: &SignalFilter,
    after: Option<(DateTime<Utc>, String)>,
    limit: i64,
) -> sqlx::Result<Vec<SignalRow>> {
    let (after_at, after_id) = after.unzip();
    // Unprepared: a plan for these values, in which absent filters cost nothing.
    sqlx::query_as(
        "select s.id, s.workspace_id, left(s.verbatim, 500) as excerpt, s.interpretation, s.severity, s.frequency,
                s.user_segment, s.source, s.source_id, s.source_url, s.status, s.tags, s.classification,
                s.duplicate_of, s.duplicate_kind, s.created_at at time zone 'utc' as created_at,
                s.updated_at at time zone 'utc' as updated_at, s.processed_at at time zone 'utc' as processed_at
         from signals.signals s
         where s.deleted_at is null
           and ($1::text is null or s.workspace_id = $1)
           and ($2::text is null or s.status = $2)
           and ($3::text is null or s.source = $3)
           and ($4::text is null or s.severity = $4)
           and ($5::text is null or exists (select from signals.signal_projects p where p.signal_id = s.id and p.project_id = $5))
           and ($6::text is null or exists (select from signals.signal_personas p where p.signal_id = s.id and p.persona_id = $6))
           and ($7::timestamptz is null or s.created_at >= $7 at time zone 'utc')
           and ($8::timestamptz is null or s.created_at < $8 at time zone 'utc')
           and ($9::bool is null or (s.processed_at is not null) = $9)
           and ($10::bool is null or (s.duplicate_of is not null) = $10)
           and ($11::bool is null or (s.classification ->> 'isNewInitiative')::bool = $11)
           and ($12::text is null or s.search @@ websearch_to_tsquery('simple', $12))
           and ($13::timestamptz is null or (s.created_at, s.id) < ($13 at time zone 'utc', $14::text))
         order by s.created_at desc, s.id desc
         limit $15",
    )
    .bind(workspace)
    .bind(filter.status.map(Status::as_str))
    .bind(filter.source.map(Origin::as_str))
    .bind(filter.severity.map(Severity::as_str))
    .bind(&filter.project)
    .bind(&filter.persona)
    .bind(filter.from)
    .bind(filter.to)
    .bind(filter.processed)
    .bind(filter.duplicate)
    .bind(filter.new_initiative)
    .bind(&filter.q)
    .bind(after_at)
    .bind(after_id)
    .bind(limit)
    .persistent(false)
    .fetch_all(db)
    .await
}

/// One signal, if it is `workspace`'s (or with `None`, anybody's); a deleted one too, without its text.
///
/// # Errors
/// Those of the database.
pub async fn get(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    id: &str,
) -> sqlx::Result<Option<SignalDetail>> {
    sqlx::query_as(
        "select s.id, s.workspace_id, left(s.verbatim, 500) as excerpt, s.interpretation, s.severity, s.frequency,
                s.user_segment, s.source, s.source_id, s.source_url, s.status, s.tags, s.classification,
                s.duplicate_of, s.duplicate_kind, s.created_at at time zone 'utc' as created_at,
                s.updated_at at time zone 'utc' as updated_at, s.processed_at at time zone 'utc' as processed_at,
                s.verbatim, s.source_ref, s.source_metadata, s.provenance, s.ai_classification,
                s.interview_date::date as interview_date, s.interviewee, s.event_id, s.trace_id, s.version, s.parent_id,
                s.duplicate_score, s.sanitized, s.enriched_at at time zone 'utc' as enriched_at,
                s.deleted_at at time zone 'utc' as deleted_at
         from signals.signals s
         where s.id = $1 and ($2::text is null or s.workspace_id = $2)",
    )
    .bind(id)
    .bind(workspace)
    .fetch_optional(db)
    .await
}

/// Versions of a signal, newest first.
///
/// # Errors
/// Those of the database.
pub async fn versions(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Vec<Version>> {
    sqlx::query_as(
        "select version, change, verbatim, event_id, recorded_at at time zone 'utc' as recorded_at
         from signals.signal_versions where signal_id = $1 order by version desc limit 200",
    )
    .bind(id)
    .fetch_all(db)
    .await
}

/// Projects that a signal is linked to.
///
/// # Errors
/// Those of the database.
pub async fn links(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Vec<Link>> {
    sqlx::query_as(
        "select l.project_id, p.name as project_name, l.link_reason as reason, l.confidence, l.linked_by,
                l.linked_at at time zone 'utc' as linked_at
         from signals.signal_projects l join signals.projects p on p.id = l.project_id
         where l.signal_id = $1 order by l.linked_at, l.project_id",
    )
    .bind(id)
    .fetch_all(db)
    .await
}

/// Personas that a signal speaks for.
///
/// # Errors
/// Those of the database.
pub async fn personas(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Vec<Persona>> {
    sqlx::query_as(
        "select persona_id, confidence, linked_at at time zone 'utc' as linked_at
         from signals.signal_personas where signal_id = $1 order by linked_at, persona_id",
    )
    .bind(id)
    .fetch_all(db)
    .await
}

/// What the delivery `event_id` became.
///
/// # Errors
/// Those of the database.
pub async fn effects(db: impl PgExecutor<'_>, event_id: Uuid) -> sqlx::Result<Vec<Effect>> {
    sqlx::query_as(include_str!("effects.sql")).bind(event_id).fetch_all(db).await
}
