//! `social.learn`: one run for each workspace, in one transaction: it is written whole or not at all.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use anyhow::Context;
use chrono::{DateTime, Duration, DurationRound, Utc};
use millrace_config::{
    Learning,
    point::{Point, may_fail},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};

use super::{
    meta, policy,
    rows::{Row, Segment},
    run::{ALPHA, CHANGE_MAX, Current, Finding, Skip, learn},
};
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    store::social::{
        kpis,
        learning::{self as store, Adoption, Dealt, Log, NewRun},
    },
};

/// Version of the rules of this folder: whoever changes what they find raises it.
pub const CODE_VERSION: &str = "1";
/// A share of held-out decisions as far off as this is no chance: p below 0.001.
const SRM_P: f64 = 0.001;
/// While another run learns for a workspace.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// Learn for all workspaces.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Learn {}

impl Job for Learn {
    const KIND: &'static str = "social.learn";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(everywhere(&ctx).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

/// One whose workspace is in trouble does not keep the others waiting.
async fn everywhere(ctx: &Ctx) -> anyhow::Result<Verdict> {
    let workspaces = kpis::workspaces(&ctx.pool).await.context("workspaces")?;
    // A tick that is done twice is one run.
    let as_of = ctx.clock.now().duration_trunc(Duration::hours(1)).context("the hour")?;
    let mut verdict = Ok(Verdict::Done);
    for workspace in &workspaces {
        let plan = Plan { workspace, as_of, dry_run: false };
        match learned(ctx, plan).await {
            Ok(true) => {}
            Ok(false) => verdict = Ok(Verdict::Snooze(PAUSE)),
            Err(error) => {
                tracing::warn!(
                    workspace,
                    error = format!("{error:#}"),
                    "learning failed for one workspace"
                );
                verdict = Err(error);
            }
        }
    }
    verdict
}

/// Weights, then the policy. False if somebody else learns for the workspace.
async fn learned(ctx: &Ctx, plan: Plan<'_>) -> anyhow::Result<bool> {
    let (settings, workspace) = (&ctx.settings.learning, plan.workspace);
    let count = |kind: &'static str, status: &'static str| {
        metrics::counter!("millrace_learning_runs_total", "kind" => kind, "status" => status)
            .increment(1);
    };
    match run(&ctx.pool, settings, plan).await? {
        Outcome::Ran(told) => {
            count("weights", told.status());
            let (run, rows, adjusted) = (&told.run_id, told.rows, told.adjusted());
            tracing::info!(workspace, run, rows, adjusted, "learned");
        }
        Outcome::Before => {}
        Outcome::UnderWay => return Ok(false),
    }
    match policy::nightly::run(&ctx.pool, settings, plan).await.context("policy")? {
        Outcome::Ran(told) => {
            count("policy", "done");
            let (run, rows, stage) = (&told.run_id, told.found.rows, told.next.as_str());
            tracing::info!(workspace, run, rows, stage, "the policy learned");
        }
        Outcome::Before => {}
        Outcome::UnderWay => return Ok(false),
    }
    Ok(true)
}

/// What to learn.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Whose.
    pub workspace: &'a str,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// Nothing is written.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug)]
pub enum Outcome<T = Told> {
    /// This.
    Ran(Box<T>),
    /// It was run before.
    Before,
    /// Somebody else learns for the workspace.
    UnderWay,
}

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// Rows that matured after this.
    pub since: DateTime<Utc>,
    /// See `CODE_VERSION`.
    pub method_version: &'static str,
    /// What chance comes from.
    pub seed: i64,
    /// Rows, and replies whose decision could not be read.
    pub rows: usize,
    /// See `rows`.
    pub odd: usize,
    /// Decisions to say something a week or more ago that nothing was said to: their outcome is missing, in shares.
    pub missing: f64,
    /// Probability of a share of held-out decisions as far off as this one.
    pub sample_ratio_p: f64,
    /// Why nothing was learned anywhere.
    pub skipped: Option<&'static str>,
    /// Segment by segment.
    pub findings: Vec<Finding>,
    /// Predictions of a week ago or longer that were judged.
    pub judged: Vec<meta::Judged>,
}

impl Told {
    /// Segments with other weights.
    #[must_use]
    pub fn adjusted(&self) -> usize {
        self.findings.iter().filter(|one| self.skipped.is_none() && one.is_adjusted()).count()
    }

    const fn status(&self) -> &'static str {
        if self.skipped.is_some() { "skipped" } else { "done" }
    }
}

/// Learn for a workspace.
///
/// # Errors
/// Those of the database; nothing is written then.
pub async fn run(pool: &PgPool, settings: &Learning, plan: Plan<'_>) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let mut tx = pool.begin().await.context("begin")?;
    if !store::begin(&mut tx, plan.workspace).await.context("the lock")? {
        return Ok(Outcome::UnderWay);
    }
    let since = plan.as_of - Duration::days(settings.window_days.into());
    let (rows, odd) =
        store::rows(&mut tx, plan.workspace, since, plan.as_of).await.context("rows")?;
    let current = store::current(&mut tx, plan.workspace, plan.as_of).await.context("weights")?;
    let dealt = store::dealt(&mut tx, plan.workspace, since, plan.as_of - Duration::days(7)).await;
    let dealt = dealt.context("how chance dealt")?;
    let judged = meta::judge(&mut tx, plan, &rows).await?;
    let rows_n = rows.len();
    let (run_id, seed) = identity("nightly", plan);
    let mut told = Told {
        run_id,
        workspace: plan.workspace.to_owned(),
        as_of: plan.as_of,
        since,
        method_version: CODE_VERSION,
        seed,
        rows: rows_n,
        odd,
        missing: missing(dealt),
        sample_ratio_p: sample_ratio(dealt),
        skipped: None,
        findings: found(rows, current, plan.as_of).await?,
        judged,
    };
    told.skipped = stopped(&told);
    may_fail(Point::LearnJudged)?;
    if plan.dry_run {
        return Ok(Outcome::Ran(Box::new(told)));
    }
    if !write(&mut tx, settings, &told, began).await? {
        return Ok(Outcome::Before);
    }
    may_fail(Point::LearnWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::LearnCommitted)?;
    Ok(Outcome::Ran(Box::new(told)))
}

async fn found(
    rows: Vec<Row>,
    current: Current,
    as_of: DateTime<Utc>,
) -> anyhow::Result<Vec<Finding>> {
    let work = move || learn(&rows, &current, as_of);
    tokio::task::spawn_blocking(work).await.context("learning")
}

/// Id and seed of a run, from what it is about.
pub(super) fn identity(kind: &str, plan: Plan<'_>) -> (String, i64) {
    let digest = Sha256::digest(format!("{kind}\n{}\n{}", plan.workspace, plan.as_of.to_rfc3339()));
    let seed = digest.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    (hex::encode(digest).chars().take(20).collect(), seed)
}

fn missing(dealt: Dealt) -> f64 {
    if dealt.engaged > 0 { 1.0 - share(dealt.replied, dealt.engaged) } else { 0.0 }
}

#[expect(clippy::as_conversions, reason = "counts of rows")]
fn share(part: i64, all: i64) -> f64 {
    part as f64 / all as f64
}

/// Chi-square with one degree of freedom of the held-out count against its expectation.
fn sample_ratio(dealt: Dealt) -> f64 {
    if dealt.variance <= 0.0 {
        return 1.0;
    }
    #[expect(clippy::as_conversions, reason = "a count of rows")]
    let off = dealt.held_out as f64 - dealt.expected;
    millrace_stats::dist::chi_square_sf(off * off / dealt.variance, 1.0)
}

fn stopped(told: &Told) -> Option<&'static str> {
    if told.sample_ratio_p < SRM_P {
        return Some("SAMPLE_RATIO_MISMATCH");
    }
    let global = told.findings.first().and_then(|one| one.skip);
    (global == Some(Skip::InsufficientSampleSize)).then_some("INSUFFICIENT_SAMPLE_SIZE")
}

/// All of it, unless this run was written before.
async fn write(
    conn: &mut PgConnection,
    settings: &Learning,
    told: &Told,
    began: Instant,
) -> anyhow::Result<bool> {
    let workspace = told.workspace.as_str();
    let adjusted: Vec<&Finding> =
        told.findings.iter().filter(|one| told.skipped.is_none() && one.is_adjusted()).collect();
    let by_segment = |of: &dyn Fn(&Finding) -> Value| -> Value {
        told.findings
            .iter()
            .map(|one| (one.segment.key(), of(one)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let log = Log {
        adjusted: !adjusted.is_empty(),
        reason: &reason(told),
        valid_segments: i32::try_from(told.findings.iter().filter(|f| f.shortfall == 0).count())?,
        total_segments: i32::try_from(told.findings.len())?,
        sample_sizes: &by_segment(&|one| json!(one.n)),
        old_weights: &by_segment(&|one| json!(one.now)),
        new_weights: &by_segment(&|one| {
            json!(if one.is_adjusted() { one.candidate } else { one.now })
        }),
        predicted_improvement: adjusted.iter().map(|one| one.lift).reduce(f64::max),
    };
    let run = NewRun {
        workspace_id: workspace,
        run_id: &told.run_id,
        kind: "nightly",
        as_of: told.as_of,
        since: told.since,
        seed: told.seed,
        code_version: CODE_VERSION,
        rows: i64::try_from(told.rows)?,
        skipped: told.skipped,
        duration_ms: i64::try_from(began.elapsed().as_millis())?,
        report: &serde_json::to_value(told)?,
        log: Some(log),
    };
    if !store::record(conn, &run).await.context("the run")? {
        return Ok(false);
    }
    let mut events = Vec::new();
    for one in &adjusted {
        let adoption = Adoption {
            workspace_id: workspace,
            segment: one.segment,
            from: one.now,
            to: one.candidate,
            sample_size: i32::try_from(one.n)?,
            performance: Some(one.mean_reward),
            run_id: Some(&told.run_id),
            at: told.as_of,
            approved_by: settings.auto_approve.then_some("learning"),
        };
        let version = adoption.write(conn).await.context("weights")?;
        let what = json!({ "segment": one.segment, "from": one.now, "to": one.candidate, "version": version,
                           "low": one.interval.map(|i| i.low), "high": one.interval.map(|i| i.high) });
        events.push((what, one.lift, one.mean_reward));
    }
    store::events(conn, (workspace, &told.run_id), told.as_of, "WEIGHT", &events)
        .await
        .context("predictions")?;
    for judged in &told.judged {
        judged.write(conn, workspace, told.as_of).await.context("judging predictions")?;
    }
    Ok(true)
}

/// Why, in words for the seed's log.
fn reason(told: &Told) -> String {
    if let Some(skipped) = told.skipped {
        return skipped.to_owned();
    }
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for one in &told.findings {
        *counts.entry(one.skip.map_or("ADJUSTED", Skip::as_str)).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    format!("{} (error rate {ALPHA}, step at most {CHANGE_MAX})", parts.join(", "))
}

/// A segment by the key that people write.
///
/// # Errors
/// If there is none.
pub fn segment(key: &str) -> anyhow::Result<Segment> {
    Segment::named(&key.to_uppercase()).with_context(|| {
        let all: Vec<String> = Segment::all().iter().map(ToString::to_string).collect();
        format!("no segment is called {key}; there are {}", all.join(", "))
    })
}
