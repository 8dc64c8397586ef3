use millrace_jobs::queue::{
    Hand, Runtime,
    admin::{Cancelled, JobFilter},
};
use millrace_tests::wait_until;

use super::*;

#[tokio::test]
async fn what_is_paused_waits_and_what_is_resumed_runs() {
    let ctx = fresh().await;
    put(&ctx, &[act("paused", Does::Succeed), of("w2", act("unpaused", Does::Succeed))]).await;
    ctx.queue.pause("w1", "", "looking into it").await.unwrap();
    assert_eq!(once(&ctx).await, 1);
    assert_eq!(runs("unpaused").len(), 1);
    assert_eq!(ctx.queue.pauses().await.unwrap()[0].reason.as_deref(), Some("looking into it"));
    ctx.queue.pause("", "test.act", "all of it").await.unwrap();
    assert!(ctx.queue.resume("w1", "").await.unwrap());
    assert_eq!(once(&ctx).await, 0);
    assert!(ctx.queue.resume("", "test.act").await.unwrap());
    assert!(!ctx.queue.resume("", "test.act").await.unwrap());
    assert_eq!(once(&ctx).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_stops_waiting_and_running_jobs() {
    let ctx = fresh().await;
    let later = act("cancel-later", Does::Succeed).delay(Duration::from_hours(1));
    let later = put_one(&ctx, later).await;
    assert_eq!(cancel(&ctx, Some("w2"), later).await, Cancelled::NotFound);
    assert_eq!(cancel(&ctx, Some("w1"), later).await, Cancelled::Now);
    let running = put_one(&ctx, act("cancel-running", Does::Hang)).await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    wait_until("running", SOON, async || (!runs("cancel-running").is_empty()).then_some(())).await;
    assert_eq!(cancel(&ctx, None, running).await, Cancelled::Requested);
    wait_until("cancelled", SOON, async || {
        let cancelled = "select count(*) from ops.job_history where outcome = 'cancelled'";
        (count(&ctx.pool, cancelled).await == 2).then_some(())
    })
    .await;
    // Were it still running, draining would take its 20 seconds and give it back.
    runtime.drain().await;
    assert_eq!(count(&ctx.pool, "select count(*) from ops.jobs").await, 0);
}

/// The worker ends, or is gone, before it hears of it.
#[tokio::test]
async fn what_is_cancelled_while_it_runs_does_not_come_back() {
    let ctx = fresh().await;
    let mut hand = Hand::new(&ctx, ACT);
    for does in [Does::Fail, Does::Snooze, Does::Hang] {
        let id = put_one(&ctx, act("cancelled-late", does)).await;
        let lease = hand.claim("test.act", 1).await.unwrap()[0];
        assert_eq!(cancel(&ctx, None, id).await, Cancelled::Requested);
        if matches!(does, Does::Hang) {
            forsake(&ctx).await;
            hand.tidy().await.unwrap();
        } else {
            assert!(hand.run(lease).await);
        }
        let outcome: String =
            sqlx::query_scalar("select outcome from ops.job_history where id = $1")
                .bind(id)
                .fetch_one(&ctx.pool)
                .await
                .unwrap();
        assert_eq!(outcome, "cancelled", "{does:?}");
    }
    assert_eq!(count(&ctx.pool, "select count(*) from ops.jobs").await, 0);
}

#[tokio::test]
async fn a_job_that_waits_can_be_retried_at_once_and_listed() {
    let ctx = fresh().await;
    let later = act("waiting", Does::Succeed).delay(Duration::from_hours(1));
    let id = put_one(&ctx, later).await;
    assert_eq!(once(&ctx).await, 0);
    let filter = JobFilter { state: Some("scheduled".into()), limit: 10, ..JobFilter::default() };
    assert_eq!(ctx.queue.list(&ctx.pool, &filter).await.unwrap()[0].id, id);
    assert!(ctx.queue.retry(&ctx.pool, Some("w2"), id).await.unwrap().is_none());
    let ready = ctx.queue.retry(&ctx.pool, Some("w1"), id).await.unwrap();
    ctx.queue.wake_ready(ready.unwrap());
    assert!(ctx.queue.list(&ctx.pool, &filter).await.unwrap().is_empty());
    assert_eq!(once(&ctx).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_job_is_promoted() {
    let ctx = fresh().await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    put(&ctx, &[act("due", Does::Succeed).delay(Duration::from_millis(300))]).await;
    wait_until("promoted", SOON, async || (runs("due").len() == 1).then_some(())).await;
    runtime.drain().await;
}
