//! Looks at replies: four of each, once.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_jobs::{
    social::outcomes::{
        jobs::Sweep,
        windows::{Look, Shown, Window},
    },
    store::social::reply_outcomes::{due, missed, record},
};
use millrace_tests::{Pg, rig};
use serde_json::{Value, json};

use super::{house, posted_at, run};

const MS: TimeDelta = TimeDelta::milliseconds(1);

#[tokio::test]
async fn looks_that_nobody_has_had_are_enqueued_once_for_their_time() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let ctx = rig::ctx(&db.pool, rig::settings());
    let posted = ctx.clock.now() - TimeDelta::minutes(10);
    posted_at(&db, "w-r1", posted).await;
    for _ in 0..2 {
        run(&ctx, Sweep {}).await;
    }
    let jobs: Vec<(String, String, DateTime<Utc>)> = sqlx::query_as(
        "select unique_key, workspace_id, run_at from ops.jobs where kind = 'social.outcome' and payload ->> 'reply_id' = 'w-r1'
         order by run_at",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let keys: Vec<&str> = jobs.iter().map(|(key, _, _)| key.as_str()).collect();
    assert_eq!(keys, ["w-r1 15m", "w-r1 60m"], "those of the next hour");
    for ((_, workspace, run_at), window) in jobs.iter().zip([Window::Quarter, Window::Hour]) {
        assert_eq!(workspace, "w");
        let late = *run_at - (posted + window.after());
        assert!(late.abs() < TimeDelta::seconds(30), "{late}");
    }
}

#[tokio::test]
async fn a_look_is_of_use_for_two_days() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let now = super::at("2026-03-01T12:00:00Z");
    let mut conn = db.pool.acquire().await.unwrap();
    let windows = async |conn: &mut sqlx::PgConnection, age: TimeDelta| {
        posted_at(&db, "w-r1", now - age).await;
        let mut found = Vec::new();
        for window in Window::ALL {
            let all = missed(conn, window, now).await.unwrap();
            if all.iter().any(|one| one.reply_id == "w-r1") {
                found.push(window.as_str());
            }
        }
        found
    };
    let (quarter, hour, day) = (TimeDelta::minutes(15), TimeDelta::hours(1), TimeDelta::days(1));
    assert_eq!(windows(&mut conn, -MS).await, [""; 0], "not posted yet");
    assert_eq!(windows(&mut conn, TimeDelta::zero()).await, ["15m"]);
    assert_eq!(windows(&mut conn, MS).await, ["15m", "60m"]);
    assert_eq!(windows(&mut conn, day * 2 + quarter - MS).await, ["15m", "60m", "24h"]);
    assert_eq!(windows(&mut conn, day * 2 + quarter).await, ["60m", "24h"]);
    assert_eq!(windows(&mut conn, day * 2 + hour).await, ["24h"]);
    assert_eq!(windows(&mut conn, day * 3).await, [""; 0]);
    assert_eq!(windows(&mut conn, day * 7 - hour + MS).await, ["7d"]);
    assert_eq!(windows(&mut conn, day * 9).await, [""; 0]);
}

#[tokio::test]
async fn what_was_seen_stays_as_it_was_seen() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let mut conn = db.pool.acquire().await.unwrap();
    let look = |window| Look { reply_id: "w-r1".into(), window };
    let late = super::at("2026-01-10T14:00:00Z");
    let shown = |likes| Shown { likes: Some(likes), replies: Some(2), ..Shown::default() };
    assert!(due(&mut conn, &look(Window::Hour)).await.unwrap().is_some());
    assert!(record(&mut conn, &look(Window::Hour), late, &shown(3), true).await.unwrap());
    assert!(!record(&mut conn, &look(Window::Hour), late, &shown(99), true).await.unwrap());
    assert!(due(&mut conn, &look(Window::Hour)).await.unwrap().is_none());
    let gone = Shown { removed: true, ..Shown::default() };
    assert!(record(&mut conn, &look(Window::Day), late, &gone, true).await.unwrap());
    let metrics: Value =
        sqlx::query_scalar("select metrics_json from social.replies where id = 'w-r1'")
            .fetch_one(&mut *conn)
            .await
            .unwrap();
    let hour = &metrics["60m"];
    assert_eq!((&hour["likes"], &hour["replies"]), (&json!(3), &json!(2)));
    let at = hour["captured_at"].as_str().unwrap();
    assert_eq!(
        DateTime::parse_from_rfc3339(at).unwrap(),
        late,
        "an hour and a half after it was posted"
    );
    assert_eq!(metrics["24h"]["removed"], true);
    assert_eq!(metrics["24h"].get("likes"), None, "unknown is not zero");
    let unknown = Look { reply_id: "nobody".into(), window: Window::Day };
    assert!(!record(&mut conn, &unknown, late, &gone, true).await.unwrap());
}
