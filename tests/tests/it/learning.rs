//! Nights over replies whose truth is known: what is found, written, explained, undone and judged, through the real binary.

use millrace_tests::{App, Database, Pg};
use serde_json::Value;

/// When the first night is.
const NIGHT: &str = "2026-06-01T02:00:00Z";

/// Sixty replies a day for sixty-seven days on each of three platforms: signals are even, and a click comes with a chance
/// that grows with TRS alone. All from a hash of their number, so that every run has the same.
async fn replies(db: &Database) {
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W');
         insert into social.authors (workspace_id, id, platform, platform_id, handle) values ('w', 'ann', 'TWITTER', '7', 'ann');
         insert into social.posts (workspace_id, id, platform, platform_post_id, author_id, content)
           values ('w', 'p', 'TWITTER', 'p', 'ann', 'what helps?');
         create function pg_temp.chance(text) returns float8 language sql
           return ('x' || substr(md5($1), 1, 8))::bit(32)::bigint::float8 / 4294967296;
         create table made as
           select 'd' || n as id, (array['TWITTER','REDDIT','THREADS'])[n % 3 + 1] as platform,
                  timestamptz '2026-03-20T02:00:00Z' + n * interval '8 minutes' as at, n
           from generate_series(1, 16000) n;
         insert into social.decision_exposures (workspace_id, decision_id, created_at, eligible_actions, action, propensity,
             probabilities, policy_version, weights_version, features, rng_key)
           select 'w', id, at, '{HELPFUL/COACH,DISENGAGED}',
                  case when pg_temp.chance('out ' || n) < 0.02 then 'DISENGAGED' else 'HELPFUL/COACH' end, 0.98,
                  '{\"HELPFUL/COACH\": 0.98, \"DISENGAGED\": 0.02}', '1', 'GLOBAL:1',
                  jsonb_build_object('temporal', jsonb_build_object('daypart', (array['NIGHT','MORNING','AFTERNOON','EVENING'])[n / 180 % 4 + 1],
                                                                    'day', n / 180 % 7),
                    'signals', jsonb_build_object(
                      'sss', jsonb_build_object('score', pg_temp.chance('sss ' || n)),
                      'ars', jsonb_build_object('score', pg_temp.chance('ars ' || n)),
                      'evs', jsonb_build_object('signal', jsonb_build_object('score', pg_temp.chance('evs ' || n))),
                      'trs', jsonb_build_object('signal', jsonb_build_object('score', pg_temp.chance('trs ' || n))))),
                  n from made;
         insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at)
           select 'w', 'r' || n, id, '{}', 'a reply of ten words', platform, 'APPROVED', at from made
           where pg_temp.chance('out ' || n) >= 0.02;
         insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
           select 'w', 'c' || n, 'r' || n, at + interval '1 hour' from made
           where pg_temp.chance('click ' || n) < 0.02 + 0.2 * pg_temp.chance('trs ' || n) and pg_temp.chance('out ' || n) >= 0.02;",
    )
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn learn(app: &App, args: &[&str]) -> Value {
    app.run_json(&[&["--json", "learn"], args].concat()).await
}

fn of<'a>(report: &'a Value, segment: &str) -> &'a Value {
    let all = report["findings"].as_array().unwrap();
    all.iter().find(|one| one["segment"] == segment).unwrap()
}

#[tokio::test]
async fn nights_find_the_truth_say_why_and_are_undone() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    replies(&db).await;
    let first = learn(&app, &["run", "--as-of", NIGHT, "--dry-run"]).await;
    assert_eq!(
        first,
        learn(&app, &["run", "--as-of", NIGHT, "--dry-run"]).await,
        "to the last bit"
    );
    assert_eq!(db.count("select count(*) from social.learning_runs").await, 0);
    let global = of(&first, "GLOBAL");
    assert_eq!((&global["skip"], &first["skipped"]), (&Value::Null, &Value::Null), "{global}");
    assert!(global["candidate"][3].as_f64() > global["now"][3].as_f64(), "{global}");
    assert!(global["interval"]["low"].as_f64() > Some(0.0) && global["p"].as_f64() < Some(0.001));

    let told = learn(&app, &["run", "--as-of", NIGHT]).await;
    assert_eq!(told["findings"], first["findings"]);
    for (count, rows) in [
        ("select count(*) from social.learning_runs where status = 'DONE' and input_rows > 10000", 1),
        ("select count(*) from social.weight_adjustment_logs where action = 'ADJUSTED' and total_segments = 27", 1),
        ("select count(*) from social.weight_versions where segment_type = 'GLOBAL'", 2),
        ("select count(*) from social.weight_versions where segment_type = 'GLOBAL' and version = 2 and effective_to is null
            and approved_by = 'learning' and parent_id is not null and run_id is not null", 1),
        ("select count(*) from social.segmented_weights where segment_type = 'GLOBAL' and trs_weight > 0.15 and sample_size > 10000", 1),
        ("select count(*) from social.learning_events e where e.adjustment ->> 'segment' = 'GLOBAL' and predicted_improvement > 0", 1),
    ] {
        assert_eq!(db.count(count).await, rows, "{count}");
    }
    let again = app.run(&["learn", "run", "--as-of", NIGHT]).await;
    assert_eq!(again.status.code(), Some(2), "one run for one night");

    // What was found is found again, though other weights are in force since.
    let replay = learn(&app, &["run", "--as-of", NIGHT, "--dry-run"]).await;
    assert_eq!(replay["findings"], first["findings"]);
    let why = learn(&app, &["explain", "GLOBAL"]).await;
    assert_eq!(&why[0], of(&first, "GLOBAL"));
    let words = app.run(&["learn", "explain", "global"]).await.stdout;
    for part in ["ADJUSTED", "always-valid p", "learning rate", "Winsorised", "removals"] {
        assert!(words.contains(part), "no {part} in {words}");
    }
    undone(&db, &app).await;
    compared(&db, &app).await;
    reported(&db, &app).await;
}

/// Two weeks later, those who kept the weights before are compared with the others.
async fn compared(db: &Database, app: &App) {
    sqlx::query(
        "update social.decision_exposures set weights_version = 'GLOBAL:' || case rng_key % 10 when 0 then 1 else 2 end
         where created_at > $1::timestamptz",
    )
    .bind(NIGHT)
    .execute(&db.pool)
    .await
    .unwrap();
    learn(app, &["run", "--as-of", "2026-06-16T02:00:00Z"]).await;
    let told: Value = sqlx::query_scalar(
        "select evaluation -> 'hold_back' from social.learning_events
         where adjustment ->> 'segment' = 'GLOBAL' and date = $1::timestamptz and evaluation ? 'covered'",
    )
    .bind(NIGHT)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!(told["replies"].as_i64() > Some(1000), "{told}");
    let (all, held) = (told["replies"].as_f64().unwrap(), told["held_back"].as_f64().unwrap());
    assert!((held / (all + held) - 0.1).abs() < 0.02, "{told}");
    let (low, high) = (told["interval"]["low"].as_f64(), told["interval"]["high"].as_f64());
    assert!(low < Some(0.0) && high > Some(0.0), "both were answered alike: {told}");
}

/// One page, with a plot of what there is, that needs no network.
async fn reported(db: &Database, app: &App) {
    sqlx::raw_sql(
        "insert into social.kpi_metrics (workspace_id, date, metric_type, metric_name, value)
           select 'w', current_date - n, 'LOVE', 'thanks', n from generate_series(0, 9) n;
         insert into social.experiments (workspace_id, id, name, variant_a, variant_b, metric)
           values ('w', 'e', 'earlier <b>', '{}', '{}', 'reward');
         insert into social.experiment_looks (workspace_id, experiment_id, n, log_e_value, cs_low, cs_high)
           select 'w', 'e', 100 * n, 0, -0.1 / n, 0.2 / n from generate_series(1, 9) n",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let told = learn(app, &["report", file.to_str().unwrap(), "--days", "900"]).await;
    let page = std::fs::read_to_string(&file).unwrap();
    assert_eq!(told["bytes"].as_u64(), Some(page.len().try_into().unwrap()));
    for part in [
        "GLOBAL",
        "earlier &lt;b&gt;",
        "confidence sequence",
        "thanks",
        "REDDIT_NIGHT",
        "predictions were within the 95 %",
    ] {
        assert!(page.contains(part), "no {part}");
    }
    // Weights, gain, experiment, calibration, accuracy, figure; nothing is fetched.
    assert!(page.matches("<svg").count() >= 6, "{}", page.matches("<svg").count());
    let fetches = ["src=", "href=", "<script", "@import", "url("];
    assert!(fetches.iter().all(|fetch| !page.contains(fetch)));
    let nowhere = app.run(&["learn", "report", "/nowhere/report.html"]).await;
    assert_eq!(nowhere.status.code(), Some(1), "{}", nowhere.stderr);
}

/// Held by a person, left alone; put back; and a week later the prediction is judged.
async fn undone(db: &Database, app: &App) {
    learn(app, &["lock", "TWITTER"]).await;
    let later = learn(app, &["run", "--as-of", "2026-06-09T02:00:00Z"]).await;
    assert_eq!(of(&later, "TWITTER")["skip"], "LOCKED");
    let judged = later["judged"].as_array().unwrap();
    let global = judged.iter().find(|one| one["segment"] == "GLOBAL").unwrap();
    assert!(global["actual"].as_f64() > Some(0.0), "{global}");
    assert_eq!(global["covered"], true, "{global}");
    let evaluated = "select count(*) from social.learning_events where evaluated_at is not null and accuracy is not null";
    assert_eq!(db.count(evaluated).await, i64::try_from(judged.len()).unwrap());
    let back = learn(app, &["rollback", "GLOBAL"]).await;
    assert_eq!(back["segment"], "GLOBAL");
    assert_eq!(
        db.count("select count(*) from social.weight_versions where segment_type = 'GLOBAL' and effective_to is null").await,
        1
    );
    assert_eq!(app.run(&["learn", "rollback", "nowhere"]).await.status.code(), Some(2));
    assert_eq!(app.run(&["learn", "approve", "none"]).await.status.code(), Some(3));
}

#[tokio::test]
async fn weights_that_a_person_must_let_in_are_proposed_only() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]).env("MILLRACE__LEARNING__AUTO_APPROVE", "false");
    replies(&db).await;
    learn(&app, &["run", "--as-of", NIGHT]).await;
    let in_force = "select count(*) from social.segmented_weights";
    assert_eq!(db.count(in_force).await, 0);
    let status = learn(&app, &["status"]).await;
    let proposed: Vec<&Value> = status["weights"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["approved_by"].is_null() && row["segment_key"] == "GLOBAL")
        .collect();
    assert_eq!(proposed.len(), 1, "{status}");
    learn(&app, &["approve", proposed[0]["id"].as_str().unwrap()]).await;
    assert_eq!(db.count(in_force).await, 1);
    // What a person says is mixed in nearly whole, also where there was nothing before.
    learn(&app, &["lock", "REDDIT_NIGHT"]).await;
    let whole = "select count(*) from social.segmented_weights where sample_size >= 10000";
    assert_eq!(db.count(whole).await, 2);
}

#[tokio::test]
async fn too_little_is_said_with_its_date_and_too_odd_stops_everything() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    replies(&db).await;
    let early = learn(&app, &["run", "--as-of", "2026-03-28T02:00:00Z"]).await;
    assert_eq!(early["skipped"], "INSUFFICIENT_SAMPLE_SIZE");
    let global = of(&early, "GLOBAL");
    assert!(
        global["shortfall"].as_u64() > Some(0) && global["eta_days"].as_f64() > Some(0.0),
        "{global}"
    );
    let log = "select count(*) from social.weight_adjustment_logs where action = 'SKIPPED' and reason = 'INSUFFICIENT_SAMPLE_SIZE'
                 and (sample_sizes ->> 'GLOBAL')::int > 0";
    assert_eq!(db.count(log).await, 1);
    // Somebody loses every second reply that was held out.
    sqlx::query(
        "delete from social.decision_exposures where action = 'DISENGAGED' and rng_key % 2 = 0",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let odd = learn(&app, &["run", "--as-of", NIGHT]).await;
    assert_eq!(odd["skipped"], "SAMPLE_RATIO_MISMATCH");
    assert_eq!(db.count("select count(*) from social.weight_versions").await, 0);
}

#[tokio::test]
async fn a_result_is_what_came_within_seven_days() {
    let db = Pg::database().await;
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W');
         insert into social.replies (workspace_id, id, decision_id, decision_snapshot, content, platform, approval_status, posted_at,
             deleted_at)
           select 'w', id, id, '{}', 'a reply of ten words', 'TWITTER', 'APPROVED', timestamptz '2026-05-01T00:00:00Z' + nth * interval '1 day',
                  case id when 'gone' then now() end
           from unnest('{early,quiet,clicked,thanked,reported,liked,loathed,gone,late}'::text[]) with ordinality r (id, nth);
         insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
           select 'w', id || n, id, posted_at + case id when 'quiet' then interval '8 days' else '1 day' end
           from social.replies, generate_series(1, 3) n where id in ('early', 'quiet', 'clicked', 'late');
         insert into social.relationship_events (workspace_id, type, source_event_id, weight, reply_id, occurred_at)
           select 'w', type, type || nth, 0, reply, posted_at + after * interval '1 day'
           from (values (1, 'thanks', 'thanked', 6), (2, 'like', 'quiet', 8), (3, 'report', 'reported', 6), (4, 'report', 'quiet', 8),
             (5, 'like', 'loathed', 1)) t (nth, type, reply, after) join social.replies on id = reply;
         insert into social.reply_outcomes (workspace_id, reply_id, \"window\", captured_at, metrics)
           values ('w', 'liked', '24h', now(), '{\"likes\": 2}'), ('w', 'liked', '7d', now(), '{\"likes\": 0}'),
                  ('w', 'loathed', '24h', now(), '{\"likes\": 1, \"removed\": true}'), ('w', 'quiet', '24h', now(), '{\"views\": 9}')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let found: Vec<(String, bool, bool)> = sqlx::query_as(
        "select reply_id, rewarded, removed from social.reply_results('w', '2026-05-02T00:00:00Z', '2026-05-09T00:00:00Z') order by posted_at",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let expected = [
        ("quiet", false, false),
        ("clicked", true, false),
        ("thanked", true, false),
        ("reported", false, true),
        ("liked", true, false),
        ("loathed", true, true),
        ("gone", false, true),
    ];
    let expected = expected.map(|(id, rewarded, removed)| (id.to_owned(), rewarded, removed));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn weights_that_do_harm_are_undone() {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    replies(&db).await;
    learn(&app, &["run", "--as-of", NIGHT]).await;
    // One in ten was held back, and is rewarded five times as often as the others.
    sqlx::query(
        "with seen as (
           update social.decision_exposures set weights_version = 'GLOBAL:' || case rng_key % 10 when 0 then 1 else 2 end
           where created_at > $1::timestamptz returning decision_id, rng_key
         )
         insert into social.click_events (workspace_id, external_id, reply_id, occurred_at)
         select 'w', 'held' || r.id, r.id, r.posted_at from social.replies r join seen s on s.decision_id = r.decision_id
         where s.rng_key % 10 = 0 and s.rng_key % 20 = 0",
    )
    .bind(NIGHT)
    .execute(&db.pool)
    .await
    .unwrap();
    let undone = "select count(*) from social.weight_versions v join social.weight_versions p using (segment_key)
                  where v.segment_type = 'GLOBAL' and p.version = 1 and v.weights = p.weights and v.effective_to is null and v.approved_by = 'hold-back' and v.run_id is null";
    // Nothing else is put into force meanwhile; back it goes by itself.
    let app = App::new(&db, &[]).env("MILLRACE__LEARNING__AUTO_APPROVE", "false");
    learn(&app, &["run", "--as-of", "2026-06-08T02:00:00Z"]).await;
    assert_eq!(db.count(undone).await, 0, "nothing of that week is final");
    learn(&app, &["run", "--as-of", "2026-06-13T02:00:00Z"]).await;
    assert_eq!(db.count(undone).await, 1);
    for (count, rows) in [
        (
            "select count(*) from social.segmented_weights where segment_type = 'GLOBAL' and sss_weight = 0.4 and sample_size > 10000",
            1,
        ),
        (
            "select count(*) from social.alerts where rule = 'weights_undone' and severity = 'HIGH'",
            1,
        ),
        ("select count(*) from social.learning_events where evaluation ? 'undone'", 1),
    ] {
        assert_eq!(db.count(count).await, rows, "{count}");
    }
    // Once: it is over two days later, and compared.
    learn(&app, &["run", "--as-of", "2026-06-16T02:00:00Z"]).await;
    assert_eq!(
        db.count("select count(*) from social.weight_versions where approved_by = 'hold-back'")
            .await,
        1
    );
}
