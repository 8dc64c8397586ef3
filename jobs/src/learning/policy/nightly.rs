//! The policy's night: what it knows is taught anew from all outcomes, and its say grows or ends.

use std::time::Instant;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Learning;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::{
    Stage,
    judge::{Found, Verdict, learn},
};
use crate::{
    learning::nightly::{CODE_VERSION, Outcome, Plan, identity},
    store::social::learning::{self as store, NewPolicy, NewRun},
};

/// A prediction of what more of a say would gain is judged after so long.
const JUDGED_AFTER: Duration = Duration::days(7);

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// How much of a say it had, and since when.
    pub stage: Stage,
    /// See `stage`.
    pub since: DateTime<Utc>,
    /// How much it has from now on.
    pub next: Stage,
    /// How much it would have, if a person says so.
    pub proposed: Option<Stage>,
    /// Decisions that could not be read.
    pub odd: usize,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
}

/// Teach the policy of a workspace.
///
/// # Errors
/// Those of the database; nothing is written then.
pub async fn run(
    pool: &PgPool,
    settings: &Learning,
    plan: Plan<'_>,
) -> anyhow::Result<Outcome<Told>> {
    let began = Instant::now();
    let mut tx = pool.begin().await.context("begin")?;
    if !store::begin(&mut tx, plan.workspace).await.context("the lock")? {
        return Ok(Outcome::UnderWay);
    }
    let from = plan.as_of - Duration::days(settings.window_days.into());
    let (rows, odd) =
        store::policy_rows(&mut tx, plan.workspace, from, plan.as_of).await.context("rows")?;
    let known = store::policy(&mut tx, plan.workspace).await.context("policy")?;
    let locked = known.as_ref().is_some_and(|row| row.locked_by.is_some());
    // One that nobody ever gave a say is judged on all there is.
    let (stage, since) =
        known.as_ref().map_or((Stage::Shadow, from), |row| (row.stage, row.stage_since));
    let work = move || learn(&rows, stage, since, locked);
    let found = tokio::task::spawn_blocking(work).await.context("learning")?.context("a number")?;
    let (next, proposed) = follow(&found, stage, settings.auto_approve);
    let (run_id, seed) = identity("policy", plan);
    let (workspace, as_of) = (plan.workspace.to_owned(), plan.as_of);
    let told = Told { run_id, workspace, as_of, stage, since, next, proposed, odd, found };
    if plan.dry_run {
        return Ok(Outcome::Ran(Box::new(told)));
    }
    if !write(&mut tx, &told, (from, seed), began).await? {
        return Ok(Outcome::Before);
    }
    tx.commit().await.context("commit")?;
    Ok(Outcome::Ran(Box::new(told)))
}

/// The stage from now on, and the one that waits for a person. Back it goes by itself, always.
fn follow(found: &Found, stage: Stage, by_itself: bool) -> (Stage, Option<Stage>) {
    match found.verdict {
        Verdict::Down => (Stage::Shadow, None),
        Verdict::Up if by_itself => (stage.up().unwrap_or(stage), None),
        Verdict::Up => (stage, stage.up()),
        Verdict::Stays(_) => (stage, None),
    }
}

/// All of it, unless this run was written before.
async fn write(
    conn: &mut PgConnection,
    told: &Told,
    (from, seed): (DateTime<Utc>, i64),
    began: Instant,
) -> anyhow::Result<bool> {
    let workspace = told.workspace.as_str();
    let run = NewRun {
        workspace_id: workspace,
        run_id: &told.run_id,
        kind: "policy",
        as_of: told.as_of,
        since: from,
        seed,
        code_version: CODE_VERSION,
        rows: i64::try_from(told.found.rows)?,
        skipped: None,
        duration_ms: i64::try_from(began.elapsed().as_millis())?,
        report: &serde_json::to_value(told)?,
        log: None,
    };
    if !store::record(conn, &run).await.context("the run")? {
        return Ok(false);
    }
    let moved = told.next != told.stage;
    let new = NewPolicy {
        version: &told.run_id,
        stage: told.next,
        since: if moved { told.as_of } else { told.since },
        proposed: told.proposed,
        state: &told.found.state,
        noise: told.found.noise,
    };
    store::keep_policy(conn, workspace, &new).await.context("policy")?;
    judge(conn, told).await.context("judging predictions")?;
    if moved {
        let what = json!({ "policy": told.run_id, "from": told.stage, "to": told.next });
        let lift = relative(told.found.gain, told.found.mean_reward);
        let event = (what, lift, told.found.mean_reward);
        let of = (workspace, told.run_id.as_str());
        store::events(conn, of, told.as_of, "ARCHETYPE", &[event]).await.context("prediction")?;
    }
    Ok(true)
}

/// Gain in shares of what there was.
fn relative(gain: f64, mean: f64) -> f64 {
    if mean > 0.0 { gain / mean } else { 0.0 }
}

/// What was predicted of a stage, by what its decisions say since.
async fn judge(conn: &mut PgConnection, told: &Told) -> anyhow::Result<()> {
    let until = told.as_of - JUDGED_AFTER;
    let found = &told.found;
    let Some(interval) = found.interval else { return Ok(()) };
    for event in store::open_events(conn, &told.workspace, "ARCHETYPE", until).await? {
        let actual = relative(found.gain, found.mean_reward);
        let predicted = event.predicted_improvement * found.mean_reward;
        let evaluation = json!({ "rows": found.judged, "covered": interval.contains(predicted) });
        let of = (told.workspace.as_str(), event.id.as_str());
        store::evaluated(conn, of, actual, &evaluation, told.as_of).await?;
    }
    Ok(())
}
