//! What the hourly look reads and writes.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};

use super::people::ExperimentRow;

/// Answers that are read of an experiment at most, the newest.
const ANSWERS_MAX: i64 = 20_000;

/// Experiments of a workspace that run, or whose time is over; nobody else looks at them or changes them until the
/// transaction ends.
///
/// # Errors
/// Those of the database.
pub async fn running(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<Vec<ExperimentRow>> {
    sqlx::query_as(
        "select id, name, description, variant_a, variant_b, metric, traffic_split, adaptive, days, status, stop_reason, winner,
                start_date, end_date, results_json,
                (select max(l.n) from social.experiment_looks l where l.workspace_id = $1 and l.experiment_id = e.id) as looked
         from social.experiments e
         where e.workspace_id = $1 and e.status = 'RUNNING' and coalesce(e.start_date <= now(), true)
         order by e.start_date, e.id for no key update of e",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// An author in an experiment.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of observations.sql")]
pub struct ObservationRow {
    pub unit_id: String,
    pub in_b: bool,
    pub propensity_b: f64,
    pub assigned_at: DateTime<Utc>,
    /// All that will come of it has come.
    pub mature: bool,
    pub clicked: bool,
    pub loved: bool,
    pub removed: bool,
    pub escalated: bool,
}

/// All authors in an experiment, in the order in which they came, as it was known at `as_of`.
///
/// # Errors
/// Those of the database.
pub async fn observations(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<ObservationRow>> {
    sqlx::query_as(include_str!("observations.sql"))
        .bind(workspace_id)
        .bind(id)
        .bind(as_of)
        .fetch_all(conn)
        .await
}

/// What somebody answered to what we said to an author.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns")]
pub struct AnswerRow {
    pub unit_id: String,
    pub content: String,
}

/// Answers to the first replies of an experiment.
///
/// # Errors
/// Those of the database.
pub async fn answers(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
) -> sqlx::Result<Vec<AnswerRow>> {
    sqlx::query_as(
        "select a.unit_id, p.content from social.experiment_assignments a
         join social.replies r on r.workspace_id = $1 and r.decision_id = a.decision_id
           and r.posted_at <= a.assigned_at + interval '1 day'
         join social.posts p on p.workspace_id = $1 and p.platform = r.platform and p.in_reply_to = r.platform_post_id
         where a.workspace_id = $1 and a.experiment_id = $2 and p.posted_at <= r.posted_at + interval '7 days'
           and not p.spam_filtered and p.superseded_by is null and p.deleted_at is null
         order by p.posted_at desc, p.id limit $3",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(ANSWERS_MAX)
    .fetch_all(conn)
    .await
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Observations.
    pub n: i64,
    /// Natural logarithm of the e-value.
    pub log_e: f64,
    /// Of the difference between the rates.
    pub interval: Option<(f64, f64)>,
    /// Of the counts of the variants.
    pub sample_ratio_p: f64,
    /// When.
    pub at: DateTime<Utc>,
}

/// Write a look, unless there is one at as many observations; whether it was written.
///
/// # Errors
/// Those of the database.
pub async fn look(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    look: Look,
) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "insert into social.experiment_looks (workspace_id, experiment_id, n, log_e_value, cs_low, cs_high, srm_p, looked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(look.n)
    .bind(look.log_e)
    .bind(look.interval.map(|(low, _)| low))
    .bind(look.interval.map(|(_, high)| high))
    .bind(look.sample_ratio_p)
    .bind(look.at)
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// How an experiment ends.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// `COMPLETED` or `CANCELLED`.
    pub status: &'a str,
    /// Why.
    pub reason: &'a str,
    /// `A` or `B`.
    pub winner: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Results of an experiment that runs, the split from now on, and its end if that has come.
///
/// # Errors
/// Those of the database.
pub async fn noted(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    results: &Value,
    traffic_split: f64,
    end: Option<End<'_>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.experiments set results_json = $3, traffic_split = $4, status = coalesce($5, status),
           stop_reason = coalesce($6, stop_reason), winner = coalesce($7, winner),
           end_date = case when $5::text is null then end_date else least(end_date, $8) end
         where workspace_id = $1 and id = $2 and status = 'RUNNING'",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(Json(results))
    .bind(traffic_split)
    .bind(end.map(|end| end.status))
    .bind(end.map(|end| end.reason))
    .bind(end.and_then(|end| end.winner))
    .bind(end.map(|end| end.at))
    .execute(conn)
    .await
    .map(drop)
}

/// The row of an experiment's end in the seed's log; it has no weights.
///
/// # Errors
/// Those of the database.
pub async fn log(
    conn: &mut PgConnection,
    workspace_id: &str,
    (adjusted, reason): (bool, &str),
    sample_sizes: &Value,
    predicted_improvement: Option<f64>,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into social.weight_adjustment_logs (workspace_id, date, action, reason, sample_sizes, predicted_improvement)
         values ($1, $2, case when $3 then 'ADJUSTED' else 'SKIPPED' end, $4, $5, $6)",
    )
    .bind(workspace_id)
    .bind(at)
    .bind(adjusted)
    .bind(reason)
    .bind(Json(sample_sizes))
    .bind(predicted_improvement)
    .execute(conn)
    .await
    .map(drop)
}
