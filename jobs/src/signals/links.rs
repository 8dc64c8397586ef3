//! What people say about links: by hand, accepting or dismissing a suggestion. Each in one transaction
//! with its log and the job that learns from it; each may be repeated.

use serde_json::json;
use sqlx::PgConnection;

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
    write(conn, queue, request, "manual", reason, None).await
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
    write(conn, queue, request, "accepted", Some(reason), confidence).await
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
    if !known.await? {
        return Ok(Answer::NotFound);
    }
    signals::forget_match(conn, workspace_id, signal_id, project_id).await?;
    unlink(conn, queue, request).await?;
    Ok(Answer::Changed)
}

/// Remove a link. The last one moves the signal back to `reviewed`.
///
/// # Errors
/// Those of the database.
pub async fn unlink(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
) -> anyhow::Result<Answer> {
    let Request { workspace_id, signal_id, project_id, .. } = request;
    let (gone, others) = signal_projects::unlink(conn, workspace_id, signal_id, project_id).await?;
    if !gone {
        return Ok(Answer::Unchanged);
    }
    if !others {
        signals::mark_reviewed(conn, signal_id).await?;
    }
    log(conn, request, "signal.unlinked").await?;
    queue.enqueue(conn, &[profile::job(workspace_id)?]).await?;
    Ok(Answer::Changed)
}

async fn write(
    conn: &mut PgConnection,
    queue: &Queue,
    request: Request<'_>,
    origin: &str,
    reason: Option<&str>,
    confidence: Option<f32>,
) -> anyhow::Result<Answer> {
    let Request { workspace_id, signal_id, project_id, .. } = request;
    let new = signal_projects::link(
        conn,
        workspace_id,
        signal_id,
        project_id,
        origin,
        reason,
        confidence,
    );
    match new.await? {
        None => Ok(Answer::NotFound),
        Some(false) => Ok(Answer::Unchanged),
        Some(true) => {
            signals::mark_linked(conn, &[signal_id.to_owned()]).await?;
            log(conn, request, "signal.linked").await?;
            queue.enqueue(conn, &[profile::job(workspace_id)?]).await?;
            Ok(Answer::Changed)
        }
    }
}

async fn log(conn: &mut PgConnection, request: Request<'_>, action: &str) -> sqlx::Result<()> {
    let mut entries = Entries::default();
    let detail = json!({ "projectId": request.project_id });
    entries.push_by(
        "api_key",
        request.workspace_id,
        request.actor,
        action,
        request.signal_id,
        detail,
    );
    entries.insert(conn).await
}
