//! What Reddit says of our account is noted, and what it does not say is not known.

use millrace_tests::{
    Database, Pg,
    platforms::{Platform, Trouble},
    wait_until,
};
use serde_json::json;

use super::{SOON, source, worker};

/// Ask, and wait until the job has ended.
async fn ask(db: &Database) {
    let all = db.count("select count(*) from ops.job_history where kind = 'poll.accounts'").await;
    sqlx::query("insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('', 'poll.accounts', 3, '{}')")
        .execute(&db.pool)
        .await
        .unwrap();
    wait_until("the accounts were asked for", SOON, async || {
        let ended =
            db.count("select count(*) from ops.job_history where kind = 'poll.accounts'").await;
        (ended > all).then_some(())
    })
    .await;
}

/// Karma, and whether there was an error.
async fn noted(db: &Database) -> Vec<(Option<i64>, bool)> {
    sqlx::query_as(
        "select karma, last_error is not null from social.own_accounts where workspace_id = 'acme'",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn our_standing_is_noted_and_an_error_unsays_it() {
    let db = Pg::database().await;
    let app = worker(&db).ready().await;
    let reddit = Platform::start(5).await;
    reddit.account(Some(json!({ "kind": "t2", "data": { "name": "acme_bot", "total_karma": 640, "created_utc": 1_600_000_000 } })));
    source(&app, &reddit, "reddit", json!({ "account": "acme_bot" })).await;
    ask(&db).await;
    assert_eq!(noted(&db).await, [(Some(640), false)]);
    let age = "select count(*) from social.own_accounts where since = to_timestamp(1600000000) and seen_at is not null";
    assert_eq!(db.count(age).await, 1);
    reddit.trouble([Trouble::Status(503)]);
    ask(&db).await;
    assert_eq!(noted(&db).await, [(None, true)]);
    ask(&db).await;
    assert_eq!(noted(&db).await, [(Some(640), false)]);
    reddit.account(None);
    ask(&db).await;
    assert_eq!(noted(&db).await, [(None, true)], "suspended, or never there");
    assert!(reddit.calls().iter().all(|call| call.path == "/user/acme_bot/about"));
    let pause = "update ops.sources set state = 'paused'";
    let forget = "update ops.sources set state = 'active', options = options - 'account'";
    for (change, kept) in [(pause, 1), (forget, 0)] {
        sqlx::query(change).execute(&db.pool).await.unwrap();
        ask(&db).await;
        assert_eq!(noted(&db).await.len(), kept, "a pause does not open the gate: {change}");
    }
}
