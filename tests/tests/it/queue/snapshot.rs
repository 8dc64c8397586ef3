//! With a snapshot held open, dead rows cannot be removed. A claimer that knows where to look does not walk them.

use sqlx::Connection;

use super::*;

#[tokio::test]
async fn claims_do_not_walk_dead_rows() {
    let ctx = fresh().await;
    put(&ctx, &vec![act("dead-rows", Does::Succeed); 10]).await;
    let clean = buffers(&ctx, 0).await;
    assert_eq!(once(&ctx).await, 10);
    let mut held = ctx.pool.acquire().await.unwrap();
    let mut snapshot = held.begin().await.unwrap();
    sqlx::query("set transaction isolation level repeatable read")
        .execute(&mut *snapshot)
        .await
        .unwrap();
    sqlx::query("select count(*) from ops.jobs").execute(&mut *snapshot).await.unwrap();
    for _ in 0..5 {
        put(&ctx, &vec![act("dead-rows", Does::Succeed); 1000]).await;
        assert_eq!(once(&ctx).await, 1000);
    }
    let enqueued = put(&ctx, &vec![act("dead-rows", Does::Succeed); 10]).await;
    let first: i64 = sqlx::query_scalar("select position from ops.jobs where id = $1")
        .bind(enqueued[0].id)
        .fetch_one(&ctx.pool)
        .await
        .unwrap();
    let (from_start, from_mark) = (buffers(&ctx, 0).await, buffers(&ctx, first - 1).await);
    assert!(from_start > from_mark + 100, "{from_start} from the start, {from_mark} from the mark");
    assert!(from_mark < clean * 2, "{from_mark} from the mark, {clean} in a clean table");
    snapshot.rollback().await.unwrap();
    assert_eq!(once(&ctx).await, 10);
}

/// Shared buffers the claim touches when it looks behind `mark`; the claim is rolled back.
#[expect(clippy::disallowed_methods, reason = "explain cannot be bound")]
async fn buffers(ctx: &Ctx, mark: i64) -> i64 {
    let claim = include_str!("../../../../jobs/src/queue/claim.sql");
    let sql = sqlx::AssertSqlSafe(format!("explain (analyze, buffers, format json) {claim}"));
    let mut tx = ctx.pool.begin().await.unwrap();
    sqlx::query(
        "select set_config(name, 'off', true)
         from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) name",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let none = i64::MAX;
    let plan: serde_json::Value = sqlx::query_scalar(sql)
        .bind("test.act")
        .bind(vec!["w1"])
        .bind(vec![100_i64])
        .bind(vec![none])
        .bind(vec![none])
        .bind(vec![mark])
        .bind(vec![none])
        .bind(vec![0_i16, 1, 2, 3])
        .bind("nobody")
        .bind(false)
        .bind(15_000_i64)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    let root = &plan[0]["Plan"];
    root["Shared Hit Blocks"].as_i64().unwrap() + root["Shared Read Blocks"].as_i64().unwrap()
}
