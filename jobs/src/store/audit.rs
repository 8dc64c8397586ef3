//! `ops.audit`: interventions of operators. An entry is written before its act, so that no act is without one; an
//! act that failed has one too.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};

/// What somebody is about to do.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Tenant; empty: the whole installation.
    pub workspace_id: &'a str,
    /// `key:<id of an API key>` or `cli:<user id of the process>`.
    pub actor: &'a str,
    /// What: `source.rotate`, `dead.replay`, ...
    pub action: &'a str,
    /// To what.
    pub target: &'a str,
}

/// A row of `ops.audit`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[expect(missing_docs, reason = "columns of ops.audit")]
pub struct AuditRow {
    pub id: i64,
    pub workspace_id: String,
    pub actor: String,
    pub action: String,
    pub target: String,
    pub detail: Value,
    pub at: DateTime<Utc>,
}

/// Which entries; `None` does not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Tenant.
    pub workspace_id: Option<String>,
    /// An action, or all that begin with it: `source`.
    pub action: Option<String>,
    /// At or after.
    pub since: Option<DateTime<Utc>>,
    /// Rows at most.
    pub limit: i64,
}

/// Say who is about to do what. `detail` holds no secret.
///
/// # Errors
/// Those of the database; the act must then not be done.
pub async fn note(db: impl PgExecutor<'_>, act: Act<'_>, detail: Value) -> sqlx::Result<()> {
    sqlx::query(
        "insert into ops.audit (workspace_id, actor, action, target, detail) values ($1, $2, $3, $4, $5)",
    )
    .bind(act.workspace_id)
    .bind(act.actor)
    .bind(act.action)
    .bind(act.target)
    .bind(detail)
    .execute(db)
    .await
    .map(drop)
}

/// Entries, newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(pool: &PgPool, filter: &AuditFilter) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "select id, workspace_id, actor, action, target, detail, at from ops.audit
         where ($1::text is null or workspace_id = $1)
           and ($2::text is null or starts_with(action, $2))
           and ($3::timestamptz is null or at >= $3)
         order by id desc limit $4",
    )
    .bind(&filter.workspace_id)
    .bind(&filter.action)
    .bind(filter.since)
    .bind(filter.limit)
    .fetch_all(pool)
    .await
}
