//! How experiments end.

use std::sync::Arc;

use millrace_jobs::{ctx::Ctx, learning::experiments::watch::Watch};
use millrace_tests::{Database, Pg, rig};
use serde_json::Value;

use super::{came, planted};
use crate::outcomes::run;

#[derive(Debug, sqlx::FromRow)]
struct Ended {
    status: String,
    stop_reason: Option<String>,
    winner: Option<String>,
    traffic_split: f64,
    results: Value,
}

async fn of(db: &Database, id: &str) -> Ended {
    sqlx::query_as(
        "select status, stop_reason, winner, traffic_split, results_json as results from social.experiments where id = $1",
    )
    .bind(id)
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

fn ctx(db: &Database) -> Arc<Ctx> {
    rig::ctx(&db.pool, rig::settings())
}

fn reason(ended: &Ended) -> (&str, Option<&str>, Option<&str>) {
    (&ended.status, ended.stop_reason.as_deref(), ended.winner.as_deref())
}

#[tokio::test]
async fn a_look_that_is_taken_twice_is_one_and_says_what_is_missing() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    planted(&db, "slow", 550, [9.0, 16.0, 0.0]).await;
    run(&ctx, Watch {}).await;
    let first = of(&db, "slow").await;
    run(&ctx, Watch {}).await;
    assert_eq!(db.count("select count(*) from social.experiment_looks").await, 1);
    assert_eq!(reason(&first), ("RUNNING", None, None));
    let results = &first.results;
    assert_eq!(results["n"], 550);
    let gates: Vec<&str> = results["missing"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["gate"].as_str())
        .collect();
    assert_eq!(gates, ["EVIDENCE", "INTERVAL", "GUARDRAIL"], "{results}");
    for figure in [
        "p",
        "q",
        "seed_p",
        "cohens_d",
        "cohens_h",
        "mde",
        "probability_b_better",
        "regret",
        "needed",
    ] {
        assert!(results[figure].is_number(), "{figure}: {results}");
    }
    assert!(results["eta"].is_string() && results["interval"]["low"].is_number(), "{results}");
    // B looks better, and gets more of those who come, once for each hundred; never less than a fifth is A's.
    assert!((0.2..0.45).contains(&first.traffic_split), "{}", first.traffic_split);
    assert!((of(&db, "slow").await.traffic_split - first.traffic_split).abs() < 1e-12);
    came(&db, "slow", 551, 560, [9.0, 16.0, 0.0]).await;
    run(&ctx, Watch {}).await;
    assert_eq!(db.count("select max(n) from social.experiment_looks").await, 560);
    assert_eq!(db.count("select count(*) from social.experiment_looks").await, 2);
    let hundred = of(&db, "slow").await.traffic_split;
    assert!((hundred - first.traffic_split).abs() < 1e-12, "the hundred is not full");
}

#[tokio::test]
async fn outcomes_that_are_not_final_are_not_looked_at() {
    let db = Pg::database().await;
    planted(&db, "young", 600, [9.0, 40.0, 0.0]).await;
    sqlx::raw_sql(
        "update social.experiment_assignments set assigned_at = now() - interval '7 days 23 hours'
                   where substr(unit_id, 8)::int > 100",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    run(&ctx(&db), Watch {}).await;
    let found = of(&db, "young").await;
    assert_eq!((&found.results["n"], found.status.as_str()), (&100.into(), "RUNNING"));
}

#[tokio::test]
async fn a_split_that_is_no_chance_stops_it() {
    let db = Pg::database().await;
    planted(&db, "odd", 1600, [5.0, 12.0, 0.0]).await;
    sqlx::raw_sql("delete from social.experiment_assignments where variant = 'B' and substr(unit_id, 6)::int % 3 = 0")
        .execute(&db.pool)
        .await
        .unwrap();
    run(&ctx(&db), Watch {}).await;
    let ended = of(&db, "odd").await;
    assert_eq!(reason(&ended), ("CANCELLED", Some("SAMPLE_RATIO_MISMATCH"), None));
    assert!(ended.results["sample_ratio_p"].as_f64() < Some(0.001));
    assert_eq!(db.count("select count(*) from social.experiment_promotions").await, 0);
    let skipped = "select count(*) from social.weight_adjustment_logs where action = 'SKIPPED' and reason = 'EXPERIMENT odd SAMPLE_RATIO_MISMATCH'";
    assert_eq!(db.count(skipped).await, 1);
}

#[tokio::test]
async fn harm_by_b_reverts_it_however_good_it_is() {
    let db = Pg::database().await;
    planted(&db, "removed", 1600, [5.0, 12.0, 4.0]).await;
    planted(&db, "blamed", 400, [9.0, 9.0, 0.0]).await;
    planted(&db, "feared", 400, [9.0, 9.0, 0.0]).await;
    sqlx::raw_sql(
        "insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content, in_reply_to, posted_at)
           select 'w', 'answer-' || n, 'TWITTER', 'answer-' || n, 'old', 'that was terrible, it made me sick', 'blamed-r' || n * 2,
                  now() - interval '20 days' from generate_series(1, 12) n;
         insert into social.escalations (workspace_id, decision_id, post_id, reason)
           select 'w', 'feared-d' || n * 2, 'old', 'SAFETY_AMBIGUITY' from generate_series(1, 12) n;",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let settings = rig::settings();
    let ctx = rig::ctx(
        &db.pool,
        millrace_config::Settings {
            social: millrace_config::Social { profile: "vita".into(), ..settings.social.clone() },
            ..settings
        },
    );
    run(&ctx, Watch {}).await;
    for (id, why) in [
        ("removed", "GUARDRAIL_REMOVALS"),
        ("blamed", "GUARDRAIL_SENTIMENT"),
        ("feared", "GUARDRAIL_ESCALATIONS"),
    ] {
        let ended = of(&db, id).await;
        assert_eq!(reason(&ended), ("CANCELLED", Some(why), None), "{}", ended.results);
    }
    assert_eq!(db.count("select count(*) from social.experiment_promotions").await, 0);
}

#[tokio::test]
async fn its_time_is_over_and_neither_has_won() {
    let db = Pg::database().await;
    planted(&db, "even", 500, [9.0, 9.0, 0.0]).await;
    sqlx::raw_sql("update social.experiments set end_date = now() - interval '1 hour'")
        .execute(&db.pool)
        .await
        .unwrap();
    run(&ctx(&db), Watch {}).await;
    let ended = of(&db, "even").await;
    assert_eq!(reason(&ended), ("COMPLETED", Some("END_DATE"), None));
    assert_eq!(
        db.count("select count(*) from social.weight_adjustment_logs where action = 'SKIPPED'")
            .await,
        1
    );
    run(&ctx(&db), Watch {}).await;
    assert_eq!(db.count("select count(*) from social.weight_adjustment_logs").await, 1);
}

#[tokio::test]
async fn of_many_experiments_chance_wins_none() {
    let db = Pg::database().await;
    // One whose evidence would be enough alone, among nineteen that have none.
    planted(&db, "lucky", 1600, [8.0, 14.5, 0.0]).await;
    run(&ctx(&db), Watch {}).await;
    let alone = of(&db, "lucky").await;
    let p = alone.results["p"].as_f64().unwrap();
    assert!((0.0025..0.05).contains(&p), "{p}: no good example");
    assert_eq!(reason(&alone), ("COMPLETED", Some("B_IS_BETTER"), Some("B")));
    sqlx::raw_sql(
        "update social.experiments set status = 'RUNNING', winner = null, stop_reason = null, end_date = null;
         insert into social.experiments (workspace_id, name, variant_a, variant_b, metric, status)
           select 'w', 'null ' || n, '{}', '{\"thresholds\": {\"sss_power\": 0.6}}', 'engagement', 'RUNNING'
           from generate_series(1, 19) n",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    run(&ctx(&db), Watch {}).await;
    let among = of(&db, "lucky").await;
    assert_eq!(reason(&among), ("RUNNING", None, None), "{}", among.results);
    assert_eq!(among.results["q"].as_f64(), Some((p * 20.0).min(1.0)));
}
