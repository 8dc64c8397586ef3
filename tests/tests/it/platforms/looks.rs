//! What platforms show of our replies, at its time.

use chrono::TimeDelta;
use millrace_jobs::social::outcomes::jobs::Sweep;
use millrace_tests::{Database, Pg, platforms::Platform, rig, wait_until};
use serde_json::{Value, json};

use super::{SOON, source, worker};
use crate::outcomes::{house, posted_at, run};

async fn place(db: &Database, reply: &str, platform: &str, id: &str) {
    sqlx::query("update social.replies set platform = $2, platform_post_id = $3 where id = $1")
        .bind(reply)
        .bind(platform)
        .bind(id)
        .execute(&db.pool)
        .await
        .unwrap();
}

async fn seen(db: &Database, reply: &str) -> Option<Value> {
    let row: Option<(Value,)> = sqlx::query_as(
        "select metrics from social.reply_outcomes where reply_id = $1 and \"window\" = '15m'",
    )
    .bind(reply)
    .fetch_optional(&db.pool)
    .await
    .unwrap();
    row.map(|(metrics,)| metrics)
}

#[tokio::test]
async fn replies_are_looked_at_and_one_platform_does_not_wait_for_another() {
    let db = Pg::database().await;
    let app = worker(&db).ready().await;
    let (x, reddit) = (Platform::start(5).await, Platform::start(5).await);
    for (platform, kind) in [(&x, "x"), (&reddit, "reddit")] {
        platform.write(kind, [1_000]);
        let nothing = json!({ "subreddits": ["party"], "terms": ["a"], "interval_s": 86_400 });
        source(&app, platform, kind, nothing).await;
    }
    house(&db, "acme").await;
    place(&db, "acme-r1", "TWITTER", &x.ids()[0]).await;
    place(&db, "acme-r2", "REDDIT", &reddit.ids()[0]).await;
    place(&db, "acme-r3", "TWITTER", "17").await;
    sqlx::query(
        "insert into social.replies (id, workspace_id, decision_id, content, platform, platform_post_id)
         values ('acme-r4', 'acme', 'acme-d1', 'a helpful answer', 'THREADS', '1')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let ctx = rig::ctx(&db.pool, rig::settings());
    let posted = ctx.clock.now() - TimeDelta::minutes(16);
    for reply in ["acme-r1", "acme-r2", "acme-r3", "acme-r4"] {
        posted_at(&db, reply, posted).await;
    }
    run(&ctx, Sweep {}).await;
    wait_until("the replies are looked at", SOON, async || {
        let all =
            [seen(&db, "acme-r1").await, seen(&db, "acme-r2").await, seen(&db, "acme-r3").await];
        all.iter().all(Option::is_some).then_some(())
    })
    .await;
    let counted = json!({ "likes": 4, "replies": 2, "shares": 3, "views": 90, "removed": false });
    assert_eq!(seen(&db, "acme-r1").await, Some(counted));
    let no_views = json!({ "likes": 4, "replies": 2, "shares": 3, "removed": false });
    assert_eq!(seen(&db, "acme-r2").await, Some(no_views));
    assert_eq!(seen(&db, "acme-r3").await, Some(json!({ "removed": true })));
    assert_eq!(seen(&db, "acme-r4").await, None, "nobody can ask Threads");
    // It waits by itself, and has lost no attempt.
    let waits = "select count(*) from ops.jobs where kind = 'social.outcome' and unique_key = 'acme-r4 15m' and state = 'scheduled'";
    wait_until("it waits", SOON, async || (db.count(waits).await == 1).then_some(())).await;
    assert_eq!(db.count("select count(*) from ops.dead_letters").await, 0);
}
