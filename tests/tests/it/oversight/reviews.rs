//! Replies are allowed by people first, version by version.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Office,
    replies::{draft, fine, sure, write},
};
use crate::api::key;

#[tokio::test]
async fn a_reply_goes_through_its_life_by_versions_and_every_step_is_on_record() {
    let office = Office::open().await;
    sure(&office, "a", 0.95).await;
    let (_, row) = write(&office, draft("a")).await;
    let path = format!("/v1/social/replies/{}", row["id"].as_str().unwrap());
    let at = |verb: &str| format!("{path}/{verb}");
    let edit = async |version: i32, content: &str| {
        let body = json!({ "version": version, "content": content });
        office.ask(Method::PATCH, &path, &office.key, Some(body)).await
    };
    let there = json!({ "platform_post_id": "99" });
    assert_eq!(office.post(&at("posted"), there.clone()).await.1["code"], "not_approved");
    assert_eq!(
        office.post(&at("approve"), json!({ "version": 1 })).await.1["approval_status"],
        "APPROVED"
    );
    assert_eq!(office.post(&at("approve"), json!({})).await.1["code"], "not_pending");
    let (status, edited) = edit(1, &fine("said better")).await;
    assert_eq!(
        (status, &edited["version"], &edited["approval_status"]),
        (200, &json!(2), &json!("PENDING"))
    );
    assert_eq!(edit(1, &fine("over the other")).await.1["code"], "version");
    assert_eq!(edit(2, "It prevents all").await.0, 422);
    assert_eq!(
        office.post(&at("approve"), json!({ "version": 1 })).await.1["code"],
        "version",
        "not what was read"
    );
    assert_eq!(
        office.post(&at("reject"), json!({ "reason": "LOW_QUALITY", "notes": "dull" })).await.1["reject_reason"],
        "LOW_QUALITY"
    );
    assert_eq!(office.post(&at("approve"), json!({})).await.1["code"], "not_pending");
    assert_eq!(edit(2, &fine("said best")).await.1["reject_reason"], Value::Null);
    assert_eq!(office.post(&at("approve"), json!({ "version": 3 })).await.0, 200);
    for id in ["", "no spaces", "%"] {
        assert_eq!(office.post(&at("posted"), json!({ "platform_post_id": id })).await.0, 400);
    }
    let (_, posted) = office.post(&at("posted"), there.clone()).await;
    assert!(posted["posted_at"].is_string(), "{posted}");
    assert_eq!(office.post(&at("posted"), there).await.1["posted_at"], posted["posted_at"], "once");
    let looks = office
        .db
        .count("select count(*) from ops.jobs where kind = 'social.outcome' and run_at > now()")
        .await;
    assert_eq!(looks, 4, "what comes of it is looked at, as often as it was posted: once");
    assert_eq!(
        office.post(&at("posted"), json!({ "platform_post_id": "98" })).await.1["code"],
        "posted"
    );
    assert_eq!(edit(3, &fine("too late")).await.1["code"], "posted");
    for _ in 0..2 {
        assert_eq!(
            office.post(&at("deleted"), json!({ "reason": "backlash" })).await.1["delete_reason"],
            "backlash"
        );
    }
    let acts: Vec<String> = sqlx::query_scalar(
        "select action from social.audit_logs where entity_type = 'reply' order by seq",
    )
    .fetch_all(&office.db.pool)
    .await
    .unwrap();
    assert_eq!(
        acts,
        ["created", "approved", "edited", "rejected", "edited", "approved", "posted", "deleted"]
    );
    let intact = office.app.run_json(&["--json", "social", "audit", "verify"]).await;
    assert_eq!(intact["intact"], true);
}

#[tokio::test]
async fn several_are_allowed_at_once_only_when_all_is_sure_and_by_whom_it_may() {
    let office = Office::open().await;
    let mut ids = Vec::new();
    for (id, confidence) in [("a", 0.90), ("b", 0.9001), ("c", 0.95)] {
        sure(&office, id, confidence).await;
        ids.push(write(&office, draft(id)).await.1["id"].as_str().unwrap().to_owned());
    }
    office.run("update social.posts set deleted_at = now() where id = 'c'").await;
    ids.push("none".into());
    let (_, done) = office.post("/v1/social/replies/approve", json!({ "ids": ids })).await;
    assert_eq!(done["approved"], json!([ids[1]]));
    let codes: Vec<_> =
        done["refused"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["confidence", "post_gone", "not_found"]);
    assert_eq!(office.post("/v1/social/replies/approve", json!({ "ids": [] })).await.0, 400);

    let (writer, person) =
        (key(&office.app, "acme", "reply").await, key(&office.app, "acme", "moderate").await);
    let rival = key(&office.app, "rival", "read,reply,moderate").await;
    let path = format!("/v1/social/replies/{}", ids[0]);
    let approve = format!("{path}/approve");
    let reject = format!("{path}/reject");
    let posted = format!("{path}/posted");
    for (key, method, path, body, expected) in [
        (&writer, Method::POST, &approve, json!({}), 403),
        (&person, Method::POST, &"/v1/social/replies".to_owned(), draft("a"), 403),
        (&person, Method::POST, &posted, json!({ "platform_post_id": "1" }), 403),
        (&rival, Method::POST, &approve, json!({}), 404),
        (&rival, Method::POST, &reject, json!({ "reason": "SAFETY" }), 404),
        (&rival, Method::POST, &posted, json!({ "platform_post_id": "1" }), 404),
        (&rival, Method::POST, &"/v1/social/replies".to_owned(), draft("a"), 404),
        (&rival, Method::PATCH, &path, json!({ "version": 1, "content": fine("theirs") }), 404),
    ] {
        let (status, told) = office.ask(method, path, key, Some(body)).await;
        assert_eq!(status, expected, "{path}: {told}");
    }
    assert_eq!(office.ask(Method::GET, &path, &rival, None).await.0, 404);
    let (_, page) = office.get("/v1/social/replies?limit=2&approval_status=PENDING").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}
