//! To the millisecond, and no further.

use millrace_jobs::{
    maintenance::Partitions,
    queue::{Job, LeaseId, Leased},
    social::retention::{Period, archive::Total},
    store::social::retention,
};
use millrace_tests::rig;
use millrace_worker::db;
use serde_json::json;

use super::Attic;

/// 2025-04-01 and 90 days.
const OVER: &str = "2025-06-30T00:00:00Z";
const NOT_YET: &str = "2025-06-29T23:59:59.999Z";

#[tokio::test]
async fn a_month_goes_when_all_of_it_is_ninety_days_old_and_a_post_when_it_is() {
    let attic = Attic::open(&["serve"]).await;
    for (id, at) in [
        ("march", "2025-03-31T23:59:59.999Z"),
        ("april", "2025-04-01T00:00:00Z"),
        ("later", "2025-04-01T00:00:00.001Z"),
    ] {
        attic.post(id, at).await;
        attic.post(&format!("silent_{id}"), at).await;
        attic.decide(id, at).await;
    }
    attic.retention(&["run", "--as-of", NOT_YET]).await;
    assert_eq!(attic.decisions().await, ["april", "later", "march"], "a millisecond too early");
    assert_eq!(attic.posts().await.len(), 5, "of a post without a decision, the age counts");
    let plan = attic.retention(&["plan", "--as-of", OVER]).await;
    assert_eq!(
        plan["due"],
        json!([
            { "relation": "decisions", "period": "2025-03", "rows": 1, "held": 0 },
            { "relation": "posts", "period": "2025-03", "rows": 0, "held": 1 },
            { "relation": "posts", "period": "2025-04", "rows": 1, "held": 1 },
        ])
    );

    attic.retention(&["run", "--as-of", OVER]).await;
    assert_eq!(attic.decisions().await, ["april", "later"]);
    // The post of March goes with its decision, those of April wait for theirs.
    assert_eq!(attic.posts().await, ["april", "later", "silent_later"]);
    assert_eq!(attic.archived_ids("decisions", "decision"), ["march"]);
    assert_eq!(attic.archived_ids("posts", "post"), ["march", "silent_april", "silent_march"]);
    for (kept, rows) in [("replies", 3), ("decision_exposures", 3), ("authors", 1)] {
        let sql = match kept {
            "replies" => "select count(*) from social.replies",
            "authors" => "select count(*) from social.authors",
            _ => "select count(*) from social.decision_exposures",
        };
        assert_eq!(attic.db.count(sql).await, rows, "{kept}");
    }
    let left = "select count(*) from pg_class where relname in ('decisions_202503')";
    assert_eq!(attic.db.count(left).await, 0, "the partition is dropped");
    let refused = attic.app.run(&["retention", "run", "--as-of", "2100-01-01"]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
}

/// A post that a person is asked about stays until they answer.
#[tokio::test]
async fn a_question_keeps_its_post() {
    let attic = Attic::open(&["serve"]).await;
    attic.post("asked", "2025-01-01T00:00:00Z").await;
    attic.run("insert into social.escalations (workspace_id, id, post_id, reason) values ('acme', 'e', 'asked', 'MANUAL_FLAG')").await;
    attic.retention(&["run"]).await;
    assert_eq!(attic.posts().await, ["asked"]);
    attic.run("update social.escalations set status = 'RESOLVED', resolved_at = now()").await;
    attic.retention(&["run"]).await;
    assert!(attic.posts().await.is_empty());
}

#[tokio::test]
async fn what_is_in_use_or_was_changed_stays_and_goes_the_next_time() {
    let attic = Attic::open(&["serve"]).await;
    attic.post("p", "2025-01-05T00:00:00Z").await;
    attic.decide("p", "2025-01-05T00:00:00Z").await;
    attic.run("select social.ensure_partitions(2)").await;
    let mut reader = attic.db.pool.begin().await.unwrap();
    sqlx::query("select from social.decisions where id = 'p'").execute(&mut *reader).await.unwrap();
    let done = attic.retention(&["run"]).await;
    assert_eq!((&done[0]["gone"], &done[0]["why"]), (&json!(false), &json!("they are in use")));
    reader.rollback().await.unwrap();

    // The file is there; the row is another since.
    attic.run("update social.decisions set review_reason = 'changed' where id = 'p'").await;
    let mut conn = attic.db.pool.acquire().await.unwrap();
    let month = "2025-01".parse::<Period>().unwrap().from;
    let archived = attic.archived("decisions");
    let mut total = Total::default();
    total.add(&archived[0]);
    sqlx::query("select set_config('millrace.workspace', '*', false)")
        .execute(&mut *conn)
        .await
        .unwrap();
    assert!(!retention::drop_decisions(&mut *conn, month, &total).await.unwrap());
    assert_eq!(attic.decisions().await, ["p"]);
    let done = attic.retention(&["run"]).await;
    assert_eq!(done[0]["gone"], true, "{done}");
    assert!(attic.decisions().await.is_empty() && attic.posts().await.is_empty());
}

#[tokio::test]
async fn decisions_without_a_month_are_told_and_get_one() {
    let attic = Attic::open(&["serve"]).await;
    attic.post("p", "2025-01-05T00:00:00Z").await;
    attic.decide("p", "2025-01-05T00:00:00Z").await;
    assert_eq!(attic.db.count("select count(*) from social.decisions_default").await, 1);
    let mut settings = rig::settings();
    settings.database.url = attic.db.url.clone().into();
    let ctx = rig::ctx(&db::pool(&settings, "test", 0..=4).unwrap(), settings);
    let job = Partitions::default();
    let id = LeaseId { job: -1, attempt: 1 };
    let leased =
        Leased { id, workspace_id: String::new(), trace_id: None, attempts_before: 0, job };
    Partitions::run(ctx, vec![leased]).await;
    let told =
        attic.ids("select workspace_id || ' ' || rule || ' ' || value from social.alerts").await;
    assert_eq!(told, ["acme decisions_default 1"]);
    assert_eq!(attic.db.count("select count(*) from social.decisions_default").await, 0);
    // This month and two more.
    let ahead = "select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid
                 where i.inhparent = 'social.decisions'::regclass and c.relname >= 'decisions_' || to_char(now(), 'YYYYMM')
                   and c.relname ~ '\\d{6}$'";
    assert_eq!(attic.db.count(ahead).await, 3);
}

#[tokio::test]
async fn without_a_folder_nothing_goes_and_the_doctor_says_so() {
    let mut attic = Attic::open(&["serve"]).await;
    attic.post("p", "2025-01-05T00:00:00Z").await;
    let on = attic.app.run(&["doctor"]).await;
    assert!(on.stdout.contains("archives go to"), "{}", on.stdout);
    attic.app.set("MILLRACE__SOCIAL__RETENTION__FOLDER", "");
    let off = attic.app.run(&["doctor"]).await;
    assert!(off.stdout.contains("social.retention.folder"), "{}", off.stdout);
    assert_eq!(attic.app.run(&["retention", "run"]).await.status.code(), Some(2));
    assert_eq!(attic.retention(&["plan"]).await["on"], false);
    assert_eq!(attic.posts().await, ["p"]);
}
