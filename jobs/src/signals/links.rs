//! What people say about links: by hand, accepting or dismissing a suggestion. Each in one transaction
//! with its log and the job that learns from it; each may be repeated.

use millrace_config::point::{Point, may_fail};
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::profile;
use crate::{
    queue::Queue,
    store::{activity_logs::Entries, signal_projects, signals, suggestion_feedback},
};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The workspace has no such signal or project.
    NotFound,
    /// Done.
    Changed,
    /// It was so already.
    Unchanged,
}

/// A signal, a project, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Tenant; signal and project must be its.
    pub workspace_id: &'a str,
    /// Signal.
    pub signal_id: &'a str,
    /// Project.
    pub project_id: &'a str,
    /// Who asks, for log and feedback: an API key's or a user's id.
    pub actor: &'a str,
}

/// A project, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// Project.
    pub project_id: &'a str,
    /// Who asks, for the log: an API key's or a user's id.
    pub actor: &'a str,
}

impl<'a> Request<'a> {
    const fn project(&self) -> Project<'a> {
        let Self { workspace_id, project_id, actor, .. } = *self;
        Project { workspace_id, project_id, actor }
    }
}

/// What became of a list of links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Linked {
    /// Links that are new.
    pub linked: usize,
    /// Links that were there.
    pub unchanged: usize,
    /// Ids that are no signals of the workspace.
    pub unknown: Vec<String>,
}

/// Link by hand. The first link moves the signal to `linked`.
///
/// # Errors
/// Those of the database.
pub async fn link(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
    reason: Option<&str>,
) -> anyhow::Result<Answer> {
    let ids = [request.signal_id.to_owned()];
    Ok(answer(&write(conn, queue, request.project(), &ids, "manual", reason, None).await?))
}

/// Link many signals to a project by hand, as an import does; they are learned from once. Of a project
/// that is not the workspace's, every signal is unknown.
///
/// # Errors
/// Those of the database.
pub async fn link_all(
    conn: &mut PgConnection,
    queue: &Queue,
    project: Project<'_>,
    signal_ids: &[String],
) -> anyhow::Result<Linked> {
    write(conn, queue, project, signal_ids, "manual", Some("linked by hand"), None).await
}

/// Accept a suggestion: link it, and remember that it was right.
///
/// # Errors
/// Those of the database.
pub async fn accept(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
) -> anyhow::Result<Answer> {
    let Request { workspace_id, signal_id, project_id, actor } = request;
    let confidence = signals::suggested(conn, workspace_id, signal_id, project_id).await?;
    let known = suggestion_feedback::record(
        conn,
        workspace_id,
        signal_id,
        project_id,
        "accepted",
        confidence,
        actor,
    );
    if !known.await? {
        return Ok(Answer::NotFound);
    }
    let reason = "AI-suggested association accepted by user";
    let ids = [signal_id.to_owned()];
    Ok(answer(
        &write(conn, queue, request.project(), &ids, "accepted", Some(reason), confidence).await?,
    ))
}

/// Dismiss a suggestion: this project is never suggested for this signal again, and an automatic link
/// of the two is taken back.
///
/// # Errors
/// Those of the database.
pub async fn dismiss(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
) -> anyhow::Result<Answer> {
    if !refuse(conn, request).await? {
        return Ok(Answer::NotFound);
    }
    drop_link(conn, queue, request).await?;
    Ok(Answer::Changed)
}

/// Remove a link; one that the service had made or suggested is not suggested again. The last one moves the signal back
/// to `reviewed`.
///
/// # Errors
/// Those of the database.
pub async fn unlink(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
) -> anyhow::Result<Answer> {
    let Some(origin) = drop_link(conn, queue, request).await? else {
        return Ok(Answer::Unchanged);
    };
    // Who takes such a link away has judged it; else the classifier would only write it again.
    if origin != "manual" {
        refuse(conn, request).await?;
    }
    Ok(Answer::Changed)
}

/// That project is not of that signal; false if the workspace has no such two.
async fn refuse(conn: &mut PgConnection, request: Request<'_>) -> anyhow::Result<bool> {
    let Request { workspace_id, signal_id, project_id, actor } = request;
    let confidence = signals::suggested(conn, workspace_id, signal_id, project_id).await?;
    let known = suggestion_feedback::record(
        conn,
        workspace_id,
        signal_id,
        project_id,
        "dismissed",
        confidence,
        actor,
    );
    let known = known.await?;
    if known {
        signals::forget_match(conn, workspace_id, signal_id, project_id).await?;
    }
    Ok(known)
}

/// Its origin, if there was one.
async fn drop_link(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
) -> anyhow::Result<Option<String>> {
    let Request { workspace_id, signal_id, project_id, .. } = request;
    let (origin, others) =
        signal_projects::unlink(conn, workspace_id, signal_id, project_id).await?;
    if origin.is_none() {
        return Ok(None);
    }
    if !others {
        signals::mark_reviewed(conn, signal_id).await?;
    }
    log(conn, request.project(), std::iter::once(signal_id), "signal.unlinked").await?;
    queue.enqueue(conn, &[profile::job(workspace_id)?]).await?;
    Ok(origin)
}

async fn write(
    conn: &mut PgConnection,
    queue: &Queue,
    project: Project<'_>,
    signal_ids: &[String],
    origin: &str,
    reason: Option<&str>,
    confidence: Option<f32>,
) -> anyhow::Result<Linked> {
    let Project { workspace_id, project_id, .. } = project;
    let written = signal_projects::link(
        conn,
        workspace_id,
        signal_ids,
        project_id,
        origin,
        reason,
        confidence,
    );
    let signal_projects::Linked { known, new } = written.await?;
    let mut unknown: Vec<String> = signal_ids.to_vec();
    unknown.retain(|id| !known.contains(id));
    if !new.is_empty() {
        may_fail(Point::LinkWritten)?;
        signals::mark_linked(conn, &new).await?;
        log(conn, project, new.iter().map(String::as_str), "signal.linked").await?;
        queue.enqueue(conn, &[profile::job(workspace_id)?]).await?;
    }
    Ok(Linked { linked: new.len(), unchanged: known.len() - new.len(), unknown })
}

fn answer(linked: &Linked) -> Answer {
    match (linked.linked, linked.unchanged) {
        (0, 0) => Answer::NotFound,
        (0, _) => Answer::Unchanged,
        _ => Answer::Changed,
    }
}

async fn log<'a>(
    conn: &mut PgConnection,
    project: Project<'a>,
    signal_ids: impl Iterator<Item = &'a str>,
    action: &'a str,
) -> sqlx::Result<()> {
    let Project { workspace_id, project_id, actor } = project;
    let mut entries = Entries::default();
    for signal_id in signal_ids {
        let detail = json!({ "projectId": project_id });
        entries.push_by("api_key", workspace_id, actor, action, signal_id, detail);
    }
    entries.insert(conn).await
}
