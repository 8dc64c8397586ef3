//! The one job that knows sources: stored bytes -> records -> rows, and the jobs that follow.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context;
use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    codebase::jobs::{Told, apply as apply_to_codebases},
    ctx::Ctx,
    queue::{self, Job, LeaseId, Leased, Verdict},
    signals::process,
    social::{
        brand::Brand,
        judge,
        record::Said,
        triage::{Triage, triage},
    },
    store::{
        signals::{Arrival, apply},
        social::{
            self,
            outcomes::{self, Told as ToldOutcome},
        },
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    events::readings::{Event, Reading, load, mark, sizes},
    source::{Hold, Normalized, Stored},
    sources,
};

/// Bytes of deliveries that are in memory, and in one transaction, at once.
const PART_BYTES_MAX: usize = 4 << 20;

/// Normalise one stored event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Normalize {
    /// `ops.events.id`.
    pub event_id: Uuid,
    /// `ops.sources.id`, for the dead letter.
    pub source_id: String,
}

impl Job for Normalize {
    const KIND: &'static str = "normalize";
    const TIMEOUT: Duration = Duration::from_secs(120);
    const BATCH_MAX: usize = 128;
    const CONCURRENCY: usize = 4;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let parts = match parts(&ctx, &batch).await {
            Ok(parts) => parts,
            Err(e) => return batch.iter().map(|_| retry(&e)).collect(),
        };
        let mut verdicts = Vec::with_capacity(batch.len());
        for part in parts {
            match run_batch(&ctx, part).await {
                Ok(done) => verdicts.extend(done),
                // One bad event must not fail its neighbours: each gets a transaction of its own.
                Err(_) if part.len() > 1 => {
                    for one in part {
                        let done = run_batch(&ctx, std::slice::from_ref(one)).await;
                        verdicts.extend(done.unwrap_or_else(|e| vec![Verdict::Retry(e)]));
                    }
                }
                Err(e) => verdicts.push(Verdict::Retry(e)),
            }
        }
        verdicts
    }
}

fn retry(e: &anyhow::Error) -> Verdict {
    Verdict::Retry(anyhow::anyhow!("{e:#}"))
}

/// The batch in parts of at most [`PART_BYTES_MAX`], in order; a larger event is a part of its own.
async fn parts<'b>(
    ctx: &Ctx,
    batch: &'b [Leased<Normalize>],
) -> anyhow::Result<Vec<&'b [Leased<Normalize>]>> {
    let ids: Vec<Uuid> = batch.iter().map(|l| l.job.event_id).collect();
    let sizes = sizes(&ctx.pool, &ids).await.context("sizes of events")?;
    let (mut parts, mut rest, mut bytes, mut length) = (Vec::new(), batch, 0_usize, 0_usize);
    for id in &ids {
        let size = sizes.get(id).copied().unwrap_or(0);
        if length > 0 && bytes.saturating_add(size) > PART_BYTES_MAX {
            let (part, after) = rest.split_at(length);
            parts.push(part);
            (rest, bytes, length) = (after, 0, 0);
        }
        (bytes, length) = (bytes.saturating_add(size), length.saturating_add(1));
    }
    parts.push(rest);
    Ok(parts)
}

async fn run_batch(ctx: &Ctx, batch: &[Leased<Normalize>]) -> anyhow::Result<Vec<Verdict>> {
    let ids: Vec<Uuid> = batch.iter().map(|l| l.job.event_id).collect();
    let mut conn = ctx.pool.acquire().await.context("connection to load events")?;
    let events = load(&mut conn, &ids).await.context("loading events")?;
    drop(conn);
    let brands = brands(ctx, &events).await?;
    let read = move || {
        let read = |e: Event| {
            let reading = read(&e);
            let triages = triages(&reading, brands.get(&e.workspace_id).map(|brand| &**brand));
            (e.id, Read { reading, triages, event: e })
        };
        events.into_iter().map(read).collect::<HashMap<_, _>>()
    };
    let readings = tokio::task::spawn_blocking(read).await.context("normaliser thread")?;
    let stored = |l: &&Leased<Normalize>| readings.contains_key(&l.job.event_id);
    let leases: Vec<LeaseId> = batch.iter().filter(stored).map(|l| l.id).collect();

    may_fail(Point::NormalizeRead)?;
    let mut tx = ctx.pool.begin().await.context("begin")?;
    let held = queue::complete_in(&mut tx, &leases).await.context("completing leases")?;
    let held = batch.iter().filter(|l| held.contains(&l.id));
    let mut found: HashMap<Uuid, &Read> =
        held.filter_map(|l| readings.get(&l.job.event_id)).map(|r| (r.event.id, r)).collect();
    let found: Vec<&Read> = ids.iter().filter_map(|id| found.remove(id)).collect();
    mark(&mut tx, found.iter().map(|read| (&read.event, &read.reading)))
        .await
        .context("marking events")?;
    let arrivals: Vec<_> = found.iter().flat_map(|read| read.arrivals()).collect();
    let applied = apply(&mut tx, &arrivals).await.context("applying records")?;
    let mut follow_ups = process::jobs(&arrivals, &applied)?;
    let changes: Vec<_> = found.iter().flat_map(|read| read.changes()).collect();
    follow_ups.extend(apply_to_codebases(&mut tx, &changes).await?);
    // Before the posts: both lock authors, and this waits for its turn first.
    let told: Vec<_> = found.iter().flat_map(|read| read.outcomes()).collect();
    outcomes::apply(&mut tx, &told, ctx.clock.now()).await.context("applying outcomes")?;
    let said: Vec<_> = found.iter().flat_map(|read| read.said()).collect();
    let posts = social::apply(&mut tx, &said).await.context("applying posts")?;
    follow_ups.extend(judge::jobs(&posts.to_decide)?);
    let enqueued = ctx.queue.enqueue(&mut tx, &follow_ups).await.context("enqueueing")?;
    may_fail(Point::NormalizeWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::NormalizeCommitted)?;
    ctx.queue.wake(&enqueued);
    for ((_, platform, stage), posts) in &posts.funnel {
        metrics::counter!("millrace_social_posts_total", "platform" => *platform, "stage" => *stage)
            .increment(u64::try_from(*posts).unwrap_or(0));
    }
    Ok(batch.iter().map(|l| verdict(stored(&l))).collect())
}

fn verdict(stored: bool) -> Verdict {
    if stored {
        // A lease that was lost meanwhile is somebody else's now; its refusal is counted.
        Verdict::Committed
    } else {
        Verdict::Cancel("the event's bytes have expired, or its source is gone".into())
    }
}

/// An event that was read.
struct Read {
    reading: Reading,
    /// Of what is said about posts, one for each.
    triages: Vec<Triage>,
    event: Event,
}

impl Read {
    fn arrivals(&self) -> impl Iterator<Item = Arrival<'_>> {
        let records = match &self.reading {
            Ok(Normalized::Records(records)) => records.as_slice(),
            _ => &[],
        };
        records.iter().map(|record| Arrival {
            workspace_id: &self.event.workspace_id,
            source_id: &self.event.source_id,
            event_id: self.event.id,
            trace_id: &self.event.trace_id,
            record,
        })
    }

    fn changes(&self) -> impl Iterator<Item = Told<'_>> {
        let changes = match &self.reading {
            Ok(Normalized::Codebases(changes)) => changes.as_slice(),
            _ => &[],
        };
        let Event { workspace_id, trace_id, .. } = &self.event;
        changes.iter().map(move |change| Told { workspace_id, trace_id, change })
    }

    fn outcomes(&self) -> impl Iterator<Item = ToldOutcome<'_>> {
        let outcomes = match &self.reading {
            Ok(Normalized::Outcomes(outcomes, _)) => outcomes.as_slice(),
            _ => &[],
        };
        let workspace_id = &self.event.workspace_id;
        outcomes.iter().map(move |outcome| ToldOutcome { workspace_id, outcome })
    }

    fn said(&self) -> impl Iterator<Item = social::Arrival<'_>> {
        posts(&self.reading).iter().zip(&self.triages).map(|(said, triage)| social::Arrival {
            workspace_id: &self.event.workspace_id,
            source_id: &self.event.source_id,
            event_id: self.event.id,
            trace_id: &self.event.trace_id,
            said,
            triage: triage.clone(),
        })
    }
}

const fn posts(reading: &Reading) -> &[Said] {
    match reading {
        Ok(Normalized::Social(said, _)) => said.as_slice(),
        _ => &[],
    }
}

/// The brand profile of each workspace that something social is said to.
async fn brands(ctx: &Ctx, events: &[Event]) -> anyhow::Result<HashMap<String, Arc<Brand>>> {
    let social = |event: &&Event| sources::by_name(&event.kind).is_some_and(|s| s.is_social());
    let mut brands = HashMap::new();
    for Event { workspace_id, .. } in events.iter().filter(social) {
        if !brands.contains_key(workspace_id) {
            let brand = ctx.social.brands.in_force(&ctx.pool, &ctx.settings, workspace_id).await?;
            brands.insert(workspace_id.clone(), brand);
        }
    }
    Ok(brands)
}

fn triages(reading: &Reading, brand: Option<&Brand>) -> Vec<Triage> {
    let triage = |said: &Said| match (said, brand) {
        (Said::Post(post), Some(brand)) => triage(post, &brand.profile),
        _ => Triage::default(),
    };
    posts(reading).iter().map(triage).collect()
}

/// Run the pure normaliser; a panic in it (a bug, or hostile input to a parser) holds the one event.
pub(crate) fn read(event: &Event) -> Reading {
    let Some(source) = sources::by_name(&event.kind) else {
        let detail = format!("no source named {}", event.kind);
        return Err(Hold { reason: "unknown_kind", detail });
    };
    let stored = Stored {
        headers: &event.headers,
        body: &event.body,
        received_at: event.received_at,
        delivery_key: &event.delivery_key,
    };
    let run = std::panic::AssertUnwindSafe(|| source.normalize(&stored, &event.config));
    let panicked = |_| {
        let detail = "report this as a bug, with the event's id".into();
        Err(Hold { reason: "normalizer_panicked", detail })
    };
    std::panic::catch_unwind(run).unwrap_or_else(panicked)
}
