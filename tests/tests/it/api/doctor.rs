//! The doctor finds what is wrong, and says so in its exit code.

use millrace_tests::{App, Checkout, Pg, Sender, roles};
use serde_json::Value;

fn levels(report: &Value, check: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|c| c["check"] == check);
    checks.map(|c| c["level"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_sound_house_passes_and_a_lost_key_fails() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    Sender::add(&app, "acme", "webhook", &[]).await;
    let report = app.run_json(&["--json", "doctor"]).await;
    for check in [
        "database",
        "pgvector",
        "schema",
        "write access",
        "role",
        "clock",
        "durability",
        "secrets",
        "workers",
    ] {
        assert_eq!(levels(&report, check), ["ok"], "{check}: {report}");
    }
    assert_eq!(levels(&report, "sources"), ["warn"], "no delivery yet");
    for finding in report["checks"].as_array().unwrap() {
        assert_eq!(finding["level"] != "ok", finding["advice"].is_string(), "{finding}");
    }
    assert_eq!(levels(&report, "codebases"), [""; 0], "there are none");
    Checkout::new().connect(&db.pool, "acme", "app").await;
    sqlx::query("update factory.codebase_connections set index_status = 'failed'")
        .execute(&db.pool)
        .await
        .unwrap();
    let report = app.run_json(&["--json", "doctor"]).await;
    assert_eq!(levels(&report, "codebases"), ["warn"], "{report}");
    assert_eq!(levels(&report, "git"), ["ok"], "{report}");
    let other = App::new(&db, &[])
        .env("MILLRACE__SECRETS__KEYS", "other:HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAAAA=");
    let failed = other.run(&["--json", "doctor"]).await;
    assert_eq!(failed.status.code(), Some(1));
    let report: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(levels(&report, "secrets"), ["fail"], "{report}");
}

#[tokio::test]
async fn no_database_and_an_empty_one_are_findings() {
    let nowhere =
        App::without_database(&[]).env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    let done = nowhere.run(&["--json", "doctor"]).await;
    assert_eq!(done.status.code(), Some(1));
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(levels(&report, "database"), ["fail"]);
    let empty = Pg::empty_database().await;
    let done = App::new(&empty, &[]).run(&["--json", "doctor"]).await;
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.status.code(), levels(&report, "schema")), (Some(1), vec!["fail".to_owned()]));
}

#[tokio::test]
async fn a_role_with_too_many_rights_or_too_few_is_found() {
    let db = Pg::database().await;
    let examine = async |role: &str| {
        let app = App::new(&db, &[]).env("DATABASE_URL", &db.url_as(role));
        let done = app.run(&["--json", "doctor"]).await;
        serde_json::from_str::<Value>(&done.stdout).unwrap()
    };
    let found = |report: &Value, check: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|c| c["check"] == check).unwrap()["found"].as_str().unwrap().to_owned()
    };
    for (role, words) in [("millrace", "a superuser"), (roles::OWNER, "the owner")] {
        let report = examine(role).await;
        assert_eq!(levels(&report, "role"), ["warn"], "{report}");
        assert!(found(&report, "role").contains(words), "{report}");
    }
    sqlx::raw_sql(
        "grant delete on ops.events to millrace_app;
         revoke update on ops.jobs from millrace_app;
         revoke execute on function ops.ensure_partitions(int) from millrace_app",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let report = examine(roles::APP).await;
    assert!(found(&report, "role").contains("delete on ops.events"), "{report}");
    let missing = found(&report, "write access");
    assert!(missing.contains("update on ops.jobs"), "{report}");
    assert!(missing.contains("ops.ensure_partitions(integer)"), "{report}");
    assert_eq!(levels(&report, "write access"), ["fail"]);

    sqlx::query("revoke usage on schema ops from millrace_app").execute(&db.pool).await.unwrap();
    let report = examine(roles::APP).await;
    assert!(found(&report, "schema").contains("permission denied for schema ops"), "{report}");
    // Whoever migrates puts it right.
    let owner = App::new(&db, &[]).env("DATABASE_URL", &db.url_as(roles::OWNER));
    owner.run_json(&["--json", "migrate"]).await;
    let report = examine(roles::APP).await;
    assert_eq!(levels(&report, "role"), ["ok"], "{report}");
    assert_eq!(levels(&report, "write access"), ["ok"], "{report}");
}
