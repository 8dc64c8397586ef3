//! `signals.project_profiles`: when to learn a workspace's projects anew. Written by triggers.

use sqlx::PgConnection;

/// Changes with every change that matters to the classifier: number of projects, sum of versions.
pub(crate) async fn stamp(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "select count(*), coalesce(sum(version), 0)::bigint from signals.project_profiles where workspace_id = $1",
    )
    .bind(workspace_id)
    .fetch_one(conn)
    .await
}
