use millrace_jobs::queue::{Hand, Runtime, dead::DeadFilter};
use millrace_tests::wait_until;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_its_worker_ends_in_the_dead_letters() {
    let ctx = fresh().await;
    put_one(&ctx, act("killer", Does::Hang)).await;
    for _ in 0..3 {
        die_running(&ctx).await;
    }
    assert_eq!(once(&ctx).await, 0);
    assert_eq!(runs("killer").len(), 3);
    let dead = ctx
        .queue
        .dead(&ctx.pool, &DeadFilter { limit: 10, ..DeadFilter::default() })
        .await
        .unwrap();
    assert_eq!((dead[0].reason.as_str(), dead[0].crashes), ("crashed", 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn bystanders_of_a_killer_survive() {
    let ctx = fresh().await;
    // The killer is first, so the others are leased by the same worker but never start.
    put_one(&ctx, act("killer-beside", Does::Hang)).await;
    put(&ctx, &vec![act("bystander", Does::Succeed); 20]).await;
    die_running(&ctx).await;
    die_running(&ctx).await;
    // From here every suspect runs alone: the killer takes nobody with it.
    let killer = || runs("killer-beside").len() == 3;
    while !killer() {
        let round = ctx.clone();
        let round = tokio::spawn(async move { step(&round, ACT).await });
        wait_until("a round", SOON, async || (round.is_finished() || killer()).then_some(())).await;
        round.abort();
    }
    forsake(&ctx).await;
    while once(&ctx).await > 0 {}
    assert_eq!(runs("bystander").len(), 20);
    assert_eq!(count(&ctx.pool, "select count(*) from ops.dead_letters").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_runs_again_soon_and_a_live_lease_is_kept() {
    let ctx = fresh_with(|s| {
        s.queue.lease_ms = 1500;
        s.queue.heartbeat_ms = 300;
    })
    .await;
    let orphan = put_one(&ctx, act("orphan", Does::Hang)).await;
    let round = tokio::spawn({
        let ctx = ctx.clone();
        async move { step(&ctx, ACT).await }
    });
    wait_until("first run", SOON, async || (runs("orphan").len() == 1).then_some(())).await;
    round.abort();
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("second run", SOON, async || (runs("orphan").len() == 2).then_some(())).await;
    // It hangs on in a live process: its lease is extended past its first end, and nobody takes it.
    let until =
        "select lease_until > started_at + interval '2 seconds' from ops.jobs where id = $1";
    wait_until("lease extended", SOON, async || {
        let extended: bool =
            sqlx::query_scalar(until).bind(orphan).fetch_one(&ctx.pool).await.unwrap();
        extended.then_some(())
    })
    .await;
    assert_eq!(runs("orphan").len(), 2);
    runtime_gone(&ctx, runtime).await;
}

/// Cancel what hangs, then drain.
async fn runtime_gone(ctx: &Ctx, runtime: millrace_jobs::queue::RuntimeHandle) {
    let ids: Vec<i64> =
        sqlx::query_scalar("select id from ops.jobs").fetch_all(&ctx.pool).await.unwrap();
    for id in ids {
        cancel(ctx, None, id).await;
    }
    runtime.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_whose_lease_was_taken_is_stopped() {
    let ctx = fresh_with(|s| {
        s.queue.lease_ms = 3000;
        s.queue.heartbeat_ms = 200;
    })
    .await;
    let id = put_one(&ctx, act("robbed", Does::Hang)).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("running", SOON, async || (!runs("robbed").is_empty()).then_some(())).await;
    sqlx::query("update ops.jobs set attempt = attempt + 1 where id = $1")
        .bind(id)
        .execute(&ctx.pool)
        .await
        .unwrap();
    // Its worker notices and forgets it; the drain below would otherwise wait for it and give it back.
    wait_until("lease ran out", SOON, async || (runs("robbed").len() == 2).then_some(())).await;
    runtime_gone(&ctx, runtime).await;
}

#[tokio::test]
async fn an_attempt_is_stopped_when_its_worker_has_the_next_one() {
    let ctx = fresh().await;
    put_one(&ctx, act("the-next-one", Does::Hang)).await;
    let mut hand = Hand::new(&ctx, ACT);
    let first = hand.claim("test.act", 1).await.unwrap()[0];
    forsake(&ctx).await;
    hand.tidy().await.unwrap();
    let second = hand.claim("test.act", 1).await.unwrap()[0];
    assert_eq!(second, LeaseId { attempt: first.attempt + 1, ..first });
    let stopped = tokio::time::timeout(SOON, hand.run(first)).await;
    assert!(stopped.expect("it hangs otherwise"));
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_gives_back_without_consuming_attempts() {
    let ctx = fresh_with(|s| s.queue.drain_ms = 300).await;
    put(&ctx, &vec![act("drained", Does::Hang); 10]).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("four run", SOON, async || (runs("drained").len() == 4).then_some(())).await;
    runtime.drain().await;
    let rows: Vec<(String, i32, i32)> =
        sqlx::query_as("select state, attempt - spared, crashes from ops.jobs")
            .fetch_all(&ctx.pool)
            .await
            .unwrap();
    assert_eq!(rows, vec![("ready".to_owned(), 0, 0); 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runtimes_never_run_a_job_twice() {
    let ctx = fresh().await;
    let other = rig::ctx(&ctx.pool, rig::settings());
    let both = [Runtime::start(ctx.clone(), ACT), Runtime::start(other, ACT)];
    for _ in 0..20 {
        put(&ctx, &vec![act("twice", Does::Succeed); 100]).await;
    }
    wait_until("all done", SOON, async || {
        (count(&ctx.pool, "select count(*) from ops.job_history").await == 2000).then_some(())
    })
    .await;
    for runtime in both {
        runtime.drain().await;
    }
    assert_eq!(runs("twice").len(), 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_is_woken_and_a_lost_wake_is_found() {
    let ctx = fresh().await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    // A handle that shares nothing with the runtime.
    let elsewhere = rig::ctx(&ctx.pool, rig::settings());
    put(&elsewhere, &[act("elsewhere", Does::Succeed)]).await;
    wait_until("woken", SOON, async || (runs("elsewhere").len() == 1).then_some(())).await;
    let mut tx = ctx.pool.begin().await.unwrap();
    ctx.queue.enqueue(&mut tx, &[act("unwoken", Does::Succeed)]).await.unwrap();
    tx.commit().await.unwrap();
    wait_until("swept", SOON, async || (runs("unwoken").len() == 1).then_some(())).await;
    runtime.drain().await;
}
