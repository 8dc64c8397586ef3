//! A key opens its own workspace, as far as its scopes go.

use millrace_tests::{Sender, wait_until};
use reqwest::Method;
use serde_json::json;

use super::{House, SOON, ids, key};

#[tokio::test]
async fn what_is_another_workspaces_does_not_exist() {
    let house = House::open().await;
    house.app.run_json(&["--json", "jobs", "pause", "--kind", "normalize"]).await;
    let waiting = house.sender.send("", &json!({ "verbatim": "It waits" })).await.event_id();
    let job: i64 =
        sqlx::query_scalar("select id from ops.jobs").fetch_one(&house.db.pool).await.unwrap();
    let dead: i64 = sqlx::query_scalar(
        "insert into ops.dead_letters (job_id, workspace_id, kind, payload, priority, attempts_max, reason, attempt, crashes, created_at)
         values (1, 'acme', 'normalize', '{}', 2, 25, 'permanent', 25, 0, now()) returning id",
    )
    .fetch_one(&house.db.pool)
    .await
    .unwrap();
    house.app.run_json(&["--json", "jobs", "resume", "--all"]).await;
    let signal = house.signal(json!({ "verbatim": "Ours" })).await;
    Sender::add(&house.app, "rival", "webhook", &["--name", "theirs"]).await;
    let rival = key(&house.app, "rival", "read,write,operate").await;

    let get = |path: String| {
        let (house, rival) = (&house, &rival);
        async move { (house.get(&path).await, house.ask(Method::GET, &path, Some(rival), None).await) }
    };
    for path in [format!("/v1/signals/{signal}"), format!("/v1/events/{waiting}")] {
        let ((own, _), (foreign, problem)) = get(path.clone()).await;
        assert_eq!((own, foreign), (200, 404), "{path}");
        assert_eq!(problem["code"], "not_found");
    }
    for list in ["/v1/signals", "/v1/events", "/v1/jobs", "/v1/dead"] {
        let (_, (status, page)) = get(list.into()).await;
        assert_eq!((status, &page["items"]), (200, &json!([])), "{list}");
    }
    let (_, (_, sources)) = get("/v1/sources".into()).await;
    assert_eq!(sources["items"][0]["name"], "theirs");
    assert_eq!(sources["items"].as_array().unwrap().len(), 1);
    for (method, path, body) in [
        (Method::PATCH, format!("/v1/signals/{signal}"), Some(json!({ "status": "archived" }))),
        (Method::POST, format!("/v1/jobs/{job}/retry"), None),
        (Method::POST, format!("/v1/jobs/{job}/cancel"), None),
    ] {
        let (status, _) = house.ask(method, &path, Some(&rival), body).await;
        assert_eq!(status, 404, "{path}");
    }
    let (_, ours) = house.post("/v1/projects", json!({ "name": "Ours" })).await;
    let ours = ours["id"].as_str().unwrap();
    let (status, _) =
        house.ask(Method::GET, &format!("/v1/projects/{ours}"), Some(&rival), None).await;
    assert_eq!(status, 404);
    let theirs = Some(json!({ "name": "Theirs" }));
    let (_, theirs) = house.ask(Method::POST, "/v1/projects", Some(&rival), theirs).await;
    let theirs = theirs["id"].as_str().unwrap();
    let across = format!("/v1/signals/{signal}/projects/{theirs}");
    for key in [&house.key, &rival] {
        assert_eq!(house.ask(Method::PUT, &across, Some(key), None).await.0, 404, "across tenants");
    }
    let all = json!({ "filter": {} });
    let (_, replayed) = house.ask(Method::POST, "/v1/events/replay", Some(&rival), Some(all)).await;
    assert_eq!(replayed["matched"], 0);
    let this = json!({ "ids": [dead] });
    let (_, replayed) = house.ask(Method::POST, "/v1/dead/replay", Some(&rival), Some(this)).await;
    assert_eq!(replayed, json!({ "matched": 0, "jobs": [] }));
    let (_, own) = house.get("/v1/dead").await;
    assert_eq!(own["items"][0]["id"], dead, "it is still there, for its owner");
}

#[tokio::test]
async fn scopes_are_kept_apart_and_revoked_keys_end() {
    let house = House::open().await;
    let id = house.signals(&["Ours"]).await.remove(0);
    let (read, write) =
        (key(&house.app, "acme", "read").await, key(&house.app, "acme", "write").await);
    let ingest = house
        .app
        .run_json(&[
            "--json",
            "source",
            "add",
            "webhook",
            "--workspace",
            "acme",
            "--name",
            "keyed",
            "--scheme",
            "api-key",
        ])
        .await;
    let ingest = ingest["secret"].as_str().unwrap().to_owned();
    let signal = format!("/v1/signals/{id}");
    let reviewed = Some(json!({ "status": "reviewed" }));
    for (key, method, path, body, expected) in [
        (None, Method::GET, signal.as_str(), None, 401),
        (Some("mr_wrong"), Method::GET, &signal, None, 401),
        (Some(""), Method::GET, &signal, None, 401),
        (Some(&*ingest), Method::GET, &signal, None, 403),
        (Some(&*read), Method::GET, &signal, None, 200),
        (Some(&*read), Method::PATCH, &signal, reviewed.clone(), 403),
        (Some(&*write), Method::GET, &signal, None, 403),
        (Some(&*write), Method::PATCH, &signal, reviewed.clone(), 200),
        (Some(&*write), Method::POST, "/v1/events/replay", Some(json!({})), 403),
        (Some(&*read), Method::POST, "/v1/jobs/1/retry", None, 403),
    ] {
        let (status, answer) = house.ask(method.clone(), path, key, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    let used: bool = sqlx::query_scalar(
        "select bool_and(last_used_at is not null) from ops.api_keys where name = 'api'",
    )
    .fetch_one(&house.db.pool)
    .await
    .unwrap();
    assert!(used, "the use of each key is noted");
    let keys = house.app.run_json(&["--json", "key", "ls", "--workspace", "acme"]).await;
    for key in keys.as_array().unwrap() {
        house.app.run_json(&["--json", "key", "revoke", key["id"].as_str().unwrap()]).await;
    }
    wait_until("the revoked key to end", SOON, async || {
        (house.get(&signal).await.0 == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let house = House::open().await;
    let id = house.signals(&["Ours"]).await.remove(0);
    let path = format!("/v1/signals/{id}");
    for (body, word) in [
        (json!({ "severity": "huge" }), "severity"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "interpretation": " " }), "blank"),
        (json!({ "interpretation": "a\u{0}b" }), "NUL"),
        (json!([1]), ""),
    ] {
        let (status, problem) =
            house.ask(Method::PATCH, &path, Some(&house.key), Some(body.clone())).await;
        assert_eq!(status, 400, "{body}: {problem}");
        assert!(problem["error"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    let huge = json!({ "interpretation": "x".repeat(70_000) });
    assert_eq!(house.ask(Method::PATCH, &path, Some(&house.key), Some(huge)).await.0, 413);
    assert_eq!(house.ask(Method::PATCH, &path, Some(&house.key), None).await.0, 415);
    assert_eq!(house.ask(Method::DELETE, &path, Some(&house.key), None).await.0, 405);
    for nothing in ["/v1/nothing", "/v1/events/not-a-uuid", "/v1/jobs/x", "/v1/signals/a%00b"] {
        let (status, problem) = house.get(nothing).await;
        assert!([400, 404].contains(&status), "{nothing}: {problem}");
    }
    assert_eq!(ids(&house.get("/v1/signals").await.1), [id]);
}
