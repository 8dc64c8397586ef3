//! What a run leaves: its report, the seed's logs, versions of weights, and predictions that are judged later.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};

use crate::learning::rows::{Four, Segment};

/// Nobody else learns for the workspace until the transaction ends; false if somebody does.
///
/// # Errors
/// Those of the database.
pub async fn begin(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<bool> {
    // A window of a million replies is read in one statement.
    sqlx::query("select set_config('statement_timeout', '10min', true)")
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar(
        "select pg_try_advisory_xact_lock(hashtextextended('social.learning ' || $1, 0))",
    )
    .bind(workspace_id)
    .fetch_one(conn)
    .await
}

/// A run that has ended.
#[derive(Debug)]
pub struct NewRun<'a> {
    /// Whose.
    pub workspace_id: &'a str,
    /// Id: the same for the same workspace, kind and `as_of`.
    pub run_id: &'a str,
    /// `nightly`, `policy`, `suggestions`, ...
    pub kind: &'a str,
    /// What was final then was learned from.
    pub as_of: DateTime<Utc>,
    /// From when on.
    pub since: DateTime<Utc>,
    /// What chance comes from.
    pub seed: i64,
    /// Version of the rules.
    pub code_version: &'a str,
    /// Rows.
    pub rows: i64,
    /// Why nothing was learned.
    pub skipped: Option<&'a str>,
    /// How long it took.
    pub duration_ms: i64,
    /// Everything.
    pub report: &'a Value,
    /// The row of the seed's log, if it adjusts or might have.
    pub log: Option<Log>,
}

/// `weight_adjustment_logs`: of segments, or of whatever a run may adjust.
#[derive(Debug)]
#[expect(missing_docs, reason = "columns")]
pub struct Log {
    pub adjusted: bool,
    pub reason: String,
    pub valid: usize,
    pub total: usize,
    pub sample_sizes: Value,
    pub old: Value,
    pub new: Value,
    pub predicted_improvement: Option<f64>,
}

/// Write a run and its log. False if it was written before: then nothing else may be.
///
/// # Errors
/// Those of the database.
pub async fn record(conn: &mut PgConnection, run: &NewRun<'_>) -> sqlx::Result<bool> {
    let fresh = sqlx::query(
        "insert into social.learning_runs (workspace_id, run_id, kind, \"window\", seed, code_version, status, input_rows,
           skipped_reason, duration_ms, as_of, report)
         values ($1, $2, $3, tstzrange($4, $5, '(]'), $6, $7, case when $8::text is null then 'DONE' else 'SKIPPED' end, $9, $8,
           $10, $5, $11)
         on conflict do nothing",
    )
    .bind(run.workspace_id)
    .bind(run.run_id)
    .bind(run.kind)
    .bind(run.since)
    .bind(run.as_of)
    .bind(run.seed)
    .bind(run.code_version)
    .bind(run.skipped)
    .bind(run.rows)
    .bind(run.duration_ms)
    .bind(Json(run.report))
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if fresh == 0 {
        return Ok(false);
    }
    let Some(log) = &run.log else { return Ok(true) };
    sqlx::query(
        "insert into social.weight_adjustment_logs (workspace_id, date, action, reason, valid_segments, total_segments,
           sample_sizes, old_weights, new_weights, predicted_improvement, run_id)
         values ($1, $2, case when $3 then 'ADJUSTED' else 'SKIPPED' end, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(run.workspace_id)
    .bind(run.as_of)
    .bind(log.adjusted)
    .bind(&log.reason)
    .bind(i32::try_from(log.valid).unwrap_or(i32::MAX))
    .bind(i32::try_from(log.total).unwrap_or(i32::MAX))
    .bind(Json(&log.sample_sizes))
    .bind(Json(&log.old))
    .bind(Json(&log.new))
    .bind(log.predicted_improvement)
    .bind(run.run_id)
    .execute(conn)
    .await?;
    Ok(true)
}

/// Other weights for a segment.
#[derive(Debug, Clone, Copy)]
pub struct Adoption<'a> {
    /// Whose.
    pub workspace_id: &'a str,
    /// Where.
    pub segment: Segment,
    /// Weights that it has, its own or its parent's.
    pub from: Four,
    /// Weights that it is to have.
    pub to: Four,
    /// Rows behind them.
    pub sample_size: i32,
    /// Mean reward of those.
    pub performance: Option<f64>,
    /// The run that found them; none if a person did.
    pub run_id: Option<&'a str>,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Who let them in; none: they are proposed only.
    pub approved_by: Option<&'a str>,
}

impl Adoption<'_> {
    /// Write a version, the first one before it if there was none, and what is in force. Its id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<String> {
        let key = self.segment.key();
        sqlx::query(
            "insert into social.weight_versions (workspace_id, segment_type, segment_key, version, weights, effective_from,
               approved_by)
             select $1, $2, $3, 1, $4::float8[], 'epoch', 'documented'
             where 0.05 <= all ($4::float8[]) and abs($4[1] + $4[2] + $4[3] + $4[4] - 1) < 1e-9 and not exists (
               select from social.weight_versions where workspace_id = $1 and segment_type = $2 and segment_key = $3)",
        )
        .bind(self.workspace_id)
        .bind(self.segment.kind())
        .bind(&key)
        .bind(self.from.as_slice())
        .execute(&mut *conn)
        .await?;
        if self.approved_by.is_some() {
            close(conn, self.workspace_id, self.segment, self.at).await?;
        }
        let id: String = sqlx::query_scalar(
            "insert into social.weight_versions (workspace_id, segment_type, segment_key, version, weights, effective_from,
               parent_id, approved_by, run_id)
             select $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5,
                    (array_agg(id order by version desc) filter (where approved_by is not null))[1], $6, $7
             from social.weight_versions where workspace_id = $1 and segment_type = $2 and segment_key = $3
             returning id",
        )
        .bind(self.workspace_id)
        .bind(self.segment.kind())
        .bind(&key)
        .bind(self.to.as_slice())
        .bind(self.at)
        .bind(self.approved_by)
        .bind(self.run_id)
        .fetch_one(&mut *conn)
        .await?;
        if self.approved_by.is_some() {
            self.project(conn).await?;
        }
        Ok(id)
    }

    /// The row that decisions read.
    async fn project(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let [sss, ars, evs, trs] = self.to;
        sqlx::query(
            "insert into social.segmented_weights as w (workspace_id, segment_type, segment_key, sss_weight, ars_weight,
               evs_weight, trs_weight, sample_size, performance)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (workspace_id, segment_type, segment_key) do update set sss_weight = excluded.sss_weight,
               ars_weight = excluded.ars_weight, evs_weight = excluded.evs_weight, trs_weight = excluded.trs_weight,
               sample_size = excluded.sample_size, performance = excluded.performance",
        )
        .bind(self.workspace_id)
        .bind(self.segment.kind())
        .bind(self.segment.key())
        .bind(sss)
        .bind(ars)
        .bind(evs)
        .bind(trs)
        .bind(self.sample_size)
        .bind(self.performance)
        .execute(conn)
        .await
        .map(drop)
    }
}

/// The version in force ends.
async fn close(
    conn: &mut PgConnection,
    workspace_id: &str,
    segment: Segment,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.weight_versions set effective_to = $4
         where workspace_id = $1 and segment_type = $2 and segment_key = $3 and effective_to is null",
    )
    .bind(workspace_id)
    .bind(segment.kind())
    .bind(segment.key())
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}

/// A prediction, to be judged later.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of learning_events")]
pub struct Event {
    pub id: String,
    pub date: DateTime<Utc>,
    pub adjustment: Json<Value>,
    pub predicted_improvement: f64,
    pub baseline_performance: f64,
}

/// Write predictions of a run: of `WEIGHT`s, or of what the policy does (`ARCHETYPE`).
///
/// # Errors
/// Those of the database.
pub async fn events(
    conn: &mut PgConnection,
    (workspace_id, run_id): (&str, &str),
    at: DateTime<Utc>,
    kind: &str,
    adjustments: &[(Value, f64, f64)],
) -> sqlx::Result<()> {
    let (what, figures): (Vec<&Value>, Vec<(f64, f64)>) =
        adjustments.iter().map(|(what, a, b)| (what, (*a, *b))).unzip();
    let (predicted, baseline): (Vec<f64>, Vec<f64>) = figures.into_iter().unzip();
    sqlx::query(
        "insert into social.learning_events (workspace_id, date, adjustment_type, adjustment, predicted_improvement,
           baseline_performance, run_id)
         select $1, $2, $7, a, p, b, $6 from unnest($3::jsonb[], $4::float8[], $5::float8[]) as n (a, p, b)",
    )
    .bind(workspace_id)
    .bind(at)
    .bind(what.into_iter().map(Json).collect::<Vec<_>>())
    .bind(predicted)
    .bind(baseline)
    .bind(run_id)
    .bind(kind)
    .execute(conn)
    .await
    .map(drop)
}

/// Predictions of a kind that are as old and not judged.
///
/// # Errors
/// Those of the database.
pub async fn open_events(
    conn: &mut PgConnection,
    workspace_id: &str,
    kind: &str,
    until: DateTime<Utc>,
) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as(
        "select id, date, adjustment, predicted_improvement, baseline_performance from social.learning_events
         where workspace_id = $1 and evaluated_at is null and adjustment_type = $3 and date <= $2 order by date, id",
    )
    .bind(workspace_id)
    .bind(until)
    .bind(kind)
    .fetch_all(conn)
    .await
}

/// A prediction is judged: accuracy is the seed's 1 - |actual - predicted|.
///
/// # Errors
/// Those of the database.
pub async fn evaluated(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    actual: f64,
    evaluation: &Value,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.learning_events set actual_improvement = $3, accuracy = 1 - abs($3 - predicted_improvement),
           evaluated_at = $4, evaluation = coalesce(evaluation, '{}') || $5
         where workspace_id = $1 and id = $2 and evaluated_at is null",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(actual)
    .bind(at)
    .bind(Json(evaluation))
    .execute(conn)
    .await
    .map(drop)
}

/// A run, for people.
#[derive(Debug, Clone, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of learning_runs")]
pub struct RunRow {
    pub run_id: String,
    pub kind: String,
    pub status: String,
    pub as_of: Option<DateTime<Utc>>,
    pub input_rows: Option<i64>,
    pub skipped_reason: Option<String>,
    pub duration_ms: Option<i64>,
    pub report: Option<Json<Value>>,
}

/// The latest runs of a workspace.
///
/// # Errors
/// Those of the database.
pub async fn list(
    conn: &mut PgConnection,
    workspace_id: &str,
    limit: i64,
) -> sqlx::Result<Vec<RunRow>> {
    sqlx::query_as(
        "select run_id, kind, status, as_of, input_rows, skipped_reason, duration_ms, report from social.learning_runs
         where workspace_id = $1 order by as_of desc nulls last, run_id limit $2",
    )
    .bind(workspace_id)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// The run whose id begins so, or the latest of a kind if that is empty.
///
/// # Errors
/// Those of the database.
pub async fn run_of(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
    kind: &str,
) -> sqlx::Result<Option<RunRow>> {
    sqlx::query_as(
        "select run_id, kind, status, as_of, input_rows, skipped_reason, duration_ms, report from social.learning_runs
         where workspace_id = $1 and starts_with(run_id, $2) and ($2 <> '' or kind = $3)
         order by as_of desc nulls last, run_id limit 1",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(kind)
    .fetch_optional(conn)
    .await
}
