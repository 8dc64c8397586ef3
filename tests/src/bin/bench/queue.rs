//! The queue: jobs per second through the real runtime with finished rows kept, and pick-up latency; with a backlog of
//! a million, with a snapshot held open, and beside apalis-postgres on the same server.
//!
//! apalis-postgres needs the extensions hstore and pgcrypto, which the embedded Postgres does not carry. So the
//! comparison takes any Postgres 15 or later that has them, and an empty database in it:
//! `millrace-bench queue --url=postgres://... --peer=PROGRAM` (built in `scripts/peers/apalis-postgres`). There only the
//! queue's tables are made, so that pgvector is not needed.

pub(crate) mod held;
mod jobs;
mod rig;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection, PgPool};

use self::rig::{Peer, Rig, latency};
use crate::{
    report::{Report, median},
    server,
};
use jobs::{Noop, NoopBatch};

/// Jobs of a round.
const JOBS: usize = 40_000;
/// Rounds, in turns with the peer.
const ROUNDS: usize = 5;
/// Rounds while a snapshot is held.
const SNAPSHOT_ROUNDS: usize = 8;
/// Ready jobs in front.
const BACKLOG: usize = 1_000_000;
/// Tenants a backlog belongs to.
const SHAPES: [usize; 2] = [1, 1000];
/// Jobs whose pick-up is timed in a round, and rounds.
const TIMED: usize = 500;
const TIMED_ROUNDS: usize = 3;

pub(crate) async fn run(report: &mut Report, args: &[String]) -> Result<()> {
    let option = |name: &str| args.iter().find_map(|a| a.strip_prefix(name)).map(str::to_owned);
    // The server stays until all is measured.
    let (_own, url, pool) = match option("--url=") {
        Some(url) => {
            let pool = PgPool::connect(&url).await?;
            rig::schema(&pool).await.context("the database must be empty")?;
            (None, url, pool)
        }
        None => {
            let (server, db) = server::postgres().await;
            (Some(server), db.url, db.pool)
        }
    };
    let peer = option("--peer=").map(|program| Peer { program, url: url.clone() });
    let rig = Rig { pool };
    report.note("No-op jobs through the apalis runtime, one per call, finished rows kept, commits flushed to disk.");
    report.note("Pick-up: from the return of the enqueueing commit to the job's first line, 50 jobs a second.");
    report.note(format!("Medians of {ROUNDS} rounds of {JOBS} jobs, of {TIMED_ROUNDS} rounds of {TIMED} pick-ups, in turns with the peer."));
    if peer.is_some() {
        report.note("The peer needs a server with hstore and pgcrypto: `millrace-bench queue --url=EMPTY_DATABASE --peer=PROGRAM`.");
    }
    let alone = drains(report, &rig, peer.as_ref()).await?;
    let idle = pick_up(report, &rig, "idle", "p99 <= 3 ms", peer.as_ref()).await?;
    snapshot(report, &rig, &url, alone).await?;
    for tenants in SHAPES {
        backlog(report, &rig, tenants, alone, idle).await?;
    }
    Ok(())
}

async fn drains(report: &mut Report, rig: &Rig, peer: Option<&Peer>) -> Result<f64> {
    let (mut ours, mut batched, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms the tables and is not counted.
    for round in 0..=ROUNDS {
        let (one, many) = (rig.round::<Noop>(JOBS).await?, rig.round::<NoopBatch>(JOBS).await?);
        let other = match peer {
            Some(peer) => Some(peer.drain(JOBS).await?),
            None => None,
        };
        if round > 0 {
            ours.push(one);
            batched.push(many);
            peers.extend(other);
        }
    }
    let alone = median(ours.clone());
    let reference = if peers.is_empty() {
        "no --peer given".into()
    } else {
        let theirs = median(peers.clone());
        format!("apalis-postgres tuned {theirs:.0}, x{:.2}", alone / theirs)
    };
    report.row("jobs/s", &format!("{alone:.0}"), &reference, "x >= 1.5");
    report.row("jobs/s, 64 per call", &format!("{:.0}", median(batched)), "", "");
    println!("rounds: {} | peer: {}", list(&ours), list(&peers));
    Ok(alone)
}

/// Returns the p99 of the slower way, in milliseconds.
async fn pick_up(
    report: &mut Report,
    rig: &Rig,
    when: &str,
    bar: &str,
    peer: Option<&Peer>,
) -> Result<f64> {
    let (mut near, mut far, mut peers) = (Waits::default(), Waits::default(), Waits::default());
    for _ in 0..TIMED_ROUNDS {
        near.add(latency(rig, TIMED, 50, false).await?);
        far.add(latency(rig, TIMED, 50, true).await?);
        if let Some(peer) = peer {
            peers.add(peer.latency(TIMED).await?);
        }
    }
    let theirs = if peer.is_some() { peers.figure("apalis-postgres: ") } else { String::new() };
    report.row(&format!("pick-up, {when}, same process"), &near.figure(""), "", bar);
    report.row(&format!("pick-up, {when}, by NOTIFY"), &far.figure(""), &theirs, bar);
    println!("p99 rounds: {:.2?} | {:.2?} | peer: {:.2?}", near.p99, far.p99, peers.p99);
    Ok(median(near.p99).max(median(far.p99)))
}

/// Quantiles of some rounds, in milliseconds.
#[derive(Default)]
struct Waits {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Waits {
    fn add(&mut self, (p50, p99): (f64, f64)) {
        self.p50.push(p50);
        self.p99.push(p99);
    }

    fn figure(&self, whose: &str) -> String {
        format!("{whose}p50 {:.2} p99 {:.2} ms", median(self.p50.clone()), median(self.p99.clone()))
    }
}

async fn snapshot(report: &mut Report, rig: &Rig, url: &str, alone: f64) -> Result<()> {
    let mut held = PgConnection::connect(url).await?;
    let mut tx = held.begin().await?;
    sqlx::query("set transaction isolation level repeatable read").execute(&mut *tx).await?;
    sqlx::query("select count(*) from ops.jobs").execute(&mut *tx).await?;
    let mut rates = Vec::new();
    for _ in 0..SNAPSHOT_ROUNDS {
        rates.push(rig.round::<Noop>(JOBS).await?);
    }
    let last = rates.last().copied().unwrap_or(0.0);
    println!("rounds under a snapshot: {}", list(&rates));
    let reference = format!("without: {alone:.0}, x{:.2}", last / alone);
    let what = format!("jobs/s, snapshot held, round {SNAPSHOT_ROUNDS}");
    report.row(&what, &format!("{last:.0}"), &reference, "x >= 0.8");
    pick_up(report, rig, "snapshot still held", "", None).await?;
    tx.rollback().await?;
    held.close().await?;
    Ok(())
}

async fn backlog(
    report: &mut Report,
    rig: &Rig,
    tenants: usize,
    alone: f64,
    idle: f64,
) -> Result<()> {
    let of =
        if tenants == 1 { "1M of a tenant".into() } else { format!("1M of {tenants} tenants") };
    rig.fill(BACKLOG, tenants).await?;
    rig.pause(tenants).await?;
    let bar = format!("p99 <= {:.2} ms", idle * 1.2);
    pick_up(report, rig, &format!("{of} paused"), &bar, None).await?;
    rig.resume().await?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        rates.push(rig.some::<Noop>(JOBS).await?);
    }
    println!("rounds out of the backlog: {}", list(&rates));
    let mut row = |what: String, rate: f64| {
        let reference = format!("without: {alone:.0}, x{:.2}", rate / alone);
        report.row(&what, &format!("{rate:.0}"), &reference, "x >= 0.8");
    };
    row(format!("jobs/s, {of} in front"), median(rates));
    let rest = rig.waiting().await?;
    row(format!("jobs/s, all the rest of {of}"), rig.some::<Noop>(rest).await?);
    Ok(())
}

fn list(rates: &[f64]) -> String {
    rates.iter().map(|r| format!("{r:.0}")).collect::<Vec<_>>().join(" ")
}
