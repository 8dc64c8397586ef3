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

/// What came of a change of weights, and of the weights before, in the week after it, as far as it is final.
#[derive(Debug, Clone, FromRow)]
pub struct Sides {
    /// `learning_events.id`.
    pub event: String,
    /// Key of the segment.
    pub segment: String,
    /// All of the week is final.
    pub is_over: bool,
    /// The change is in force yet, and no person holds it.
    pub is_open: bool,
    /// Weights that it made.
    pub weights: Vec<f64>,
    /// And those before.
    pub weights_before: Vec<f64>,
    /// Observations behind the segment's weights.
    pub sample_size: i32,
    /// Replies by the new weights, and rewarded ones.
    pub new_n: i64,
    /// See `new_n`.
    pub new_rewarded: i64,
    /// By those before, to authors who were held back.
    pub old_n: i64,
    /// See `old_n`.
    pub old_rewarded: i64,
}

/// Changes of weights that are not compared yet; they are over two weeks after they were put into force.
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
           select l.id, l.date, v.segment_key as segment, v.segment_key || ':' || v.version as new,
                  v.segment_key || ':' || p.version as old, l.date <= $2::timestamptz - interval '14 days' as is_over,
                  v.effective_to is null and w.locked_by is null as is_open, v.weights, p.weights as weights_before,
                  coalesce(w.sample_size, 0) as sample_size
           from social.learning_events l
           join social.weight_versions v on v.workspace_id = $1 and v.id = l.adjustment ->> 'version' and v.approved_by is not null
           join social.weight_versions p on p.workspace_id = $1 and p.id = v.parent_id
           left join social.segmented_weights w on w.workspace_id = $1 and w.segment_type = v.segment_type
             and w.segment_key = v.segment_key
           where l.workspace_id = $1 and l.adjustment_type = 'WEIGHT' and l.date < $2::timestamptz - interval '7 days'
             and not coalesce(l.evaluation ? 'hold_back', false)
         ), replies as (
           select c.id, r.rewarded, c.new = any (string_to_array(e.weights_version, ',')) as is_new,
                  c.old = any (string_to_array(e.weights_version, ',')) as is_old
           from changes c
           cross join lateral social.reply_results($1, c.date, least(c.date, $2::timestamptz - interval '14 days') + interval '7 days') r
           join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = r.decision_id and e.created_at > c.date
         )
         select c.id as event, c.segment, c.is_over, c.is_open, c.weights, c.weights_before, c.sample_size,
                count(*) filter (where is_new) as new_n, count(*) filter (where is_new and rewarded) as new_rewarded,
                count(*) filter (where is_old) as old_n, count(*) filter (where is_old and rewarded) as old_rewarded
         from changes c left join replies r on r.id = c.id 
         group by c.id, c.segment, c.is_over, c.is_open, c.weights, c.weights_before, c.sample_size order by c.id",
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

/// Note that a change was undone, and why.
///
/// # Errors
/// Those of the database.
pub async fn undone(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    why: &Value,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.learning_events set evaluation = coalesce(evaluation, '{}') || jsonb_build_object('undone', $3::jsonb)
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(Json(why))
    .execute(conn)
    .await
    .map(drop)
}
