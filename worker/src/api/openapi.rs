//! The OpenAPI document, generated from the handlers.

use std::sync::LazyLock;

use axum::{body::Bytes, http::header::CONTENT_TYPE, response::IntoResponse};
use chrono::{DateTime, Utc};
use millrace_jobs::record::{Frequency, Severity};
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Content, OpenApi as Document, PathItem, Ref, RefOr, Response,
        path::Operation,
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};
use uuid::Uuid;

pub(crate) use super::error::Problem;

/// Answer to a delivery of most kinds of sources; some platforms expect another shape.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivered {
    success: bool,
    message: String,
    /// When it was stored; of the first delivery, if this one is a duplicate.
    #[serde(rename = "receivedAt")]
    received_at: DateTime<Utc>,
    /// Ask `/v1/events/{id}` what it became.
    #[serde(rename = "eventId")]
    event_id: Uuid,
    /// It had been stored before.
    duplicate: bool,
}

/// The generic signal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalBody {
    /// The user's own words.
    verbatim: String,
    /// What the sender says it means.
    interpretation: Option<String>,
    severity: Option<Severity>,
    frequency: Option<Frequency>,
    #[serde(rename = "userSegment")]
    user_segment: Option<String>,
    /// The object's key at its source: a second delivery with it is an edit.
    #[serde(rename = "sourceRef")]
    source_ref: Option<String>,
    #[serde(rename = "sourceUrl")]
    source_url: Option<String>,
    #[serde(rename = "interviewDate")]
    interview_date: Option<String>,
    interviewee: Option<String>,
    tags: Option<Vec<String>>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Millrace",
        description = "Deliveries in, signals out. Everything under /v1 needs an API key and sees the workspace of that key."
    ),
    paths(
        super::signals::list,
        super::signals::show,
        super::signals::change,
        super::projects::list,
        super::projects::add,
        super::projects::show,
        super::projects::change,
        super::projects::link,
        super::signals::similar,
        super::suggestions::list,
        super::suggestions::accept,
        super::suggestions::dismiss,
        super::suggestions::link,
        super::suggestions::unlink,
        super::sources::list,
        super::events::list,
        super::events::show,
        super::events::body,
        super::events::replay,
        super::queue::jobs,
        super::queue::job,
        super::queue::retry,
        super::queue::cancel,
        super::queue::dead,
        super::queue::replay,
        super::code::list,
        super::code::search,
        super::stats::show,
        super::social::escalations::list,
        super::social::escalations::open,
        super::social::escalations::sla,
        super::social::escalations::show,
        super::social::escalations::claim_next,
        super::social::escalations::claim,
        super::social::escalations::release,
        super::social::escalations::resolve,
        super::social::escalations::dismiss,
        super::social::replies::check,
        super::social::replies::write,
        super::social::replies::list,
        super::social::replies::show,
        super::social::review::edit,
        super::social::review::approve,
        super::social::review::approve_all,
        super::social::review::reject,
        super::social::review::posted,
        super::social::review::deleted,
        crate::http::hook,
        crate::http::hook_with_key,
        crate::http::signals,
        crate::http::signals_key,
        crate::http::pylon,
        crate::http::slack,
        crate::http::inbox,
    ),
    components(schemas(Problem)),
    tags(
        (name = "signals", description = "What users said: rows with their class, links and history"),
        (name = "projects", description = "What signals can belong to"),
        (name = "sources", description = "Who delivers"),
        (name = "events", description = "Deliveries as received, and what became of them"),
        (name = "jobs", description = "Work that waits, runs or gave up"),
        (name = "code", description = "Codebases and what is in them"),
        (name = "social", description = "Posts that wait for a person, and replies"),
        (name = "stats", description = "All of it in numbers"),
        (name = "ingest", description = "Where sources deliver; authentication is the source's signature scheme"),
    ),
    modifiers(&Common)
)]
struct Api;

/// What all operations of the read side share: the key, and how they fail.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(
                Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("mr_...").build(),
            ),
        );
        components.add_security_scheme(
            "header",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))),
        );
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(name(method, path));
                if path.starts_with("/v1/") {
                    guard(operation);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Function names repeat across modules; method and path do not.
fn name(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/v1");
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn guard(operation: &mut Operation) {
    let scopes: [&str; 0] = [];
    operation.security =
        Some(["bearer", "header"].map(|scheme| SecurityRequirement::new(scheme, scopes)).into());
    for (status, what) in [
        ("400", "The request makes no sense; the text says where"),
        ("401", "No key, or not a living one"),
        ("403", "The key lacks the scope"),
        ("404", "There is none in the key's workspace"),
        ("503", "Temporarily unavailable, try again"),
    ] {
        operation
            .responses
            .responses
            .entry(status.into())
            .or_insert_with(|| RefOr::T(problem(what)));
    }
}

fn problem(what: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    Response::builder().description(what).content("application/json", content).build()
}

/// The document.
#[must_use]
pub fn document() -> Document {
    Api::openapi()
}

/// Written out once: it needs no key, and to build it for everybody who asks would be work that strangers can order.
static WRITTEN: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&document()).map(Bytes::from).unwrap_or_default());

/// Serve the document.
pub(super) async fn serve() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], WRITTEN.clone())
}
