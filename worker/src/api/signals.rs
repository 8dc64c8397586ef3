//! `/v1/signals`: what users said.

use axum::{Json, extract::State};
use millrace_jobs::store::suggestions::{self, Similar, Suggestion};
use millrace_jobs::store::{
    signal_list::{self, Link, Persona, SignalDetail, SignalFilter, SignalRow, Version},
    signals::by_user::{self, Edit, Edited},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    auth::{Caller, Read, Write},
    error::ApiError,
    extract::{At, Body, Params},
    page::{self, Page},
};

/// Signals, newest first
#[utoipa::path(get, path = "/v1/signals", tag = "signals", params(SignalFilter),
    responses((status = 200, body = Page<SignalRow>)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(filter): Params<SignalFilter>,
) -> Result<Json<Page<SignalRow>>, ApiError> {
    let limit = page::limit(filter.limit)?;
    let after = page::after(filter.cursor.as_deref())?;
    let mut tx = caller.begin(&api).await?;
    let rows =
        signal_list::list(&mut *tx, Some(caller.workspace()), &filter, after, limit + 1).await?;
    Ok(Json(page::page(rows, limit, |s| (s.created_at, s.id.clone()))))
}

/// A signal with its history and everything around it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignalView {
    #[serde(flatten)]
    signal: SignalDetail,
    /// Projects it is linked to.
    links: Vec<Link>,
    /// Personas it speaks for.
    personas: Vec<Persona>,
    /// Projects suggested for it that nobody has decided on, 5 at most.
    suggestions: Vec<Suggestion>,
    /// What it said when, newest first.
    versions: Vec<Version>,
}

/// One signal with its history, links and provenance
#[utoipa::path(get, path = "/v1/signals/{id}", tag = "signals", params(("id" = String, Path, description = "Signal")),
    responses((status = 200, body = SignalView)))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<String>,
) -> Result<Json<SignalView>, ApiError> {
    view(&mut *caller.begin(&api).await?, caller.workspace(), &id).await.map(Json)
}

pub(super) async fn view(
    conn: &mut PgConnection,
    workspace: &str,
    id: &str,
) -> Result<SignalView, ApiError> {
    let signal = signal_list::get(&mut *conn, Some(workspace), id)
        .await?
        .ok_or(ApiError::NotFound("signal"))?;
    Ok(SignalView {
        signal,
        links: signal_list::links(&mut *conn, id).await?,
        personas: signal_list::personas(&mut *conn, id).await?,
        suggestions: suggestions::list(&mut *conn, workspace, Some(id), 0.0, 0.0, 5).await?,
        versions: signal_list::versions(&mut *conn, id).await?,
    })
}

/// Change a signal; what a person sets, no model or sender replaces
#[utoipa::path(patch, path = "/v1/signals/{id}", tag = "signals", params(("id" = String, Path, description = "Signal")),
    request_body = Edit, responses((status = 200, body = SignalView),
    (status = 409, body = super::error::Problem, description = "Not from its present status")))]
pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller<Write>,
    At(id): At<String>,
    Body(edit): Body<Edit>,
) -> Result<Json<SignalView>, ApiError> {
    for text in [&edit.interpretation, &edit.user_segment].into_iter().flatten() {
        if text.trim().is_empty() {
            return Err(ApiError::BadRequest(
                "a text must not be blank; leave it away instead".into(),
            ));
        }
    }
    let mut tx = caller.begin(&api).await?;
    match by_user::edit(&mut tx, caller.workspace(), &id, &edit, caller.key_id()).await? {
        Edited::Done => {}
        Edited::NotFound => return Err(ApiError::NotFound("signal")),
        Edited::Forbidden(from, to) => {
            let (from, to) = (from.as_str(), to.as_str());
            return Err(ApiError::Conflict(format!("a signal that is {from} cannot be made {to}")));
        }
    }
    let view = view(&mut tx, caller.workspace(), &id).await?;
    tx.commit().await?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SimilarQuery {
    /// Rows, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Signals that say alike things.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SimilarList {
    /// The most alike first.
    items: Vec<Similar>,
}

/// Signals of the workspace that say alike things, the most alike first
#[utoipa::path(get, path = "/v1/signals/{id}/similar", tag = "signals",
    params(("id" = String, Path, description = "Signal"), SimilarQuery), responses((status = 200, body = SimilarList),
    (status = 409, body = super::error::Problem, description = "It is not embedded yet")))]
pub(super) async fn similar(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<String>,
    Params(query): Params<SimilarQuery>,
) -> Result<Json<SimilarList>, ApiError> {
    let limit = page::limit(query.limit)?;
    let workspace = caller.workspace();
    let mut tx = caller.begin(&api).await?;
    if let Some(items) = suggestions::similar(&mut tx, workspace, &id, limit).await? {
        return Ok(Json(SimilarList { items }));
    }
    match signal_list::get(&mut *tx, Some(workspace), &id).await? {
        None => Err(ApiError::NotFound("signal")),
        Some(_) => Err(ApiError::Conflict("the signal has no vector: it is not embedded yet, or only the beginning of a text whose parts are".into())),
    }
}
