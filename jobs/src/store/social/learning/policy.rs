//! `policies`: what a workspace's policy knows and how much of a say it has; and what it learns from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use millrace_stats::linear_ts::State;
use sqlx::{FromRow, PgConnection, types::Json};

use crate::{
    learning::policy::{
        Stage,
        features::context,
        judge::{Open, Row},
    },
    social::{
        decide::{Action, Inputs, decide},
        mode::{Archetype, ENGAGING, Mode},
    },
};

/// Rows that are learned from at most, the latest: a minute's work.
const ROWS_MAX: i64 = 100_000;

#[derive(FromRow)]
struct Read {
    matured_at: DateTime<Utc>,
    reply_id: String,
    decided_at: DateTime<Utc>,
    action: String,
    probabilities: Json<BTreeMap<String, f64>>,
    features: String,
    rewarded: bool,
    removed: bool,
}

fn action(name: &str) -> Option<(Mode, Archetype)> {
    let (mode, archetype) = name.split_once('/')?;
    let mode = ENGAGING.into_iter().find(|known| known.as_str() == mode)?;
    Some((mode, Archetype::ALL.iter().copied().find(|known| known.as_str() == archetype)?))
}

/// What the rules alone would have taken, given that something is said; none if nobody else had a say.
fn rules(inputs: &Inputs) -> Option<BTreeMap<(Mode, Archetype), f64>> {
    inputs.learned.as_ref().filter(|learned| learned.share > 0.0)?;
    let alone = decide(&Inputs { learned: None, ..inputs.clone() });
    let said: f64 =
        alone.actions.iter().filter(|a| a.archetype.is_some()).map(|a| a.probability).sum();
    let of = |action: &Action| Some(((action.mode, action.archetype?), action.probability / said));
    Some(alone.actions.iter().filter_map(of).collect())
}

/// A row, unless it is not of a decision as they are today.
fn row(read: &Read) -> Option<Row> {
    let inputs: Inputs = serde_json::from_str(&read.features).ok()?;
    let known = |(name, p): (&String, &f64)| Some((action(name)?, *p)).filter(|(_, p)| *p > 0.0);
    let open: Vec<_> = read.probabilities.0.iter().filter_map(known).collect();
    let all: f64 = open.iter().map(|(_, p)| p).sum();
    let of_rules = rules(&inputs);
    let of_taken = action(&read.action)?;
    Some(Row {
        decided_at: read.decided_at,
        matured_at: read.matured_at,
        context: context(&inputs),
        taken: open.iter().position(|(of, _)| *of == of_taken)?,
        open: open
            .into_iter()
            .map(|((mode, archetype), p)| {
                let propensity = p / all;
                let rules = match &of_rules {
                    Some(of_rules) => of_rules.get(&(mode, archetype)).copied().unwrap_or_default(),
                    None => propensity,
                };
                Open { mode, archetype, propensity, rules }
            })
            .collect(),
        reward: f64::from(u8::from(read.rewarded)) - f64::from(u8::from(read.removed)),
        removed: read.removed,
    })
}

/// Decisions with a reply whose outcome became final after `since`, until `as_of`, in that order; and how many could not be
/// read.
///
/// # Errors
/// Those of the database.
pub async fn policy_rows(
    conn: &mut PgConnection,
    workspace_id: &str,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<(Vec<Row>, usize)> {
    let mut read = sqlx::query_as::<_, Read>(include_str!("policy_rows.sql"))
        .bind(workspace_id)
        .bind(since)
        .bind(as_of)
        .bind(ROWS_MAX)
        .fetch(conn);
    let (mut rows, mut odd) = (Vec::new(), 0);
    // One by one: what a decision saw is kilobytes, what is learned from it is not.
    while let Some(read) = read.try_next().await? {
        match row(&read) {
            Some(row) => rows.push((read.reply_id, row)),
            None => odd += 1,
        }
    }
    rows.sort_unstable_by(|(a, x), (b, y)| (x.matured_at, a).cmp(&(y.matured_at, b)));
    Ok((rows.into_iter().map(|(_, row)| row).collect(), odd))
}

/// A workspace's policy.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of policies")]
pub struct PolicyRow {
    pub version: String,
    #[sqlx(try_from = "String")]
    pub stage: Stage,
    pub stage_since: DateTime<Utc>,
    pub proposed: Option<String>,
    pub locked_by: Option<String>,
}

impl TryFrom<String> for Stage {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|stage| stage.as_str() == name);
        known.ok_or_else(|| format!("no stage is called {name}"))
    }
}

/// A policy as decisions read it.
#[derive(Debug, FromRow)]
pub struct Known {
    /// Version.
    pub version: String,
    /// How much of a say it has.
    #[sqlx(try_from = "String")]
    pub stage: Stage,
    /// What it knows, unless that is what the reader knows.
    pub state: Option<Json<State>>,
    /// Standard deviation of rewards.
    pub noise: f64,
}

/// The policy of a workspace, if it has one, for who knows what this version knows.
///
/// # Errors
/// Those of the database.
pub async fn policy_since(
    conn: &mut PgConnection,
    workspace_id: &str,
    version: Option<&str>,
) -> sqlx::Result<Option<Known>> {
    sqlx::query_as(
        "select version, stage, case when version is distinct from $2 then state end as state, noise
         from social.policies where workspace_id = $1",
    )
    .bind(workspace_id)
    .bind(version)
    .fetch_optional(conn)
    .await
}

/// The policy of a workspace, if it has one.
///
/// # Errors
/// Those of the database.
pub async fn policy(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<Option<PolicyRow>> {
    sqlx::query_as(
        "select version, stage, stage_since, proposed, locked_by from social.policies where workspace_id = $1",
    )
    .bind(workspace_id)
    .fetch_optional(conn)
    .await
}

/// What a run makes of a policy.
#[derive(Debug)]
pub struct NewPolicy<'a> {
    /// The run.
    pub version: &'a str,
    /// How much of a say it has, and since when.
    pub stage: Stage,
    /// See `stage`.
    pub since: DateTime<Utc>,
    /// The stage that waits for a person.
    pub proposed: Option<Stage>,
    /// What it knows.
    pub state: &'a State,
    /// Standard deviation of rewards.
    pub noise: f64,
}

/// Keep it.
///
/// # Errors
/// Those of the database.
pub async fn keep_policy(
    conn: &mut PgConnection,
    workspace_id: &str,
    new: &NewPolicy<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into social.policies (workspace_id, version, stage, stage_since, proposed, state, noise)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id) do update set version = excluded.version, stage = excluded.stage,
           stage_since = excluded.stage_since, proposed = excluded.proposed, state = excluded.state, noise = excluded.noise",
    )
    .bind(workspace_id)
    .bind(new.version)
    .bind(new.stage.as_str())
    .bind(new.since)
    .bind(new.proposed.map(Stage::as_str))
    .bind(Json(new.state))
    .bind(new.noise)
    .execute(conn)
    .await
    .map(drop)
}

/// Give it another stage from now on; false if there is no policy.
///
/// # Errors
/// Those of the database.
pub async fn put_policy(
    conn: &mut PgConnection,
    workspace_id: &str,
    stage: Stage,
    at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let put = sqlx::query(
        "update social.policies set stage = $2, stage_since = $3, proposed = null where workspace_id = $1",
    )
    .bind(workspace_id)
    .bind(stage.as_str())
    .bind(at)
    .execute(conn)
    .await?;
    Ok(put.rows_affected() > 0)
}

/// Nobody but people changes its stage from now on, or (`None`) learning may again; false if there is no policy.
///
/// # Errors
/// Those of the database.
pub async fn lock_policy(
    conn: &mut PgConnection,
    workspace_id: &str,
    who: Option<&str>,
) -> sqlx::Result<bool> {
    let put = sqlx::query("update social.policies set locked_by = $2 where workspace_id = $1")
        .bind(workspace_id)
        .bind(who)
        .execute(conn)
        .await?;
    Ok(put.rows_affected() > 0)
}
