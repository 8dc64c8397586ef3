//! A platform that shows our replies to fewer people, through the real binary.

use millrace_tests::{App, Database, Pg};
use serde_json::Value;

/// Forty replies a day on X for a hundred days, as often shown as a hash has it, at night a third as often; from the
/// eightieth day on by the factor. Reddit says no views and has few.
async fn replies(db: &Database, factor: f64) {
    sqlx::query("insert into signals.workspaces (id, name) values ('w', 'W')")
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::query(
        "with made as (
           select n, 'r' || n as id, case when n % 41 = 0 then 'REDDIT' else 'TWITTER' end as platform,
                  timestamptz '2026-03-01T00:00:00Z' + n * interval '36 minutes' as at from generate_series(0, 3999) n
         ), reply as (
           insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
           select 'w', id, 'd' || n, '{}', 'a reply of ten words', platform, 'APPROVED', at from made returning id
         )
         insert into social.reply_outcomes (workspace_id, reply_id, \"window\", captured_at, metrics)
         select 'w', id, '24h', at + interval '1 day',
                case platform when 'REDDIT' then '{\"likes\": 3, \"removed\": false}' else
                jsonb_build_object('removed', false, 'views', (exp(5 + 1.5 * sqrt(-2 * ln(((('x' || substr(md5('u ' || n), 1, 8))::bit(32)::bigint::float8 + 0.5) / 4294967296)))
                  * cos(2 * pi() * ((('x' || substr(md5('v ' || n), 1, 8))::bit(32)::bigint::float8 + 0.5) / 4294967296))) * case when extract(hour from at at time zone 'utc') < 6 then 0.33 else 1 end
                  * case when at >= '2026-05-20' then $1 else 1 end)::bigint) end
         from made",
    )
    .bind(factor)
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn drift(app: &App, as_of: &str) -> Value {
    let args = ["--json", "learn", "--workspace", "w", "run", "--of", "drift", "--as-of", as_of];
    app.run_json(&args).await
}

fn of<'a>(report: &'a Value, platform: &str) -> &'a Value {
    report["drift"].as_array().unwrap().iter().find(|one| one["platform"] == platform).unwrap()
}

#[tokio::test]
async fn a_fall_raises_one_alert_and_asks_a_person() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    replies(&db, 0.4).await;
    let before = drift(&app, "2026-05-20T02:00:00Z").await;
    assert_eq!(of(&before, "TWITTER")["state"], "STEADY", "{before}");
    assert_eq!(of(&before, "TWITTER")["figure"], "views");
    assert_eq!(of(&before, "REDDIT")["figure"], "engagement");
    assert_eq!(of(&before, "REDDIT")["state"], "INSUFFICIENT_SAMPLE_SIZE");
    assert_eq!(of(&before, "THREADS")["shortfall"], 29);
    assert_eq!(db.count("select count(*) from social.alerts").await, 0);
    for day in 22..32 {
        drift(&app, &format!("2026-05-{day:02}T02:00:00Z")).await;
    }
    let alert = "select count(*) from social.alerts where rule = 'drift' and platform = 'TWITTER' and severity = 'HIGH'
                   and value between -0.7 and -0.3 and threshold = -0.2 and message like '%a person should look%'";
    assert_eq!(db.count(alert).await, 1, "once, however many nights see it");
    assert_eq!(db.count("select count(*) from social.alerts").await, 1);
    let asked = "select count(*) from social.escalations where reason = 'MANUAL_FLAG' and priority = 'HIGH' and reason_text like 'TWITTER: views%'";
    assert_eq!(db.count(asked).await, 1);
    let logs = "select count(*) from social.weight_adjustment_logs where action = 'SKIPPED' and reason like 'drift: TWITTER %'";
    assert_eq!(db.count(logs).await, 11);
    let told = app.run_json(&["--json", "learn", "--workspace", "w", "drift"]).await;
    let alarm = &of(&told, "TWITTER")["alarms"][0];
    assert!(
        alarm["since"].as_str() >= Some("2026-05-17")
            && alarm["since"].as_str() <= Some("2026-05-22"),
        "{alarm}"
    );
    assert!(
        of(&told, "TWITTER")["seed"]["change"].is_number(),
        "the seed's rule is recorded beside"
    );
    let args =
        ["learn", "--workspace", "w", "run", "--of", "drift", "--as-of", "2026-05-31T02:00:00Z"];
    assert_eq!(app.run(&args).await.status.code(), Some(2), "one run for one night");
    let again = app.run_json(&[&["--json"], &args[..], &["--dry-run"]].concat()).await;
    assert_eq!(again, told, "to the last bit");
    let words = app.run(&["learn", "--workspace", "w", "drift"]).await.stdout;
    for part in ["TWITTER", "alarm at", "usual reply", "since about"] {
        assert!(words.contains(part), "no {part} in {words}");
    }
}

#[tokio::test]
async fn a_smaller_fall_asks_nobody_and_none_tells_nobody() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    replies(&db, 1.0).await;
    let quiet = drift(&app, "2026-06-05T02:00:00Z").await;
    assert_eq!(of(&quiet, "TWITTER")["alarms"], serde_json::json!([]), "{}", of(&quiet, "TWITTER"));
    assert_eq!(db.count("select count(*) from social.alerts").await, 0);
    let kinds = app.run_json(&["--json", "learn", "--workspace", "w", "status"]).await;
    assert_eq!(kinds["runs"][0]["kind"], "drift");
}
