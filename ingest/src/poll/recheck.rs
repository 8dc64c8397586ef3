//! Whether stored posts are still there. `poll.recheck`: whose turn it is. `poll.check`: one look-up.
//!
//! The platforms' terms want a post gone here within a day of its being gone there, and none of them tells of all. What a
//! look-up shows is a page as any other: the posts that are there are as they are now, the others get their tombstones.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::Context;
use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    ctx::Ctx,
    queue::{self, Job, Leased, NewJob, Verdict},
    store::social::checks,
};
use rand::seq::IndexedRandom;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    fetch::{self, Failure},
    jobs::fetched_event,
    look::is_gone,
    platform::{Of, Platform, column, platform},
};
use crate::{
    events::insert,
    receive::delivery_key,
    registry::credentials::{self, Polled},
    secrets::KeyRing,
    source::{ASKED_HEADER, PAGE_HEADER},
};

/// After a platform was away.
const AWAY: Duration = Duration::from_secs(300);
/// After it refused what a person has to put right.
const WRONG: Duration = Duration::from_secs(3600);

/// Enqueue a look-up for each source that asks its platform for its tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Recheck {}

impl Job for Recheck {
    const KIND: &'static str = "poll.recheck";
    const ATTEMPTS_MAX: i32 = 3;
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(recheck(&ctx).await.map_or_else(Verdict::Retry, |()| Verdict::Done));
        }
        verdicts
    }
}

async fn recheck(ctx: &Ctx) -> anyhow::Result<()> {
    let ring = KeyRing::load(&ctx.settings.secrets).context("key ring")?;
    let mut asked = HashSet::new();
    let mut jobs = Vec::new();
    for source in credentials::polled(&ctx.pool, None).await.context("sources")? {
        let place = (source.workspace_id.clone(), source.kind.clone());
        let kept = credentials::load(&ctx.pool, &ring, &source.id).await.context("credentials")?;
        // The first of several asks for all.
        if kept.is_some() && asked.insert(place) {
            jobs.push(job(&source)?);
        }
    }
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let enqueued = ctx.queue.enqueue(&mut tx, &jobs).await.context("enqueueing")?;
    tx.commit().await.context("commit")?;
    ctx.queue.wake(&enqueued);
    Ok(())
}

fn job(source: &Polled) -> serde_json::Result<NewJob> {
    let check = Check { source_id: source.id.clone() };
    Ok(NewJob::of(&*source.workspace_id, &check)?.unique_key(source.id.clone()))
}

/// Look up the posts that were not asked for the longest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// `ops.sources.id`: whose tokens, and for whose tenant.
    pub source_id: String,
}

impl Job for Check {
    const KIND: &'static str = "poll.check";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for lease in batch {
            verdicts.push(check(&ctx, &lease).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

async fn check(ctx: &Ctx, lease: &Leased<Check>) -> anyhow::Result<Verdict> {
    let found = credentials::polled(&ctx.pool, Some(&lease.job.source_id)).await;
    let source = found.context("source")?.into_iter().next();
    let place = source.and_then(|of| Some((platform(&of.kind)?, column(&of.kind)?, of)));
    let Some((platform, column, source)) = place else {
        return Ok(Verdict::Cancel("the source is not polled any more".into()));
    };
    let at = (&*source.workspace_id, column);
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let older_s = f64::from(ctx.settings.poll.recheck_s);
    let due = checks::due(&mut conn, at, older_s, platform.lookup_max()).await.context("posts")?;
    let others = checks::newest(&mut conn, at, &due).await.context("other posts")?;
    let other = others.choose(&mut rand::rng()).cloned();
    drop(conn);
    if due.is_empty() {
        return Ok(Verdict::Done);
    }
    let body = match ask(ctx, platform, &source, &due, other).await? {
        Ok(body) => body,
        Err(Failure::NotNow(wait)) => return Ok(Verdict::Snooze(wait)),
        Err(Failure::Away(why)) => {
            tracing::warn!(source_id = source.id, why, "posts cannot be looked up");
            return Ok(Verdict::Snooze(AWAY));
        }
        Err(Failure::Wrong(why)) => {
            tracing::error!(source_id = source.id, why, "a look-up of posts is refused");
            return Ok(Verdict::Snooze(WRONG));
        }
    };
    may_fail(Point::PageFetched)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    if queue::complete_in(&mut tx, &[lease.id]).await.context("completing the lease")?.is_empty() {
        tx.rollback().await.context("rollback")?;
        return Ok(Verdict::Done);
    }
    let headers = json!({ "content-type": "application/json", PAGE_HEADER: "lookup", ASKED_HEADER: due.join(",") });
    // Each look is of its time: the same answer a day later is another one.
    let key = delivery_key(&[b"lookup".to_vec(), Uuid::now_v7().as_bytes().to_vec()]);
    let event = fetched_event(&source, "lookup", &headers, key, body);
    let (_, ready) = insert::rows(&mut tx, &[event]).await.context("storing the page")?;
    checks::checked(&mut tx, at, &due).await.context("posts")?;
    let next = if due.len() >= platform.lookup_max() { vec![job(&source)?] } else { Vec::new() };
    let enqueued = ctx.queue.enqueue(&mut tx, &next).await.context("enqueueing")?;
    may_fail(Point::PageWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::PageCommitted)?;
    insert::wake(&ctx.queue, ready);
    ctx.queue.wake(&enqueued);
    let posts = u64::try_from(due.len()).unwrap_or(u64::MAX);
    metrics::counter!("millrace_poll_rechecked_total", "source" => source.kind).increment(posts);
    Ok(Verdict::Committed)
}

/// What the platform shows of these posts. If that is nothing at all, another one tells whether it shows us any: who may
/// not look is told the same as who looks for what is gone.
async fn ask(
    ctx: &Ctx,
    platform: &'static dyn Platform,
    source: &Polled,
    due: &[String],
    other: Option<String>,
) -> anyhow::Result<Result<Vec<u8>, Failure>> {
    let shown = match shown(ctx, platform, source, due).await? {
        Ok(shown) => shown,
        Err(failure) => return Ok(Err(failure)),
    };
    if shown.any {
        return Ok(Ok(shown.body));
    }
    let nothing = || Failure::Wrong("no post is shown by its id".into());
    let Some(other) = other else { return Ok(Err(nothing())) };
    let control = self::shown(ctx, platform, source, &[other]).await?;
    Ok(control.and_then(|control| if control.any { Ok(shown.body) } else { Err(nothing()) }))
}

/// An answer to a look-up.
struct Shown {
    body: Vec<u8>,
    /// It says something of what was asked for.
    any: bool,
}

async fn shown(
    ctx: &Ctx,
    platform: &'static dyn Platform,
    source: &Polled,
    ids: &[String],
) -> anyhow::Result<Result<Shown, Failure>> {
    let ring = KeyRing::load(&ctx.settings.secrets).context("key ring")?;
    let kept = credentials::load(&ctx.pool, &ring, &source.id).await.context("credentials")?;
    let Some(kept) = kept else {
        return Ok(Err(Failure::Wrong("the source has no credentials to poll with".into())));
    };
    let (ids, quota) = (ids.join(","), platform.lookup_quota());
    let lookup = |client: &Client, of: Of<'_>| platform.lookup(client, of, &ids);
    let answer = fetch::ask(ctx, (platform, source), (&ring, kept), quota, lookup).await?;
    Ok(answer.and_then(|answer| {
        if is_gone(&answer) {
            return Ok(Shown { body: b"{}".to_vec(), any: false });
        }
        fetch::accepted(answer.status)?;
        let any = platform.tells(&answer.body).map_err(|why| Failure::Away(why.0.to_owned()))?;
        Ok(Shown { body: answer.body, any })
    }))
}
