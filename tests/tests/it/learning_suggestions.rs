//! Thresholds of suggestions learn from what people accept and dismiss, through the real binary.

use std::sync::Arc;

use millrace_jobs::{
    ctx::Ctx,
    queue::{Job, LeaseId, Leased, Verdict},
    signals::{process::Process, thresholds},
    store::projects,
};
use millrace_tests::{App, Database, Pg, rig};
use serde_json::{Value, json};

const NIGHT: &str = "2026-06-01T02:00:00Z";

async fn learn(app: &App, args: &[&str]) -> Value {
    app.run_json(&[&["--json", "learn", "--workspace", "w"], args].concat()).await
}

/// Suggestions at one confidence that people judged, and automatic links that nobody minds. One in ten of them is one of
/// those that are asked whatever the threshold; only those are made where `chosen`.
async fn judged(db: &Database, confidence: f32, right: i32, n: i32, chosen: bool) {
    sqlx::query(
        "with made as (
           select 's' || $1 || '-' || nth as id from generate_series(1, 40000) nth
           where not $4 or signals.asked_anyway('s' || $1 || '-' || nth, 'p') order by nth limit $3
         ), signal as (
           insert into signals.signals (id, workspace_id, source, verbatim, created_at, processed_at)
           select id, 'w', 'paste', 'something', '2026-05-01', '2026-05-01' from made returning id
         )
         insert into signals.suggestion_feedback (workspace_id, signal_id, project_id, verdict, confidence, actor, created_at)
         select 'w', id, 'p', case when row_number() over (order by id) <= $2 then 'accepted' else 'dismissed' end, $1::real, 'key',
                '2026-05-02' from signal",
    )
    .bind(confidence)
    .bind(right)
    .bind(n)
    .bind(chosen)
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn house() -> (Database, App) {
    let db = Pg::database().await;
    let app = App::new(&db, &[]);
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'W'), ('other', 'O');
         insert into signals.projects (id, workspace_id, name) values ('p', 'w', 'Exports');",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    (db, app)
}

fn of<'a>(report: &'a Value, threshold: &str) -> &'a Value {
    let all = report["findings"].as_array().unwrap();
    all.iter().find(|one| one["threshold"] == threshold).unwrap()
}

#[tokio::test]
async fn what_people_say_moves_the_thresholds_says_why_and_is_undone() {
    let (db, app) = house().await;
    judged(&db, 0.62, 20, 80, false).await;
    judged(&db, 0.82, 60, 60, false).await;
    let args = ["run", "--of", "suggestions", "--as-of", NIGHT];
    let dry = learn(&app, &[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry, learn(&app, &[&args[..], &["--dry-run"]].concat()).await, "to the last bit");
    assert_eq!(db.count("select count(*) from social.learning_runs").await, 0);
    let told = learn(&app, &args).await;
    assert_eq!(told["findings"], dry["findings"]);
    let (suggest, link) = (of(&told, "SUGGESTIONS"), of(&told, "AUTO_LINKS"));
    assert_eq!(
        (&suggest["skip"], &suggest["candidate"]),
        (&Value::Null, &json!(0.65)),
        "{suggest}"
    );
    assert_eq!((&link["skip"], &link["candidate"]), (&Value::Null, &json!(0.80)), "{link}");
    for (count, rows) in [
        ("select count(*) from social.learning_runs where kind = 'suggestions' and status = 'DONE' and input_rows = 140", 1),
        ("select count(*) from social.weight_adjustment_logs where action = 'ADJUSTED' and total_segments = 2
            and old_weights ->> 'SUGGESTIONS' = '0.6' and new_weights ->> 'AUTO_LINKS' = '0.8' and reason like '%AUTO_LINKS ADJUSTED%'", 1),
        ("select count(*) from signals.threshold_versions where version = 1 and approved_by = 'setting' and effective_to is not null", 2),
        ("select count(*) from signals.threshold_versions where name = 'SUGGESTIONS' and above = 0.65 and effective_to is null
            and approved_by = 'learning' and parent_id is not null and run_id is not null", 1),
    ] {
        assert_eq!(db.count(count).await, rows, "{count}");
    }
    let again = app.run(&[&["learn", "--workspace", "w"], &args[..]].concat()).await;
    assert_eq!(again.status.code(), Some(2), "one run for one night");
    let replay = learn(&app, &[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!(replay["findings"], told["findings"], "though others are in force since");

    let words = app.run(&["learn", "--workspace", "w", "explain", "auto-links"]).await.stdout;
    for part in ["ADJUSTED", "0.85", "the setting", "always-valid p", "60 of 60 right"] {
        assert!(words.contains(part), "no {part} in {words}");
    }
    let status = learn(&app, &["status"]).await;
    assert_eq!(status["thresholds"].as_array().unwrap().len(), 2, "{status}");
    held_and_undone(&db, &app).await;
}

/// Left alone when a person says so; put back; and nothing where the setting has changed.
async fn held_and_undone(db: &Database, app: &App) {
    learn(app, &["lock", "SUGGESTIONS"]).await;
    let night = ["run", "--of", "suggestions", "--as-of", "2026-06-02T02:00:00Z", "--dry-run"];
    let next = learn(app, &night).await;
    assert_eq!(of(&next, "SUGGESTIONS")["skip"], "LOCKED");
    assert_eq!(
        of(&next, "AUTO_LINKS")["skip"],
        "INSUFFICIENT_SAMPLE_SIZE",
        "older ones were counted"
    );
    learn(app, &["unlock", "SUGGESTIONS"]).await;
    assert_ne!(of(&learn(app, &night).await, "SUGGESTIONS")["skip"], "LOCKED");
    let back = learn(app, &["rollback", "AUTO_LINKS"]).await;
    assert_eq!(back["from"], 0.85);
    let notes =
        "select count(*) from ops.audit where action like 'thresholds.%' and workspace_id = 'w'";
    assert_eq!(db.count(notes).await, 3);
    let mut conn = db.pool.acquire().await.unwrap();
    let defaults = rig::settings().classify;
    let from = thresholds::suggested(&mut conn, &defaults, "w").await.unwrap().0;
    assert!((from - 0.65).abs() < 1e-6, "{from}");
    sqlx::query("update signals.workspaces set settings = '{\"signalClassification\": {\"suggestionThreshold\": 0.7}}'")
        .execute(&db.pool)
        .await
        .unwrap();
    let from = thresholds::suggested(&mut conn, &defaults, "w").await.unwrap().0;
    assert!((from - 0.7).abs() < 1e-6, "what a person sets is set: {from}");
}

#[tokio::test]
async fn a_threshold_in_force_decides_and_a_proposed_one_does_not() {
    let (db, app) = house().await;
    let app = app.env("MILLRACE__LEARNING__AUTO_APPROVE", "false");
    judged(&db, 0.87, 0, 60, false).await;
    learn(&app, &["run", "--of", "suggestions", "--as-of", NIGHT]).await;
    let mut conn = db.pool.acquire().await.unwrap();
    let about = Some("offline job sheets sync without connection");
    projects::create(&mut conn, "w", "Offline sheets", about).await.unwrap();
    let ctx = rig::ctx(&db.pool, rig::settings());
    let text = "offline job sheets sync without connection please";
    let confidence = process(&db, &ctx, "a", text).await;
    assert!(confidence.0 > 0.85 && confidence.1, "linked: {confidence:?}");
    let status = learn(&app, &["status"]).await;
    let proposed = status["thresholds"].as_array().unwrap().iter();
    let proposed: Vec<&Value> = proposed.filter(|row| row["approved_by"].is_null()).collect();
    assert_eq!(proposed.len(), 1, "{status}");
    learn(&app, &["approve", proposed[0]["id"].as_str().unwrap()]).await;
    // As far as steps go: beyond what the classifier says of this text.
    sqlx::query("update signals.threshold_versions set above = 1 where effective_to is null and name = 'AUTO_LINKS'")
        .execute(&db.pool)
        .await
        .unwrap();
    let text = "offline job sheets sync without connection thanks";
    let confidence = process(&db, &ctx, "b", text).await;
    assert!(confidence.0 > 0.85 && !confidence.1, "suggested: {confidence:?}");
}

/// What the classifier says of a text, and whether it was linked.
async fn process(db: &Database, ctx: &Arc<Ctx>, id: &str, text: &str) -> (f64, bool) {
    sqlx::query(
        "insert into signals.signals (id, workspace_id, source, verbatim, content_hash) values ($1, 'w', 'paste', $2, $3)",
    )
    .bind(id)
    .bind(text)
    .bind(millrace_jobs::embed::content_hash(text).to_vec())
    .execute(&db.pool)
    .await
    .unwrap();
    let lease = Leased {
        id: LeaseId { job: -1, attempt: 1 },
        workspace_id: "w".into(),
        trace_id: None,
        attempts_before: 0,
        job: Process { signal_id: id.into() },
    };
    let verdicts = Process::run(ctx.clone(), vec![lease]).await;
    assert!(matches!(verdicts[..], [Verdict::Committed]), "{verdicts:?}");
    sqlx::query_as(
        "select (ai_classification -> 'projectMatches' -> 0 ->> 'confidence')::float8, status = 'linked'
         from signals.signals where id = $1",
    )
    .bind(id)
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn only_what_was_shown_to_all_lowers_and_too_little_is_said() {
    let (db, app) = house().await;
    judged(&db, 0.57, 15, 15, true).await;
    let args = ["run", "--of", "suggestions", "--as-of", NIGHT];
    let early = learn(&app, &args).await;
    assert_eq!(early["skipped"], "INSUFFICIENT_SAMPLE_SIZE");
    assert_eq!(of(&early, "SUGGESTIONS")["shortfall"], 5);
    let log = "select count(*) from social.weight_adjustment_logs where action = 'SKIPPED' and (sample_sizes ->> 'SUGGESTIONS')::int = 15
                 and reason like 'SUGGESTIONS INSUFFICIENT_SAMPLE_SIZE%'";
    assert_eq!(db.count(log).await, 1);
    // Eighty that somebody went looking for say nothing ...
    sqlx::query("delete from signals.suggestion_feedback").execute(&db.pool).await.unwrap();
    sqlx::query("delete from signals.signals").execute(&db.pool).await.unwrap();
    judged(&db, 0.56, 300, 300, false).await;
    sqlx::query(
        "delete from signals.suggestion_feedback where signals.asked_anyway(signal_id, project_id)",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let night = ["run", "--of", "suggestions", "--as-of", "2026-06-02T02:00:00Z"];
    assert_eq!(of(&learn(&app, &night).await, "SUGGESTIONS")["skip"], "INSUFFICIENT_SAMPLE_SIZE");
    // ... and as many that everybody was shown do.
    judged(&db, 0.57, 80, 80, true).await;
    let night = ["run", "--of", "suggestions", "--as-of", "2026-06-03T02:00:00Z"];
    assert_eq!(of(&learn(&app, &night).await, "SUGGESTIONS")["candidate"], 0.55);
}

#[tokio::test]
async fn one_in_ten_just_below_is_shown_to_be_judged() {
    let (db, _) = house().await;
    let shown: (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where signals.asked_anyway('s' || n, 'p')) from generate_series(1, 20000) n",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert!((1_900..2_200).contains(&shown.1), "{shown:?}");
    let matches = json!({ "projectMatches": [{ "projectId": "p", "projectName": "Exports", "confidence": 0.57, "matchReason": "alike" }] });
    sqlx::query(
        "insert into signals.signals (id, workspace_id, source, verbatim, processed_at, ai_classification)
         select 's' || n, 'w', 'paste', 'x', now(), $1 from generate_series(1, 200) n",
    )
    .bind(matches)
    .execute(&db.pool)
    .await
    .unwrap();
    let mut conn = db.pool.acquire().await.unwrap();
    let (from, asked) =
        thresholds::suggested(&mut conn, &rig::settings().classify, "w").await.unwrap();
    let all = millrace_jobs::store::suggestions::list(&mut *conn, "w", None, from, asked, 200);
    let ids: Vec<String> = all.await.unwrap().into_iter().map(|one| one.signal_id).collect();
    assert!((10..40).contains(&ids.len()), "{}", ids.len());
    let elsewhere: i64 = sqlx::query_scalar(
        "select count(*) from unnest($1::text[]) id where not signals.asked_anyway(id, 'p')",
    )
    .bind(&ids)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(elsewhere, 0);
}
