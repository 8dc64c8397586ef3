//! The queue's promises, each against a real Postgres.

mod backoff;
mod basics;
mod control;
mod crash;
mod fairness;
mod plans;
mod schedule;
mod slow;
mod snapshot;
mod unique;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use millrace_config::Settings;
use millrace_jobs::{
    ctx::Ctx,
    jobs,
    queue::{
        Enqueued, Job, LeaseId, Leased, NewJob, Spec, Verdict,
        admin::{Cancelled, JobView},
        dead::{DeadFilter, Replayed},
        step,
    },
};
use millrace_tests::{Pg, rig};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

/// Generous: the machine may be busy.
const SOON: Duration = Duration::from_secs(30);

/// Does what its payload says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Act {
    name: String,
    does: Does,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Does {
    Succeed,
    Fail,
    Panic,
    Snooze,
    Die,
    Cancel,
    Hang,
}

impl Job for Act {
    const KIND: &'static str = "test.act";
    const ATTEMPTS_MAX: i32 = 3;

    async fn run(_: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for leased in batch {
            log(&leased.job.name, &leased);
            verdicts.push(match leased.job.does {
                Does::Succeed => Verdict::Done,
                Does::Fail => Verdict::Retry(anyhow::anyhow!("no luck")),
                Does::Panic => panic!("as told"),
                Does::Snooze => Verdict::Snooze(Duration::from_hours(1)),
                Does::Die => Verdict::Dead(anyhow::anyhow!("never")),
                Does::Cancel => Verdict::Cancel("not needed".into()),
                Does::Hang => std::future::pending().await,
            });
        }
        verdicts
    }
}

const ACT: &[Spec] = jobs![Act];

/// One run of a job, as it saw itself.
#[derive(Debug, Clone)]
struct Run {
    lease: LeaseId,
    workspace: String,
    attempts_before: i32,
}

/// Runs by job name; names are unique to their test.
static RUNS: Mutex<Option<HashMap<String, Vec<Run>>>> = Mutex::new(None);

fn log(name: &str, leased: &Leased<Act>) {
    let run = Run {
        lease: leased.id,
        workspace: leased.workspace_id.clone(),
        attempts_before: leased.attempts_before,
    };
    let mut runs = RUNS.lock().unwrap();
    runs.get_or_insert_default().entry(name.to_owned()).or_default().push(run);
}

fn runs(name: &str) -> Vec<Run> {
    let runs = RUNS.lock().unwrap();
    runs.as_ref().and_then(|r| r.get(name)).cloned().unwrap_or_default()
}

/// Runs of all jobs so far.
fn begun() -> usize {
    RUNS.lock().unwrap().as_ref().map_or(0, |all| all.values().map(Vec::len).sum())
}

fn act(name: &str, does: Does) -> NewJob {
    NewJob::of("w1", &Act { name: name.into(), does }).unwrap()
}

fn of(workspace: &str, job: NewJob) -> NewJob {
    NewJob { workspace_id: workspace.into(), ..job }
}

async fn put(ctx: &Ctx, jobs: &[NewJob]) -> Vec<Enqueued> {
    let mut tx = ctx.pool.begin().await.unwrap();
    let enqueued = ctx.queue.enqueue(&mut tx, jobs).await.unwrap();
    tx.commit().await.unwrap();
    ctx.queue.wake(&enqueued);
    enqueued
}

async fn put_one(ctx: &Ctx, job: NewJob) -> i64 {
    put(ctx, &[job]).await[0].id
}

/// A context on a database of its own.
async fn fresh() -> Arc<Ctx> {
    fresh_with(|_| {}).await
}

async fn fresh_with(change: impl FnOnce(&mut Settings)) -> Arc<Ctx> {
    let db = Pg::database().await;
    let mut settings = rig::settings();
    change(&mut settings);
    rig::ctx(&db.pool, settings)
}

async fn once(ctx: &Arc<Ctx>) -> usize {
    step(ctx, ACT).await.unwrap()
}

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// Make everything that waits for its time due.
async fn hurry(ctx: &Ctx) {
    sqlx::query("update ops.jobs set run_at = now() where state = 'scheduled'")
        .execute(&ctx.pool)
        .await
        .unwrap();
}

/// Let every lease run out.
async fn forsake(ctx: &Ctx) {
    sqlx::query(
        "update ops.jobs set lease_until = now() - interval '1 second' where state = 'running'",
    )
    .execute(&ctx.pool)
    .await
    .unwrap();
}

const LEASED: &str = "select count(*) from ops.jobs where lease_until > now()";

/// Start a round and kill it while its jobs run: their leases stay behind.
async fn die_running(ctx: &Arc<Ctx>) {
    let (round, pool) = (ctx.clone(), ctx.pool.clone());
    let before = begun();
    let round = tokio::spawn(async move { step(&round, ACT).await });
    // Claimed, and begun: between the two it would leave no trace here.
    millrace_tests::wait_until("running", SOON, async || {
        (count(&pool, LEASED).await > 0 && begun() > before).then_some(())
    })
    .await;
    round.abort();
    assert!(round.await.unwrap_err().is_cancelled());
    forsake(ctx).await;
}

async fn show(ctx: &Ctx, workspace: Option<&str>, id: i64) -> Option<JobView> {
    let mut conn = ctx.pool.acquire().await.unwrap();
    ctx.queue.show(&mut conn, workspace, id).await.unwrap()
}

async fn cancel(ctx: &Ctx, workspace: Option<&str>, id: i64) -> Cancelled {
    let mut conn = ctx.pool.acquire().await.unwrap();
    let cancelled = ctx.queue.cancel(&mut conn, workspace, id).await.unwrap();
    ctx.queue.wake_cancels();
    cancelled
}

async fn replay(ctx: &Ctx, filter: &DeadFilter) -> Vec<Replayed> {
    let (replayed, ready) = ctx.queue.replay(&ctx.pool, filter).await.unwrap();
    ctx.queue.wake_ready(ready);
    replayed
}
