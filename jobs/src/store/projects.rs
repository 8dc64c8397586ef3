//! `signals.projects`: what signals can belong to.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use utoipa::ToSchema;

/// A project as the read side shows it.
#[derive(Debug, Clone, FromRow, serde::Serialize, ToSchema)]
pub struct Project {
    /// Id.
    pub id: String,
    /// Name, also the first words the classifier knows it by.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Stage of the process that the seed's applications follow.
    pub stage: String,
    /// Only `active` projects are matched.
    pub status: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Last change.
    pub updated_at: DateTime<Utc>,
}

/// Active projects of a workspace: id, name, description; oldest first.
pub(crate) async fn active(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<Vec<(String, String, Option<String>)>> {
    sqlx::query_as(
        "select id, name, description from signals.projects
         where workspace_id = $1 and status = 'active' order by created_at, id",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// All projects of a workspace, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<Vec<Project>> {
    sqlx::query_as(
        "select id, name, description, stage, status, created_at at time zone 'utc' as created_at,
                updated_at at time zone 'utc' as updated_at from signals.projects
         where workspace_id = $1 order by created_at desc, id desc",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// One project, if it is the workspace's.
///
/// # Errors
/// Those of the database.
pub async fn get(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Option<Project>> {
    sqlx::query_as(
        "select id, name, description, stage, status, created_at at time zone 'utc' as created_at,
                updated_at at time zone 'utc' as updated_at
         from signals.projects where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_optional(conn)
    .await
}

/// Adds an active project.
///
/// # Errors
/// Those of the database, also for a workspace that does not exist.
pub async fn create(
    conn: &mut PgConnection,
    workspace_id: &str,
    name: &str,
    description: Option<&str>,
) -> sqlx::Result<Project> {
    sqlx::query_as(
        "insert into signals.projects (workspace_id, name, description) values ($1, $2, $3)
         returning id, name, description, stage, status, created_at at time zone 'utc' as created_at,
                updated_at at time zone 'utc' as updated_at",
    )
    .bind(workspace_id)
    .bind(name)
    .bind(description)
    .fetch_one(conn)
    .await
}

/// Changes what is given; `None` if the workspace has no such project.
///
/// # Errors
/// Those of the database.
pub async fn update(
    conn: &mut PgConnection,
    workspace_id: &str,
    project_id: &str,
    name: Option<&str>,
    description: Option<&str>,
    status: Option<&str>,
) -> sqlx::Result<Option<Project>> {
    sqlx::query_as(
        "update signals.projects set name = coalesce($3, name), description = coalesce($4, description),
           status = coalesce($5, status), updated_at = now() at time zone 'utc'
         where workspace_id = $1 and id = $2
         returning id, name, description, stage, status, created_at at time zone 'utc' as created_at,
                updated_at at time zone 'utc' as updated_at",
    )
    .bind(workspace_id)
    .bind(project_id)
    .bind(name)
    .bind(description)
    .bind(status)
    .fetch_optional(conn)
    .await
}
