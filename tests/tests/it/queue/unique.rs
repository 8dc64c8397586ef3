//! At most one job with a unique key waits; how many run is nobody's business.

use millrace_jobs::queue::{Runtime, dead::DeadFilter};
use millrace_tests::wait_until;

use super::*;

/// Outcome and error of every finished job, oldest first.
async fn ends(ctx: &Ctx) -> Vec<(i64, String, Option<String>)> {
    sqlx::query_as("select id, outcome, error from ops.job_history order by id")
        .fetch_all(&ctx.pool)
        .await
        .unwrap()
}

async fn living(ctx: &Ctx) -> Vec<(i64, String)> {
    sqlx::query_as("select id, state from ops.jobs order by id").fetch_all(&ctx.pool).await.unwrap()
}

fn keyed(name: &str, does: Does) -> NewJob {
    act(name, does).unique_key("k")
}

fn later(name: &str) -> NewJob {
    keyed(name, Does::Succeed).delay(Duration::from_hours(1))
}

#[tokio::test]
async fn a_waiting_job_starts_after_what_it_stands_for_is_committed() {
    let ctx = fresh().await;
    let id = put_one(&ctx, keyed("stands", Does::Succeed)).await;
    let mut tx = ctx.pool.begin().await.unwrap();
    let other = ctx.queue.enqueue(&mut tx, &[keyed("stands", Does::Succeed)]).await.unwrap();
    assert_eq!((other[0].id, other[0].fresh), (id, false));
    assert_eq!(once(&ctx).await, 0, "it would not see what the transaction writes");
    tx.commit().await.unwrap();
    assert_eq!(once(&ctx).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_absorbs_nothing_and_makes_way_for_the_one_that_waits() {
    let ctx = fresh_with(|s| s.queue.drain_ms = 100).await;
    let old = put_one(&ctx, keyed("makes-way", Does::Hang)).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("running", SOON, async || (!runs("makes-way").is_empty()).then_some(())).await;
    let new = put(&ctx, &[later("makes-way")]).await;
    assert!(new[0].fresh, "the running one may have read what is older");
    assert_eq!(put(&ctx, &[later("makes-way")]).await[0].id, new[0].id, "the waiting one absorbs");
    runtime.drain().await;
    assert_eq!(living(&ctx).await, [(new[0].id, "scheduled".into())]);
    let error = "another job with its key waits".to_owned();
    assert_eq!(ends(&ctx).await, [(old, "cancelled".into(), Some(error))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_run_one_goes_back() {
    let ctx = fresh_with(|s| s.queue.drain_ms = 100).await;
    put_one(&ctx, keyed("two-run", Does::Hang)).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("one runs", SOON, async || (runs("two-run").len() == 1).then_some(())).await;
    put_one(&ctx, keyed("two-run", Does::Hang)).await;
    wait_until("both run", SOON, async || (runs("two-run").len() == 2).then_some(())).await;
    runtime.drain().await;
    assert_eq!(living(&ctx).await.len(), 1);
    assert_eq!(ends(&ctx).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_taken_while_a_job_goes_back_is_seen_at_the_next_try() {
    let ctx = fresh_with(|s| s.queue.drain_ms = 100).await;
    let old = put_one(&ctx, keyed("taken", Does::Hang)).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("running", SOON, async || (!runs("taken").is_empty()).then_some(())).await;
    let mut tx = ctx.pool.begin().await.unwrap();
    let new = ctx.queue.enqueue(&mut tx, &[later("taken")]).await.unwrap();
    let drain = tokio::spawn(runtime.drain());
    let waits = "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event = 'transactionid'";
    wait_until("it waits for the key", SOON, async || {
        (count(&ctx.pool, waits).await > 0).then_some(())
    })
    .await;
    tx.commit().await.unwrap();
    drain.await.unwrap();
    assert_eq!(living(&ctx).await, [(new[0].id, "scheduled".into())]);
    assert_eq!(ends(&ctx).await[0].0, old);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killer_dies_out_though_a_new_one_waits_each_time() {
    let ctx = fresh().await;
    for _ in 0..3 {
        assert!(put(&ctx, &[keyed("dies-out", Does::Hang)]).await[0].fresh);
        die_running(&ctx).await;
    }
    put_one(&ctx, keyed("dies-out", Does::Succeed)).await;
    while once(&ctx).await > 0 {}
    assert_eq!(runs("dies-out").len(), 4);
    assert!(living(&ctx).await.is_empty());
    let dead = ctx
        .queue
        .dead(&ctx.pool, &DeadFilter { limit: 10, ..DeadFilter::default() })
        .await
        .unwrap();
    assert_eq!((dead.len(), dead[0].reason.as_str(), dead[0].crashes), (1, "crashed", 3));
    let outcomes: Vec<String> = ends(&ctx).await.into_iter().map(|e| e.1).collect();
    assert_eq!(outcomes, ["cancelled", "cancelled", "dead", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_died_together_come_back_as_one() {
    let ctx = fresh().await;
    put_one(&ctx, keyed("together", Does::Hang)).await;
    die_running(&ctx).await;
    // Not looked at until the second has started, too.
    sqlx::query("update ops.jobs set lease_until = now() + interval '1 hour'")
        .execute(&ctx.pool)
        .await
        .unwrap();
    let second = put_one(&ctx, keyed("together", Does::Hang)).await;
    let round = ctx.clone();
    let round = tokio::spawn(async move { step(&round, ACT).await });
    wait_until("both run", SOON, async || (runs("together").len() == 2).then_some(())).await;
    round.abort();
    forsake(&ctx).await;
    assert_eq!(ctx.queue.depth(&ctx.pool, None).await.unwrap()[0].running, 2);
    ctx.queue.pause("", "", "look").await.unwrap();
    once(&ctx).await;
    assert_eq!(living(&ctx).await, [(second, "ready".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_replayed_beside_a_running_job_but_not_beside_a_waiting_one() {
    let ctx = fresh().await;
    put_one(&ctx, keyed("letter", Does::Die)).await;
    once(&ctx).await;
    let all = DeadFilter { limit: 10, ..DeadFilter::default() };
    put_one(&ctx, keyed("letter", Does::Hang)).await;
    assert!(replay(&ctx, &all).await.is_empty(), "one waits");
    let round = ctx.clone();
    let round = tokio::spawn(async move { step(&round, ACT).await });
    wait_until("running", SOON, async || (runs("letter").len() == 2).then_some(())).await;
    assert_eq!(replay(&ctx, &all).await.len(), 1);
    round.abort();
}
