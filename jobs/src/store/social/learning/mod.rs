//! What is learned from, and what was learned: `learning_runs`, `weight_versions`, `segmented_weights` and the logs.

mod history;
mod policy;
mod shown;
mod written;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

pub use history::{PredictionRow, Sides, compared, predictions, sides, undone};
pub use policy::{
    NewPolicy, PolicyRow, keep_policy, lock_policy, policy, policy_rows, policy_since, put_policy,
};
pub use shown::shown;
pub use written::{
    Adoption, Event, Log, NewRun, RunRow, begin, evaluated, events, list, open_events, record,
    run_of,
};

use crate::{
    learning::{
        rows::{DAYPARTS, Row, Segment},
        run::{Current, Known},
    },
    social::record::Platform,
};

#[derive(FromRow)]
struct Read {
    matured_at: DateTime<Utc>,
    platform: String,
    daypart: Option<String>,
    weekday: Option<i32>,
    signals: Vec<Option<f64>>,
    engaged: f64,
    rewarded: bool,
    removed: bool,
}

/// A row, unless its features are not those of a decision.
fn row(read: Read) -> Option<Row> {
    let daypart = DAYPARTS.into_iter().find(|daypart| {
        Some(daypart.as_str()) == read.daypart.as_deref().map(str::to_uppercase).as_deref()
    })?;
    let signals: Option<Vec<f64>> = read.signals.into_iter().collect();
    Some(Row {
        matured_at: read.matured_at,
        platform: Platform::ALL.into_iter().find(|known| known.as_str() == read.platform)?,
        daypart,
        weekday: u8::try_from(read.weekday?).ok()?,
        signals: signals?.try_into().ok()?,
        engaged: read.engaged,
        reward: f64::from(u8::from(read.rewarded)),
        removed: read.removed,
    })
}

/// Replies whose outcome became final after `since`, until `as_of`, in that order; and how many could not be read.
///
/// # Errors
/// Those of the database.
pub async fn rows(
    conn: &mut PgConnection,
    workspace_id: &str,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<(Vec<Row>, usize)> {
    let read: Vec<Read> = sqlx::query_as(include_str!("rows.sql"))
        .bind(workspace_id)
        .bind(since)
        .bind(as_of)
        .fetch_all(conn)
        .await?;
    let all = read.len();
    let rows: Vec<Row> = read.into_iter().filter_map(row).collect();
    let odd = all - rows.len();
    Ok((rows, odd))
}

/// How chance dealt: decisions that might have been held out, how many were, and how many should have been.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Dealt {
    /// Decisions.
    pub n: i64,
    /// Held out.
    pub held_out: i64,
    /// Sum of the probabilities of that, and of their variances.
    pub expected: f64,
    /// See `expected`.
    pub variance: f64,
    /// Of decisions to say something a week or more ago, those with a reply that was posted.
    pub replied: i64,
    /// All of those.
    pub engaged: i64,
}

/// See [`Dealt`]; of the decisions of `since..as_of`.
///
/// # Errors
/// Those of the database.
pub async fn dealt(
    conn: &mut PgConnection,
    workspace_id: &str,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Dealt> {
    sqlx::query_as(
        "with e as (
           select d.action = 'DISENGAGED' as quiet, d.disengaged as p, r.decision_id is not null as replied
           from social.decision_exposures d
           left join (select distinct decision_id from social.replies where workspace_id = $1 and posted_at > $2) r
             on r.decision_id = d.decision_id
           where d.workspace_id = $1 and d.created_at > $2 and d.created_at <= $3
         )
         select count(*) filter (where p > 0 and p < 1) as n, count(*) filter (where p > 0 and p < 1 and quiet) as held_out,
                coalesce(sum(p) filter (where p > 0 and p < 1), 0) as expected,
                coalesce(sum(p * (1 - p)) filter (where p > 0 and p < 1), 0) as variance,
                count(*) filter (where not quiet and replied) as replied, count(*) filter (where not quiet) as engaged
         from e",
    )
    .bind(workspace_id)
    .bind(since)
    .bind(as_of)
    .fetch_one(conn)
    .await
}

#[derive(FromRow)]
struct InForce {
    segment_type: String,
    segment_key: String,
    weights: Vec<f64>,
    since: DateTime<Utc>,
    locked: bool,
}

/// Weights that were in force just before `as_of`; rows that somebody wrote by hand count since they were written.
///
/// # Errors
/// Those of the database.
pub async fn current(
    conn: &mut PgConnection,
    workspace_id: &str,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Current> {
    let rows: Vec<InForce> = sqlx::query_as(
        "select coalesce(v.segment_type, w.segment_type) as segment_type, coalesce(v.segment_key, w.segment_key) as segment_key,
                coalesce(v.weights, array[w.sss_weight, w.ars_weight, w.evs_weight, w.trs_weight]) as weights,
                coalesce(v.effective_from, w.updated_at) as since, w.locked_by is not null as locked
         from social.segmented_weights w
         left join lateral (
           select v.segment_type, v.segment_key, v.weights, v.effective_from from social.weight_versions v
           where v.workspace_id = $1 and v.segment_type = w.segment_type and v.segment_key = w.segment_key
             and v.approved_by is not null and v.effective_from < $2
           order by v.version desc limit 1
         ) v on true
         where w.workspace_id = $1
           and (v.segment_key is not null or not exists (
             select from social.weight_versions o where o.workspace_id = $1 and o.segment_type = w.segment_type
               and o.segment_key = w.segment_key))",
    )
    .bind(workspace_id)
    .bind(as_of)
    .fetch_all(conn)
    .await?;
    let known = |row: InForce| {
        let segment = Segment::all().into_iter().find(|segment| {
            segment.kind() == row.segment_type && segment.key() == row.segment_key
        })?;
        let weights = row.weights.try_into().ok()?;
        Some((segment, Known { weights, since: row.since, locked: row.locked }))
    };
    Ok(rows.into_iter().filter_map(known).collect())
}

/// Weights of a segment, for people.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
#[expect(missing_docs, reason = "columns of weight_versions and segmented_weights")]
pub struct VersionRow {
    pub id: String,
    pub segment_type: String,
    pub segment_key: String,
    pub version: i32,
    pub weights: Vec<f64>,
    pub effective_from: DateTime<Utc>,
    pub effective_to: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub run_id: Option<String>,
    pub locked_by: Option<String>,
}

/// Versions of weights that are in force or proposed; all there were, if `all`.
///
/// # Errors
/// Those of the database.
pub async fn versions(
    conn: &mut PgConnection,
    workspace_id: &str,
    all: bool,
) -> sqlx::Result<Vec<VersionRow>> {
    sqlx::query_as(
        "select v.id, v.segment_type, v.segment_key, v.version, v.weights, v.effective_from, v.effective_to, v.approved_by,
                v.run_id, w.locked_by
         from social.weight_versions v
         left join social.segmented_weights w on w.workspace_id = v.workspace_id and w.segment_type = v.segment_type
           and w.segment_key = v.segment_key
         where v.workspace_id = $1 and ($2 or v.effective_to is null)
         order by v.segment_type, v.segment_key, v.version",
    )
    .bind(workspace_id)
    .bind(all)
    .fetch_all(conn)
    .await
}

/// Observations that a person's word for weights counts as: decisions mix a segment's weights into those of its parent as far
/// as there are any.
pub const PERSONS_WORD: i32 = 10_000;

/// Nobody but `who` changes the weights of a segment from now on, or (`None`) learning may again. The weights that it has
/// now become its own, if it had none.
///
/// # Errors
/// Those of the database.
pub async fn lock(
    conn: &mut PgConnection,
    workspace_id: &str,
    segment: Segment,
    weights: [f64; 4],
    who: Option<&str>,
) -> sqlx::Result<()> {
    let [sss, ars, evs, trs] = weights;
    sqlx::query(
        "insert into social.segmented_weights as w (workspace_id, segment_type, segment_key, sss_weight, ars_weight, evs_weight,
           trs_weight, locked_by, locked_at, sample_size)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $8::text is not null then now() end, $9)
         on conflict (workspace_id, segment_type, segment_key) do update set locked_by = excluded.locked_by,
           locked_at = excluded.locked_at",
    )
    .bind(workspace_id)
    .bind(segment.kind())
    .bind(segment.key())
    .bind(sss)
    .bind(ars)
    .bind(evs)
    .bind(trs)
    .bind(who)
    .bind(PERSONS_WORD)
    .execute(conn)
    .await
    .map(drop)
}
