//! `signals.process`: one pass from text to done. Embeds, extracts, classifies and looks for
//! duplicates outside of any transaction, then writes all results, links and the completion in one.
//!
//! Embedding and classification are one job because the second costs a twentieth of the first: two
//! jobs would only add a hand-over. A batch holds the signals of many events and tenants.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use futures_util::FutureExt;
use millrace_config::point::{Point, may_fail};
use pgvector::HalfVector;
use serde::{Deserialize, Serialize};

use super::{
    decide::{Decision, decide},
    effects,
    extract::{self, Extraction, Heads},
    portfolio::Portfolio,
    state::{thresholds, vectors},
    thresholds::Thresholds,
};
use crate::{
    ctx::Ctx,
    queue::{self, Job, LeaseId, Leased, NewJob, Verdict},
    record::Change,
    store::{
        embeddings,
        signals::{Applied, Arrival, Unprocessed, unprocessed},
        suggestion_feedback,
    },
};

/// Process one signal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Process {
    /// `signals.signals.id`.
    pub signal_id: String,
}

/// The jobs that follow records: one per new text that is not cut into parts, which have their own.
///
/// # Errors
/// Never in practice: the payload is a string.
pub fn jobs(arrivals: &[Arrival<'_>], applied: &[Applied]) -> serde_json::Result<Vec<NewJob>> {
    let mut jobs = Vec::with_capacity(applied.len());
    for (arrival, applied) in arrivals.iter().zip(applied) {
        let whole = matches!(&arrival.record.change, Change::Signal(c) if c.parts.is_some());
        if let Some(signal_id) = applied.to_process().filter(|_| !whole) {
            let job = NewJob::of(arrival.workspace_id, &Process { signal_id: signal_id.into() })?;
            jobs.push(job.trace(Some(arrival.trace_id.into())));
        }
    }
    Ok(jobs)
}

impl Job for Process {
    const KIND: &'static str = "signals.process";
    const BATCH_MAX: usize = 64;
    const CONCURRENCY: usize = 2;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        queue::together(&ctx, &batch, |ctx, part| run_batch(ctx, part).boxed()).await
    }
}

/// A signal with all that was found out about it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) signal: Unprocessed,
    pub(super) vector: Vec<f32>,
    pub(super) extraction: Extraction,
    pub(super) decision: Decision,
}

async fn run_batch(ctx: &Ctx, batch: &[Leased<Process>]) -> anyhow::Result<()> {
    let ids: Vec<&str> = batch.iter().map(|l| l.job.signal_id.as_str()).collect();
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let waiting = unprocessed(&mut conn, &ids).await.context("loading signals")?;
    let waiting_ids: Vec<String> = waiting.iter().map(|s| s.id.clone()).collect();
    let dismissed = suggestion_feedback::dismissed(&mut conn, &waiting_ids).await;
    let dismissed = dismissed.context("loading feedback")?;
    drop(conn);

    let hashes: Vec<Vec<u8>> = waiting.iter().map(|s| s.content_hash.clone()).collect();
    let (vectors, made) =
        vectors(ctx, waiting.iter().map(|s| s.verbatim.as_str()), &hashes).await?;
    let mut tenants: BTreeMap<String, Vec<(Unprocessed, Vec<f32>)>> = BTreeMap::new();
    for signal in waiting {
        let vector =
            vectors.get(&signal.content_hash).cloned().context("a signal got no vector")?;
        tenants.entry(signal.workspace_id.clone()).or_default().push((signal, vector));
    }
    let names: Vec<&str> = tenants.keys().map(String::as_str).collect();
    let limits = thresholds(ctx, &names).await?;
    let heads = ctx.signals.heads(ctx).await?;
    let mut judged = BTreeMap::new();
    for (workspace_id, signals) in tenants {
        let Some(limits) = limits.get(&workspace_id).copied() else { continue };
        let portfolio = ctx
            .signals
            .mind(&workspace_id)
            .lock()
            .await
            .portfolio(ctx, &workspace_id, false)
            .await?;
        let (heads, dismissed) = (heads.clone(), dismissed.clone());
        let work = move || judge(signals, &portfolio, &heads, &dismissed, &limits);
        judged.insert(workspace_id, (tokio::task::spawn_blocking(work).await?, limits));
    }

    may_fail(Point::ProcessJudged)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let model_id = ctx.signals.model_id(ctx).await?;
    let halves: Vec<HalfVector> =
        made.iter().filter_map(|h| vectors.get(h)).map(|v| HalfVector::from_f32_slice(v)).collect();
    let engine = &ctx.embedder.model().engine;
    let stored = embeddings::store(&mut tx, model_id, engine, &made, &halves).await;
    stored.context("storing vectors")?;
    let mut follow_ups = Vec::new();
    for (workspace_id, (judged, limits)) in judged {
        follow_ups.extend(effects::write(ctx, &mut tx, &workspace_id, judged, &limits).await?);
    }
    let enqueued = ctx.queue.enqueue(&mut tx, &follow_ups).await.context("follow-up jobs")?;
    // A lease that was lost meanwhile is another worker's; what was written stands, for the text and
    // `processed_at` guarded it.
    let leases: Vec<LeaseId> = batch.iter().map(|l| l.id).collect();
    queue::complete_in(&mut tx, &leases).await.context("completing leases")?;
    may_fail(Point::ProcessWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::ProcessCommitted)?;
    ctx.queue.wake(&enqueued);
    Ok(())
}

fn judge(
    signals: Vec<(Unprocessed, Vec<f32>)>,
    portfolio: &Portfolio,
    heads: &Heads,
    dismissed: &[(String, String)],
    limits: &Thresholds,
) -> Vec<Judged> {
    let judge = |(signal, vector): (Unprocessed, Vec<f32>)| {
        let (mut matches, none) = portfolio.classify(&vector);
        matches.retain(|m| !dismissed.iter().any(|(s, p)| *s == signal.id && *p == m.project_id));
        let decision = decide(matches, none, limits);
        let extraction = extract::extract(&signal.verbatim, &vector, heads);
        Judged { signal, vector, extraction, decision }
    };
    signals.into_iter().map(judge).collect()
}
