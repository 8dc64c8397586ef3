//! Whoever intervenes is on record before the act.

use millrace_tests::{App, Pg, Sender, client};
use serde_json::json;

#[tokio::test]
async fn interventions_are_on_record_without_secrets() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let rotated = app.run_json(&["--json", "source", "rotate", sender.id()]).await;
    let key = ["--json", "key", "add", "--workspace", "acme", "--scopes", "read,operate"];
    let key = app.run_json(&key).await;
    app.run_json(&["--json", "jobs", "pause", "--kind", "normalize", "--reason", "upgrade"]).await;
    app.run_json(&["--json", "jobs", "resume", "--all"]).await;
    let replay = client()
        .post(app.url("/v1/dead/replay"))
        .bearer_auth(key["key"].as_str().unwrap())
        .json(&json!({ "reason": "crashed" }))
        .send()
        .await
        .unwrap();
    assert_eq!(replay.status(), 200);
    // The job does not exist; that somebody tried is on record all the same.
    assert_eq!(app.run(&["jobs", "cancel", "1"]).await.status.code(), Some(3));
    app.run_json(&["--json", "key", "revoke", key["id"].as_str().unwrap()]).await;

    let audit = app.run_json(&["--json", "audit"]).await;
    let said: Vec<(&str, bool)> = audit
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|a| (a["action"].as_str().unwrap(), a["actor"].as_str().unwrap().starts_with("cli:")))
        .collect();
    assert_eq!(
        said,
        [
            ("source.add", true),
            ("source.rotate", true),
            ("key.add", true),
            ("jobs.pause", true),
            ("jobs.resume", true),
            ("dead.replay", false),
            ("jobs.cancel", true),
            ("key.revoke", true),
        ]
    );
    let replayed = app.run_json(&["--json", "audit", "--action", "dead"]).await;
    assert_eq!(replayed[0]["actor"], format!("key:{}", key["id"].as_str().unwrap()));
    assert_eq!(replayed[0]["workspace_id"], "acme");
    assert_eq!(replayed[0]["detail"]["reason"], "crashed");
    let text = audit.to_string();
    for secret in
        [sender.secret(), rotated["secret"].as_str().unwrap(), key["key"].as_str().unwrap()]
    {
        assert!(!text.contains(secret));
    }
}
