//! `signals.suggestion_feedback`: what people said about a suggestion, per signal and project.

use sqlx::PgConnection;

/// Projects that were dismissed for these signals: (signal, project).
pub(crate) async fn dismissed(
    conn: &mut PgConnection,
    signal_ids: &[String],
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "select signal_id, project_id from signals.suggestion_feedback
         where signal_id = any ($1) and verdict = 'dismissed'",
    )
    .bind(signal_ids)
    .fetch_all(conn)
    .await
}

/// Records a verdict; the last one counts. False if signal or project is not of the workspace.
pub(crate) async fn record(
    conn: &mut PgConnection,
    workspace_id: &str,
    signal_id: &str,
    project_id: &str,
    verdict: &str,
    confidence: Option<f32>,
    actor: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into signals.suggestion_feedback (workspace_id, signal_id, project_id, verdict, confidence, actor)
         select $1, s.id, p.id, $4, $5, $6 from signals.signals s, signals.projects p
         where s.workspace_id = $1 and s.id = $2 and s.deleted_at is null and p.workspace_id = $1 and p.id = $3
         on conflict (signal_id, project_id) do update
           set verdict = excluded.verdict, actor = excluded.actor, created_at = now() at time zone 'utc',
               confidence = coalesce(excluded.confidence, signals.suggestion_feedback.confidence)",
    )
    .bind(workspace_id)
    .bind(signal_id)
    .bind(project_id)
    .bind(verdict)
    .bind(confidence)
    .bind(actor)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
