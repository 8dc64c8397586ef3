//! What deliveries say that an index is to show, and whether it may.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::codebase::change::Change;

/// Apply what a platform said to the connections of the workspace that it is about; their ids, of those that a run can
/// now do something for.
///
/// # Errors
/// Those of the database.
pub async fn apply(
    conn: &mut PgConnection,
    workspace_id: &str,
    change: &Change,
) -> sqlx::Result<Vec<Uuid>> {
    match change {
        Change::Pushed { repository, branch, commit } => {
            pushed(conn, workspace_id, repository, branch, commit).await
        }
        Change::Moved { before, repository, url } => {
            moved(conn, workspace_id, before, repository, url).await
        }
        Change::Suspended { installation, suspended } => {
            suspended_is(conn, workspace_id, *installation, *suspended).await
        }
        Change::Removed { installation, repositories } => {
            removed(conn, workspace_id, *installation, repositories.as_deref())
                .await
                .map(|()| Vec::new())
        }
    }
}

async fn pushed(
    conn: &mut PgConnection,
    workspace_id: &str,
    repository: &str,
    branch: &str,
    commit: &str,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "update factory.codebase_connections c set target_commit = $4, target_seen_at = now()
         from factory.projects p join factory.organizations o on o.id = p.organization_id
         where p.id = c.project_id and o.workspace_id = $1 and c.disabled_at is null
           and lower(c.repository_owner || '/' || c.repository_name) = lower($2) and c.default_branch in ($3, 'HEAD')
         returning c.id",
    )
    .bind(workspace_id)
    .bind(repository)
    .bind(branch)
    .bind(commit)
    .fetch_all(conn)
    .await
}

async fn moved(
    conn: &mut PgConnection,
    workspace_id: &str,
    before: &str,
    repository: &str,
    url: &str,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "update factory.codebase_connections c
         set repository_owner = split_part($3, '/', 1), repository_name = split_part($3, '/', 2), repository_url = $4
         from factory.projects p join factory.organizations o on o.id = p.organization_id
         where p.id = c.project_id and o.workspace_id = $1
           and lower(c.repository_owner || '/' || c.repository_name) = lower($2)
         returning c.id",
    )
    .bind(workspace_id)
    .bind(before)
    .bind(repository)
    .bind(url)
    .fetch_all(conn)
    .await
}

async fn suspended_is(
    conn: &mut PgConnection,
    workspace_id: &str,
    installation: i64,
    suspended: bool,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "with changed as (
           update factory.codebase_connections c set suspended_at = case when $3 then coalesce(suspended_at, now()) end
           from factory.projects p join factory.organizations o on o.id = p.organization_id
           where p.id = c.project_id and o.workspace_id = $1 and c.github_installation_id = $2
           returning c.id
         )
         select id from changed where not $3",
    )
    .bind(workspace_id)
    .bind(installation)
    .bind(suspended)
    .fetch_all(conn)
    .await
}

async fn removed(
    conn: &mut PgConnection,
    workspace_id: &str,
    installation: i64,
    repositories: Option<&[String]>,
) -> sqlx::Result<()> {
    let repositories: Option<Vec<String>> =
        repositories.map(|all| all.iter().map(|name| name.to_lowercase()).collect());
    sqlx::query(
        "update factory.codebase_connections c set disabled_at = coalesce(disabled_at, now())
         from factory.projects p join factory.organizations o on o.id = p.organization_id
         where p.id = c.project_id and o.workspace_id = $1 and c.github_installation_id = $2
           and ($3::text[] is null or lower(c.repository_owner || '/' || c.repository_name) = any ($3))",
    )
    .bind(workspace_id)
    .bind(installation)
    .bind(repositories)
    .execute(conn)
    .await?;
    Ok(())
}

/// Runs that have shown no life for `silent_s` seconds are over, failed.
///
/// # Errors
/// Those of the database.
pub async fn reap(conn: &mut PgConnection, silent_s: i32) -> sqlx::Result<u64> {
    let reaped = sqlx::query(
        "with silent as (
           update factory.codebase_connections
           set index_status = 'failed', error = 'the process ended', heartbeat_at = null
           where index_status = 'indexing' and heartbeat_at < now() - $1 * interval '1 second'
           returning run_id
         )
         update factory.job_runs r set status = 'failed', completed_at = now(), error = 'the process ended'
         from silent where r.id = silent.run_id and r.status = 'running'",
    )
    .bind(silent_s)
    .execute(conn)
    .await?;
    Ok(reaped.rows_affected())
}

/// What codebases had that were disconnected for `grace_days` is deleted; how many.
///
/// # Errors
/// Those of the database.
pub async fn purge(conn: &mut PgConnection, grace_days: i32) -> sqlx::Result<u64> {
    let purged = sqlx::query(
        "with old as (
           select id from factory.codebase_connections
           where disabled_at < now() - $1 * interval '1 day' and (last_indexed_commit is not null or file_count > 0)
           for no key update
         ), files as (
           delete from factory.codebase_files where connection_id in (select id from old)
         ), skips as (
           delete from factory.codebase_skips where connection_id in (select id from old)
         ), vectors as (
           delete from factory.code_vectors where connection_id in (select id from old)
         )
         update factory.codebase_connections
         set last_indexed_commit = null, last_indexed_at = null, file_count = 0, index_status = 'pending'
         where id in (select id from old)",
    )
    .bind(grace_days)
    .execute(conn)
    .await?;
    Ok(purged.rows_affected())
}
