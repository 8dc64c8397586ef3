//! Decisions whose mode was drawn by lot, through the real binary: what came is filled in, and what follows is said.

use millrace_tests::{App, Database, Pg};
use serde_json::Value;

const NIGHT: &str = "2026-06-01T02:00:00Z";

/// Fifteen hundred lots among three modes in the ten weeks before; the reward is likelier by a fifth where the lot fell on the
/// predicted mode and that is HELPFUL, and as likely everywhere else. All from a hash.
async fn lots(db: &Database) {
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W');
         create function pg_temp.chance(text) returns float8 language sql
           return ('x' || substr(md5($1), 1, 8))::bit(32)::bigint::float8 / 4294967296;
         create table made as
           select n, timestamptz '2026-03-10T00:00:00Z' + n * interval '1 hour' as at,
                  (array['HELPFUL','ENGAGEMENT','HYBRID'])[n % 3 + 1] as predicted,
                  (array['HELPFUL','ENGAGEMENT','HYBRID'])[1 + floor(3 * pg_temp.chance('lot ' || n))::int] as actual
           from generate_series(1, 1500) n;
         insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity, probabilities,
             policy_version, weights_version, features, rng_key)
           select 'w', 'd' || n, at, array['HELPFUL/COACH','ENGAGEMENT/COACH','HYBRID/COACH','DISENGAGED'], actual || '/COACH', 0.03,
                  '{\"HELPFUL/COACH\": 0.92, \"ENGAGEMENT/COACH\": 0.03, \"HYBRID/COACH\": 0.03, \"DISENGAGED\": 0.02}', '1', 'GLOBAL:1',
                  jsonb_build_object('signals', jsonb_build_object(
                    'sss', jsonb_build_object('score', pg_temp.chance('sss ' || n)), 'ars', jsonb_build_object('score', 0.5),
                    'evs', jsonb_build_object('signal', jsonb_build_object('score', 0.4)),
                    'trs', jsonb_build_object('signal', jsonb_build_object('score', 0.9)))), n
           from made;
         insert into social.randomized_experiments (workspace_id, id, decision_id, predicted_mode, actual_mode, predicted_outcome)
           select 'w', 'x' || n, 'd' || n, predicted, actual, 0.6 from made;
         insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
           select 'w', 'r' || n, 'd' || n, '{}', 'a reply of ten words', 'TWITTER', 'APPROVED', at + interval '1 hour' from made;
         insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
           select 'w', 'c' || n, 'r' || n, at + interval '2 hours' from made
           where pg_temp.chance('reward ' || n) < 0.15 + case when predicted = actual and actual = 'HELPFUL' then 0.35 else 0 end",
    )
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn learn(app: &App, as_of: &str, dry: bool) -> Value {
    let mut args =
        vec!["--json", "learn", "--workspace", "w", "run", "--of", "causal", "--as-of", as_of];
    args.extend(dry.then_some("--dry-run"));
    app.run_json(&args).await
}

fn of<'a>(report: &'a Value, predicted: &str) -> &'a Value {
    let all = report["uplifts"].as_array().unwrap();
    all.iter().find(|one| one["predicted"] == predicted).unwrap()
}

#[tokio::test]
async fn what_came_is_filled_in_once_and_an_uplift_is_validated_where_there_is_one() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    lots(&db).await;
    let filled =
        "select count(*) from social.randomized_experiments where actual_outcome is not null";
    let early = learn(&app, "2026-03-20T02:00:00Z", false).await;
    assert_eq!(early["skipped"], "INSUFFICIENT_SAMPLE_SIZE");
    let of_two_days = db.count(filled).await;
    assert!((40..60).contains(&of_two_days), "{of_two_days}");
    let dry = learn(&app, NIGHT, true).await;
    assert_eq!(dry, learn(&app, NIGHT, true).await, "to the last bit");
    assert_eq!(db.count(filled).await, of_two_days);
    let told = learn(&app, NIGHT, false).await;
    assert_eq!(told["uplifts"], dry["uplifts"]);
    assert_eq!((&told["rows"], db.count(filled).await), (&1500.into(), 1500));
    let (helpful, hybrid) = (of(&told, "HELPFUL"), of(&told, "HYBRID"));
    assert_eq!(helpful["verdict"], "VALIDATED", "{helpful}");
    assert!((helpful["uplift"].as_f64().unwrap() - 0.35).abs() < 0.12, "{helpful}");
    assert_eq!(hybrid["verdict"], "INCONCLUSIVE", "{hybrid}");
    assert_eq!(helpful["seed_causal"], false, "half is not .6: the seed says chance");
    let right = "select count(*) from social.randomized_experiments x join social.replies r on r.decision_id = x.decision_id
                 where x.actual_outcome = (exists (select from social.click_events c where c.reply_id = r.id))::int";
    assert_eq!(db.count(right).await, 1500);
    let log = "select count(*) from social.weight_adjustment_logs where action = 'SKIPPED' and reason like 'causal: %HELPFUL VALIDATED%'";
    assert_eq!(db.count(log).await, 1);
    let words = app
        .run(&["learn", "--workspace", "w", "run", "--of", "causal", "--as-of", NIGHT, "--dry-run"])
        .await;
    for part in ["HELPFUL", "validated", "by lot"] {
        assert!(words.stdout.contains(part), "no {part} in {}", words.stdout);
    }
}
