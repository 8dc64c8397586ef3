use std::time::Duration;

use serde_json::json;

use crate::{App, Database, Pg, Sender, oracle, reliability::Figure, wait_until};

const SOON: Duration = Duration::from_secs(60);
/// In the middle of one transaction when the worker is killed.
const JOBS: i64 = 40;
/// Lease of 15 s and the janitor's second.
const AGAIN_WITHIN_S: f64 = 16.0;

/// R4: what a killed worker had in hand runs again.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let mut waited = Vec::new();
    for _ in 0..times {
        waited.extend(orphaned().await);
    }
    waited.sort_by(f64::total_cmp);
    let p99 = waited[(waited.len() - 1) * 99 / 100];
    let figure = format!(
        "{} jobs of {times} killed workers: p99 {p99:.1} s from the kill to the next attempt, default lease of 15 s",
        waited.len()
    );
    let all = waited.len() == usize::try_from(JOBS).unwrap() * usize::try_from(times).unwrap();
    vec![Figure::new("R4", all, figure).within(p99 <= AGAIN_WITHIN_S)]
}

/// Seconds from the kill to the next start, of each job, on the database's clock.
async fn orphaned() -> Vec<f64> {
    let db = Pg::database().await;
    let serve = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let mut blocked = db.pool.begin().await.unwrap();
    sqlx::query("lock table signals.signals in exclusive mode")
        .execute(&mut *blocked)
        .await
        .unwrap();
    for nth in 0..JOBS {
        let body =
            json!({ "verbatim": format!("Report {nth} stops"), "sourceRef": format!("{nth}") });
        assert_eq!(sender.send("", &body).await.status, 200);
    }
    let mut victim = App::new(&db, &["work"]).spawned();
    running(&db, JOBS).await;
    let killed: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("select clock_timestamp()").fetch_one(&db.pool).await.unwrap();
    victim.kill();
    blocked.rollback().await.unwrap();
    let _second = App::new(&db, &["work"]).spawned();
    wait_until("all work to be done", SOON, async || {
        oracle::unfinished(&db.pool).await.is_empty().then_some(())
    })
    .await;
    sqlx::query_scalar(
        "select extract(epoch from started_at - $1)::float8 from ops.job_history
         where kind = 'normalize' and crashes = 1",
    )
    .bind(killed)
    .fetch_all(&db.pool)
    .await
    .unwrap()
}

async fn running(db: &Database, jobs: i64) {
    wait_until("the worker to be in the middle of its jobs", SOON, async || {
        let running =
            "select count(*) from ops.jobs where kind = 'normalize' and state = 'running'";
        let running: i64 = sqlx::query_scalar(running).fetch_one(&db.pool).await.unwrap();
        (running == jobs).then_some(())
    })
    .await;
}
