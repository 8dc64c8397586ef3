//! What people do to experiments, and see of them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};

/// An experiment.
#[derive(Debug, Clone, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of experiments")]
pub struct ExperimentRow {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub variant_a: Value,
    pub variant_b: Value,
    pub metric: String,
    /// Share of A.
    pub traffic_split: f64,
    pub adaptive: bool,
    pub days: i32,
    pub status: String,
    pub stop_reason: Option<String>,
    pub winner: Option<String>,
    pub start_date: Option<DateTime<Utc>>,
    pub end_date: Option<DateTime<Utc>>,
    pub results_json: Option<Value>,
    /// Observations at the last look.
    pub looked: Option<i64>,
}

/// An experiment to be made.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "columns of experiments")]
pub struct New<'a> {
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub variant_a: &'a Value,
    pub variant_b: &'a Value,
    pub metric: &'a str,
    pub traffic_split: f64,
    pub adaptive: bool,
    pub days: i32,
}

/// Make one, as a draft; its id.
///
/// # Errors
/// Those of the database.
pub async fn create(
    conn: &mut PgConnection,
    workspace_id: &str,
    new: &New<'_>,
) -> sqlx::Result<String> {
    sqlx::query_scalar(
        "insert into social.experiments (workspace_id, name, description, variant_a, variant_b, metric, traffic_split, adaptive, days)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
    )
    .bind(workspace_id)
    .bind(new.name)
    .bind(new.description)
    .bind(Json(new.variant_a))
    .bind(Json(new.variant_b))
    .bind(new.metric)
    .bind(new.traffic_split)
    .bind(new.adaptive)
    .bind(new.days)
    .fetch_one(conn)
    .await
}

/// Experiments of a workspace, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<Vec<ExperimentRow>> {
    sqlx::query_as(
        "select id, name, description, variant_a, variant_b, metric, traffic_split, adaptive, days, status, stop_reason, winner,
                start_date, end_date, results_json,
                (select max(l.n) from social.experiment_looks l where l.workspace_id = $1 and l.experiment_id = e.id) as looked
         from social.experiments e where workspace_id = $1 order by created_at desc, id limit 200",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// The experiments with this id, the beginning of one, or this name; nobody else changes them until the transaction ends.
///
/// # Errors
/// Those of the database.
pub async fn of_id(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Vec<ExperimentRow>> {
    sqlx::query_as(
        "select id, name, description, variant_a, variant_b, metric, traffic_split, adaptive, days, status, stop_reason, winner,
                start_date, end_date, results_json,
                (select max(l.n) from social.experiment_looks l where l.workspace_id = $1 and l.experiment_id = e.id) as looked
         from social.experiments e where workspace_id = $1 and (starts_with(id, $2) or name = $2)
         order by id limit 2 for no key update of e",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_all(conn)
    .await
}

/// An experiment has another status, and perhaps a reason.
///
/// # Errors
/// Those of the database.
pub async fn set_status(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    status: &str,
    reason: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.experiments set status = $3, stop_reason = coalesce($4, stop_reason) where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(status)
    .bind(reason)
    .execute(conn)
    .await
    .map(drop)
}

/// An experiment runs from now on, to its end as many days later as it has; one that was paused goes on to the end that it had.
///
/// # Errors
/// Those of the database.
pub async fn renew(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.experiments set status = 'RUNNING', start_date = coalesce(start_date, $3),
           end_date = coalesce(end_date, coalesce(start_date, $3) + make_interval(days => days))
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}

/// A look, for people.
#[derive(Debug, Clone, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of experiment_looks")]
pub struct LookRow {
    pub n: i64,
    pub log_e_value: f64,
    pub cs_low: Option<f64>,
    pub cs_high: Option<f64>,
    pub srm_p: Option<f64>,
    pub looked_at: DateTime<Utc>,
}

/// The last looks at an experiment, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn looks(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    limit: i64,
) -> sqlx::Result<Vec<LookRow>> {
    sqlx::query_as(
        "select n, log_e_value, cs_low, cs_high, srm_p, looked_at from social.experiment_looks
         where workspace_id = $1 and experiment_id = $2 order by n desc limit $3",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(limit)
    .fetch_all(conn)
    .await
}
