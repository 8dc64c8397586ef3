//! Every post lands, whatever happens between two pages.

use millrace_tests::{App, Pg, platforms::Platform, wait_until};
use serde_json::json;

use super::{SOON, all_there, poll, source, status, stored, worker};

/// The processes die between pages, again and again; nothing is lost, and no page is stored twice.
async fn over_kills(kind: &str, options: serde_json::Value) {
    let db = Pg::database().await;
    let platform = Platform::start(5).await;
    platform.write(kind, (0..60).map(|n| 20 + n * 11));
    let mut app = worker(&db).ready().await;
    source(&app, &platform, kind, options).await;
    for calls in [2, 5, 9] {
        wait_until("some pages are fetched", SOON, async || {
            poll(&app).await;
            (platform.calls().len() >= calls).then_some(())
        })
        .await;
        app.kill();
        app.spawn();
        app.wait_ready().await;
    }
    all_there(&app, &db, &platform).await;
    wait_until("the sweep has ended", SOON, async || {
        let of = status(&app).await;
        (of["pages"] == 0 && of["since_id"].is_string()).then_some(())
    })
    .await;
    let since = platform.ids().last().unwrap().clone();
    assert_eq!(status(&app).await["since_id"], since);

    // The cursor outlives the process: what is new is fetched, and what is known is not.
    app.kill();
    platform.write(kind, [0, 1, 2]);
    let before = platform.calls().len();
    app.spawn();
    app.wait_ready().await;
    all_there(&app, &db, &platform).await;
    let asked = platform.calls().split_off(before);
    let bounded = asked
        .iter()
        .filter(|call| call.query.contains_key("since_id") || call.query.contains_key("since"));
    assert!(kind == "reddit" || bounded.count() == asked.len(), "{asked:?}");
    wait_until("pages are read", SOON, async || {
        let open: i64 =
            sqlx::query_scalar("select count(*) from ops.events where state = 'stored'")
                .fetch_one(&db.pool)
                .await
                .unwrap();
        (open == 0).then_some(())
    })
    .await;
    let odd: i64 = sqlx::query_scalar(
        // A page may come while we look.
        "select count(*) from ops.events where state not in ('stored', 'normalized') or reason is not null",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(odd, 0, "pages that could not be read");
    let twice: i64 =
        sqlx::query_scalar("select count(*) - count(distinct body) from ops.event_bodies")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(twice, 0, "one page stored twice");
}

#[tokio::test]
async fn every_post_of_x_lands_over_kills() {
    over_kills("x", json!({ "terms": ["hangover", "day after"] })).await;
}

#[tokio::test]
async fn every_post_of_threads_lands_over_kills() {
    over_kills("threads", json!({ "terms": ["hangover"] })).await;
}

#[tokio::test]
async fn every_post_of_reddit_lands_over_kills() {
    over_kills("reddit", json!({ "terms": ["hangover"], "subreddits": ["party"] })).await;
}

#[tokio::test]
async fn a_post_that_is_deleted_beside_the_cursor_hides_nothing() {
    let db = Pg::database().await;
    let platform = Platform::start(5).await;
    platform.write("reddit", (0..12).map(|n| 400 + n * 60));
    let app = worker(&db).ready().await;
    source(&app, &platform, "reddit", json!({ "terms": ["a"], "subreddits": ["party"] })).await;
    all_there(&app, &db, &platform).await;
    wait_until("the sweep has ended", SOON, async || {
        status(&app).await["since_id"].is_string().then_some(())
    })
    .await;
    let anchor = status(&app).await["since_id"].as_str().unwrap().to_owned();
    platform.delete(&anchor);
    platform.write("reddit", [3, 2, 1]);
    let new = platform.ids().split_off(platform.ids().len() - 3);
    wait_until("what is new is stored", SOON, async || {
        poll(&app).await;
        let (ids, _) = stored(&db).await;
        new.iter().all(|id| ids.contains(id)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_no_platform_takes_is_refused_where_it_is_given() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    app.run_json(&["--json", "workspace", "add", "acme", "--id", "acme"]).await;
    let long = "a".repeat(600);
    let cases: [&[&str]; 4] = [
        &["x", "--term", &long],
        &["reddit", "--term", "a"],
        &["x", "--term", "a", "--credential", "bearer=short"],
        &["threads", "--credential", "secret-without-a-name"],
    ];
    for case in cases {
        let arguments = [&["source", "add"], case, &["--workspace", "acme"]].concat();
        let done = app.run(&arguments).await;
        assert_eq!(done.status.code(), Some(2), "{case:?}: {}", done.stderr);
        assert!(!done.stderr.contains("secret-without"), "{}", done.stderr);
    }
}
