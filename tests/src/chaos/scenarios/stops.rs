use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rustix::process::Pid;
use sqlx::PgPool;

use crate::{
    chaos::{house::Shape, load::End, run::Run},
    reliability::Figure,
};

const RATE: u32 = 200;
/// Long enough that no lease ends because the machine is busy: that would use up attempts.
const LEASE: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// R22: processes are told to end, and do so without a trace.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut random = StdRng::seed_from_u64(22);
    let mut run = Run::start(&Shape { lease: LEASE, ..Shape::default() }, RATE).await;
    let pool = run.house.database().await.pool;
    let (mut longest, mut held) = (Duration::ZERO, 0);
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..2000))).await;
        let victim = random.random_range(0..run.house.apps.len());
        let workers = workers_of(&pool, run.house.apps[victim].pid()).await;
        longest = longest.max(run.house.stop(victim).await);
        held += leases_of(&pool, &workers).await;
    }
    let (outcome, _house) = run.finish().await;
    let consumed: i64 = sqlx::query_scalar(
        "select count(*) from ops.job_history where crashes > 0 or error is not null",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let broken = outcome.samples.iter().filter(|s| s.end == End::Broken).count();
    let kept = outcome.verdict.is_good() && (held, consumed, broken) == (0, 0, 0);
    let figure = format!(
        "{times} stops: {}; {broken} requests broken, {held} leases left, {consumed} attempts used up, longest {:.1} s",
        outcome.judged(),
        longest.as_secs_f64()
    );
    vec![Figure::new("R22", kept, figure).within(longest <= ENDS_WITHIN)]
}

async fn workers_of(pool: &PgPool, process: Pid) -> Vec<String> {
    sqlx::query_scalar("select id from ops.workers where pid = $1")
        .bind(process.as_raw_nonzero().get())
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Jobs that the workers still hold.
async fn leases_of(pool: &PgPool, workers: &[String]) -> i64 {
    sqlx::query_scalar("select count(*) from ops.jobs where leased_by = any($1)")
        .bind(workers)
        .fetch_one(pool)
        .await
        .unwrap()
}
