//! `signals.profile`: a workspace's projects have changed; learn them anew and re-score the signals
//! that this can concern.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use millrace_config::point::{Point, may_fail};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{
    decide::decide,
    effects::{ai_classification, classification, write_links},
    state::thresholds,
};
use crate::{
    ctx::Ctx,
    queue::{self, Job, LeaseId, Leased, NewJob, Verdict},
    store::{
        embeddings,
        signals::{lock_workspace, open_to_change, reclassify},
        suggestion_feedback,
    },
};

/// Changes within this time are answered together; one that comes while we look has a job of its own.
const SETTLE: Duration = Duration::from_secs(2);
/// Newest signals that are looked at again.
const SIGNALS_MAX: i64 = 2_000;

/// Re-score the workspace of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {}

/// The job to enqueue, in the same transaction, when a project or a link has changed.
///
/// # Errors
/// Never in practice: the payload is empty.
pub fn job(workspace_id: &str) -> serde_json::Result<NewJob> {
    Ok(NewJob::of(workspace_id, &Profile {})?.unique_key("all").delay(SETTLE))
}

impl Job for Profile {
    const KIND: &'static str = "signals.profile";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for lease in batch {
            let verdict = rescore(&ctx, &lease.workspace_id, lease.id).await;
            verdicts.push(verdict.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

async fn rescore(ctx: &Ctx, workspace_id: &str, lease: LeaseId) -> anyhow::Result<Verdict> {
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let model_id = ctx.signals.model_id(ctx).await?;
    let open = open_to_change(&mut conn, workspace_id, model_id, SIGNALS_MAX).await;
    let open = open.context("signals to look at again")?;
    let ids: Vec<String> = open.iter().map(|(id, ..)| id.clone()).collect();
    let dismissed = suggestion_feedback::dismissed(&mut conn, &ids).await.context("feedback")?;
    drop(conn);
    let Some(limits) = thresholds(ctx, &[workspace_id]).await?.remove(workspace_id) else {
        return Ok(Verdict::Cancel("the workspace is gone".into()));
    };
    let mind = ctx.signals.mind(workspace_id);
    let portfolio = mind.lock().await.portfolio(ctx, workspace_id, true).await?;
    let now = ctx.clock.now();
    let work = move || {
        let judge = |(id, verbatim, vector): (String, String, _)| {
            let (mut matches, none) = portfolio.classify(&embeddings::to_f32(&vector));
            matches.retain(|m| !dismissed.iter().any(|(s, p)| *s == id && *p == m.project_id));
            let decision = decide(matches, none, &limits);
            let ai = Json(ai_classification(&decision, &verbatim, now));
            let own = Json(classification(&decision, "embedding", now));
            (id, decision, ai, own)
        };
        open.into_iter().map(judge).collect::<Vec<_>>()
    };
    let judged = tokio::task::spawn_blocking(work).await.context("classifier thread")?;

    may_fail(Point::ProfileJudged)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    lock_workspace(&mut tx, workspace_id).await.context("workspace lock")?;
    let (mut ids, mut ai, mut own, mut decisions) = (vec![], vec![], vec![], vec![]);
    for (id, decision, for_seed, for_source) in judged {
        ids.push(id);
        ai.push(for_seed);
        own.push(for_source);
        decisions.push(decision);
    }
    reclassify(&mut tx, &ids, &ai, &own).await.context("writing classifications")?;
    let sure = ids.iter().zip(&decisions).filter(|(_, d)| d.auto_link);
    let links = sure.filter_map(|(id, d)| Some((id, d.matches.first()?)));
    write_links(&mut tx, workspace_id, links).await?;
    queue::complete_in(&mut tx, &[lease]).await.context("completing the lease")?;
    may_fail(Point::ProfileWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::ProfileCommitted)?;
    Ok(Verdict::Committed)
}
