//! The audit shows what was changed and what is missing.

use millrace_jobs::{
    social::oversight::escalation::Reason,
    store::social::{
        audit::{self, Act},
        escalations,
    },
};
use serde_json::{Value, json};

use super::{Office, escalation};

async fn noted(office: &Office, workspace_id: &str, entries: usize) {
    let mut conn = office.db.pool.acquire().await.unwrap();
    for n in 0..entries {
        let entity_id = format!("r{n}");
        let act = Act {
            workspace_id,
            actor: "cli:7",
            entity_type: "reply",
            entity_id: &entity_id,
            action: "edited",
        };
        audit::note(&mut *conn, act, json!({ "n": n, "text": "a \"quoted\", cell" }))
            .await
            .unwrap();
    }
}

/// Exit code and answer of `millrace social audit verify`.
async fn verified(office: &Office, args: &[&str]) -> (i32, Value) {
    let done = office.app.run(&[&["--json", "social", "audit", "verify"], args].concat()).await;
    (done.status.code().unwrap(), serde_json::from_str(&done.stdout).unwrap_or(Value::Null))
}

/// As somebody who may do anything, and has switched the triggers off.
async fn tampered(office: &Office, sql: &'static str) {
    let mut tx = office.db.pool.begin().await.unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.unwrap();
    assert_eq!(sqlx::query(sql).execute(&mut *tx).await.unwrap().rows_affected(), 1);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_changed_and_a_deleted_row_are_named() {
    let office = Office::open().await;
    noted(&office, "acme", 2_003).await;
    noted(&office, "rival", 2).await;
    let (code, intact) = verified(&office, &[]).await;
    assert_eq!((code, &intact["intact"]), (0, &json!(true)), "{intact}");
    let chain = &intact["chains"][0];
    assert_eq!((&chain["workspace_id"], &chain["rows"]), (&json!("acme"), &json!(2_003)));
    let head = format!("{}:{}", chain["head"]["seq"], chain["head"]["row_hash"].as_str().unwrap());

    tampered(
        &office,
        "update social.audit_logs set actor = 'cli:8' where workspace_id = 'acme' and seq = 1500",
    )
    .await;
    let (code, broken) = verified(&office, &[]).await;
    let at = |broken: &Value| {
        (broken["chains"][0]["broken"]["seq"].clone(), broken["chains"][0]["broken"]["why"].clone())
    };
    assert_eq!((code, at(&broken)), (1, (json!(1_500), json!("it was changed"))));
    assert_eq!(broken["chains"][1]["broken"], Value::Null, "the other workspace's is intact");
    let id: String = sqlx::query_scalar(
        "select id from social.audit_logs where workspace_id = 'acme' and seq = 1500",
    )
    .fetch_one(&office.db.pool)
    .await
    .unwrap();
    let said = office.app.run(&["social", "audit", "verify"]).await;
    assert!(
        said.stdout.contains(&format!("BROKEN at 1500 ({id}): it was changed")),
        "{}",
        said.stdout
    );

    // Who also mends the hash of the row breaks what follows.
    tampered(&office, "update social.audit_logs l set row_hash = social.audit_hash(l) where workspace_id = 'acme' and seq = 1500").await;
    let (_, broken) = verified(&office, &["--workspace", "acme"]).await;
    assert_eq!(at(&broken), (json!(1_501), json!("it does not follow the row before")));

    tampered(&office, "delete from social.audit_logs where workspace_id = 'acme' and seq = 1000")
        .await;
    let (_, broken) = verified(&office, &["--workspace", "acme"]).await;
    assert_eq!(at(&broken), (json!(1_000), json!("it was deleted")));

    tampered(&office, "delete from social.audit_logs where workspace_id = 'acme' and seq = 1")
        .await;
    let (_, broken) = verified(&office, &["--workspace", "acme"]).await;
    assert_eq!(at(&broken), (json!(1), json!("it was deleted")));
    let (code, _) = verified(&office, &["--workspace", "acme", "--head", &head]).await;
    assert_eq!(code, 1);
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_seen_by_who_kept_the_head() {
    let office = Office::open().await;
    noted(&office, "acme", 3).await;
    let (_, intact) = verified(&office, &["--workspace", "acme"]).await;
    let head = &intact["chains"][0]["head"];
    let head = format!("3:{}", head["row_hash"].as_str().unwrap());
    let known = ["--workspace", "acme", "--head", &head];
    noted(&office, "acme", 1).await;
    assert_eq!(verified(&office, &known).await.0, 0, "it has grown");
    tampered(&office, "delete from social.audit_logs where seq = 4").await;
    tampered(&office, "delete from social.audit_logs where seq = 3").await;
    assert_eq!(verified(&office, &[]).await.0, 0, "nothing within the chain says so");
    let (code, cut) = verified(&office, &known).await;
    assert_eq!((code, &cut["chains"][0]["broken"]["why"]), (1, &json!("the end was cut off")));
    noted(&office, "acme", 2).await;
    let (code, other) = verified(&office, &known).await;
    assert_eq!(
        (code, &other["chains"][0]["broken"]["seq"]),
        (1, &json!(3)),
        "filled up again, it is another row"
    );
    assert_eq!(verified(&office, &["--head", &head]).await.0, 2, "of which workspace?");
    assert_eq!(verified(&office, &["--workspace", "acme", "--head", "3:x"]).await.0, 2);
}

#[tokio::test]
async fn a_beginning_that_was_archived_is_right_when_the_chain_says_so() {
    let office = Office::open().await;
    noted(&office, "acme", 3).await;
    let last: String =
        sqlx::query_scalar("select encode(row_hash, 'hex') from social.audit_logs where seq = 2")
            .fetch_one(&office.db.pool)
            .await
            .unwrap();
    let mut conn = office.db.pool.acquire().await.unwrap();
    let act = Act {
        workspace_id: "acme",
        actor: "cli:7",
        entity_type: "audit_logs",
        entity_id: "2023",
        action: "archived",
    };
    audit::note(&mut *conn, act, json!({ "through_seq": 2, "row_hash": last })).await.unwrap();
    for sql in [
        "delete from social.audit_logs where seq = 1",
        "delete from social.audit_logs where seq = 2",
    ] {
        tampered(&office, sql).await;
    }
    let (code, chain) = verified(&office, &[]).await;
    assert_eq!((code, &chain["chains"][0]["from"]), (0, &json!(3)), "{chain}");
    tampered(&office, "delete from social.audit_logs where seq = 3").await;
    assert_eq!(verified(&office, &[]).await.0, 1, "that one was not archived");
}

#[tokio::test]
async fn acts_are_exported_as_csv_by_date() {
    let office = Office::open().await;
    noted(&office, "acme", 2).await;
    office.decided("a").await;
    let mut conn = office.db.pool.acquire().await.unwrap();
    escalations::open(&mut conn, &[escalation("a", Reason::ViralThread)]).await.unwrap();
    office.post("/v1/social/escalations/claim", json!({})).await;
    let file = office.app.home().join("audit.csv");
    let export =
        ["--json", "social", "audit", "export", "--since", "1h", "--to", file.to_str().unwrap()];
    assert_eq!(office.app.run_json(&export).await["rows"], 3);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[0].starts_with("workspace_id,seq,created_at,actor,action"), "{text}");
    assert!(
        lines[1].contains(r#","{""n"":0,""text"":""a \""quoted\"", cell""}","#),
        "{}",
        lines[1]
    );
    assert!(lines[3].contains(",claimed,escalation,") && lines[3].contains("key:"), "{}", lines[3]);
    assert_eq!((lines.len(), lines[4]), (5, ""));
    assert_eq!(
        office.app.run(&export).await.status.code(),
        Some(1),
        "a file that is there is kept"
    );
    let none = office.app.home().join("none.csv");
    let none =
        ["--json", "social", "audit", "export", "--until", "1h", "--to", none.to_str().unwrap()];
    assert_eq!(office.app.run_json(&none).await["rows"], 0);
    let listed =
        office.app.run_json(&["--json", "social", "audit", "ls", "--action", "claimed"]).await;
    assert_eq!(listed[0]["details_json"], json!({ "minutes": 30 }));
}
