//! `social.learn`: every lesson of the night for each workspace, each in one transaction: it is written whole or not at
//! all.

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use chrono::{DateTime, Duration, DurationRound, Utc};
use millrace_config::{
    Settings,
    point::{Point, may_fail},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};

use super::{
    bias::Bias, causal::Causal, drift::Drift, keywords::Keywords, nightly, policy,
    suggestions::Suggestions,
};
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    store::social::learning::{self as store, Log, NewRun},
};

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
            verdicts.push(everything(&ctx).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

/// A lesson that is in trouble does not keep the others waiting.
async fn everything(ctx: &Ctx) -> anyhow::Result<Verdict> {
    // A tick that is done twice is one run.
    let as_of = ctx.clock.now().duration_trunc(Duration::hours(1)).context("the hour")?;
    let ends = [
        everywhere::<nightly::Told>(ctx, as_of).await,
        everywhere::<policy::nightly::Told>(ctx, as_of).await,
        everywhere::<Suggestions>(ctx, as_of).await,
        everywhere::<Drift>(ctx, as_of).await,
        everywhere::<Keywords>(ctx, as_of).await,
        everywhere::<Causal>(ctx, as_of).await,
        everywhere::<Bias>(ctx, as_of).await,
    ];
    let mut verdict = Verdict::Done;
    for end in ends {
        if let Verdict::Snooze(pause) = end? {
            verdict = Verdict::Snooze(pause);
        }
    }
    Ok(verdict)
}

/// One whose workspace is in trouble does not keep the others waiting.
async fn everywhere<L: Lesson>(ctx: &Ctx, as_of: DateTime<Utc>) -> anyhow::Result<Verdict> {
    let workspaces = L::workspaces(&ctx.pool).await.context("workspaces")?;
    let mut verdict = Ok(Verdict::Done);
    for workspace in &workspaces {
        let plan = Plan { workspace, as_of, dry_run: false };
        match run::<L>(&ctx.pool, &ctx.settings, plan).await {
            Ok(Outcome::Ran(lesson)) => {
                let found = lesson.outline();
                let status = if found.skipped.is_some() { "skipped" } else { "done" };
                metrics::counter!("millrace_learning_runs_total", "kind" => L::KIND, "status" => status)
                    .increment(1);
                let (kind, rows) = (L::KIND, found.rows);
                let adjusted = found.log.is_some_and(|log| log.adjusted);
                tracing::info!(workspace, kind, rows, adjusted, "learned");
            }
            Ok(Outcome::Before) => {}
            Ok(Outcome::UnderWay) => verdict = Ok(Verdict::Snooze(PAUSE)),
            Err(error) => {
                let (kind, error_text) = (L::KIND, format!("{error:#}"));
                tracing::warn!(
                    workspace,
                    kind,
                    error = error_text,
                    "learning failed for one workspace"
                );
                verdict = Err(error);
            }
        }
    }
    verdict
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
pub enum Outcome<L> {
    /// This.
    Ran(Box<L>),
    /// It was run before.
    Before,
    /// Somebody else learns for the workspace.
    UnderWay,
}

/// What of a lesson is in the list of runs and in the seed's log.
#[derive(Debug)]
pub struct Outline {
    /// It is from what happened after this.
    pub since: DateTime<Utc>,
    /// And from so many rows.
    pub rows: usize,
    /// Why nothing was learned.
    pub skipped: Option<&'static str>,
    /// The row of the seed's log, if it adjusts or might have.
    pub log: Option<Log>,
}

/// Something that is learned each night; itself the report of what was found.
pub trait Lesson: Serialize + Send + Sync + Sized {
    /// `learning_runs.kind`.
    const KIND: &'static str;
    /// Version of its rules: whoever changes what they find raises it.
    const CODE_VERSION: &'static str;

    /// Who has something to learn from.
    fn workspaces(pool: &PgPool) -> impl Future<Output = sqlx::Result<Vec<String>>> + Send;

    /// Find; nothing is written. The same rows give the same, to the last bit.
    fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> impl Future<Output = anyhow::Result<Self>> + Send;

    /// For the list of runs.
    fn outline(&self) -> Outline;

    /// Write what follows from it, in the transaction of its run.
    fn keep(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        run_id: &str,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Learn for a workspace.
///
/// # Errors
/// Those of the database; nothing is written then.
pub async fn run<L: Lesson>(
    pool: &PgPool,
    settings: &Settings,
    plan: Plan<'_>,
) -> anyhow::Result<Outcome<L>> {
    let began = Instant::now();
    let mut tx = pool.begin().await.context("begin")?;
    if !store::begin(&mut tx, plan.workspace).await.context("the lock")? {
        return Ok(Outcome::UnderWay);
    }
    let lesson = L::find(&mut tx, settings, plan).await?;
    may_fail(Point::LearnJudged)?;
    if plan.dry_run {
        // Said, not left to the connection's end: who learns next would find the lock taken yet.
        tx.rollback().await.context("rollback")?;
        return Ok(Outcome::Ran(Box::new(lesson)));
    }
    let (run_id, seed) = identity(L::KIND, plan);
    let found = lesson.outline();
    let run = NewRun {
        workspace_id: plan.workspace,
        run_id: &run_id,
        kind: L::KIND,
        as_of: plan.as_of,
        since: found.since,
        seed,
        code_version: L::CODE_VERSION,
        rows: i64::try_from(found.rows)?,
        skipped: found.skipped,
        duration_ms: i64::try_from(began.elapsed().as_millis())?,
        report: &serde_json::to_value(&lesson)?,
        log: found.log,
    };
    if !store::record(&mut tx, &run).await.context("the run")? {
        tx.rollback().await.context("rollback")?;
        return Ok(Outcome::Before);
    }
    lesson.keep(&mut tx, settings, &run_id).await?;
    may_fail(Point::LearnWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::LearnCommitted)?;
    Ok(Outcome::Ran(Box::new(lesson)))
}

/// Id and seed of a run, from what it is about.
#[must_use]
pub fn identity(kind: &str, plan: Plan<'_>) -> (String, i64) {
    let digest = Sha256::digest(format!("{kind}\n{}\n{}", plan.workspace, plan.as_of.to_rfc3339()));
    let seed = digest.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    (hex::encode(digest).chars().take(20).collect(), seed)
}
