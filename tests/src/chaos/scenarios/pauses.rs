use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::process::Signal;
use sqlx::PgPool;

use crate::{
    App,
    chaos::{
        house::{LEASE, Shape},
        run::Run,
    },
    reliability::Figure,
    wait_until,
};

const RATE: u32 = 200;
const SENT: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(60);

/// R3: whoever wakes up after its lease finishes nobody else's attempt.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut random = StdRng::seed_from_u64(3);
    let run = Run::start(&Shape::default(), RATE).await;
    let workers = run.house.of_role("work");
    let pool = run.house.database().await.pool;
    for _ in 0..times {
        let worker = &run.house.apps[workers[random.random_range(0..workers.len())]];
        stopped_at_work(&pool, worker).await;
        tokio::time::sleep(LEASE * 3).await;
        worker.signal(Signal::CONT);
    }
    let (outcome, _house) = run.finish().await;
    let met = outcome.verdict.is_good() && outcome.fenced >= u64::from(times);
    let (judged, fenced) = (outcome.judged(), outcome.fenced);
    vec![Figure::new(
        "R3",
        met,
        format!("{times} pauses: {judged}; {fenced} stale deliveries refused or given up"),
    )]
}

/// Stops the worker at a moment when it holds leases.
async fn stopped_at_work(pool: &PgPool, worker: &App) {
    wait_until("the worker to be at work", SOON, async || {
        worker.signal(Signal::STOP);
        // What it had sent by then still happens.
        tokio::time::sleep(SENT).await;
        let at_work: bool = sqlx::query_scalar(
            "select exists (select from ops.jobs j join ops.workers w on w.id = j.leased_by where w.pid = $1)",
        )
        .bind(worker.pid().as_raw_nonzero().get())
        .fetch_one(pool)
        .await
        .unwrap();
        if !at_work {
            worker.signal(Signal::CONT);
        }
        at_work.then_some(())
    })
    .await;
}
