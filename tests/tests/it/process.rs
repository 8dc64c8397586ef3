//! One pass from text to done, with the rows it leaves.

use std::sync::Arc;

use millrace_jobs::{
    ctx::Ctx,
    queue::{Job, LeaseId, Leased, Verdict},
    signals::process::Process,
    store::projects,
};
use millrace_tests::{Database, Pg, rig};
use serde_json::Value;

fn ctx(db: &Database) -> Arc<Ctx> {
    rig::ctx(&db.pool, rig::settings())
}

async fn workspace(db: &Database, id: &str) {
    sqlx::query("insert into signals.workspaces (id, name) values ($1, $1)")
        .bind(id)
        .execute(&db.pool)
        .await
        .unwrap();
}

async fn signal(db: &Database, workspace: &str, id: &str, text: &str) {
    sqlx::query(
        "insert into signals.signals (id, workspace_id, source, verbatim, content_hash) values ($1, $2, 'paste', $3, $4)",
    )
    .bind(id)
    .bind(workspace)
    .bind(text)
    .bind(millrace_jobs::embed::content_hash(text).to_vec())
    .execute(&db.pool)
    .await
    .unwrap();
}

async fn process(ctx: &Arc<Ctx>, ids: &[&str]) {
    let lease = |id: &&str| Leased {
        id: LeaseId { job: -1, attempt: 1 },
        workspace_id: String::new(),
        trace_id: None,
        attempts_before: 0,
        job: Process { signal_id: (*id).into() },
    };
    let verdicts = Process::run(ctx.clone(), ids.iter().map(lease).collect()).await;
    assert!(verdicts.iter().all(|v| matches!(v, Verdict::Committed)), "{verdicts:?}");
}

async fn value(db: &Database, id: &str, column: &str) -> Value {
    let row: Value = sqlx::query_scalar("select to_jsonb(s) from signals.signals s where id = $1")
        .bind(id)
        .fetch_one(&db.pool)
        .await
        .unwrap();
    row[column].clone()
}

#[tokio::test]
async fn a_signal_finds_its_project_and_is_linked() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    workspace(&db, "w").await;
    let mut conn = db.pool.acquire().await.unwrap();
    let about = Some("offline job sheets sync without connection");
    let offline = projects::create(&mut conn, "w", "Offline sheets", about).await.unwrap();
    let about = Some("invoices payment reminders bank totals");
    projects::create(&mut conn, "w", "Invoices", about).await.unwrap();
    signal(&db, "w", "a", "offline job sheets sync without connection").await;
    signal(&db, "w", "b", "zebra crossing umbrella tangerine orchestra").await;
    process(&ctx, &["a", "b", "unknown"]).await;

    assert_eq!(value(&db, "a", "status").await, "linked");
    let own = value(&db, "a", "classification").await;
    assert_eq!(own["projectId"], offline.id.as_str());
    assert_eq!(own["method"], "embedding");
    assert_eq!(own["isNewInitiative"], false);
    let ai = value(&db, "a", "ai_classification").await;
    assert_eq!(ai["projectMatches"][0]["projectName"], "Offline sheets");
    let new = value(&db, "b", "ai_classification").await;
    assert_eq!(new["isNewInitiative"], true);
    assert_eq!(new["suggestedInitiativeName"], "zebra crossing umbrella tangerine orchestra");
    assert_eq!(value(&db, "b", "status").await, "new");
    assert_ne!(value(&db, "b", "processed_at").await, Value::Null);
    let link: (String, Option<String>, f32, String) = sqlx::query_as(
        "select project_id, linked_by, confidence, origin from signals.signal_projects where signal_id = 'a'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!((link.0, link.1, link.3.as_str()), (offline.id, None, "auto"));
    assert!(link.2 > 0.85);
    let vectors: i64 = sqlx::query_scalar("select count(*) from signals.signal_embeddings")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(vectors, 2);
}

#[tokio::test]
async fn without_projects_everything_is_new() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    workspace(&db, "w").await;
    signal(&db, "w", "a", "Something nobody has asked for yet.").await;
    process(&ctx, &["a"]).await;
    let own = value(&db, "a", "classification").await;
    assert_eq!(
        (&own["isNewInitiative"], own["confidence"].as_f64().map(|c| (c * 10.0).round())),
        (&Value::Bool(true), Some(9.0))
    );
}

#[tokio::test]
async fn duplicates_point_at_who_said_it_first_and_stay() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    workspace(&db, "w").await;
    workspace(&db, "other").await;
    signal(&db, "other", "foreign", "the export stops after one thousand rows every time").await;
    process(&ctx, &["foreign"]).await;
    signal(&db, "w", "first", "the export stops after one thousand rows every time").await;
    process(&ctx, &["first"]).await;
    signal(&db, "w", "same", "the  export stops after one\nthousand rows every time").await;
    signal(&db, "w", "near", "the export stops after one thousand rows every time really").await;
    signal(&db, "w", "else", "please add a dark theme for late evenings").await;
    process(&ctx, &["same", "near", "else"]).await;
    assert_eq!(
        value(&db, "first", "duplicate_of").await,
        Value::Null,
        "another tenant's does not count"
    );
    for (id, of, kind) in [("same", "first", "exact"), ("near", "first", "near")] {
        assert_eq!(value(&db, id, "duplicate_of").await, of, "{id}");
        assert_eq!(value(&db, id, "duplicate_kind").await, kind);
        assert_ne!(value(&db, id, "processed_at").await, Value::Null);
    }
    assert_eq!(value(&db, "else", "duplicate_of").await, Value::Null);
    // What was said first changes: nothing may point at words that are gone.
    sqlx::query("update signals.signals set content_hash = sha256('x') where id = 'first'")
        .execute(&db.pool)
        .await
        .unwrap();
    signal(&db, "w", "late", "the export stops after one thousand rows every time now").await;
    process(&ctx, &["late"]).await;
    assert_eq!(value(&db, "late", "duplicate_of").await, Value::Null);
}

#[tokio::test]
async fn equal_texts_processed_at_once_have_one_original() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    workspace(&db, "w").await;
    let ids: Vec<String> = (0..12).map(|n| format!("s{n}")).collect();
    for id in &ids {
        signal(&db, "w", id, "the very same words from everybody at once").await;
    }
    let mut tasks = tokio::task::JoinSet::new();
    for id in ids {
        let ctx = ctx.clone();
        tasks.spawn(async move { process(&ctx, &[id.as_str()]).await });
    }
    tasks.join_all().await;
    let counts: (i64, i64) = sqlx::query_as(
        "select count(*) filter (where duplicate_of is null), count(distinct duplicate_of) from signals.signals",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(counts, (1, 1));
}

#[tokio::test]
async fn what_the_sender_stated_stays_and_the_rest_is_extracted() {
    let db = Pg::database().await;
    let ctx = ctx(&db);
    workspace(&db, "w").await;
    let text = "We are on the enterprise plan. There was data loss again. It happens every single day. \
                We need a restore button because our auditors wait.";
    signal(&db, "w", "a", text).await;
    signal(&db, "w", "short", "down!!").await;
    signal(&db, "w", "stated", "The totals do not add up.").await;
    sqlx::query("update signals.signals set user_segment = 'Finance Team' where id = 'stated'")
        .execute(&db.pool)
        .await
        .unwrap();
    sqlx::query("update signals.signals set severity = 'low', provenance = '{\"severity\": {\"by\": \"caller\"}}' where id = 'a'")
        .execute(&db.pool)
        .await
        .unwrap();
    process(&ctx, &["a", "short", "stated"]).await;
    assert_eq!(value(&db, "a", "severity").await, "low");
    assert_eq!(value(&db, "a", "frequency").await, "common");
    assert_eq!(value(&db, "a", "user_segment").await, "enterprise");
    assert_eq!(
        value(&db, "a", "interpretation").await,
        "We need a restore button because our auditors wait."
    );
    let provenance = value(&db, "a", "provenance").await;
    assert_eq!(provenance["severity"]["by"], "caller");
    assert_eq!(provenance["frequency"]["by"], "model");
    let span = &provenance["frequency"]["evidence"];
    let (from, to) = (span[0].as_u64().unwrap(), span[1].as_u64().unwrap());
    let said: String = text
        .chars()
        .skip(usize::try_from(from).unwrap())
        .take(usize::try_from(to - from).unwrap())
        .collect();
    assert_eq!(said, "every single day");
    let personas: Vec<(String, String, bool)> = sqlx::query_as(
        "select signal_id, persona_id, confidence = 1 from signals.signal_personas order by signal_id",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let persona = |signal: &str, id: &str, stated| (signal.to_owned(), id.to_owned(), stated);
    let expected = [persona("a", "enterprise", false), persona("stated", "finance-team", true)];
    assert_eq!(personas, expected, "from evidence in the text, and from what the sender states");
    assert_eq!(value(&db, "short", "severity").await, Value::Null);
}
