//! Delivering the demo's data and waiting until nothing of it is left to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, Result};
use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use millrace_config::Clock;
use millrace_jobs::store::outcome::{self, Progress};
use sqlx::PgPool;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    data::Data,
    report::{Report, Tally},
    send::{Outgoing, Reply, Sender},
    setup::{DemoSource, Setup},
    shots::{self, Expect, Guise, Shot},
};

/// Deliveries under way at once.
const AT_ONCE: usize = 16;
/// Give up when nothing has moved for this long.
const STALLED_AFTER: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(150);

/// Deliver everything, wait until it is processed, and say what became of it.
///
/// # Errors
/// If the server or the database stops answering.
pub async fn feed(pool: &PgPool, setup: &Setup, clock: &Clock) -> Result<Report> {
    let shots = shots::all(&Data::shipped()?);
    let bar = ProgressBar::new(shots.len().try_into()?).with_style(style("delivered")?);
    let sender = Sender::new()?;
    let began = Instant::now();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut events = BTreeSet::new();
    let mut surprises = Vec::new();
    let mut answers = stream::iter(&shots)
        .map(|shot| {
            let sender = &sender;
            async move { (shot, deliver(sender, setup, shot, clock).await) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((shot, answer)) = answers.next().await {
        let (source, reply) =
            answer.with_context(|| format!("delivering {} to {}", shot.id, shot.kind))?;
        tallies
            .entry(source.id.clone())
            .or_insert_with(|| Tally::new(&source.name))
            .count(reply.outcome);
        events.extend(reply.event);
        surprises.extend(surprise(shot, &reply));
        bar.inc(1);
    }
    bar.finish();
    let events: Vec<Uuid> = events.into_iter().collect();
    surprises.extend(settle(pool, &setup.workspace, &events).await?);
    let took = began.elapsed();
    let became = outcome::by_source(pool, &setup.workspace, &events).await?;
    Ok(Report::new(tallies, became, surprises, took))
}

async fn deliver<'a>(
    sender: &Sender,
    setup: &'a Setup,
    shot: &Shot,
    clock: &Clock,
) -> Result<(&'a DemoSource, Reply)> {
    let source =
        setup.source(shot.kind).with_context(|| format!("no demo source {}", shot.kind))?;
    let at = match shot.guise {
        Guise::Stale => clock.now() - TimeDelta::hours(1),
        Guise::Honest | Guise::WrongSecret | Guise::Unsigned => clock.now(),
    };
    let secret = match shot.guise {
        Guise::Honest | Guise::Stale => source.secret.as_str(),
        Guise::WrongSecret => "bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBzb3VyY2U=",
        Guise::Unsigned => "",
    };
    let reply = sender
        .send(Outgoing {
            url: &setup.hook(source),
            scheme: &source.scheme,
            secret,
            id: &shot.id,
            content_type: shot.content_type,
            headers: &shot.headers,
            body: &shot.body,
            at,
        })
        .await?;
    Ok((source, reply))
}

/// A delivery that did not end as it had to.
fn surprise(shot: &Shot, reply: &Reply) -> Option<String> {
    let right = match shot.expect {
        Expect::Taken => ["accepted", "duplicate"].contains(&reply.outcome),
        Expect::Refused => reply.outcome == "refused",
        Expect::Replied => reply.outcome == "replied",
    };
    (!right).then(|| {
        format!(
            "{} {}: expected {:?}, got {} ({})",
            shot.kind, shot.id, shot.expect, reply.status, reply.outcome
        )
    })
}

/// Waits until every event is normalised and every signal of them processed; says what is left if nothing
/// moves any more.
async fn settle(pool: &PgPool, workspace: &str, events: &[Uuid]) -> Result<Option<String>> {
    let bar = ProgressBar::new(0).with_style(style("processed")?);
    let mut last = Progress::default();
    let mut moved = Instant::now();
    loop {
        let now = outcome::progress(pool, workspace, events).await?;
        bar.set_length(u64::try_from(now.events_waiting + now.signals)?);
        bar.set_position(u64::try_from(now.signals - now.signals_waiting)?);
        if now.is_done() {
            bar.finish();
            return Ok(None);
        }
        if now != last {
            (last, moved) = (now, Instant::now());
        }
        if moved.elapsed() > STALLED_AFTER {
            bar.abandon();
            return Ok(Some(format!(
                "{} events and {} signals wait and nothing moves; `millrace jobs ls` and `millrace dead ls` say why",
                last.events_waiting, last.signals_waiting
            )));
        }
        sleep(POLL).await;
    }
}

fn style(word: &str) -> Result<ProgressStyle> {
    let template = format!("{word} {{bar:40}} {{pos}}/{{len}} ({{elapsed}})");
    Ok(ProgressStyle::with_template(&template)?)
}
