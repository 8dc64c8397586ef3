//! An effect whose transaction takes longer than a lease costs nobody anything.

use millrace_jobs::queue::{Runtime, complete_in};

use super::*;

/// Completes its lease at once, and commits when its time is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Commit;

/// Runs as long, without a transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Linger;

const SECONDS: f64 = 3.0;

impl Job for Commit {
    const KIND: &'static str = "test.commit";
    const BATCH_MAX: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut tx = ctx.pool.begin().await.unwrap();
        let leases: Vec<LeaseId> = batch.iter().map(|l| l.id).collect();
        assert_eq!(complete_in(&mut tx, &leases).await.unwrap().len(), leases.len());
        sqlx::query("select pg_sleep($1)").bind(SECONDS).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        vec![Verdict::Committed]
    }
}

impl Job for Linger {
    const KIND: &'static str = "test.linger";
    const BATCH_MAX: usize = 1;

    async fn run(ctx: Arc<Ctx>, _: Vec<Leased<Self>>) -> Vec<Verdict> {
        sqlx::query("select pg_sleep($1)").bind(SECONDS).execute(&ctx.pool).await.unwrap();
        vec![Verdict::Done]
    }
}

const BOTH: &[Spec] = jobs![Commit, Linger];

#[tokio::test]
async fn a_slow_commit_lets_no_lease_run_out() {
    let ctx = fresh_with(|settings| {
        settings.queue.lease_ms = 1000;
        settings.queue.heartbeat_ms = 300;
    })
    .await;
    let jobs = [NewJob::of("w1", &Commit).unwrap(), NewJob::of("w1", &Linger).unwrap()];
    let runtime = Runtime::start(ctx.clone(), BOTH);
    put(&ctx, &jobs).await;
    millrace_tests::wait_until("both ends", SOON, async || {
        (count(&ctx.pool, "select count(*) from ops.job_history").await >= 2).then_some(())
    })
    .await;
    let ends: Vec<(String, String, i32, i32)> =
        sqlx::query_as("select kind, outcome, attempt, crashes from ops.job_history order by kind")
            .fetch_all(&ctx.pool)
            .await
            .unwrap();
    runtime.drain().await;
    let end = |kind: &str| (kind.to_owned(), "done".to_owned(), 1, 0);
    assert_eq!(ends, [end("test.commit"), end("test.linger")]);
}
