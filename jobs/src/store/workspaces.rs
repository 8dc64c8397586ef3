//! Table `signals.workspaces`: the tenants.

use chrono::NaiveDateTime;
use serde_json::Value;
use sqlx::PgPool;

/// A tenant.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct Workspace {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Settings of its applications and of Millrace.
    pub settings: Value,
    /// UTC.
    pub created_at: NaiveDateTime,
}

/// Add a workspace; with `id` given, an existing one is returned unchanged.
///
/// # Errors
/// If the database does not answer.
pub async fn add(pool: &PgPool, id: Option<&str>, name: &str) -> Result<Workspace, sqlx::Error> {
    sqlx::query_as(
        "with made as (
           insert into signals.workspaces (id, name) values (coalesce($1, ops.nanoid()), $2)
           on conflict (id) do nothing returning id, name, settings, created_at
         )
         select id, name, settings, created_at from made
         union all
         select id, name, settings, created_at from signals.workspaces where id = $1
         limit 1",
    )
    .bind(id)
    .bind(name)
    .fetch_one(pool)
    .await
}

/// All workspaces, oldest first.
///
/// # Errors
/// If the database does not answer.
pub async fn list(pool: &PgPool) -> Result<Vec<Workspace>, sqlx::Error> {
    sqlx::query_as(
        "select id, name, settings, created_at from signals.workspaces order by created_at, id",
    )
    .fetch_all(pool)
    .await
}

/// Merge `settings` over what the workspace has (one level deep); false if there is no such workspace.
///
/// # Errors
/// If the database does not answer.
pub async fn set(pool: &PgPool, id: &str, settings: &Value) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update signals.workspaces set settings = settings || $2, updated_at = now() at time zone 'utc' where id = $1",
    )
    .bind(id)
    .bind(settings)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The settings of these workspaces.
pub(crate) async fn settings(
    conn: &mut sqlx::PgConnection,
    ids: &[&str],
) -> sqlx::Result<Vec<(String, Value)>> {
    sqlx::query_as("select id, settings from signals.workspaces where id = any ($1)")
        .bind(ids)
        .fetch_all(conn)
        .await
}
