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
    sqlx::query_as(
        "insert into factory.codebase_connections as c
           (project_id, github_installation_id, repository_url, repository_owner, repository_name, default_branch)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (project_id) do update set github_installation_id = $2, repository_url = $3,
           repository_owner = $4, repository_name = $5, default_branch = $6,
           last_indexed_commit = case when c.repository_url = $3 then c.last_indexed_commit end,
           disabled_at = null
         returning c.id, c.project_id, (select p.slug from factory.projects p where p.id = c.project_id) as project,
                   c.repository_url, c.default_branch, c.index_status, c.last_indexed_at, c.last_indexed_commit,
                   c.target_commit, coalesce(c.file_count, 0) as file_count, c.model_id, c.rules, c.error,
                   c.github_installation_id, c.run_id",
    )
    .bind(project_id)
    .bind(repository.installation)
    .bind(repository.url)
    .bind(repository.owner)
    .bind(repository.name)
    .bind(repository.branch)
    .fetch_one(conn)
    .await
}

/// Connections of a workspace, by project.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<Vec<Connection>> {
    sqlx::query_as(
        "select c.id, c.project_id, p.slug as project, c.repository_url, c.default_branch, c.index_status,
                c.last_indexed_at, c.last_indexed_commit, c.target_commit, coalesce(c.file_count, 0) as file_count,
                c.model_id, c.rules, c.error, c.github_installation_id, c.run_id
         from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         where o.workspace_id = $1
         order by p.slug",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// Connections that are to be kept up to date and are not being indexed, each with its workspace.
///
/// # Errors
/// Those of the database.
pub async fn followed(conn: &mut PgConnection) -> sqlx::Result<Vec<(String, Connection)>> {
    #[derive(FromRow)]
    struct Row {
        workspace_id: String,
        #[sqlx(flatten)]
        connection: Connection,
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select o.workspace_id, c.id, c.project_id, p.slug as project, c.repository_url, c.default_branch, c.index_status,
                c.last_indexed_at, c.last_indexed_commit, c.target_commit, coalesce(c.file_count, 0) as file_count,
                c.model_id, c.rules, c.error, c.github_installation_id, c.run_id
         from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         where o.workspace_id is not null and c.suspended_at is null and c.disabled_at is null
           and c.index_status <> 'indexing'
         order by c.id",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.workspace_id, row.connection)).collect())
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
