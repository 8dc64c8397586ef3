//! On Reddit a reply is allowed only while the platform would have us.

use serde_json::json;

use super::{
    Office,
    replies::{draft, fine, sure, write},
};

async fn on_reddit(office: &Office, id: &str) {
    sure(office, id, 0.95).await;
    office.run("update social.posts set platform = 'REDDIT'").await;
    office.run("update social.decisions set platform = 'REDDIT'").await;
}

#[tokio::test]
async fn the_karma_gate_is_shut_until_the_platform_would_have_us() {
    let office = Office::open().await;
    on_reddit(&office, "a").await;
    on_reddit(&office, "b").await;
    on_reddit(&office, "c").await;
    on_reddit(&office, "d").await;
    office.run("insert into social.own_accounts (workspace_id, source_id, platform) values ('acme', 's', 'REDDIT')").await;
    let (status, said) = write(&office, draft("a")).await;
    assert_eq!(
        (status, &said["code"]),
        (409, &json!("karma_gate")),
        "nothing is known yet: {said}"
    );

    office.run("update social.own_accounts set karma = 100, since = now() - interval '31 days', seen_at = now() - interval '59 minutes'").await;
    let (status, row) = write(&office, draft("a")).await;
    assert_eq!(status, 201, "{row}");
    let noted = "select count(*) from social.audit_logs where action = 'created' and details_json ->> 'karma_gate' = 'open'";
    assert_eq!(office.db.count(noted).await, 1);
    let promoting =
        json!({ "decision_id": "b", "content": fine("ask Vita"), "idempotency_key": "b" });
    let (_, said) = write(&office, promoting).await;
    assert_eq!(said["code"], "karma_gate", "to promote takes 500: {said}");

    let approve = format!("/v1/social/replies/{}/approve", row["id"].as_str().unwrap());
    office.run("update social.own_accounts set seen_at = now() - interval '61 minutes'").await;
    let (status, said) = office.post(&approve, json!({})).await;
    assert_eq!((status, &said["code"]), (409, &json!("karma_gate")), "too long ago: {said}");
    office.run("update social.own_accounts set seen_at = now(), karma = 99").await;
    assert_eq!(office.post(&approve, json!({})).await.1["code"], "karma_gate");
    // What earns karma needs none, when it is written and when it is allowed.
    let builder = json!({ "decision_id": "d", "content": fine("rest helps"), "idempotency_key": "d", "reply_type": "KARMA_BUILDING" });
    let (status, earns) = write(&office, builder).await;
    assert_eq!(status, 201, "{earns}");
    let earns = format!("/v1/social/replies/{}/approve", earns["id"].as_str().unwrap());
    let allowed = office.post(&earns, json!({})).await.1;
    assert_eq!(allowed["approval_status"], "APPROVED", "{allowed}");
    office.run("update social.replies set approval_status = 'REJECTED' where reply_type = 'KARMA_BUILDING'").await;
    office.run("update social.own_accounts set karma = 100").await;
    assert_eq!(office.post(&approve, json!({})).await.1["approval_status"], "APPROVED");
    let noted = "select count(*) from social.audit_logs where action = 'approved' and details_json ->> 'karma_gate' = 'open'";
    assert_eq!(office.db.count(noted).await, 2);

    // Where nobody asks, the gate is open, and the audit says so; other platforms have none.
    office.run("delete from social.own_accounts").await;
    let (status, row) = write(&office, draft("c")).await;
    assert_eq!(status, 201, "{row}");
    let approve = format!("/v1/social/replies/{}/approve", row["id"].as_str().unwrap());
    assert_eq!(office.post(&approve, json!({})).await.0, 200);
    let noted = "select count(*) from social.audit_logs where action = 'approved' and details_json ->> 'karma_gate' = 'unasked'";
    assert_eq!(office.db.count(noted).await, 1);
}
