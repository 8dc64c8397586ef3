//! Outages, cut answers, errors in a 200, tokens that run out: seen, and over when they are over.

use std::time::Duration;

use millrace_tests::{
    Pg,
    platforms::{Platform, Trouble},
    wait_until,
};
use serde_json::json;

use super::{SOON, all_there, poll, source, status, worker};

#[tokio::test]
async fn an_outage_is_an_error_and_never_silence() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", (0..6).map(|n| 20 + n * 11));
    let app = worker(&db).env("MILLRACE__POLL__BREAKER_FAILURES", "3").ready().await;
    platform.trouble([
        Trouble::Status(503),
        Trouble::Status(500),
        Trouble::Status(502),
        Trouble::Status(503),
    ]);
    source(&app, &platform, "x", json!({ "queries": ["a"] })).await;
    let of = wait_until("the outage is seen", SOON, async || {
        poll(&app).await;
        let of = status(&app).await;
        of["last_error"].is_string().then_some(of)
    })
    .await;
    assert!(of["last_error"].as_str().unwrap().starts_with('5'), "{of}");
    assert!(of["errors"].as_i64().unwrap() > 0 && of["last_ok_at"].is_null(), "{of}");
    all_there(&app, &db, &platform).await;
    let of = status(&app).await;
    assert!(of["last_error"].is_null() && of["errors"] == 0, "{of}");
    let dead: i64 = sqlx::query_scalar("select count(*) from ops.dead_letters")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead, 0, "an outage of theirs is no failure of ours");
}

#[tokio::test]
async fn what_is_cut_late_or_an_error_in_a_200_is_asked_for_again() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", (0..12).map(|n| 20 + n * 11));
    let app = worker(&db).env("MILLRACE__POLL__TIMEOUT_MS", "700").ready().await;
    // In between, so that each of them meets another page.
    let fine = Trouble::Slow(Duration::ZERO);
    let slow = Trouble::Slow(Duration::from_secs(2));
    platform.trouble([fine.clone(), Trouble::Cut, fine.clone(), Trouble::ErrorsOnly, slow]);
    source(&app, &platform, "x", json!({ "queries": ["a"] })).await;
    all_there(&app, &db, &platform).await;
    assert_eq!(platform.troubles_left(), 0);
    let odd: i64 =
        sqlx::query_scalar("select count(*) from ops.events where state = 'quarantined'")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(odd, 0, "what is no page is not stored");
}

#[tokio::test]
async fn a_place_that_is_too_old_begins_the_sweep_again() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", (0..12).map(|n| 20 + n * 11));
    let app = worker(&db).ready().await;
    platform.trouble([Trouble::Slow(Duration::ZERO), Trouble::Status(400)]);
    source(&app, &platform, "x", json!({ "queries": ["a"] })).await;
    all_there(&app, &db, &platform).await;
    let calls = platform.calls();
    let refused = calls.iter().position(|call| call.status == 400).unwrap();
    assert!(calls[refused].query.contains_key("next_token"));
    assert!(!calls[refused + 1].query.contains_key("next_token"), "{calls:?}");
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_and_seen_nowhere() {
    let db = Pg::database().await;
    for (kind, options) in [
        ("threads", json!({ "terms": ["a"] })),
        ("reddit", json!({ "terms": ["a"], "subreddits": ["party"] })),
    ] {
        let platform = Platform::start(4).await;
        platform.write(kind, [30, 40]);
        let app = worker(&db).ready().await;
        let sender = source(&app, &platform, kind, options).await;
        let first = platform.token();
        let done = async |calls: usize| {
            wait_until("an answer", SOON, async || {
                poll(&app).await;
                let fine = platform.calls().iter().filter(|call| call.status == 200).count();
                (fine >= calls).then_some(())
            })
            .await;
        };
        done(1).await;
        // Reddit's app has asked for one already.
        let had = platform.granted();
        assert_eq!(had, usize::from(kind == "reddit"));
        platform.expire();
        let before = platform.calls().iter().filter(|call| call.status == 200).count();
        done(before + 2).await;
        assert_eq!(platform.granted(), had + 1, "{kind}: renewed once, and kept");
        let refused = platform.calls().iter().filter(|call| call.status == 401).count();
        assert_eq!(refused, 1, "{kind}");
        for secret in [first, platform.token(), "reddit-app-secret".to_owned()] {
            assert!(!app.log().contains(&secret), "{kind}: a token in the log");
        }
        app.run_json(&["--json", "source", "rm", sender.id()]).await;
        let left: i64 = sqlx::query_scalar("select count(*) from ops.source_secrets")
            .fetch_one(&db.pool)
            .await
            .unwrap();
        assert_eq!(left, 0, "{kind}: tokens go with their source");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_for_good_is_said() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    let app = worker(&db).ready().await;
    source(&app, &platform, "x", json!({ "queries": ["a"] })).await;
    platform.expire();
    let of = wait_until("it is said", SOON, async || {
        poll(&app).await;
        let of = status(&app).await;
        of["last_error"].is_string().then_some(of)
    })
    .await;
    assert!(of["last_error"].as_str().unwrap().contains("401"), "{of}");
    let calls = platform.calls().len();
    poll(&app).await;
    wait_until("the tick is over", SOON, async || {
        let open: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(&db.pool).await.unwrap();
        (open == 0).then_some(())
    })
    .await;
    assert_eq!(platform.calls().len(), calls, "nobody knocks again for a while");
}
