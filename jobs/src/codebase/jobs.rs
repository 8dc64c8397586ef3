//! `codebase.index`: one run of one codebase. `codebase.reconcile`: what deliveries did not tell.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    change::Change,
    open,
    run::{self, Order, Tools},
};
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, NewJob, Verdict},
    store::codebase::{
        connections::{self, Connection},
        runs::{self, Lease, NotTaken},
        targets,
    },
};

/// A run without a sign of life for so long is over, seconds.
pub const SILENT_S: i32 = 60;
/// Before a run that cannot begin yet is tried again.
const LATER: Duration = Duration::from_secs(20);

/// Index the codebase of a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Index {
    /// `factory.codebase_connections.id`.
    pub connection_id: Uuid,
}

/// The job to enqueue when a codebase has changed: one waits, however many changes there are, and one that runs does not
/// count, for it may have looked already.
///
/// # Errors
/// Never in practice: the payload is an id.
pub fn job(workspace_id: &str, connection_id: Uuid) -> serde_json::Result<NewJob> {
    Ok(NewJob::of(workspace_id, &Index { connection_id })?.unique_key(connection_id.to_string()))
}

/// A change, and the delivery that told it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// Trace of the delivery, 32 hex digits.
    pub trace_id: &'a str,
    /// What it says.
    pub change: &'a Change,
}

/// Apply what a platform said; the jobs that are to follow.
///
/// # Errors
/// Those of the database.
pub async fn apply(conn: &mut PgConnection, changes: &[Told<'_>]) -> anyhow::Result<Vec<NewJob>> {
    let mut jobs = Vec::new();
    for told in changes {
        let concerned = targets::apply(conn, told.workspace_id, told.change).await;
        let concerned = concerned.context("codebases")?;
        let known = if concerned.is_empty() { "unknown" } else { "known" };
        metrics::counter!("millrace_codebase_changes_total", "codebase" => known).increment(1);
        for id in concerned {
            jobs.push(job(told.workspace_id, id)?.trace(Some(told.trace_id.to_owned())));
        }
    }
    Ok(jobs)
}

impl Job for Index {
    const KIND: &'static str = "codebase.index";
    const ATTEMPTS_MAX: i32 = 8;
    const TIMEOUT: Duration = Duration::from_secs(6 * 3600);
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for lease in batch {
            verdicts.push(index(&ctx, &lease).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

async fn index(ctx: &Ctx, lease: &Leased<Index>) -> anyhow::Result<Verdict> {
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let runs_max = ctx.settings.codebase.runs_max;
    let limits = Lease { silent_s: SILENT_S, runs_max, job: Some(lease.id.job) };
    let begun = runs::begin(&mut tx, lease.job.connection_id, limits, "job").await;
    let begun = begun.context("taking the codebase")?;
    tx.commit().await.context("commit")?;
    let of = match begun {
        Ok(of) => of,
        Err(NotTaken::Running | NotTaken::Crowded) => return Ok(Verdict::Snooze(LATER)),
        Err(why) => return Ok(Verdict::Cancel(why.to_string())),
    };
    let done = async {
        open::allowed(&ctx.settings, &of)
            .map_err(|why| anyhow::anyhow!("{}: {why}", of.repository_url))?;
        let (tree, commit) = open::open(&ctx.settings, &ctx.clock, &of).await?;
        let order = Order { commit: commit.as_deref(), all: false, lease: Some(lease.id) };
        run::run(&tools(ctx)?, &of, tree, order, &|_| {}).await
    };
    match done.await {
        Ok(report) => {
            tracing::info!(
                project = of.project,
                commit = report.commit,
                files = report.files,
                seconds = report.seconds,
                "codebase indexed"
            );
            Ok(Verdict::Committed)
        }
        Err(error) => {
            let mut conn = ctx.pool.acquire().await.context("connection")?;
            runs::fail(&mut conn, &of, &format!("{error:#}")).await.context("ending the run")?;
            Err(error)
        }
    }
}

fn tools(ctx: &Ctx) -> anyhow::Result<Tools> {
    Ok(Tools {
        pool: ctx.pool.clone(),
        embedder: ctx.embedder.clone(),
        tokens: ctx.tokens.get(&ctx.settings.embed)?,
        limits: ctx.settings.codebase.clone(),
    })
}

/// Find what no delivery told: pushes that were missed, runs that ended without a word or failed, codebases that were
/// disconnected long ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Reconcile {}

impl Job for Reconcile {
    const KIND: &'static str = "codebase.reconcile";
    const TIMEOUT: Duration = Duration::from_secs(600);
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(reconcile(&ctx).await.map_or_else(Verdict::Retry, |()| Verdict::Done));
        }
        verdicts
    }
}

async fn reconcile(ctx: &Ctx) -> anyhow::Result<()> {
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let reaped = targets::reap(&mut conn, SILENT_S).await.context("runs without life")?;
    let grace_days = i32::try_from(ctx.settings.codebase.grace_days).unwrap_or(i32::MAX);
    let purged = targets::purge(&mut conn, grace_days).await.context("disconnected codebases")?;
    let followed = connections::followed(&mut conn).await.context("codebases")?;
    drop(conn);
    let mut behind = 0;
    for of in followed {
        let Some(workspace_id) = of.workspace_id.as_deref() else { continue };
        if open::allowed(&ctx.settings, &of).is_err() || !is_behind(ctx, &of).await {
            continue;
        }
        behind += 1;
        let mut tx = ctx.pool.begin().await.context("begin")?;
        let enqueued =
            ctx.queue.enqueue(&mut tx, &[job(workspace_id, of.id)?]).await.context("enqueueing")?;
        tx.commit().await.context("commit")?;
        ctx.queue.wake(&enqueued);
    }
    tracing::info!(reaped, purged, behind, "codebases reconciled");
    Ok(())
}

/// A repository that cannot be reached is left alone: a run would not reach it either.
async fn is_behind(ctx: &Ctx, of: &Connection) -> bool {
    if of.index_status == "failed" || of.last_indexed_commit.is_none() {
        return true;
    }
    match open::newest(&ctx.settings, &ctx.clock, of).await {
        Ok(newest) => of.last_indexed_commit.as_deref() != Some(&newest),
        Err(error) => {
            tracing::warn!(
                project = of.project,
                error = format!("{error:#}"),
                "repository cannot be asked"
            );
            false
        }
    }
}
