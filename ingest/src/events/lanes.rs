//! Which bridge may store the events of which lane: session locks of Postgres.
//!
//! A lane's events are stored over the very connection that holds its lock. When the connection ends, so do
//! the lock and whatever it had not committed: there is no moment in which two bridges store one lane, and
//! no lease to renew. A bridge that hangs is cut off by `idle_session_timeout`.

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};

/// First half of the advisory lock's key; no other code of ours takes two-part locks.
const LOCKS: i32 = 0x6d69_6c6c;
/// Held shared by every bridge, so that they can count each other.
const PRESENCE: i32 = i32::MAX;
/// A bridge asks something of its connection much more often than this.
const SILENT_MAX: &str = "20s";

/// A bridge's connection, present among the others.
pub(crate) async fn enter(pool: &PgPool) -> sqlx::Result<PoolConnection<Postgres>> {
    let mut conn = pool.acquire().await?;
    // Its locks must never go back to the pool, whatever happens.
    conn.close_on_drop();
    sqlx::query(
        "select set_config('idle_session_timeout', $1, false), pg_advisory_lock_shared($2, $3)",
    )
    .bind(SILENT_MAX)
    .bind(LOCKS)
    .bind(PRESENCE)
    .execute(&mut *conn)
    .await?;
    Ok(conn)
}

/// How many bridges there are, this one included.
pub(crate) async fn bridges(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from pg_locks
         where locktype = 'advisory' and granted and classid::bigint = $1 and objid::bigint = $2
           and database = (select oid from pg_database where datname = current_database())",
    )
    .bind(i64::from(LOCKS))
    .bind(i64::from(PRESENCE))
    .fetch_one(conn)
    .await
}

/// Take a lane, unless another bridge has it.
pub(crate) async fn take(conn: &mut PgConnection, lane: u16) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1, $2)")
        .bind(LOCKS)
        .bind(i32::from(lane))
        .fetch_one(conn)
        .await
}

/// Leave a lane to another bridge.
pub(crate) async fn leave(conn: &mut PgConnection, lane: u16) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_unlock($1, $2)")
        .bind(LOCKS)
        .bind(i32::from(lane))
        .execute(conn)
        .await?;
    Ok(())
}
