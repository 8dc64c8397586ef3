//! `/v1/projects`: what signals can belong to.

use axum::{Json, extract::State, http::StatusCode};
use millrace_jobs::{
    signals::{
        links::{self, Linked},
        profile,
    },
    store::projects::{self, Project},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    Api,
    auth::{Caller, Read, Write},
    error::ApiError,
    extract::{At, Body},
};

const NAME_CHARS_MAX: usize = 200;
/// Links per request; fits into the cap of a body.
const LINKS_MAX: usize = 1_000;

/// All projects of the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProjectList {
    /// Projects, newest first.
    items: Vec<Project>,
}

/// Projects, newest first
#[utoipa::path(get, path = "/v1/projects", tag = "projects", responses((status = 200, body = ProjectList)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
) -> Result<Json<ProjectList>, ApiError> {
    let mut conn = caller.begin(&api).await?;
    Ok(Json(ProjectList { items: projects::list(&mut conn, caller.workspace()).await? }))
}

/// One project
#[utoipa::path(get, path = "/v1/projects/{id}", tag = "projects", params(("id" = String, Path, description = "Project")),
    responses((status = 200, body = Project)))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<String>,
) -> Result<Json<Project>, ApiError> {
    let mut conn = caller.begin(&api).await?;
    let found = projects::get(&mut conn, caller.workspace(), &id).await?;
    found.map(Json).ok_or(ApiError::NotFound("project"))
}

/// A new project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProject {
    /// Name; with the description, what the classifier knows until signals are linked
    #[schema(max_length = 200)]
    name: String,
    /// What it is about; the more telling, the better signals find it
    description: Option<String>,
}

/// Add a project
#[utoipa::path(post, path = "/v1/projects", tag = "projects", request_body = NewProject,
    responses((status = 201, body = Project)))]
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller<Write>,
    Body(new): Body<NewProject>,
) -> Result<(StatusCode, Json<Project>), ApiError> {
    check_name(&new.name)?;
    let mut tx = caller.begin(&api).await?;
    let name = new.name.trim();
    let made =
        projects::create(&mut tx, caller.workspace(), name, new.description.as_deref()).await?;
    rescore(&api, &mut tx, caller.workspace()).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes of a project; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectEdit {
    /// Name
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What it is about
    description: Option<String>,
    /// Only active projects are matched
    status: Option<ProjectStatus>,
}

/// Is a project matched?
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProjectStatus {
    Active,
    Archived,
}

/// Change a project; the classifier learns its words and looks at undecided signals again
#[utoipa::path(patch, path = "/v1/projects/{id}", tag = "projects", params(("id" = String, Path, description = "Project")),
    request_body = ProjectEdit, responses((status = 200, body = Project)))]
pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller<Write>,
    At(id): At<String>,
    Body(edit): Body<ProjectEdit>,
) -> Result<Json<Project>, ApiError> {
    if let Some(name) = &edit.name {
        check_name(name)?;
    }
    let status = edit.status.map(|s| match s {
        ProjectStatus::Active => "active",
        ProjectStatus::Archived => "archived",
    });
    let mut tx = caller.begin(&api).await?;
    let (name, description) = (edit.name.as_deref().map(str::trim), edit.description.as_deref());
    let changed =
        projects::update(&mut tx, caller.workspace(), &id, name, description, status).await?;
    let changed = changed.ok_or(ApiError::NotFound("project"))?;
    rescore(&api, &mut tx, caller.workspace()).await?;
    tx.commit().await?;
    Ok(Json(changed))
}

/// Signals to be linked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Signals {
    /// Ids of signals, 1 to 1,000
    #[schema(min_items = 1, max_items = 1_000)]
    signals: Vec<String>,
}

/// Link many signals by hand, as an import does; what is linked already stays so, and ids that are no signals of the
/// workspace are named in the answer
#[utoipa::path(post, path = "/v1/projects/{id}/signals", tag = "projects", params(("id" = String, Path, description = "Project")),
    request_body = Signals, responses((status = 200, body = Linked)))]
pub(super) async fn link(
    State(api): State<Api>,
    caller: Caller<Write>,
    At(project_id): At<String>,
    Body(Signals { signals }): Body<Signals>,
) -> Result<Json<Linked>, ApiError> {
    if !(1..=LINKS_MAX).contains(&signals.len()) {
        return Err(ApiError::BadRequest(format!("signals: 1 to {LINKS_MAX} ids")));
    }
    let workspace_id = caller.workspace();
    let mut tx = caller.begin(&api).await?;
    if projects::get(&mut tx, workspace_id, &project_id).await?.is_none() {
        return Err(ApiError::NotFound("project"));
    }
    let project = links::Project { workspace_id, project_id: &project_id, actor: caller.key_id() };
    let linked = links::link_all(&mut tx, &api.queue, project, &signals).await?;
    tx.commit().await?;
    Ok(Json(linked))
}

/// What was undecided may belong to it now.
async fn rescore(api: &Api, tx: &mut PgConnection, workspace: &str) -> Result<(), ApiError> {
    let job = profile::job(workspace).map_err(anyhow::Error::from)?;
    api.queue.enqueue(tx, &[job]).await?;
    Ok(())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::BadRequest(format!("name: 1 to {NAME_CHARS_MAX} characters")));
    }
    Ok(())
}
