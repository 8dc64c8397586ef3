use millrace_jobs::queue::Runtime;
use millrace_tests::wait_until;

use super::*;

/// The order of runs over all names with `prefix`.
async fn order(ctx: &Ctx) -> Vec<(String, i16)> {
    sqlx::query_as("select workspace_id, priority from ops.jobs where state = 'running'")
        .fetch_all(&ctx.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_long_queue_of_one_tenant_does_not_delay_another() {
    let ctx = fresh().await;
    put(&ctx, &vec![of("big", act("fair", Does::Succeed)); 1500]).await;
    put(&ctx, &[of("small", act("fair-small", Does::Succeed))]).await;
    // One round takes 1000: half of it is the other tenant's to use.
    once(&ctx).await;
    assert_eq!(runs("fair-small").len(), 1);
    let big = runs("fair");
    assert!(big.len() <= 500 && big.iter().all(|r| r.workspace == "big"), "{}", big.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_gets_its_turn() {
    let ctx = fresh().await;
    for class in 0..4 {
        let jobs: Vec<NewJob> = (0..40)
            .map(|_| act(&format!("class-{class}"), Does::Succeed).priority(class))
            .collect();
        put(&ctx, &jobs).await;
    }
    let finished: Vec<i16> = {
        let runtime = Runtime::start(ctx.clone(), ACT);
        wait_until("all done", SOON, async || {
            (count(&ctx.pool, "select count(*) from ops.job_history").await == 160).then_some(())
        })
        .await;
        runtime.drain().await;
        (0..4).map(|c| i16::try_from(runs(&format!("class-{c}")).len()).unwrap()).collect()
    };
    assert_eq!(finished, [40; 4]);
    assert!(order(&ctx).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_class_is_served_while_the_highest_never_ends() {
    let ctx = fresh().await;
    put(&ctx, &[act("lowest", Does::Succeed).priority(3)]).await;
    let flood = vec![act("flood", Does::Succeed).priority(0); 200];
    put(&ctx, &flood).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("the lowest ran", SOON, async || {
        put(&ctx, &flood).await;
        (!runs("lowest").is_empty()).then_some(())
    })
    .await;
    runtime.drain().await;
    assert!(
        count(&ctx.pool, "select count(*) from ops.jobs where priority = 0").await > 0,
        "the flood had ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_holds_under_concurrent_workers_and_the_rest_follows() {
    let ctx = fresh().await;
    ctx.queue.limit("w1", "test.act", Some(3)).await.unwrap();
    put(&ctx, &vec![act("capped", Does::Hang); 8]).await;
    put(&ctx, &[of("w2", act("uncapped", Does::Succeed))]).await;
    let mut both = Vec::new();
    for _ in 0..2 {
        both.push(Runtime::start(rig::ctx(&ctx.pool, rig::settings()), ACT));
    }
    for round in 1..=2 {
        wait_until("three run", SOON, async || (runs("capped").len() == 3 * round).then_some(()))
            .await;
        // The other tenant's job may be running or ending meanwhile: the cap is w1's.
        let ids: Vec<i64> = sqlx::query_scalar(
            "select id from ops.jobs where state = 'running' and workspace_id = 'w1'",
        )
        .fetch_all(&ctx.pool)
        .await
        .unwrap();
        assert_eq!(ids.len(), 3);
        for id in ids {
            cancel(&ctx, None, id).await;
        }
    }
    wait_until("the uncapped one", SOON, async || (runs("uncapped").len() == 1).then_some(()))
        .await;
    ctx.queue.pause("", "", "end of the test").await.unwrap();
    for runtime in both {
        sqlx::query("update ops.jobs set cancel_requested = true")
            .execute(&ctx.pool)
            .await
            .unwrap();
        runtime.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_holds_for_jobs_that_run_alone() {
    let ctx = fresh().await;
    ctx.queue.limit("w1", "test.act", Some(1)).await.unwrap();
    put(&ctx, &vec![act("alone", Does::Hang); 2]).await;
    put(&ctx, &[of("w2", act("alone-uncapped", Does::Succeed))]).await;
    sqlx::query("update ops.jobs set crashes = 2").execute(&ctx.pool).await.unwrap();
    let round = |ctx: &Arc<Ctx>| {
        let ctx = ctx.clone();
        tokio::spawn(async move { step(&ctx, ACT).await })
    };
    let first = round(&ctx);
    wait_until("one runs", SOON, async || (runs("alone").len() == 1).then_some(())).await;
    put(&ctx, &[act("not-alone", Does::Succeed)]).await;
    assert_eq!(once(&ctx).await, 1, "the other tenant's only");
    assert_eq!(runs("alone-uncapped").len(), 1);
    assert_eq!(
        once(&ctx).await,
        0,
        "neither the other suspect nor the one that may run beside others"
    );
    first.abort();
    sqlx::query("delete from ops.jobs where state = 'running'").execute(&ctx.pool).await.unwrap();
    assert_eq!(once(&ctx).await, 1, "the place is free again");
    assert_eq!(runs("not-alone").len(), 1);
    let second = round(&ctx);
    wait_until("the other suspect", SOON, async || (runs("alone").len() == 2).then_some(())).await;
    second.abort();
}
