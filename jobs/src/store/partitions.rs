//! Partitions: made ahead, and those of days dropped when they are over.

use sqlx::PgPool;

/// Make the partitions of the coming days. Returns how many were missing.
///
/// # Errors
/// Those of the database.
pub async fn ensure(pool: &PgPool, days_ahead: i32) -> sqlx::Result<i32> {
    sqlx::query_scalar("select ops.ensure_partitions($1)").bind(days_ahead).fetch_one(pool).await
}

/// Make the monthly partitions of decisions, of this month and those to come. Returns how many were missing.
///
/// # Errors
/// Those of the database.
pub async fn ensure_months(pool: &PgPool, months_ahead: i32) -> sqlx::Result<i32> {
    sqlx::query_scalar("select social.ensure_partitions($1)")
        .bind(months_ahead)
        .fetch_one(pool)
        .await
}

/// Drop the days of `parent` (event_bodies or job_history) that are more than `days` old, and what the default partition
/// caught of them. Returns the names dropped.
///
/// # Errors
/// Those of the database; an unknown parent is one.
pub async fn drop_old(pool: &PgPool, parent: &str, days: u32) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select unnest(ops.drop_partitions($1, (now() at time zone 'utc')::date - $2::int))",
    )
    .bind(parent)
    .bind(i32::try_from(days).unwrap_or(i32::MAX))
    .fetch_all(pool)
    .await
}
