//! Changing signals, replaying events and dead letters, stopping jobs.

use millrace_tests::wait_until;
use reqwest::Method;
use serde_json::json;

use super::{House, SOON};

#[tokio::test]
async fn what_a_person_says_stands() {
    let house = House::open().await;
    let first =
        json!({ "verbatim": "It is slow", "sourceRef": "r1", "severity": "low", "version": "1" });
    let id = house.signal(first).await;
    let path = format!("/v1/signals/{id}");
    let edit = json!({ "severity": "critical", "status": "reviewed" });
    let (status, signal) = house.ask(Method::PATCH, &path, Some(&house.key), Some(edit)).await;
    assert_eq!(
        (status, &signal["severity"], &signal["status"]),
        (200, &json!("critical"), &json!("reviewed"))
    );
    assert_eq!(signal["provenance"]["severity"]["by"], "user");
    house
        .signal(json!({ "verbatim": "It is very slow", "sourceRef": "r1", "severity": "medium" }))
        .await;
    let edited = wait_until("the edit", SOON, async || {
        let (_, signal) = house.get(&path).await;
        (signal["verbatim"] == "It is very slow").then_some(signal)
    })
    .await;
    assert_eq!(edited["severity"], "critical", "the sender does not outrank the user");
    for (to, expected) in [("linked", 409), ("archived", 200), ("new", 409), ("reviewed", 200)] {
        let (status, answer) =
            house.ask(Method::PATCH, &path, Some(&house.key), Some(json!({ "status": to }))).await;
        assert_eq!(status, expected, "to {to}: {answer}");
    }
    assert_eq!(house.ask(Method::PATCH, &path, Some(&house.key), Some(json!({}))).await.0, 200);
    let logged: Vec<(String, String, serde_json::Value)> = sqlx::query_as(
        "select action, actor_type, metadata from signals.activity_logs l
         where target_id = $1 and exists (select from ops.api_keys k where k.id = l.actor_id) order by created_at",
    )
    .bind(&id)
    .fetch_all(&house.db.pool)
    .await
    .unwrap();
    let entry = |action: &str, metadata| (action.to_owned(), "api_key".to_owned(), metadata);
    let expected = [
        entry(
            "signal.edited",
            json!({ "fields": ["severity", "status"], "from": "new", "to": "reviewed" }),
        ),
        entry(
            "signals.archived",
            json!({ "fields": ["status"], "from": "reviewed", "to": "archived" }),
        ),
        entry(
            "signals.unarchived",
            json!({ "fields": ["status"], "from": "archived", "to": "reviewed" }),
        ),
    ];
    assert_eq!(
        logged, expected,
        "who changed what, without any text; refusals and nothing leave no entry"
    );
}

#[tokio::test]
async fn an_import_links_many_signals_in_one_request() {
    let house = House::open().await;
    let mut ids = house.signals(&["The CSV export stops halfway", "Excel cuts the export"]).await;
    let (_, project) = house.post("/v1/projects", json!({ "name": "Exports" })).await;
    let path = format!("/v1/projects/{}/signals", project["id"].as_str().unwrap());
    let (status, linked) = house.post(&path, json!({ "signals": ids })).await;
    assert_eq!((status, linked), (200, json!({ "linked": 2, "unchanged": 0, "unknown": [] })));
    ids.push("nobody".into());
    let (_, again) = house.post(&path, json!({ "signals": ids })).await;
    assert_eq!(again, json!({ "linked": 0, "unchanged": 2, "unknown": ["nobody"] }));
    let (_, found) = house
        .get(&format!("/v1/signals?status=linked&project={}", project["id"].as_str().unwrap()))
        .await;
    assert_eq!(super::ids(&found).len(), 2);
    assert_eq!(house.post(&path, json!({ "signals": [] })).await.0, 400);
    assert_eq!(house.post(&path, json!({ "signals": vec!["x"; 1_001] })).await.0, 400);
    house.app.run_json(&["--json", "workspace", "add", "other", "--id", "other"]).await;
    let other = super::key(&house.app, "other", "read,write").await;
    let (status, _) =
        house.ask(Method::POST, &path, Some(&other), Some(json!({ "signals": ids }))).await;
    assert_eq!(status, 404, "another tenant has no such project");
}

#[tokio::test]
async fn links_and_suggestions_follow_what_people_say() {
    let house = House::open().await;
    let id = house.signals(&["The CSV export stops halfway"]).await.remove(0);
    let (status, project) = house.post("/v1/projects", json!({ "name": "Exports" })).await;
    assert_eq!(status, 201, "{project}");
    let project = project["id"].as_str().unwrap().to_owned();
    let link = format!("/v1/signals/{id}/projects/{project}");
    let key = Some(house.key.as_str());
    for _ in 0..2 {
        let (status, signal) = house.ask(Method::PUT, &link, key, None).await;
        assert_eq!((status, &signal["status"]), (200, &json!("linked")));
        assert_eq!(signal["links"].as_array().unwrap().len(), 1);
    }
    let (_, found) = house.get(&format!("/v1/signals?project={project}")).await;
    assert_eq!(super::ids(&found), std::slice::from_ref(&id));
    assert_eq!(house.ask(Method::DELETE, &link, key, None).await.0, 204);
    assert_eq!(house.ask(Method::DELETE, &link, key, None).await.0, 404);
    assert_eq!(house.get(&format!("/v1/signals/{id}")).await.1["status"], "reviewed");

    let said = json!({ "projectMatches": [{ "projectId": project, "projectName": "Exports", "confidence": 0.7, "matchReason": "alike" }] });
    sqlx::query("update signals.signals set ai_classification = $1, processed_at = now()")
        .bind(said)
        .execute(&house.db.pool)
        .await
        .unwrap();
    let (_, open) = house.get("/v1/suggestions").await;
    assert_eq!(open["items"][0]["project_id"], project);
    assert_eq!(house.get("/v1/suggestions?confidence_min=0.8").await.1["items"], json!([]));
    let suggestion = format!("/v1/signals/{id}/suggestions/{project}");
    let (status, signal) = house.post(&format!("{suggestion}/accept"), json!({})).await;
    assert_eq!((status, &signal["status"]), (200, &json!("linked")));
    assert_eq!(house.get("/v1/suggestions").await.1["items"], json!([]), "it was decided");
    assert_eq!(house.post(&format!("{suggestion}/dismiss"), json!({})).await.0, 204);
    assert_eq!(house.get(&format!("/v1/signals/{id}")).await.1["links"], json!([]));
    assert_eq!(house.get("/v1/suggestions").await.1["items"], json!([]), "and stays so");
    let (status, renamed) = house
        .ask(
            Method::PATCH,
            &format!("/v1/projects/{project}"),
            key,
            Some(json!({ "description": "CSV and Excel" })),
        )
        .await;
    assert_eq!((status, &renamed["name"]), (200, &json!("Exports")));
}

#[tokio::test]
async fn events_are_read_again_on_demand() {
    let house = House::open().await;
    house.signals(&["one", "two"]).await;
    let normalized =
        json!({ "filter": { "state": "normalized", "source": "webhook" }, "dry_run": true });
    let (_, preview) = house.post("/v1/events/replay", normalized).await;
    assert_eq!((&preview["matched"], &preview["enqueued"]), (&json!(2), &json!(0)));
    let (_, none) =
        house.post("/v1/events/replay", json!({ "filter": { "state": "quarantined" } })).await;
    assert_eq!(none["matched"], 0);
    let before: i64 =
        count(&house, "select count(*) from ops.job_history where kind = 'normalize'").await;
    let (_, replayed) = house.post("/v1/events/replay", json!({ "filter": {} })).await;
    assert_eq!((&replayed["matched"], &replayed["enqueued"]), (&json!(2), &json!(2)));
    wait_until("both to be read again", SOON, async || {
        let now =
            count(&house, "select count(*) from ops.job_history where kind = 'normalize'").await;
        (now == before + 2).then_some(())
    })
    .await;
    assert_eq!(count(&house, "select count(*) from signals.signals").await, 2, "the same rows");
}

#[tokio::test]
async fn jobs_wait_while_paused_and_can_be_cancelled() {
    let house = House::open().await;
    let pauses = house
        .app
        .run_json(&["--json", "jobs", "pause", "--kind", "normalize", "--reason", "test"])
        .await;
    assert_eq!(pauses["pauses"][0]["kind"], "normalize");
    house.sender.send("", &json!({ "verbatim": "It waits" })).await;
    let (_, jobs) = house.get("/v1/jobs?kind=normalize").await;
    let id = jobs["items"][0]["id"].as_i64().unwrap();
    assert_eq!(jobs["items"][0]["state"], "ready");
    let (status, problem) = house.post(&format!("/v1/jobs/{id}/retry"), json!({})).await;
    assert_eq!(status, 409, "{problem}");
    let (status, done) = house.post(&format!("/v1/jobs/{id}/cancel"), json!({})).await;
    assert_eq!((status, &done["outcome"]), (200, &json!("cancelled")));
    let (_, job) = house.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!((&job["where"], &job["outcome"]), (&json!("finished"), &json!("cancelled")));
    assert_eq!(house.post(&format!("/v1/jobs/{id}/cancel"), json!({})).await.0, 404);
}

#[tokio::test]
async fn dead_letters_are_found_and_replayed_once() {
    let house = House::open().await;
    sqlx::query(
        "insert into ops.dead_letters (job_id, workspace_id, kind, payload, priority, attempts_max, reason, attempt, crashes, created_at, error)
         select n, 'acme', 'normalize', jsonb_build_object('event_id', gen_random_uuid(), 'source_id', 'gone'), 2, 25,
                case when n = 1 then 'crashed' else 'permanent' end, 25, 0, now(), 'it broke'
         from generate_series(1, 3) n",
    )
    .execute(&house.db.pool)
    .await
    .unwrap();
    let (_, page) = house.get("/v1/dead?limit=2").await;
    let next = page["next"].as_str().unwrap();
    let (_, rest) = house.get(&format!("/v1/dead?limit=2&cursor={next}")).await;
    assert_eq!(
        (page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()),
        (2, 1)
    );
    let (_, crashed) = house.get("/v1/dead?reason=crashed").await;
    assert_eq!(crashed["items"].as_array().unwrap().len(), 1);
    let dry = json!({ "reason": "permanent", "dry_run": true });
    assert_eq!(house.post("/v1/dead/replay", dry).await.1, json!({ "matched": 2, "jobs": [] }));
    let (_, done) = house.post("/v1/dead/replay", json!({ "reason": "permanent" })).await;
    assert_eq!(done["jobs"].as_array().unwrap().len(), 2);
    let (_, again) = house.post("/v1/dead/replay", json!({ "reason": "permanent" })).await;
    assert_eq!(again["matched"], 0, "they were replayed already");
}

async fn count(house: &House, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&house.db.pool).await.unwrap()
}
