//! What reports plot: predictions with what came of them, and looks at experiments.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgExecutor};

/// A prediction.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of learning_events")]
pub struct PredictionRow {
    pub date: DateTime<Utc>,
    pub adjustment_type: String,
    pub predicted_improvement: f64,
    pub actual_improvement: Option<f64>,
    pub accuracy: Option<f64>,
    /// The prediction was within the interval of what came.
    pub covered: Option<bool>,
}

/// Predictions since a moment, in order.
///
/// # Errors
/// Those of the database.
pub async fn predictions(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<PredictionRow>> {
    sqlx::query_as(
        "select date, adjustment_type, predicted_improvement, actual_improvement, accuracy,
                (evaluation ->> 'covered')::boolean as covered
         from social.learning_events where workspace_id = $1 and date >= $2 order by date, id",
    )
    .bind(workspace_id)
    .bind(since)
    .fetch_all(db)
    .await
}

/// A look at an experiment.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of experiment_looks")]
pub struct LookRow {
    pub experiment_id: String,
    pub name: String,
    pub n: i64,
    pub log_e_value: f64,
    pub cs_low: Option<f64>,
    pub cs_high: Option<f64>,
}

/// Looks at a workspace's experiments since a moment, experiment by experiment in order.
///
/// # Errors
/// Those of the database.
pub async fn looks(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<LookRow>> {
    sqlx::query_as(
        "select l.experiment_id, e.name, l.n, l.log_e_value, l.cs_low, l.cs_high from social.experiment_looks l
         join social.experiments e on e.workspace_id = l.workspace_id and e.id = l.experiment_id
         where l.workspace_id = $1 and l.looked_at >= $2 order by e.created_at, l.experiment_id, l.n",
    )
    .bind(workspace_id)
    .bind(since)
    .fetch_all(db)
    .await
}
