//! What won, and since when it is in force.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};

/// A change of thresholds that won.
#[derive(Debug, Clone, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of experiment_promotions")]
pub struct PromotionRow {
    pub id: String,
    pub version: i32,
    pub thresholds: Value,
    /// None: proposed.
    pub effective_from: Option<DateTime<Utc>>,
    pub effective_to: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
}

/// Propose a change, or put it into force at once if somebody approves it; its version. Once for an experiment until it
/// is ended.
///
/// # Errors
/// Those of the database.
pub async fn propose(
    conn: &mut PgConnection,
    (workspace_id, experiment_id): (&str, &str),
    thresholds: &Value,
    approved_by: Option<&str>,
    at: DateTime<Utc>,
) -> sqlx::Result<i32> {
    sqlx::query_scalar(
        "insert into social.experiment_promotions (workspace_id, experiment_id, version, thresholds, effective_from, approved_by)
         select $1, $2, coalesce(max(version), 0) + 1, $3, case when $4::text is not null then $5::timestamptz end, $4
         from social.experiment_promotions where workspace_id = $1
         returning version",
    )
    .bind(workspace_id)
    .bind(experiment_id)
    .bind(Json(thresholds))
    .bind(approved_by)
    .bind(at)
    .fetch_one(conn)
    .await
}

/// A proposed change comes into force; its version, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn approve(
    conn: &mut PgConnection,
    (workspace_id, experiment_id): (&str, &str),
    who: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "update social.experiment_promotions set effective_from = $4, approved_by = $3
         where workspace_id = $1 and experiment_id = $2 and effective_to is null and approved_by is null
         returning version",
    )
    .bind(workspace_id)
    .bind(experiment_id)
    .bind(who)
    .bind(at)
    .fetch_optional(conn)
    .await
}

/// What an experiment led to, proposed or in force, is over; its version, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn end(
    conn: &mut PgConnection,
    (workspace_id, experiment_id): (&str, &str),
    at: DateTime<Utc>,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "update social.experiment_promotions set effective_to = greatest(effective_from, $3)
         where workspace_id = $1 and experiment_id = $2 and effective_to is null returning version",
    )
    .bind(workspace_id)
    .bind(experiment_id)
    .bind(at)
    .fetch_optional(conn)
    .await
}

/// All that an experiment led to, the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn of_experiment(
    conn: &mut PgConnection,
    (workspace_id, experiment_id): (&str, &str),
) -> sqlx::Result<Vec<PromotionRow>> {
    sqlx::query_as(
        "select id, version, thresholds, effective_from, effective_to, approved_by from social.experiment_promotions
         where workspace_id = $1 and experiment_id = $2 order by version",
    )
    .bind(workspace_id)
    .bind(experiment_id)
    .fetch_all(conn)
    .await
}
