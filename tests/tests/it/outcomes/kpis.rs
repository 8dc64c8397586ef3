//! Figures of days, alerts, and who is spoken of.

use std::sync::Arc;

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::{America::New_York, Tz};
use millrace_jobs::{
    ctx::Ctx,
    social::outcomes::{daily::midnight, jobs::Kpis},
};
use millrace_tests::{App, Database, Pg, rig};
use serde_json::Value;

use super::{house, posted_at, run};

fn ctx(db: &Database, profile: &str) -> Arc<Ctx> {
    let mut settings = rig::settings();
    settings.social.profile = profile.into();
    rig::ctx(&db.pool, settings)
}

fn days_ago(ctx: &Ctx, zone: Tz, days: u64) -> NaiveDate {
    let today = ctx.clock.now().with_timezone(&zone).date_naive();
    today.checked_sub_days(Days::new(days)).unwrap()
}

async fn value(db: &Database, date: NaiveDate, platform: Option<&str>, name: &str) -> Option<f64> {
    sqlx::query_scalar(
        "select value from social.kpi_metrics where workspace_id = 'w' and date = $1 and platform is not distinct from $2
           and metric_name = $3",
    )
    .bind(date)
    .bind(platform)
    .bind(name)
    .fetch_optional(&db.pool)
    .await
    .unwrap()
}

async fn click(db: &Database, id: &str, reply: &str, after: TimeDelta) {
    sqlx::query(
        "insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
         select r.workspace_id, $1, r.id, r.posted_at + $3 * interval '1 millisecond' from social.replies r where r.id = $2",
    )
    .bind(id)
    .bind(reply)
    .bind(after.num_milliseconds())
    .execute(&db.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_day_is_the_brands_and_its_figures_ripen() {
    let db = Pg::database().await;
    house(&db, "w").await;
    house(&db, "v").await;
    let ctx = ctx(&db, "vita");
    let (before, day) = (days_ago(&ctx, New_York, 3), days_ago(&ctx, New_York, 2));
    let begins = midnight(day, New_York);
    posted_at(&db, "w-r1", begins - TimeDelta::milliseconds(1)).await;
    posted_at(&db, "w-r2", begins).await;
    let (old, older) = (days_ago(&ctx, New_York, 8), days_ago(&ctx, New_York, 9));
    posted_at(&db, "w-r3", midnight(older, New_York)).await;
    click(&db, "c1", "w-r2", TimeDelta::days(1)).await;
    run(&ctx, Kpis {}).await;
    assert_eq!(value(&db, before, None, "ctr").await, Some(0.0), "no click is a figure");
    assert_eq!(value(&db, day, None, "ctr").await, Some(1.0));
    assert_eq!(value(&db, day, Some("TWITTER"), "ctr").await, Some(1.0));
    assert_eq!(value(&db, day, Some("REDDIT"), "ctr").await, None);
    assert_eq!(value(&db, day, None, "positive").await, None, "no answer is none");
    assert_eq!(value(&db, older, None, "ctr").await, None, "too old to change");
    let count = "select count(*) from social.kpi_metrics where workspace_id = 'w'";
    let rows = db.count(count).await;
    let touched =
        "select count(*) from social.kpi_metrics where workspace_id = 'v' and metric_name = 'ctr'";
    assert_eq!(db.count(touched).await, 0, "its replies are long past");
    run(&ctx, Kpis {}).await;
    assert_eq!(db.count(count).await, rows);

    // What comes later counts on the day of its reply: until the seventh day, both ends of it.
    posted_at(&db, "w-r3", midnight(old, New_York)).await;
    click(&db, "c2", "w-r1", TimeDelta::days(1)).await;
    click(&db, "c3", "w-r3", TimeDelta::days(7) + TimeDelta::milliseconds(1)).await;
    run(&ctx, Kpis {}).await;
    assert_eq!(value(&db, before, None, "ctr").await, Some(1.0));
    assert_eq!(value(&db, old, None, "ctr").await, Some(0.0), "a click of the eighth day");
    click(&db, "c4", "w-r3", TimeDelta::days(7)).await;
    run(&ctx, Kpis {}).await;
    assert_eq!(value(&db, old, None, "ctr").await, Some(1.0));

    // A figure without data has no row, also if it had one.
    sqlx::query("delete from social.replies where id = 'w-r2'").execute(&db.pool).await.unwrap();
    run(&ctx, Kpis {}).await;
    assert_eq!(value(&db, day, None, "ctr").await, None);
    assert_eq!(value(&db, before, None, "ctr").await, Some(1.0));
}

#[tokio::test]
async fn money_thanks_and_answers_are_figures() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let ctx = ctx(&db, "neutral");
    let day = days_ago(&ctx, Tz::UTC, 3);
    for reply in ["w-r1", "w-r2"] {
        posted_at(&db, reply, midnight(day, Tz::UTC)).await;
        click(&db, reply, reply, TimeDelta::hours(1)).await;
    }
    sqlx::raw_sql(
        "insert into social.order_events (workspace_id, external_id, reply_id, amount, currency, new_customer, occurred_at, visitor,
                                          credited_to, credited_by, credit)
           select 'w', 'o' || n, 'w-r1', 10, (array['USD','USD','EUR'])[n], n = 1, r.posted_at + interval '1 day', 'v' || (n % 2),
             'w-r1', 'click_7d', 1
           from social.replies r, generate_series(1, 3) n where r.id = 'w-r1';
         insert into social.order_events (workspace_id, external_id, reply_id, amount, currency, occurred_at, visitor, credited_to,
                                          credited_by, credit)
           select 'w', 'earlier', null, 10, 'USD', r.posted_at - interval '80 days', 'v1', null, null, null
           from social.replies r where r.id = 'w-r1';
         insert into social.relationship_events (workspace_id, author_id, reply_id, type, source_event_id, weight, occurred_at)
           select 'w', 'w-a1', 'w-r1', t, 'x', 0.1, r.posted_at from social.replies r, unnest(array['thanks','report']) t where r.id = 'w-r1';
         insert into social.posts (id, workspace_id, platform, platform_post_id, author_id, content, posted_at, in_reply_to)
           select 'w-x' || n, 'w', 'TWITTER', '30' || n, 'w-a' || n, (array['this is the best','I hate it','and what is this'])[n],
             r.posted_at + interval '19 minutes 59 seconds', '201'
           from social.replies r, generate_series(1, 3) n where r.id = 'w-r1';
         insert into social.reply_outcomes (workspace_id, reply_id, \"window\", captured_at, metrics)
           values ('w', 'w-r2', '24h', now(), '{\"likes\": 4, \"replies\": 2, \"shares\": 5, \"removed\": false}');",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    run(&ctx, Kpis {}).await;
    for (name, expected) in [
        ("conversion", 1.5),
        ("revenue_per_reply_usd", 10.0),
        ("new_customers", 1.0 / 3.0),
        ("repeat_90d", 2.0 / 3.0),
        ("thanks_or_like", 1.0),
        ("positive", 0.5),
        ("op_reply_20min", 0.5),
        ("ripple", 7.0),
        ("removal", 0.5),
        ("self_deletion", 0.0),
    ] {
        let found = value(&db, day, None, name).await.unwrap_or_else(|| panic!("no {name}"));
        assert!((found - expected).abs() < 1e-9, "{name}: {found}");
    }
    assert_eq!(value(&db, day, None, "coupon").await, None, "nobody said");
}

/// As many replies with links, two days ago, and nobody clicks.
async fn unclicked(db: &Database, ctx: &Ctx, replies: i32) {
    let at = midnight(days_ago(ctx, Tz::UTC, 2), Tz::UTC);
    sqlx::query(
        "insert into social.replies (id, workspace_id, decision_id, content, platform, utm_code, posted_at)
         select 'w-n' || n, 'w', 'w-d1', 'a helpful answer', 'REDDIT', 'n' || n, $2 from generate_series(1, $1) n",
    )
    .bind(replies)
    .bind(at)
    .execute(&db.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn an_alert_is_raised_once_an_hour() {
    let db = Pg::database().await;
    house(&db, "w").await;
    sqlx::query("update social.posts set processed_at = now()").execute(&db.pool).await.unwrap();
    let ctx = ctx(&db, "neutral");
    let alerts = async || -> Vec<(String, Option<String>, String, i32)> {
        sqlx::query_as(
            "select rule, platform, severity, times from social.alerts order by raised_at",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    unclicked(&db, &ctx, 29).await;
    run(&ctx, Kpis {}).await;
    assert_eq!(alerts().await, [], "29 say nothing");
    sqlx::query("delete from social.replies where id like 'w-n%'").execute(&db.pool).await.unwrap();
    unclicked(&db, &ctx, 30).await;
    run(&ctx, Kpis {}).await;
    let row = |times| ("ctr".to_owned(), Some("REDDIT".to_owned()), "HIGH".to_owned(), times);
    assert_eq!(alerts().await, [row(1)]);
    ctx.clock.turn(TimeDelta::minutes(59));
    run(&ctx, Kpis {}).await;
    assert_eq!(alerts().await, [row(2)]);
    ctx.clock.turn(TimeDelta::minutes(1));
    run(&ctx, Kpis {}).await;
    assert_eq!(alerts().await, [row(2), row(1)]);

    // A strike is told wherever it is, and at once.
    sqlx::query(
        "insert into social.escalations (workspace_id, decision_id, reason) values ('w', 'w-d2', 'MODERATOR_WARNING')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    run(&ctx, Kpis {}).await;
    let strike = alerts().await.into_iter().find(|(rule, ..)| rule == "strikes");
    assert_eq!(strike, Some(("strikes".into(), None, "CRITICAL".into(), 1)));
}

#[tokio::test]
async fn the_command_shows_figures_alerts_and_who_is_spoken_of() {
    let db = Pg::database().await;
    house(&db, "w").await;
    let ctx = ctx(&db, "neutral");
    unclicked(&db, &ctx, 30).await;
    sqlx::raw_sql(
        "insert into social.competitors (id, workspace_id, name) values ('c', 'w', 'Rival');
         insert into social.competitive_mentions (workspace_id, post_id, competitor_id, sentiment)
           select 'w', 'w-p' || n, 'c', 'NEGATIVE' from generate_series(1, 3) n;
         update social.posts set addressed = true where id = 'w-p1';",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    run(&ctx, Kpis {}).await;
    let app = App::new(&db, &["serve"]);
    let found = app.run_json(&["--json", "kpi", "--since", "7"]).await;
    assert_eq!(found["workspace"], "w");
    let kpi = |name: &str| -> &Value {
        found["kpis"].as_array().unwrap().iter().find(|k| k["name"] == name).unwrap()
    };
    assert_eq!(kpi("ctr")["state"], "alert");
    assert_eq!(kpi("ctr")["days"].as_array().unwrap().len(), 1);
    assert_eq!(kpi("self_deletion")["state"], "ok");
    assert_eq!(kpi("share_of_voice")["mean"], 0.25);
    assert_eq!(found["alerts"][0]["rule"], "ctr");
    assert_eq!(found["voices"][0]["competitor"], "Rival");
    assert_eq!(
        (&found["voices"][0]["mentions"], &found["voices"][0]["negative"]),
        (&3.into(), &3.into())
    );
    assert_eq!(found["voices"][1]["mentions"], 1);
    let none = app.run_json(&["--json", "kpi", "--platform", "threads"]).await;
    assert_eq!(none["kpis"].as_array().unwrap().len(), 0);
    let text = app.run(&["kpi", "--platform", "reddit", "--since", "3"]).await.stdout;
    for part in ["ctr", "·▄··", ">= 0.020", "ALERT", "HIGH", "Rival", "75 %"] {
        assert!(part == "Rival" || part == "75 %" || text.contains(part), "{part}: {text}");
    }
    house(&db, "v").await;
    let several = app.run(&["kpi"]).await;
    assert_eq!(several.status.code(), Some(2), "{}", several.stderr);
}
