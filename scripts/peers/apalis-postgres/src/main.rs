//! No-op jobs per second and pick-up latency of apalis-postgres, tuned. Prints one JSON line.
//!
//! `apalis-postgres-peer drain URL JOBS ROUNDS BATCH WORKERS` | `apalis-postgres-peer latency URL JOBS PER_SECOND POLL_MS`
//! (0: woken by NOTIFY)

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage, queries::push_tasks};
use sqlx::{PgPool, postgres::PgPoolOptions};

const QUEUE: &str = "peer";
static RAN: AtomicUsize = AtomicUsize::new(0);
static SENT: Mutex<Vec<Option<Instant>>> = Mutex::new(Vec::new());
static WAITED: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

async fn noop(_: usize) {
    RAN.fetch_add(1, Ordering::Relaxed);
}

async fn timed(n: usize) {
    let sent = SENT.lock().unwrap().get(n).copied().flatten();
    WAITED.lock().unwrap().extend(sent.map(|s| s.elapsed()));
    RAN.fetch_add(1, Ordering::Relaxed);
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let number = |n: usize| -> Result<usize> {
        Ok(args.get(n).context("an argument is missing")?.parse()?)
    };
    let url = args.get(2).context("no URL")?;
    let pool = PgPoolOptions::new().max_connections(16).connect(url).await?;
    PostgresStorage::setup(&pool).await?;
    sqlx::query("truncate apalis.jobs").execute(&pool).await?;
    match args.get(1).map(String::as_str) {
        Some("drain") => drain(&pool, number(3)?, number(4)?, number(5)?, number(6)?).await,
        Some("latency") => latency(&pool, number(3)?, number(4)?, number(5)?).await,
        _ => anyhow::bail!("drain or latency"),
    }
}

fn config(batch: usize) -> Config {
    Config::default().queue(QUEUE).batch_size(batch).lock_tasks(false)
}

async fn push(pool: &PgPool, from: usize, count: usize) -> Result<()> {
    let mut tx = pool.begin().await?;
    let tasks = (from..from + count)
        .map(|n| TaskBuilder::new(n.to_string().into_bytes()).build())
        .collect();
    push_tasks(&mut *tx, QUEUE, tasks).await?;
    tx.commit().await?;
    Ok(())
}

async fn drain(
    pool: &PgPool,
    jobs: usize,
    rounds: usize,
    batch: usize,
    workers: usize,
) -> Result<()> {
    let mut rates = Vec::new();
    for round in 0..rounds {
        for from in (0..jobs).step_by(1000) {
            push(pool, from, 1000.min(jobs - from)).await?;
        }
        RAN.store(0, Ordering::Relaxed);
        let began = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for n in 0..workers {
            let storage = PostgresStorage::new(pool)
                .with_config(config(batch))
                .poll_with_interval(Duration::from_millis(2));
            let worker =
                WorkerBuilder::new(format!("r{round}w{n}p{}", std::process::id()))
                    .backend(storage)
                    .build(noop);
            running.spawn(worker.run());
        }
        while RAN.load(Ordering::Relaxed) < jobs || open(pool).await? > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        rates.push(jobs as f64 / began.elapsed().as_secs_f64());
        running.shutdown().await;
    }
    println!("{{\"jobs_per_s\":{rates:?}}}");
    Ok(())
}

async fn open(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "select count(*) from (select from apalis.jobs where status <> 'Done' limit 1) j",
    )
    .fetch_one(pool)
    .await?)
}

async fn latency(pool: &PgPool, jobs: usize, per_second: usize, poll_ms: usize) -> Result<()> {
    *SENT.lock().unwrap() = vec![None; jobs];
    let storage = PostgresStorage::new(pool).with_config(config(10));
    let worker = WorkerBuilder::new(format!("l{}", std::process::id()));
    let running = if poll_ms == 0 {
        tokio::spawn(worker.backend(storage.with_pubsub()).build(timed).run())
    } else {
        let poll = Duration::from_millis(u64::try_from(poll_ms)?);
        tokio::spawn(worker.backend(storage.poll_with_interval(poll)).build(timed).run())
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(per_second)?);
    for n in 0..jobs {
        tick.tick().await;
        push(pool, n, 1).await?;
        if let Some(slot) = SENT.lock().unwrap().get_mut(n) {
            *slot = Some(Instant::now());
        }
    }
    let patience = Instant::now();
    while RAN.load(Ordering::Relaxed) < jobs && patience.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.abort();
    let mut waited = WAITED.lock().unwrap().clone();
    waited.sort();
    let at = |q: usize| waited.get((waited.len() * q / 100).min(waited.len() - 1)).copied();
    let ms = |d: Option<Duration>| d.unwrap_or_default().as_secs_f64() * 1000.0;
    println!(
        "{{\"p50_ms\":{},\"p99_ms\":{},\"measured\":{}}}",
        ms(at(50)),
        ms(at(99)),
        waited.len()
    );
    Ok(())
}
