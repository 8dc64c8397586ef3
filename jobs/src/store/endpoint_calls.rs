//! `ops.endpoint_calls`: the daily budget of each workspace at the optional endpoint.

use sqlx::PgConnection;

/// Takes one call out of today's budget (UTC); false if it is spent.
pub(crate) async fn take(
    conn: &mut PgConnection,
    workspace_id: &str,
    calls_max: i64,
) -> sqlx::Result<bool> {
    let taken = sqlx::query(
        "insert into ops.endpoint_calls as c (workspace_id, day, calls)
         select $1, (now() at time zone 'utc')::date, 1 where $2 > 0
         on conflict (workspace_id, day) do update set calls = c.calls + 1 where c.calls < $2",
    )
    .bind(workspace_id)
    .bind(calls_max)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}
