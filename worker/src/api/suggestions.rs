//! Where signals belong, as people say: suggestions, accepted and dismissed, and links by hand.

use axum::{Json, extract::State, http::StatusCode};
use millrace_config::point::{Point, may_die};
use millrace_jobs::{
    signals::{
        links::{self, Answer, Request},
        thresholds,
    },
    store::suggestions::{self as store, Suggestion},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    auth::{Caller, Read, Write},
    error::ApiError,
    extract::{At, Params},
    page,
    signals::{SignalView, view},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SuggestionsQuery {
    /// Only this signal's
    signal: Option<String>,
    /// At least so sure. If absent, from the workspace's threshold on (0.6 until people have said enough to learn from), and
    /// one in ten of those just below it
    #[param(minimum = 0, maximum = 1)]
    confidence_min: Option<f32>,
    /// Rows, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Suggestions that wait for a word.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestionList {
    /// Surest first.
    items: Vec<Suggestion>,
}

/// Projects suggested for signals of the last 30 days, nobody having decided yet
#[utoipa::path(get, path = "/v1/suggestions", tag = "signals", params(SuggestionsQuery),
    responses((status = 200, body = SuggestionList)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<SuggestionsQuery>,
) -> Result<Json<SuggestionList>, ApiError> {
    let limit = page::limit(query.limit)?;
    if query.confidence_min.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        return Err(ApiError::BadRequest("confidence_min must be between 0 and 1".into()));
    }
    let mut tx = caller.begin(&api).await?;
    let workspace = caller.workspace();
    let (least, asked) = match query.confidence_min {
        Some(least) => (least, least),
        None => thresholds::suggested(&mut tx, &api.settings.classify, workspace).await?,
    };
    let signal = query.signal.as_deref();
    let items = store::list(&mut *tx, workspace, signal, least, asked, limit).await?;
    Ok(Json(SuggestionList { items }))
}

/// Accept a suggestion: links the two, and the classifier learns from it
#[utoipa::path(post, path = "/v1/signals/{id}/suggestions/{project_id}/accept", tag = "signals",
    params(("id" = String, Path, description = "Signal"), ("project_id" = String, Path, description = "Project")),
    responses((status = 200, body = SignalView)))]
pub(super) async fn accept(
    State(api): State<Api>,
    caller: Caller<Write>,
    At((id, project_id)): At<(String, String)>,
) -> Result<Json<SignalView>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let request = request(&caller, &id, &project_id);
    let answer = links::accept(&mut tx, &api.queue, request).await?;
    if answer == Answer::NotFound {
        return Err(ApiError::NotFound("signal and project"));
    }
    let view = view(&mut tx, caller.workspace(), &id).await?;
    tx.commit().await?;
    Ok(Json(view))
}

/// Dismiss a suggestion: it is not made again for this signal
#[utoipa::path(post, path = "/v1/signals/{id}/suggestions/{project_id}/dismiss", tag = "signals",
    params(("id" = String, Path, description = "Signal"), ("project_id" = String, Path, description = "Project")),
    responses((status = 204, description = "Dismissed")))]
pub(super) async fn dismiss(
    State(api): State<Api>,
    caller: Caller<Write>,
    At((id, project_id)): At<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let request = request(&caller, &id, &project_id);
    let answer = links::dismiss(&mut tx, &api.queue, request).await?;
    if answer == Answer::NotFound {
        return Err(ApiError::NotFound("signal and project"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Link a signal to a project by hand; linking twice is linking once
#[utoipa::path(put, path = "/v1/signals/{id}/projects/{project_id}", tag = "signals",
    params(("id" = String, Path, description = "Signal"), ("project_id" = String, Path, description = "Project")),
    responses((status = 200, body = SignalView)))]
pub(super) async fn link(
    State(api): State<Api>,
    caller: Caller<Write>,
    At((id, project_id)): At<(String, String)>,
) -> Result<Json<SignalView>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let request = request(&caller, &id, &project_id);
    let answer = links::link(&mut tx, &api.queue, request, Some("linked by hand")).await?;
    if answer == Answer::NotFound {
        return Err(ApiError::NotFound("signal and project"));
    }
    let view = view(&mut tx, caller.workspace(), &id).await?;
    tx.commit().await?;
    may_die(Point::LinkCommitted);
    Ok(Json(view))
}

/// Unlink by hand
#[utoipa::path(delete, path = "/v1/signals/{id}/projects/{project_id}", tag = "signals",
    params(("id" = String, Path, description = "Signal"), ("project_id" = String, Path, description = "Project")),
    responses((status = 204, description = "Unlinked")))]
pub(super) async fn unlink(
    State(api): State<Api>,
    caller: Caller<Write>,
    At((id, project_id)): At<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let request = request(&caller, &id, &project_id);
    let answer = links::unlink(&mut tx, &api.queue, request).await?;
    if answer == Answer::Unchanged {
        return Err(ApiError::NotFound("link"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn request<'a>(caller: &'a Caller<Write>, signal_id: &'a str, project_id: &'a str) -> Request<'a> {
    Request { workspace_id: caller.workspace(), signal_id, project_id, actor: caller.key_id() }
}
