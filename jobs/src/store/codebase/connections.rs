//! `factory.codebase_connections`, and the project and organization each belongs to.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A codebase and the state of its index.
#[derive(Debug, Clone, Default, FromRow, serde::Serialize, utoipa::ToSchema)]
pub struct Connection {
    /// Id.
    pub id: Uuid,
    /// Project it belongs to; a project has one at most.
    pub project_id: Uuid,
    /// Name of the project.
    pub project: String,
    /// URL of the repository, or a folder of this machine.
    pub repository_url: String,
    /// Branch that is followed.
    pub default_branch: String,
    /// `pending`, `indexing`, `completed` or `failed`.
    pub index_status: String,
    /// When a run last ended well.
    pub last_indexed_at: Option<DateTime<Utc>>,
    /// What it shows.
    pub last_indexed_commit: Option<String>,
    /// What it is to show.
    pub target_commit: Option<String>,
    /// Files that are looked into.
    pub file_count: i32,
    /// Model whose vectors its chunks have.
    pub model_id: Option<i16>,
    /// Version of the rules that cut it.
    pub rules: Option<i32>,
    /// Why the last run failed.
    pub error: Option<String>,
    /// Installation of the GitHub App; 0 without one.
    pub github_installation_id: i64,
    /// The run that is indexing, or was the last to.
    #[serde(skip)]
    pub run_id: Option<Uuid>,
    /// Tenant; none of an organization that no workspace has.
    #[serde(skip)]
    pub workspace_id: Option<String>,
}

/// How a repository is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository<'a> {
    /// `https://...`, or an absolute path.
    pub url: &'a str,
    /// Who has it.
    pub owner: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Branch to follow.
    pub branch: &'a str,
    /// Installation of the GitHub App; 0 without one.
    pub installation: i64,
}

/// The project of this name in a workspace; made if absent, with the workspace's organization.
///
/// # Errors
/// Those of the database.
pub async fn project(
    conn: &mut PgConnection,
    workspace_id: &str,
    slug: &str,
) -> sqlx::Result<Uuid> {
    sqlx::query(
        "insert into factory.organizations (name, slug, workspace_id) values ($1, $1, $1) on conflict do nothing",
    )
    .bind(workspace_id)
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "with made as (
           insert into factory.projects (organization_id, name, slug)
           select id, $2, $2 from factory.organizations where workspace_id = $1
           on conflict (organization_id, slug) do nothing
           returning id
         )
         select id from made
         union all
         select p.id from factory.projects p join factory.organizations o on o.id = p.organization_id
         where o.workspace_id = $1 and p.slug = $2
         limit 1",
    )
    .bind(workspace_id)
    .bind(slug)
    .fetch_one(conn)
    .await
}

/// The connection of a project; made if absent. Another repository than before starts anew.
///
/// # Errors
/// Those of the database.
pub async fn connect(
    conn: &mut PgConnection,
    project_id: Uuid,
    repository: &Repository<'_>,
) -> sqlx::Result<Connection> {
    let id: Uuid = sqlx::query_scalar(
        "insert into factory.codebase_connections as c
           (project_id, github_installation_id, repository_url, repository_owner, repository_name, default_branch)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (project_id) do update set github_installation_id = $2, repository_url = $3,
           repository_owner = $4, repository_name = $5, default_branch = $6,
           last_indexed_commit = case when c.repository_url = $3 then c.last_indexed_commit end,
           disabled_at = null
         returning c.id",
    )
    .bind(project_id)
    .bind(repository.installation)
    .bind(repository.url)
    .bind(repository.owner)
    .bind(repository.name)
    .bind(repository.branch)
    .fetch_one(&mut *conn)
    .await?;
    get(conn, id).await
}

/// A connection.
///
/// # Errors
/// Those of the database; `RowNotFound` if there is none.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Connection> {
    let mut found = these(conn, &[id]).await?;
    found.pop().ok_or(sqlx::Error::RowNotFound)
}

/// Those of these connections that there are, by project.
async fn these(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Connection>> {
    sqlx::query_as(
        "select c.id, c.project_id, p.slug as project, c.repository_url, c.default_branch, c.index_status,
                c.last_indexed_at, c.last_indexed_commit, c.target_commit, coalesce(c.file_count, 0) as file_count,
                c.model_id, c.rules, c.error, c.github_installation_id, c.run_id, o.workspace_id
         from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         where c.id = any ($1)
         order by p.slug, c.id",
    )
    .bind(ids)
    .fetch_all(conn)
    .await
}

/// Connections of a workspace, by project.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<Vec<Connection>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select c.id from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         where o.workspace_id = $1",
    )
    .bind(workspace_id)
    .fetch_all(&mut *conn)
    .await?;
    these(conn, &ids).await
}

/// No codebase, or not one, is meant.
#[derive(Debug, thiserror::Error)]
pub enum Unclear {
    /// The workspace has none of this project.
    #[error("no codebase of a project {0:?}")]
    NoSuch(String),
    /// The workspace has none at all.
    #[error("no codebase yet")]
    NoneYet,
    /// It has several, and none was named.
    #[error("several codebases: say which, by its project")]
    Several,
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The connection of this project, or the only one of the workspace.
///
/// # Errors
/// [`Unclear`].
pub async fn choose(
    conn: &mut PgConnection,
    workspace_id: &str,
    project: Option<&str>,
) -> Result<Connection, Unclear> {
    let mut all = list(conn, workspace_id).await?;
    match project {
        Some(project) => all
            .into_iter()
            .find(|of| of.project == project)
            .ok_or_else(|| Unclear::NoSuch(project.into())),
        None if all.len() > 1 => Err(Unclear::Several),
        None => all.pop().ok_or(Unclear::NoneYet),
    }
}

/// Connections of workspaces that are to be kept up to date and are not being indexed.
///
/// # Errors
/// Those of the database.
pub async fn followed(conn: &mut PgConnection) -> sqlx::Result<Vec<Connection>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select c.id from factory.codebase_connections c
         where c.suspended_at is null and c.disabled_at is null and c.index_status <> 'indexing'",
    )
    .fetch_all(&mut *conn)
    .await?;
    these(conn, &ids).await
}

/// How many connections there are, and of those whose last run failed the projects, each with its workspace.
///
/// # Errors
/// Those of the database.
pub async fn failures(conn: &mut PgConnection) -> sqlx::Result<(i64, Vec<String>)> {
    sqlx::query_as(
        "select count(*), coalesce(array_agg(o.workspace_id || '/' || p.slug order by o.workspace_id, p.slug)
                                   filter (where c.index_status = 'failed'), '{}')
         from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         where c.disabled_at is null",
    )
    .fetch_one(conn)
    .await
}

/// Forget a codebase with all of its chunks.
///
/// # Errors
/// Those of the database.
pub async fn delete(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("delete from factory.codebase_connections where id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}
