//! All workers share one budget, and the platform's word counts.

use std::time::Duration;

use millrace_jobs::social::profile::Profile;
use millrace_tests::{
    App, Pg,
    platforms::{Platform, Trouble},
    wait_until,
};
use serde_json::json;

use super::{SOON, all_there, poll, source, status, worker};

/// Two workers, several queries, few calls allowed: never one too many.
async fn never_over(kind: &str, options: serde_json::Value) {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write(kind, (0..16).map(|n| 20 + n * 11));
    platform.allow(7, Duration::from_secs(3));
    let (one, _two) = tokio::join!(worker(&db).ready(), worker(&db).ready());
    source(&one, &platform, kind, options).await;
    all_there(&one, &db, &platform).await;
    wait_until("several windows have passed", SOON, async || {
        poll(&one).await;
        (platform.calls().len() > 16).then_some(())
    })
    .await;
    assert_eq!(platform.over(), 0, "calls beyond what is allowed");
    let of = status(&one).await;
    assert_eq!(of["quota"], 7.0, "{of}");
}

#[tokio::test]
async fn two_workers_never_call_x_too_often() {
    never_over("x", json!({ "queries": ["a", "b", "c"] })).await;
}

#[tokio::test]
async fn two_workers_never_call_reddit_too_often() {
    never_over("reddit", json!({ "queries": ["a", "b", "c"], "subreddits": ["party"] })).await;
}

#[tokio::test]
async fn threads_is_called_no_more_than_its_day_allows() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("threads", [30]);
    let app = worker(&db).ready().await;
    source(&app, &platform, "threads", json!({ "terms": ["a", "b", "c"], "calls_per_day": 22 }))
        .await;
    all_there(&app, &db, &platform).await;
    wait_until("the budget is used up", SOON, async || {
        poll(&app).await;
        let all = app.run_json(&["--json", "social", "status"]).await;
        let waits: i64 = sqlx::query_scalar(
            "select count(*) from ops.jobs where kind = 'poll.page' and state = 'scheduled'",
        )
        .fetch_one(&db.pool)
        .await
        .unwrap();
        (waits == 3 && all[0]["quota_left"].as_f64().is_some_and(|left| left < 1.0)).then_some(())
    })
    .await;
    assert_eq!(platform.calls().len(), 2, "22 a day are two at once");
}

#[tokio::test]
async fn a_platform_that_says_no_is_left_alone_as_long_as_it_says() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", [30, 40]);
    let after = |seconds: &str| Trouble::Limited(vec![("retry-after".into(), seconds.into())]);
    platform.trouble([after("2"), Trouble::Limited(Vec::new())]);
    let app = worker(&db).ready().await;
    source(&app, &platform, "x", json!({ "queries": ["a"] })).await;
    wait_until("it said no without a word", SOON, async || {
        poll(&app).await;
        (platform.calls().len() == 2).then_some(())
    })
    .await;
    let of = wait_until("the status says so", SOON, async || {
        let of = status(&app).await;
        of["blocked_until"].is_string().then_some(of)
    })
    .await;
    assert!(of["last_ok_at"].is_null(), "{of}");
    let left: f64 = sqlx::query_scalar(
        "select extract(epoch from blocked_until - now())::float8 from ops.rate_budgets",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!((30.0..=60.0).contains(&left), "a minute, when it does not say how long: {left}");
}

#[tokio::test]
async fn a_budget_that_runs_low_is_said_once() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", [30]);
    platform.allow(10, Duration::from_secs(600));
    let app = worker(&db).ready().await;
    source(&app, &platform, "x", json!({ "queries": ["a", "b", "c"] })).await;
    wait_until("the window is used up", SOON, async || {
        poll(&app).await;
        (platform.calls().len() == 10).then_some(())
    })
    .await;
    let said = |app: &App| app.log().matches("four fifths of the calls").count();
    wait_until("it is said", SOON, async || (said(&app) > 0).then_some(())).await;
    poll(&app).await;
    assert_eq!((said(&app), platform.over()), (1, 0));
}

#[tokio::test]
async fn the_brands_calendar_says_how_often_is_asked() {
    let db = Pg::database().await;
    let platform = Platform::start(4).await;
    platform.write("x", [30]);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("profile.toml");
    let days = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;
    let always = format!(
        "[[temporal]]\nname = \"always\"\npriority = 9\ndays = {days}\nfrom = 0\nto = 24\nmultiplier = 10.0\n"
    );
    let profile = format!("{}\n{always}", Profile::shipped("vita").unwrap());
    std::fs::write(&path, profile).unwrap();
    let app = worker(&db).env("MILLRACE__SOCIAL__PROFILE", path.to_str().unwrap()).ready().await;
    source(&app, &platform, "x", json!({ "queries": ["a"], "interval_s": 6000 })).await;
    all_there(&app, &db, &platform).await;
    let next = "select extract(epoch from next_at - last_ok_at)::bigint from ops.ingest_cursors";
    wait_until("the next sweep in a tenth of the time", SOON, async || {
        (db.count(next).await == 600).then_some(())
    })
    .await;
}
