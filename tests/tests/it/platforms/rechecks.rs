//! What a platform has no more is not kept here, and what cannot be seen is not taken for gone.

use millrace_tests::{
    App, Database, Pg,
    platforms::{Platform, Trouble},
    wait_until,
};
use serde_json::{Value, json};

use super::{SOON, all_there, source, worker};

/// A day later: ask whether these stored posts are still there.
async fn recheck(db: &Database, ids: &[String]) {
    sqlx::query("update social.posts set checked_at = now() - interval '1 day' where platform_post_id = any ($1)")
        .bind(ids)
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::query("insert into ops.jobs (workspace_id, kind, attempts_max, payload) values ('acme', 'poll.recheck', 3, '{}')")
        .execute(&db.pool)
        .await
        .unwrap();
}

async fn gone(db: &Database) -> Vec<String> {
    sqlx::query_scalar(
        "select platform_post_id from social.posts where deleted_at is not null and content = '[deleted]'
         order by platform_post_id collate \"C\"",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap()
}

/// A worker that has read nine posts.
async fn house(db: &Database, kind: &str, options: Value) -> (App, Platform) {
    let platform = Platform::start(50).await;
    platform.write(kind, (0..9).map(|n| 20 + n * 11));
    let app = worker(db).ready().await;
    let mut options = options;
    options["interval_s"] = 86_400.into();
    source(&app, &platform, kind, options).await;
    all_there(&app, db, &platform).await;
    (app, platform)
}

/// Posts are deleted without a word; calls fail, and the worker dies meanwhile.
async fn noticed(kind: &str, options: Value) {
    let db = Pg::database().await;
    let (mut app, platform) = house(&db, kind, options).await;
    let all = platform.ids();
    let mut deleted = all[..3].to_vec();
    deleted.sort_unstable();
    deleted.iter().for_each(|id| platform.delete(id));
    platform.trouble([Trouble::Status(503), Trouble::Cut, Trouble::ErrorsOnly]);
    recheck(&db, &all).await;
    let mut killed = false;
    wait_until("what is deleted there is deleted here", SOON, async || {
        // Nobody waits here for a platform that was away.
        sqlx::query(
            "update ops.jobs set run_at = now() where state = 'scheduled' and kind = 'poll.check'",
        )
        .execute(&db.pool)
        .await
        .unwrap();
        if !killed && platform.troubles_left() == 1 {
            killed = true;
            app.kill();
            app.spawn();
        }
        (gone(&db).await == deleted).then_some(())
    })
    .await;
    assert_eq!(platform.troubles_left(), 0);
    let live = "select count(*) from social.posts where deleted_at is null and checked_at > now() - interval '1 hour'";
    wait_until("the others were asked for", SOON, async || {
        (db.count(live).await == 6).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_x_deleted_without_a_word_is_noticed() {
    noticed("x", json!({ "queries": ["a"] })).await;
}

#[tokio::test]
async fn what_reddit_deleted_without_a_word_is_noticed() {
    noticed("reddit", json!({ "terms": ["a"], "subreddits": ["party"] })).await;
}

#[tokio::test]
async fn what_threads_deleted_without_a_word_is_noticed() {
    noticed("threads", json!({ "terms": ["a"] })).await;
}

#[tokio::test]
async fn who_is_shown_nothing_deletes_nothing() {
    for (kind, options) in [
        ("reddit", json!({ "terms": ["a"], "subreddits": ["party"] })),
        ("threads", json!({ "terms": ["a"] })),
    ] {
        let db = Pg::database().await;
        let (app, platform) = house(&db, kind, options).await;
        let (all, calls) = (platform.ids(), platform.calls().len());
        all.iter().for_each(|id| platform.delete(id));
        recheck(&db, &all[..5]).await;
        wait_until("it was asked, and another post too", SOON, async || {
            (platform.calls().len() >= calls + 2).then_some(())
        })
        .await;
        wait_until("it waits for a person", SOON, async || {
            let waits =
                "select count(*) from ops.jobs where kind = 'poll.check' and state = 'scheduled'
                         and run_at > now() + interval '10 minutes'";
            (db.count(waits).await == 1).then_some(())
        })
        .await;
        assert_eq!(gone(&db).await, Vec::<String>::new(), "{kind}");
        assert!(app.log().contains("no post is shown by its id"), "{kind}");
    }
}
