//! `alerts`: what somebody was told, at most once an hour of each rule and platform.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor};

use crate::social::outcomes::alerts::Alert;

/// A row of `social.alerts`.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns of social.alerts")]
pub struct AlertRow {
    pub rule: String,
    pub platform: Option<String>,
    pub severity: String,
    pub value: f64,
    pub threshold: f64,
    pub message: String,
    pub raised_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub times: i32,
}

/// Raise an alert, unless it was raised in the hour before: then that one was seen again. Whether it is new. Call it in
/// a transaction: two callers wait for each other.
///
/// # Errors
/// Those of the database.
pub async fn raise(
    conn: &mut PgConnection,
    workspace: &str,
    platform: Option<&str>,
    alert: &Alert,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('social.alerts ' || $1, 0))")
        .bind(workspace)
        .execute(&mut *conn)
        .await?;
    let again = sqlx::query(
        "update social.alerts a set seen_at = $4, times = a.times + 1, value = $5, message = $6
         where a.workspace_id = $1 and a.rule = $2 and a.platform is not distinct from $3
           and a.raised_at > $4::timestamptz - interval '1 hour'",
    )
    .bind(workspace)
    .bind(&alert.rule)
    .bind(platform)
    .bind(now)
    .bind(alert.value)
    .bind(&alert.message)
    .execute(&mut *conn)
    .await?;
    if again.rows_affected() > 0 {
        return Ok(false);
    }
    sqlx::query(
        "insert into social.alerts (workspace_id, rule, platform, severity, value, threshold, message, raised_at, seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(workspace)
    .bind(&alert.rule)
    .bind(platform)
    .bind(alert.severity.as_str())
    .bind(alert.value)
    .bind(alert.threshold)
    .bind(&alert.message)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(true)
}

/// Alerts since a moment, the newest first; of one platform (with those of none) or of all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: &str,
    platform: Option<&str>,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<AlertRow>> {
    sqlx::query_as(
        "select rule, platform, severity, value, threshold, message, raised_at, seen_at, times from social.alerts
         where workspace_id = $1 and ($2::text is null or platform is null or platform = $2) and raised_at >= $3
         order by raised_at desc, rule limit 200",
    )
    .bind(workspace)
    .bind(platform)
    .bind(since)
    .fetch_all(db)
    .await
}

/// Posts that wait for a decision.
///
/// # Errors
/// Those of the database.
pub async fn waiting(db: impl PgExecutor<'_>, workspace: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from social.posts p where p.workspace_id = $1 and p.processed_at is null and not p.spam_filtered
           and p.superseded_by is null and p.deleted_at is null",
    )
    .bind(workspace)
    .fetch_one(db)
    .await
}
