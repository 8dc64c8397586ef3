//! `ops.ingest_cursors`: how far each query has been read.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool, Row};

use crate::poll::{
    plan::Query,
    walk::{Cursor, Step},
};

/// Which cursor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) workspace_id: &'a str,
    pub(crate) source_id: &'a str,
    pub(crate) query_hash: &'a str,
}

/// Make the cursors of a source those of its queries, and take those that are due: for a minute they are not again.
///
/// # Errors
/// Those of the database.
pub(crate) async fn due(
    conn: &mut PgConnection,
    (workspace_id, source_id): (&str, &str),
    platform: &str,
    overlap: TimeDelta,
    queries: &[Query],
) -> sqlx::Result<Vec<String>> {
    let hashes: Vec<String> = queries.iter().map(Query::hash).collect();
    sqlx::query(
        "insert into ops.ingest_cursors as c (workspace_id, source_id, query_hash, platform, kind, query, overlap_s)
         select $1, $2, q.hash, $3, q.kind, q.shown, $4
         from unnest($5::text[], $6::text[], $7::text[]) as q(hash, kind, shown)
         on conflict (workspace_id, source_id, query_hash) do update set active = true where not c.active",
    )
    .bind(workspace_id)
    .bind(source_id)
    .bind(platform)
    .bind(i32::try_from(overlap.num_seconds()).unwrap_or(i32::MAX))
    .bind(&hashes)
    .bind(queries.iter().map(|q| q.kind).collect::<Vec<_>>())
    .bind(queries.iter().map(Query::shown).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "with gone as (
           update ops.ingest_cursors set active = false
           where workspace_id = $1 and source_id = $2 and active and query_hash <> all($3)
         )
         update ops.ingest_cursors set next_at = now() + interval '1 minute'
         where workspace_id = $1 and source_id = $2 and active and query_hash = any($3) and next_at <= now()
         returning query_hash",
    )
    .bind(workspace_id)
    .bind(source_id)
    .bind(&hashes)
    .fetch_all(conn)
    .await
}

/// A cursor that is followed; `first` is how far back its first sweep goes.
///
/// # Errors
/// Those of the database.
pub(crate) async fn load(
    pool: &PgPool,
    key: Key<'_>,
    first: TimeDelta,
) -> sqlx::Result<Option<Cursor>> {
    let row = sqlx::query(
        "select since_id, newest_seen_at, next_page, sweep_id, sweep_at, pages, overlap_s, version, errors, created_at
         from ops.ingest_cursors where workspace_id = $1 and source_id = $2 and query_hash = $3 and active",
    )
    .bind(key.workspace_id)
    .bind(key.source_id)
    .bind(key.query_hash)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let overlap_s: i32 = row.try_get("overlap_s")?;
    Ok(Some(Cursor {
        since_id: row.try_get("since_id")?,
        newest_seen_at: row.try_get("newest_seen_at")?,
        next_page: row.try_get("next_page")?,
        sweep_id: row.try_get("sweep_id")?,
        sweep_at: row.try_get("sweep_at")?,
        pages: row.try_get("pages")?,
        overlap: TimeDelta::seconds(overlap_s.into()),
        begin_at: row.try_get::<DateTime<Utc>, _>("created_at")? - first,
        version: row.try_get("version")?,
        errors: row.try_get("errors")?,
    }))
}

/// Move a cursor over a page; false if somebody else has moved it meanwhile.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    key: Key<'_>,
    step: &Step,
    interval: Duration,
) -> sqlx::Result<bool> {
    let to = &step.cursor;
    let done = sqlx::query(
        "update ops.ingest_cursors
         set since_id = $4, newest_seen_at = $5, next_page = $6, sweep_id = $7, sweep_at = $8, pages = $9,
             version = version + 1, errors = 0, last_error = null, last_ok_at = now(),
             gap_at = case when $11 then now() else gap_at end,
             lag_s = case when $12 then lag_s else extract(epoch from now() - $5)::float8 end,
             next_at = now() + case when $12 then interval '1 minute' else make_interval(secs => $13) end
         where workspace_id = $1 and source_id = $2 and query_hash = $3 and version = $10 and active",
    )
    .bind(key.workspace_id)
    .bind(key.source_id)
    .bind(key.query_hash)
    .bind(&to.since_id)
    .bind(to.newest_seen_at)
    .bind(&to.next_page)
    .bind(&to.sweep_id)
    .bind(to.sweep_at)
    .bind(to.pages)
    .bind(to.version)
    .bind(step.gap)
    .bind(step.more)
    .bind(interval.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Somebody begins with a query: it is not due for a minute, and draws from this budget.
///
/// # Errors
/// Those of the database.
pub(crate) async fn begin(
    pool: &PgPool,
    key: Key<'_>,
    credential: &str,
    bucket: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update ops.ingest_cursors set credential = $4, bucket = $5, next_at = now() + interval '1 minute'
         where workspace_id = $1 and source_id = $2 and query_hash = $3",
    )
    .bind(key.workspace_id)
    .bind(key.source_id)
    .bind(key.query_hash)
    .bind(credential)
    .bind(bucket)
    .execute(pool)
    .await?;
    Ok(())
}

/// All queries of a source are due now.
///
/// # Errors
/// Those of the database.
pub(crate) async fn hasten(pool: &PgPool, source_id: &str) -> sqlx::Result<()> {
    sqlx::query("update ops.ingest_cursors set next_at = now() where source_id = $1 and active and next_at > now()")
        .bind(source_id)
        .execute(pool)
        .await?;
    Ok(())
}

/// Why a page could not be had, and what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed<'a> {
    /// Without any payload.
    pub(crate) error: &'a str,
    /// The next try.
    pub(crate) next: Duration,
    /// The place of the page is not good any more: the sweep begins anew.
    pub(crate) anew: bool,
    /// Where the cursor stood; if it has moved since, somebody else had better luck.
    pub(crate) version: i64,
}

/// Note that a page could not be had.
///
/// # Errors
/// Those of the database.
pub(crate) async fn failed(pool: &PgPool, key: Key<'_>, failed: Failed<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "update ops.ingest_cursors
         set errors = errors + 1, last_error = left($4, 500), next_at = now() + make_interval(secs => $5),
             next_page = case when $6 then null else next_page end, sweep_id = case when $6 then null else sweep_id end,
             sweep_at = case when $6 then null else sweep_at end, pages = case when $6 then 0 else pages end,
             version = version + case when $6 then 1 else 0 end
         where workspace_id = $1 and source_id = $2 and query_hash = $3 and version = $7",
    )
    .bind(key.workspace_id)
    .bind(key.source_id)
    .bind(key.query_hash)
    .bind(failed.error)
    .bind(failed.next.as_secs_f64())
    .bind(failed.anew)
    .bind(failed.version)
    .execute(pool)
    .await?;
    Ok(())
}

/// A query, for people.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct Status {
    /// Tenant.
    pub workspace_id: String,
    /// Name of the source.
    pub source: String,
    /// `active`, `paused` or `uninstalled`.
    pub state: String,
    /// Kind of the source.
    pub platform: String,
    /// Kind of page.
    pub kind: String,
    /// The query.
    pub query: String,
    /// Newest post that was read.
    pub since_id: Option<String>,
    /// Its time.
    pub newest_seen_at: Option<DateTime<Utc>>,
    /// Pages of the sweep that is under way.
    pub pages: i32,
    /// Last good answer.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// Seconds since then, or since the query was added.
    pub silent_s: f64,
    /// Age of the newest post when the last sweep ended, seconds.
    pub lag_s: Option<f64>,
    /// Answers in a row that were none.
    pub errors: i32,
    /// What the last one was.
    pub last_error: Option<String>,
    /// When not everything could be read.
    pub gap_at: Option<DateTime<Utc>>,
    /// Next try.
    pub next_at: DateTime<Utc>,
    /// Calls left of its budget.
    pub quota_left: Option<f64>,
    /// Calls of a window, or at once.
    pub quota: Option<f64>,
    /// End of the window.
    pub reset_at: Option<DateTime<Utc>>,
    /// Not before then: the platform's word, or the breaker's.
    pub blocked_until: Option<DateTime<Utc>>,
}

/// All queries that are followed.
///
/// # Errors
/// Those of the database.
pub async fn status(pool: &PgPool, workspace_id: Option<&str>) -> sqlx::Result<Vec<Status>> {
    sqlx::query_as(
        "select c.workspace_id, s.name as source, s.state, c.platform, c.kind, c.query, c.since_id, c.newest_seen_at, c.pages,
                c.last_ok_at, extract(epoch from now() - coalesce(c.last_ok_at, c.created_at))::float8 as silent_s, c.lag_s,
                c.errors, c.last_error, c.gap_at, c.next_at,
                case when b.refill_per_s > 0
                     then least(b.limit_n, b.remaining + extract(epoch from now() - b.counted_at) * b.refill_per_s)
                     when now() > b.reset_at then b.limit_n else b.remaining end as quota_left,
                case when b.seen then b.limit_n end as quota, case when b.refill_per_s = 0 then b.reset_at end as reset_at,
                nullif(greatest(b.blocked_until, b.open_until, now()), now()) as blocked_until
         from ops.ingest_cursors c
         join ops.sources s on s.workspace_id = c.workspace_id and s.id = c.source_id
         left join ops.rate_budgets b on b.workspace_id = c.workspace_id and b.credential = c.credential and b.bucket = c.bucket
         where c.active and s.state <> 'uninstalled' and ($1::text is null or c.workspace_id = $1)
         order by c.workspace_id, s.name, c.kind, c.query",
    )
    .bind(workspace_id)
    .fetch_all(pool)
    .await
}
