//! `poll.tick`: which queries are due. `poll.page`: one page of one query.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    ctx::Ctx,
    queue::{self, Job, Leased, NewJob, Verdict},
    social::temporal::Calendar,
    store::social::reply_outcomes as replies,
};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    fetch::{self, Failure, Fetched},
    look::is_id,
    plan::{self, Query},
    platform::platform,
    store::cursors::{self, Failed, Key},
    walk::Cursor,
};
use crate::{
    events::{NewEvent, insert},
    receive::delivery_key,
    registry::credentials::{self, Polled},
    secrets::KeyRing,
    source::PAGE_HEADER,
};

/// Shortest and longest time between two sweeps of a query.
const INTERVAL_S: std::ops::RangeInclusive<u64> = 1..=86_400;
/// What a person has to put right is tried again after this long.
const WRONG_AGAIN: Duration = Duration::from_secs(900);
/// The first sweep goes back so far unless the source says otherwise, and never further than this.
const FIRST: TimeDelta = TimeDelta::hours(1);
const FIRST_MAX_S: i64 = 7 * 86_400;
/// So long after a post of ours its answers are asked for, the rarer the older it is: each time it has become older by a
/// part of its age. Of 50 posts a day that makes about 2,000 calls a day.
const ANSWERED: TimeDelta = TimeDelta::days(7);
const ANSWERED_PART: i32 = 6;

/// Enqueue the queries that are due.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Tick {}

impl Job for Tick {
    const KIND: &'static str = "poll.tick";
    const ATTEMPTS_MAX: i32 = 3;
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(tick(&ctx).await.map_or_else(Verdict::Retry, |()| Verdict::Done));
        }
        verdicts
    }
}

async fn tick(ctx: &Ctx) -> anyhow::Result<()> {
    for source in credentials::polled(&ctx.pool, None).await.context("sources")? {
        let Some(platform) = platform(&source.kind) else { continue };
        let queries = match plan::queries(&source.kind, &source.options) {
            Ok(mut queries) => {
                let answered = answered(ctx, &source).await?;
                queries.extend(answered.iter().map(|(id, _)| plan::to_us(id)));
                queries
            }
            Err(why) => {
                tracing::error!(
                    source_id = source.id,
                    why,
                    "source with options that cannot be asked for"
                );
                continue;
            }
        };
        let mut tx = ctx.pool.begin().await.context("begin")?;
        let of = (&*source.workspace_id, &*source.id);
        let due = cursors::due(&mut tx, of, &source.kind, platform.overlap(), &queries).await;
        let jobs: Vec<NewJob> = due
            .context("cursors")?
            .into_iter()
            .map(|hash| job(&source, hash))
            .collect::<Result<_, _>>()?;
        let enqueued = ctx.queue.enqueue(&mut tx, &jobs).await.context("enqueueing")?;
        tx.commit().await.context("commit")?;
        ctx.queue.wake(&enqueued);
    }
    Ok(())
}

/// Our own posts that a source asks the answers to, one by one, and when they were posted; the newest first.
async fn answered(ctx: &Ctx, source: &Polled) -> anyhow::Result<Vec<(String, DateTime<Utc>)>> {
    if source.kind != "threads" || !plan::wants_replies(&source.options) {
        return Ok(Vec::new());
    }
    let since = ctx.clock.now() - ANSWERED;
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let posted = replies::posted_since(&mut conn, (&source.workspace_id, "THREADS"), since).await;
    let mut posted = posted.context("our posts")?;
    posted.retain(|(id, _)| is_id(id));
    Ok(posted)
}

fn job(source: &Polled, query_hash: String) -> serde_json::Result<NewJob> {
    let key = format!("{}/{query_hash}", source.id);
    let page = Page { source_id: source.id.clone(), query_hash };
    Ok(NewJob::of(&*source.workspace_id, &page)?.unique_key(key))
}

/// Fetch and store the next page of a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// `ops.sources.id`.
    pub source_id: String,
    /// Which of its queries.
    pub query_hash: String,
}

impl Job for Page {
    const KIND: &'static str = "poll.page";
    const CONCURRENCY: usize = 2;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for lease in batch {
            verdicts.push(page(&ctx, &lease).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

/// A query of a source, and where it stands.
struct Poll {
    source: Polled,
    query: Query,
    cursor: Cursor,
    /// The post of ours whose answers it asks for was posted then.
    posted_at: Option<DateTime<Utc>>,
}

impl Poll {
    fn key(&self) -> (String, String, String) {
        (self.source.workspace_id.clone(), self.source.id.clone(), self.query.hash())
    }

    /// The source's own, or the service's; more often when the brand's calendar says so.
    fn interval(&self, ctx: &Ctx) -> anyhow::Result<Duration> {
        let own = self.source.options.get("interval_s").and_then(Value::as_u64);
        let brand = ctx.social.brands.of(&ctx.settings, &self.source.workspace_id)?;
        let strategy = Calendar::of(&brand.profile).at(ctx.clock.now()).strategy;
        let every = every(own.unwrap_or(ctx.settings.poll.interval_s), strategy.multiplier());
        let aged = self.posted_at.map(|at| (ctx.clock.now() - at) / ANSWERED_PART);
        Ok(every.max(aged.and_then(|aged| aged.to_std().ok()).unwrap_or_default()))
    }
}

async fn page(ctx: &Ctx, lease: &Leased<Page>) -> anyhow::Result<Verdict> {
    let Some(poll) = poll(ctx, &lease.job).await? else {
        return Ok(Verdict::Cancel("the source or its query is not polled any more".into()));
    };
    let ring = KeyRing::load(&ctx.settings.secrets).context("key ring")?;
    let (workspace_id, source_id, query_hash) = poll.key();
    let key = Key { workspace_id: &workspace_id, source_id: &source_id, query_hash: &query_hash };
    let interval = poll.interval(ctx)?;
    let asked = fetch::fetch(ctx, &ring, &poll.source, &poll.query, &poll.cursor, key).await?;
    let failure = match asked {
        Ok(fetched) => return store(ctx, lease, &poll, key, fetched, interval).await,
        Err(failure) => failure,
    };
    metrics::counter!("millrace_poll_failures_total", "source" => poll.source.kind.clone(), "reason" => failure.code())
        .increment(1);
    let version = poll.cursor.version;
    let wait = back_off(poll.cursor.errors, interval);
    let failed = async |error: &str, next, anew| {
        let failed = Failed { error, next, anew, version };
        cursors::failed(&ctx.pool, key, failed).await.context("cursor")
    };
    match failure {
        Failure::NotNow(wait) => Ok(Verdict::Snooze(wait)),
        Failure::Away(why) => {
            failed(&why, wait, false).await?;
            tracing::warn!(source_id, why, "the platform does not answer");
            Ok(Verdict::Snooze(wait))
        }
        // The place of the page is too old, perhaps: the sweep begins again.
        Failure::Wrong(why) if poll.cursor.next_page.is_some() => {
            failed(&why, wait, true).await?;
            Ok(Verdict::Snooze(wait))
        }
        Failure::Wrong(why) => {
            failed(&why, interval.max(WRONG_AGAIN), false).await?;
            tracing::error!(source_id, why, "the platform refuses the query");
            Ok(Verdict::Done)
        }
    }
}

/// `None` if it is not to be polled.
async fn poll(ctx: &Ctx, job: &Page) -> anyhow::Result<Option<Poll>> {
    let found = credentials::polled(&ctx.pool, Some(&job.source_id)).await.context("source")?;
    let Some(source) = found.into_iter().next() else { return Ok(None) };
    let queries = plan::queries(&source.kind, &source.options).unwrap_or_default();
    let answered = answered(ctx, &source).await?.into_iter();
    let mut all = queries
        .into_iter()
        .map(|query| (query, None))
        .chain(answered.map(|(id, at)| (plan::to_us(&id), Some(at))));
    let Some((query, posted_at)) = all.find(|(q, _)| q.hash() == job.query_hash) else {
        return Ok(None);
    };
    let key = Key {
        workspace_id: &source.workspace_id,
        source_id: &source.id,
        query_hash: &job.query_hash,
    };
    let own = source.options.get("first_s").and_then(Value::as_i64);
    let first = match posted_at {
        Some(_) => ANSWERED,
        None => own.map_or(FIRST, |s| TimeDelta::seconds(s.clamp(0, FIRST_MAX_S))),
    };
    let cursor = cursors::load(&ctx.pool, key, first).await.context("cursor")?;
    Ok(cursor.map(|cursor| Poll { source, query, cursor, posted_at }))
}

/// Page, cursor, lease and the job for the next page, in one transaction.
async fn store(
    ctx: &Ctx,
    lease: &Leased<Page>,
    poll: &Poll,
    key: Key<'_>,
    fetched: Fetched,
    interval: Duration,
) -> anyhow::Result<Verdict> {
    let step = poll.cursor.after(&fetched.page);
    may_fail(Point::PageFetched)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let held = queue::complete_in(&mut tx, &[lease.id]).await.context("completing the lease")?;
    if held.is_empty()
        || !cursors::advance(&mut tx, key, &step, interval).await.context("cursor")?
    {
        // Somebody else has this query, and is further.
        tx.rollback().await.context("rollback")?;
        return Ok(Verdict::Done);
    }
    let mut ready = Default::default();
    if fetched.page.items > 0 {
        let event = event(poll, key.query_hash, &fetched);
        (_, ready) = insert::rows(&mut tx, &[event]).await.context("storing the page")?;
    }
    let next =
        if step.more { vec![job(&poll.source, key.query_hash.to_owned())?] } else { Vec::new() };
    let enqueued = ctx.queue.enqueue(&mut tx, &next).await.context("enqueueing")?;
    may_fail(Point::PageWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::PageCommitted)?;
    insert::wake(&ctx.queue, ready);
    ctx.queue.wake(&enqueued);
    metrics::counter!("millrace_poll_pages_total", "source" => poll.source.kind.clone())
        .increment(1);
    Ok(Verdict::Committed)
}

/// The page as a delivery: the same bytes for the same query are the same page.
fn event(poll: &Poll, query_hash: &str, fetched: &Fetched) -> NewEvent {
    let kind = match poll.query.kind {
        // To Reddit all of them are listings.
        "search" | "new" | "comments" if poll.source.kind == "reddit" => "listing",
        kind => kind,
    };
    let newest = fetched.page.newest.as_ref().map_or("", |(id, _)| id);
    let digest = Sha256::digest(&fetched.body).to_vec();
    let parts = ["page", query_hash, newest].map(|part| part.as_bytes().to_vec());
    let headers = json!({ "content-type": "application/json", PAGE_HEADER: kind });
    let key = delivery_key(&[parts.to_vec(), vec![digest]].concat());
    fetched_event(&poll.source, kind, &headers, key, fetched.body.clone())
}

/// What was fetched for a source, as an event.
pub(super) fn fetched_event(
    source: &Polled,
    kind: &str,
    headers: &Value,
    delivery_key: [u8; 32],
    body: Vec<u8>,
) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        workspace_id: source.workspace_id.as_str().into(),
        source_id: source.id.as_str().into(),
        delivery_key,
        event_type: Some(format!("page.{kind}")),
        headers: headers.to_string(),
        body: body.into(),
        secret_id: None,
        trace_id: Uuid::new_v4().simple().to_string(),
        received_at: None,
    }
}

/// So many times as often as every `seconds`.
fn every(seconds: u64, multiplier: f64) -> Duration {
    let [least, most] = [INTERVAL_S.start(), INTERVAL_S.end()].map(|s| Duration::from_secs(*s));
    Duration::from_secs(seconds).clamp(least, most).div_f64(multiplier).clamp(least, most)
}

/// 1, 2, 4, 8, 10 s, a fifth of it random either way; after that, as often as the query is asked anyway.
fn back_off(errors_before: i32, interval: Duration) -> Duration {
    let step = match u32::try_from(errors_before) {
        Ok(n @ 0..5) => Duration::from_secs(2_u64.pow(n)).min(Duration::from_secs(10)),
        _ => interval.max(Duration::from_secs(10)),
    };
    step.mul_f64(rand::rng().random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_moves_the_interval_within_its_bounds() {
        let seconds = |seconds, multiplier| every(seconds, multiplier).as_secs_f64();
        assert_eq!(seconds(300, 1.0), 300.0);
        assert_eq!(seconds(300, 2.0), 150.0);
        assert_eq!(seconds(300, 0.5), 600.0);
        assert_eq!(seconds(1, 10.0), 1.0, "never more often than each second");
        assert_eq!(seconds(86_400, 0.1), 86_400.0, "never less often than each day");
    }
}
