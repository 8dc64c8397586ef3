use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use millrace_jobs::queue::NewJob;
use sqlx::PgPool;

use crate::{
    Database, Pg, app,
    chaos::killer::{Kill, Quick},
    reliability::Figure,
    rig, wait_until,
};

const PER_SECOND: u32 = 50;
const SOON: Duration = Duration::from_secs(120);
const SLOWER_MAX: f64 = 2.0;
/// Below this, a ratio is noise.
const QUICK_S: f64 = 0.02;

/// R5: a job that kills every process it runs in, among `times` others.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let (alone, _) = neighbours(times, false).await;
    let (beside, killer) = neighbours(times, true).await;
    let (reason, crashes, max) = killer.unwrap();
    let figure = format!(
        "{crashes} deliveries of {max} allowed, then a dead letter ({reason}); {times} neighbours: p99 {:.1} ms beside \
         it, {:.1} ms alone",
        beside * 1e3,
        alone * 1e3
    );
    let kept = reason == "crashed" && crashes == max;
    let fast = beside <= alone.max(QUICK_S) * SLOWER_MAX;
    vec![Figure::new("R5", kept, figure).within(fast)]
}

/// 99th percentile of seconds from enqueued to done, and how the killer ended.
async fn neighbours(jobs: u32, with_killer: bool) -> (f64, Option<(String, i32, i32)>) {
    let db = Pg::database().await;
    let mut workers = Workers::of(&db);
    let queue = rig::ctx(&db.pool, rig::settings()).queue.clone();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    for nth in 0..jobs {
        ticks.tick().await;
        workers.restart();
        let mut wanted = vec![NewJob::of("w1", &Quick).unwrap()];
        if with_killer && nth == jobs / 10 {
            wanted.push(NewJob::of("w1", &Kill).unwrap());
        }
        let mut tx = db.pool.begin().await.unwrap();
        let enqueued = queue.enqueue(&mut tx, &wanted).await.unwrap();
        tx.commit().await.unwrap();
        queue.wake(&enqueued);
    }
    wait_until("all jobs to end", SOON, async || {
        workers.restart();
        (left(&db.pool).await == 0).then_some(())
    })
    .await;
    let p99 = sqlx::query_scalar(
        "select percentile_cont(0.99) within group (order by extract(epoch from finished_at - created_at))::float8
         from ops.job_history where kind = 'chaos.quick'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    let max = rig::settings().queue.crashes_max;
    let dead: Option<(String, i32)> =
        sqlx::query_as("select reason, crashes from ops.dead_letters")
            .fetch_optional(&db.pool)
            .await
            .unwrap();
    (p99, dead.map(|(reason, crashes)| (reason, crashes, max)))
}

async fn left(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(pool).await.unwrap()
}

/// Two processes, started again when they die.
struct Workers {
    url: String,
    running: Vec<Child>,
}

impl Workers {
    fn of(db: &Database) -> Self {
        let url = db.url.clone();
        let running = vec![worker(&url), worker(&url)];
        Self { url, running }
    }

    fn restart(&mut self) {
        for child in &mut self.running {
            if child.try_wait().unwrap().is_some() {
                *child = worker(&self.url);
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for child in &mut self.running {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn worker(url: &str) -> Child {
    let mut command = Command::new(app::program("millrace-chaos"));
    command.args(["worker", url]).stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}
