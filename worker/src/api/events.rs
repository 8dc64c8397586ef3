//! `/v1/events`: what was delivered, what it became, and reading it again.

use axum::{
    Json,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use millrace_ingest::events::{
    log::{self, EventDetail, EventFilter, EventRow, EventState},
    replay::{self, Replayed},
};
use millrace_jobs::store::signal_list::{self, Effect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Api,
    auth::{Caller, Operate, Read},
    error::ApiError,
    extract::{At, Body, Params},
    page::{self, Page},
};
use serde_json::json;

/// Events replayed per call at most; a larger replay is several calls, or `millrace events replay`.
const REPLAY_MAX: i64 = 10_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Id or name of the source
    source: Option<String>,
    /// State
    #[param(inline)]
    state: Option<EventState>,
    /// Why it was ignored or quarantined
    reason: Option<String>,
    /// The vendor's event type
    event_type: Option<String>,
    /// Received at or after (RFC 3339)
    from: Option<DateTime<Utc>>,
    /// Received before (RFC 3339)
    to: Option<DateTime<Utc>>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before
    cursor: Option<String>,
}

/// Deliveries, newest first
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = Page<EventRow>)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<EventsQuery>,
) -> Result<Json<Page<EventRow>>, ApiError> {
    let limit = page::limit(query.limit)?;
    let after = match page::after(query.cursor.as_deref())? {
        Some((at, id)) => {
            let id =
                id.parse().map_err(|_| ApiError::BadRequest("cursor: not one of ours".into()))?;
            Some((at, id))
        }
        None => None,
    };
    let filter = EventFilter {
        ids: None,
        source: query.source,
        state: query.state,
        reason: query.reason,
        event_type: query.event_type,
        from: query.from,
        to: query.to,
    };
    let mut tx = caller.begin(&api).await?;
    let rows = log::list(&mut *tx, Some(caller.workspace()), &filter, after, limit + 1).await?;
    Ok(Json(page::page(rows, limit, |e| (e.received_at, e.id.to_string()))))
}

/// A delivery and what it became.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    #[serde(flatten)]
    event: EventDetail,
    /// The rows it wrote, 1,000 at most.
    effects: Vec<Effect>,
    /// Everything that follows from it is done.
    processed: bool,
}

/// One delivery: its state, and the rows it became
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events", params(("id" = Uuid, Path,
    description = "`eventId` of the answer to the delivery")),
    responses((status = 200, body = EventView)))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<Uuid>,
) -> Result<Json<EventView>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let event = log::get(&mut *tx, Some(caller.workspace()), id)
        .await?
        .ok_or(ApiError::NotFound("event"))?;
    let effects = signal_list::effects(&mut *tx, id).await?;
    let read = event.event.state != EventState::Stored.as_str();
    let processed = read && effects.iter().all(|e| e.processed);
    Ok(Json(EventView { event, effects, processed }))
}

/// The bytes of a delivery exactly as received, until they expire
#[utoipa::path(get, path = "/v1/events/{id}/body", tag = "events", params(("id" = Uuid, Path,
    description = "`eventId` of the answer to the delivery")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn body(
    State(api): State<Api>,
    caller: Caller<Operate>,
    At(id): At<Uuid>,
) -> Result<impl IntoResponse, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let body = log::body(&mut *tx, caller.workspace(), id).await?;
    // A stranger wrote them: no browser is to take them for a page of ours.
    let inert = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, "attachment"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((inert, body.ok_or(ApiError::NotFound("body"))?))
}

/// Which events to read again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayBody {
    /// Filter; an empty one matches every event of the workspace
    #[serde(default)]
    filter: EventFilter,
    /// Only say what would be replayed
    #[serde(default)]
    dry_run: bool,
}

/// Run the normaliser again over stored bytes
#[utoipa::path(post, path = "/v1/events/replay", tag = "events", request_body = ReplayBody,
    responses((status = 200, body = Replayed, description = "What matched, and how many jobs were enqueued (10,000 at most)")))]
pub(super) async fn replay(
    State(api): State<Api>,
    caller: Caller<Operate>,
    Body(body): Body<ReplayBody>,
) -> Result<Json<Replayed>, ApiError> {
    let workspace = Some(caller.workspace());
    let replayed = if body.dry_run {
        replay::preview(&mut *caller.begin(&api).await?, workspace, &body.filter).await?
    } else {
        caller.note(&api, "events.replay", "", json!(body.filter)).await?;
        replay::run(caller.view(&api), &api.queue, workspace, &body.filter, REPLAY_MAX).await?
    };
    Ok(Json(replayed))
}
