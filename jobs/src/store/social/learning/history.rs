//! What came of changes: predictions, and those who were held back from them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgExecutor, types::Json};

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

/// What came of a change of weights, and of the weights before, in the week after it.
#[derive(Debug, Clone, FromRow)]
pub struct Sides {
    /// `learning_events.id`.
    pub event: String,
    /// Replies by the new weights, and rewarded ones.
    pub new_n: i64,
    /// See `new_n`.
    pub new_rewarded: i64,
    /// By those before, to authors who were held back.
    pub old_n: i64,
    /// See `old_n`.
    pub old_rewarded: i64,
}

/// Changes of weights that were put into force two weeks ago or longer, and not compared yet.
///
/// # Errors
/// Those of the database.
pub async fn sides(
    conn: &mut PgConnection,
    workspace_id: &str,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<Sides>> {
    sqlx::query_as(
        "with changes as (
           select l.id, l.date, v.segment_key || ':' || v.version as new, v.segment_key || ':' || p.version as old
           from social.learning_events l
           join social.weight_versions v on v.workspace_id = $1 and v.id = l.adjustment ->> 'version' and v.approved_by is not null
           join social.weight_versions p on p.workspace_id = $1 and p.id = v.parent_id
           where l.workspace_id = $1 and l.adjustment_type = 'WEIGHT' and l.date <= $2::timestamptz - interval '14 days'
             and not coalesce(l.evaluation ? 'hold_back', false)
         ), replies as (
           select c.id, r.rewarded, c.new = any (string_to_array(e.weights_version, ',')) as is_new,
                  c.old = any (string_to_array(e.weights_version, ',')) as is_old
           from changes c
           cross join lateral social.reply_results($1, c.date, c.date + interval '7 days') r
           join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id and e.created_at > c.date
         )
         select c.id as event, count(*) filter (where is_new) as new_n, count(*) filter (where is_new and rewarded) as new_rewarded,
                count(*) filter (where is_old) as old_n, count(*) filter (where is_old and rewarded) as old_rewarded
         from changes c left join replies r on r.id = c.id group by c.id order by c.id",
    )
    .bind(workspace_id)
    .bind(as_of)
    .fetch_all(conn)
    .await
}

/// Keep what a comparison found.
///
/// # Errors
/// Those of the database.
pub async fn compared(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    told: &Value,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.learning_events set evaluation = coalesce(evaluation, '{}') || jsonb_build_object('hold_back', $3::jsonb)
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(Json(told))
    .execute(conn)
    .await
    .map(drop)
}
