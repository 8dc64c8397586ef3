//! Runs: a connection is taken, held while it is indexed, and given back. `factory.job_runs` has a row for each, and
//! `factory.activities` one for each that changed something.

use serde_json::{Value, json};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::connections::{self, Connection};

/// Why a connection cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Another run has it and shows life.
    #[error("it is being indexed already")]
    Running,
    /// As many others of its workspace are being indexed as may be at once.
    #[error("its workspace has as many runs as it may have at once (codebase.runs_max)")]
    Crowded,
    /// Its installation is suspended.
    #[error("access to the repository is suspended")]
    Suspended,
    /// It was disconnected, or is gone.
    #[error("it is disconnected")]
    Gone,
}

/// Limits of a taking.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// Without a sign of life for so long a run is over, seconds.
    pub silent_s: i32,
    /// Runs of one workspace at once.
    pub runs_max: i64,
    /// The job that asks for it: a run of an earlier attempt of it is over, whatever it shows.
    pub job: Option<i64>,
}

/// Take the connection for a run that somebody (`by`) asked for: from `pending`, `completed` or `failed` to `indexing`.
///
/// # Errors
/// Those of the database.
pub async fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    lease: Lease,
    by: &str,
) -> sqlx::Result<Result<Connection, NotTaken>> {
    // One at a time per workspace, so that its runs can be counted.
    let state: Option<(bool, bool, bool, String)> = sqlx::query_as(
        "select c.disabled_at is not null, c.suspended_at is not null,
                c.index_status = 'indexing' and c.heartbeat_at > now() - $2 * interval '1 second'
                  and coalesce(r.input ->> 'jobId' <> $3::text, true), o.id::text
         from factory.codebase_connections c
         join factory.projects p on p.id = c.project_id
         join factory.organizations o on o.id = p.organization_id
         left join factory.job_runs r on r.id = c.run_id
         where c.id = $1 for no key update of c",
    )
    .bind(id)
    .bind(lease.silent_s)
    .bind(lease.job.map(|job| job.to_string()))
    .fetch_optional(&mut *conn)
    .await?;
    let Some((disabled, suspended, running, organization)) = state else {
        return Ok(Err(NotTaken::Gone));
    };
    if disabled {
        return Ok(Err(NotTaken::Gone));
    }
    if suspended {
        return Ok(Err(NotTaken::Suspended));
    }
    if running {
        return Ok(Err(NotTaken::Running));
    }
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('codebase ' || $1, 0))")
        .bind(&organization)
        .execute(&mut *conn)
        .await?;
    let others: i64 = sqlx::query_scalar(
        "select count(*) from factory.codebase_connections c join factory.projects p on p.id = c.project_id
         where p.organization_id = $1::uuid and c.id <> $2 and c.index_status = 'indexing'
           and c.heartbeat_at > now() - $3 * interval '1 second'",
    )
    .bind(&organization)
    .bind(id)
    .bind(lease.silent_s)
    .fetch_one(&mut *conn)
    .await?;
    if others >= lease.runs_max {
        return Ok(Err(NotTaken::Crowded));
    }
    let input =
        json!({ "connectionId": id, "by": by, "jobId": lease.job.map(|job| job.to_string()) });
    take(conn, id, &input).await?;
    connections::get(conn, id).await.map(Ok)
}

/// A run that was cut off is closed as failed.
async fn take(conn: &mut PgConnection, id: Uuid, input: &Value) -> sqlx::Result<()> {
    sqlx::query(
        "with cut_off as (
           update factory.job_runs set status = 'failed', completed_at = now(), error = 'the process ended'
           where status = 'running' and id = (select run_id from factory.codebase_connections where id = $1)
         ), run as (
           insert into factory.job_runs (project_id, job_type, status, input, started_at)
           select project_id, 'codebase_index', 'running', $2, now() from factory.codebase_connections where id = $1
           returning id
         )
         update factory.codebase_connections c
         set index_status = 'indexing', heartbeat_at = now(), error = null, run_id = run.id
         from run where c.id = $1",
    )
    .bind(id)
    .bind(Json(input))
    .execute(conn)
    .await?;
    Ok(())
}

/// A sign of life, and the fence: false if the run was taken for dead and another has the connection. What is written in
/// the same transaction cannot come behind the other's.
///
/// # Errors
/// Those of the database.
pub async fn hold(conn: &mut PgConnection, of: &Connection) -> sqlx::Result<bool> {
    let held = sqlx::query(
        "update factory.codebase_connections set heartbeat_at = now()
         where id = $1 and run_id = $2 and index_status = 'indexing'",
    )
    .bind(of.id)
    .bind(of.run_id)
    .execute(conn)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// What a run that is over leaves behind.
#[derive(Debug)]
pub struct Shown<'a> {
    /// What the index shows now; as before if some files failed.
    pub commit: Option<&'a str>,
    /// Model of the vectors.
    pub model_id: i16,
    /// Version of the rules.
    pub rules: i32,
    /// Why it failed, if it did.
    pub error: Option<&'a str>,
    /// What was done.
    pub output: Value,
    /// Something did change.
    pub changed: bool,
}

/// The run is over; files are counted. False if another has the connection.
///
/// # Errors
/// Those of the database.
pub async fn end(
    conn: &mut PgConnection,
    of: &Connection,
    shown: &Shown<'_>,
) -> sqlx::Result<bool> {
    let ended = sqlx::query(
        "with run as (
           update factory.job_runs
           set status = case when $6::text is null then 'completed' else 'failed' end, completed_at = now(),
               error = $6, output = $7
           where id = $2 and status = 'running'
         ), activity as (
           insert into factory.activities (project_id, entity_type, entity_id, action, metadata, actor_type)
           select project_id, 'codebase_connection', id, 'indexed', $7, 'system'
           from factory.codebase_connections
           where id = $1 and run_id = $2 and ($8 or last_indexed_commit is distinct from $3)
         )
         update factory.codebase_connections c
         set index_status = case when $6::text is null then 'completed' else 'failed' end,
             last_indexed_at = case when $6::text is null then now() else c.last_indexed_at end,
             last_indexed_commit = case when $6::text is null then $3 else c.last_indexed_commit end,
             -- What was said before the run began, it has seen.
             target_commit = case when $6::text is null and coalesce(c.target_seen_at < r.started_at, true) then $3
                                  else c.target_commit end,
             model_id = $4, rules = $5, error = $6, heartbeat_at = null,
             file_count = (select count(*) from factory.codebase_files f where f.connection_id = c.id)
         from factory.job_runs r
         where r.id = $2 and c.id = $1 and c.run_id = $2 and c.index_status = 'indexing'",
    )
    .bind(of.id)
    .bind(of.run_id)
    .bind(shown.commit)
    .bind(shown.model_id)
    .bind(shown.rules)
    .bind(shown.error)
    .bind(Json(&shown.output))
    .bind(shown.changed)
    .execute(conn)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// The run has ended badly; what it has written stays, and the commit that is shown, too.
///
/// # Errors
/// Those of the database.
pub async fn fail(conn: &mut PgConnection, of: &Connection, error: &str) -> sqlx::Result<()> {
    sqlx::query(
        "with run as (
           update factory.job_runs set status = 'failed', completed_at = now(), error = $3
           where id = $2 and status = 'running'
         )
         update factory.codebase_connections set index_status = 'failed', error = $3, heartbeat_at = null
         where id = $1 and run_id = $2 and index_status = 'indexing'",
    )
    .bind(of.id)
    .bind(of.run_id)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}
