use millrace_jobs::queue::{Runtime, admin::JobView, complete_in, dead::DeadFilter};
use millrace_tests::wait_until;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_and_leave_history() {
    let ctx = fresh().await;
    let runtime = Runtime::start(ctx.clone(), ACT);
    let jobs: Vec<NewJob> = (0..500).map(|_| act("basic", Does::Succeed)).collect();
    put(&ctx, &jobs).await;
    wait_until("all done", SOON, async || {
        let done = "select count(*) from ops.job_history where outcome = 'done'";
        (count(&ctx.pool, done).await == 500).then_some(())
    })
    .await;
    runtime.drain().await;
    assert_eq!(count(&ctx.pool, "select count(*) from ops.jobs").await, 0);
    assert_eq!(count(&ctx.pool, "select count(*) from ops.workers").await, 0);
    assert_eq!(runs("basic").len(), 500);
}

#[tokio::test]
async fn a_rolled_back_enqueue_leaves_nothing() {
    let ctx = fresh().await;
    let mut tx = ctx.pool.begin().await.unwrap();
    let enqueued = ctx.queue.enqueue(&mut tx, &[act("ghost", Does::Succeed)]).await.unwrap();
    tx.rollback().await.unwrap();
    ctx.queue.wake(&enqueued);
    assert_eq!(once(&ctx).await, 0);
}

#[tokio::test]
async fn a_taken_unique_key_yields_the_living_job_and_keeps_the_transaction() {
    let ctx = fresh().await;
    let keyed = || act("unique", Does::Succeed).unique_key("k");
    let first = put(&ctx, &[keyed()]).await;
    assert!(first[0].fresh);
    let mut tx = ctx.pool.begin().await.unwrap();
    let again = ctx
        .queue
        .enqueue(&mut tx, &[act("unique", Does::Succeed), keyed(), keyed(), of("w2", keyed())])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let fresh: Vec<bool> = again.iter().map(|e| e.fresh).collect();
    assert_eq!(fresh, [true, false, false, true], "another tenant's key is another key");
    assert_eq!((again[1].id, again[2].id), (first[0].id, first[0].id));
    assert_eq!(once(&ctx).await, 3);
    assert!(put(&ctx, &[keyed()]).await[0].fresh, "the key is free when the job is done");
}

#[tokio::test]
async fn concurrent_enqueues_of_one_key_make_one_job() {
    let ctx = fresh().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let ctx = ctx.clone();
        tasks
            .spawn(async move { put(&ctx, &[act("race", Does::Succeed).unique_key("one")]).await });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|e| e[0].fresh).count(), 1);
    assert!(all.iter().all(|e| e[0].id == all[0][0].id));
}

#[tokio::test]
async fn a_stale_completion_is_refused() {
    let ctx = fresh().await;
    let id = put_one(&ctx, act("stale", Does::Hang)).await;
    die_running(&ctx).await;
    let stale = runs("stale")[0].lease;
    // Expired and ready again: the attempt is the same, the state is not.
    let mut tx = ctx.pool.begin().await.unwrap();
    sqlx::query("update ops.jobs set state = 'ready', lease_until = null, leased_by = null")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert!(complete_in(&mut tx, &[stale]).await.unwrap().is_empty());
    tx.rollback().await.unwrap();
    // Delivered again: the attempt differs.
    die_running(&ctx).await;
    let current = runs("stale")[1].lease;
    assert_eq!((current.job, current.attempt), (stale.job, stale.attempt + 1));
    let mut tx = ctx.pool.begin().await.unwrap();
    assert!(complete_in(&mut tx, &[stale]).await.unwrap().is_empty());
    let held = complete_in(&mut tx, &[current, stale]).await.unwrap();
    assert_eq!(held.into_iter().collect::<Vec<_>>(), [current]);
    tx.commit().await.unwrap();
    let view = show(&ctx, None, id).await.unwrap();
    assert!(matches!(view, JobView::Finished(row) if row.outcome == "done" && row.attempt == 2));
}

#[tokio::test]
async fn of_two_deliveries_with_one_number_one_ends() {
    let ctx = fresh().await;
    put_one(&ctx, act("undone", Does::Hang)).await;
    die_running(&ctx).await;
    // A crash of the server may undo a claim; its worker may live on.
    sqlx::query(
        "update ops.jobs set state = 'ready', attempt = 0, lease_until = null, leased_by = null",
    )
    .execute(&ctx.pool)
    .await
    .unwrap();
    die_running(&ctx).await;
    let both: Vec<LeaseId> = runs("undone").iter().map(|r| r.lease).collect();
    assert_eq!(both[0], both[1]);
    let ended = async |lease| {
        let mut tx = ctx.pool.begin().await.unwrap();
        let held = complete_in(&mut tx, &[lease]).await.unwrap();
        tx.commit().await.unwrap();
        held.len()
    };
    assert_eq!((ended(both[0]).await, ended(both[1]).await), (1, 0));
}

#[tokio::test]
async fn failures_wait_then_die_with_their_reason() {
    let ctx = fresh().await;
    let id = put_one(&ctx, act("failing", Does::Fail)).await;
    for attempt in 1..=3 {
        assert_eq!(once(&ctx).await, 1);
        assert_eq!(once(&ctx).await, 0, "the wait is in the row");
        if attempt < 3 {
            let wait: f64 = sqlx::query_scalar(
                "select extract(epoch from run_at - now())::float8 from ops.jobs where id = $1",
            )
            .bind(id)
            .fetch_one(&ctx.pool)
            .await
            .unwrap();
            let full = 5.0 * f64::from(1 << (attempt - 1));
            assert!(wait > full / 2.0 - 2.0 && wait <= full, "{wait} s after attempt {attempt}");
            hurry(&ctx).await;
        }
    }
    let before: Vec<i32> = runs("failing").iter().map(|r| r.attempts_before).collect();
    assert_eq!(before, [0, 1, 2]);
    let dead = ctx
        .queue
        .dead(&ctx.pool, &DeadFilter { limit: 10, ..DeadFilter::default() })
        .await
        .unwrap();
    assert_eq!(
        (dead[0].job_id, dead[0].reason.as_str(), dead[0].attempt),
        (id, "attempts_exhausted", 3)
    );
    assert_eq!(dead[0].error.as_deref(), Some("no luck"));
}

#[tokio::test]
async fn verdicts_end_where_they_should() {
    let ctx = fresh().await;
    let names = ["verdict-die", "verdict-cancel", "verdict-panic", "verdict-snooze"];
    let does = [Does::Die, Does::Cancel, Does::Panic, Does::Snooze];
    let jobs: Vec<NewJob> = names.iter().zip(does).map(|(n, d)| act(n, d)).collect();
    let ids: Vec<i64> = put(&ctx, &jobs).await.iter().map(|e| e.id).collect();
    assert_eq!(once(&ctx).await, 4);
    let history: Vec<(i64, String)> =
        sqlx::query_as("select id, outcome from ops.job_history order by id")
            .fetch_all(&ctx.pool)
            .await
            .unwrap();
    assert_eq!(history, [(ids[0], "dead".into()), (ids[1], "cancelled".into())]);
    let living: Vec<(i64, i32, i32, Option<String>)> =
        sqlx::query_as("select id, attempt, spared, last_error from ops.jobs order by id")
            .fetch_all(&ctx.pool)
            .await
            .unwrap();
    assert_eq!((living[0].0, living[0].1, living[0].2), (ids[2], 1, 0));
    let said = living[0].3.as_deref().unwrap();
    assert_eq!(
        said, "the job panicked; the log says where",
        "not what the panic says, which may quote a delivery"
    );
    assert_eq!((living[1].0, living[1].1, living[1].2), (ids[3], 1, 1), "a snooze is no attempt");
    hurry(&ctx).await;
    once(&ctx).await;
    assert_eq!(runs("verdict-snooze")[1].attempts_before, 0);
    assert_eq!(runs("verdict-snooze")[1].lease.attempt, 2, "the fence only grows");
}

#[tokio::test]
async fn an_undecodable_payload_is_a_dead_letter() {
    let ctx = fresh().await;
    let mut job = act("undecodable", Does::Succeed);
    job.payload = serde_json::value::to_raw_value(&serde_json::json!({
        "secret": "s3cret", "source_id": "src", "event_id": "0198c0de-0000-7000-8000-000000000001"
    }))
    .unwrap();
    put(&ctx, &[job, act("decodable", Does::Succeed)]).await;
    once(&ctx).await;
    let dead = ctx
        .queue
        .dead(&ctx.pool, &DeadFilter { limit: 10, ..DeadFilter::default() })
        .await
        .unwrap();
    assert_eq!((dead.len(), dead[0].reason.as_str()), (1, "undecodable"));
    assert_eq!(dead[0].source_id.as_deref(), Some("src"));
    assert!(dead[0].event_id.is_some());
    assert!(!dead[0].error.as_ref().unwrap().contains("s3cret"));
    assert_eq!(runs("decodable").len(), 1);
}

#[tokio::test]
async fn a_replayed_dead_letter_is_linked_to_its_job() {
    let ctx = fresh().await;
    put_one(&ctx, act("replay", Does::Die)).await;
    once(&ctx).await;
    let all = DeadFilter { kind: Some("test.act".into()), limit: 10, ..DeadFilter::default() };
    let other = DeadFilter { reason: Some("crashed".into()), ..all.clone() };
    assert!(replay(&ctx, &other).await.is_empty());
    let replayed = replay(&ctx, &all).await;
    assert_eq!(replayed.len(), 1);
    let letter = &ctx.queue.dead(&ctx.pool, &all).await.unwrap()[0];
    assert_eq!((letter.id, letter.replayed_as), (replayed[0].letter, Some(replayed[0].job)));
    let view = show(&ctx, Some("w1"), replayed[0].job).await.unwrap();
    assert!(matches!(view, JobView::Living(row) if row.replay_of == Some(letter.id)));
    assert!(show(&ctx, Some("w2"), replayed[0].job).await.is_none());
    assert!(replay(&ctx, &all).await.is_empty(), "a filter replays a letter once");
    assert_eq!(once(&ctx).await, 1);
}
