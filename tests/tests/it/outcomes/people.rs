//! Champions, and bursts of anger.

use chrono::{DateTime, TimeDelta, Utc};
use millrace_jobs::social::outcomes::jobs::{Backlash, Champions};
use millrace_tests::{App, Database, Pg, rig};
use serde_json::Value;

use super::{house, posted_at, run};

/// Events of one author, a day ago.
async fn events(db: &Database, author: &str, kind: &str, count: i32, at: DateTime<Utc>) {
    sqlx::query(
        "insert into social.relationship_events (workspace_id, author_id, type, source_event_id, weight, occurred_at)
         select 'w', $1, $2, $1 || '-' || n, case when $2 = 'block' then -0.3 else 0.15 end, $4 from generate_series(1, $3) n",
    )
    .bind(author)
    .bind(kind)
    .bind(count)
    .bind(at)
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn tiers(db: &Database) -> Vec<(String, Option<String>, i32)> {
    sqlx::query_as(
        "select author_id, tier, engagement_count from social.community_champions order by author_id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn champions_come_and_go_by_what_they_do() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let ctx = rig::ctx(&db.pool, rig::settings());
    let now = ctx.clock.now();
    sqlx::query("update social.authors set is_power_user = true where id = 'w-a3'")
        .execute(&db.pool)
        .await
        .unwrap();
    for (author, count) in [("w-a1", 2), ("w-a2", 6), ("w-a3", 3)] {
        events(&db, author, "thanks", count, now - TimeDelta::days(1)).await;
    }
    let row = |author: &str, tier: Option<&str>, count| {
        (author.to_owned(), tier.map(str::to_owned), count)
    };
    run(&ctx, Champions {}).await;
    assert_eq!(tiers(&db).await, [row("w-a2", Some("SILVER"), 6), row("w-a3", Some("GOLD"), 3)]);
    events(&db, "w-a1", "like", 1, now).await;
    events(&db, "w-a2", "block", 1, now).await;
    run(&ctx, Champions {}).await;
    let expected =
        [row("w-a1", Some("BRONZE"), 3), row("w-a2", None, 6), row("w-a3", Some("GOLD"), 3)];
    assert_eq!(tiers(&db).await, expected);
    // What is older than a month is past.
    ctx.clock.turn(TimeDelta::days(31));
    run(&ctx, Champions {}).await;
    let past = ["w-a1", "w-a2", "w-a3"].map(|author| row(author, None, 0));
    assert_eq!(tiers(&db).await, past, "nobody is forgotten, but nobody is a champion");
}

#[tokio::test]
async fn a_champion_is_written_to_with_consent_and_not_as_the_sixth() {
    let db = Pg::database().await;
    house(&db, "w").await;
    sqlx::query(
        "insert into social.authors (id, workspace_id, platform, platform_id, handle)
         select 'w-b' || n, 'w', 'REDDIT', 'b' || n, 'b' || n from generate_series(1, 6) n",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::query(
        "insert into social.community_champions (id, workspace_id, author_id, tier, engagement_count)
         select 'c' || n, 'w', 'w-b' || n, 'BRONZE', 3 from generate_series(1, 6) n",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let app = App::new(&db, &["serve"]);
    let note = async |id: &str, act: &str| {
        let done = app.run(&["--json", "champions", "note", id, act, "--workspace", "w"]).await;
        (done.status.code(), done.stderr + &done.stdout)
    };
    let (code, why) = note("c1", "message").await;
    assert_eq!(code, Some(2));
    assert!(why.contains("agreed"), "{why}");
    for id in ["c1", "c2", "c3", "c4", "c5", "c6"] {
        assert_eq!(note(id, "consent").await.0, Some(0));
        let (code, said) = note(id, "message").await;
        let expected = if id == "c6" { (Some(2), "today") } else { (Some(0), "CONTACTED") };
        assert!(code == expected.0 && said.contains(expected.1), "{id}: {said}");
    }
    let (code, why) = note("c2", "message").await;
    assert!(code == Some(2) && why.contains("not answered"), "{why}");
    assert!(note("c1", "accept").await.1.contains("ENGAGED"));
    assert_eq!(note("nobody", "accept").await.0, Some(3));
    let all = app.run_json(&["--json", "champions", "ls"]).await;
    let first = all.as_array().unwrap().iter().find(|c| c["id"] == "c1").unwrap();
    assert_eq!(
        (&first["advocate_status"], &first["dm_response"]),
        (&"ENGAGED".into(), &"ACCEPTED".into())
    );
    let audit: Value = app.run_json(&["--json", "audit", "--action", "champion"]).await;
    assert!(audit.as_array().unwrap().len() >= 14, "every act is noted, also the refused");
}

/// People who answer `w-r1`, from the author `first` on, all at once.
async fn answers(db: &Database, (first, count): (i32, i32), text: &str, at: DateTime<Utc>) {
    sqlx::query(
        "with people as (
           insert into social.authors (id, workspace_id, platform, platform_id, handle, follower_count)
           select 'w-m' || n, 'w', 'TWITTER', 'm' || n, 'm' || n, 50 from generate_series($1, $1 + $2 - 1) n
           returning id, platform_id
         )
         insert into social.posts (id, workspace_id, platform, platform_post_id, author_id, content, posted_at, in_reply_to)
         select id || 'p', 'w', 'TWITTER', platform_id, id, $3, $4, '201' from people",
    )
    .bind(first)
    .bind(count)
    .bind(text)
    .bind(at)
    .execute(&db.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_burst_of_anger_is_a_question_for_a_person() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let ctx = rig::ctx(&db.pool, rig::settings());
    let now = ctx.clock.now();
    posted_at(&db, "w-r1", now - TimeDelta::hours(6)).await;
    posted_at(&db, "w-r2", now - TimeDelta::days(3)).await;
    let open = async || -> Vec<(String, String, Option<String>, String)> {
        sqlx::query_as(
            "select reason, priority, reply_id, status from social.escalations order by created_at",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    answers(&db, (1, 28), "what a day", now - TimeDelta::hours(3)).await;
    answers(&db, (101, 1), "this is awful", now - TimeDelta::minutes(5)).await;
    run(&ctx, Backlash {}).await;
    assert_eq!(open().await, [], "29 people");
    answers(&db, (102, 2), "I hate this", now - TimeDelta::minutes(5)).await;
    run(&ctx, Backlash {}).await;
    run(&ctx, Backlash {}).await;
    let asked = |priority: &str, status: &str| {
        (
            "BACKLASH_SPIKE".to_owned(),
            priority.to_owned(),
            Some("w-r1".to_owned()),
            status.to_owned(),
        )
    };
    assert_eq!(open().await, [asked("HIGH", "PENDING")], "once");
    // Somebody has said that it is nothing: nobody is asked again today.
    sqlx::query("update social.escalations set status = 'DISMISSED', resolved_at = now()")
        .execute(&db.pool)
        .await
        .unwrap();
    answers(&db, (200, 101), "gross", now).await;
    run(&ctx, Backlash {}).await;
    assert_eq!(open().await.len(), 1);
    sqlx::query("update social.escalations set resolved_at = now() - interval '25 hours'")
        .execute(&db.pool)
        .await
        .unwrap();
    run(&ctx, Backlash {}).await;
    assert_eq!(open().await.last(), Some(&asked("CRITICAL", "PENDING")));
}
