//! Pages and filters.

use millrace_tests::Pg;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::{House, ids};

#[tokio::test]
async fn pages_do_not_move_under_inserts() {
    let house = House::open().await;
    let mut expected =
        house.signals(&["one", "two", "three", "four", "five", "six", "seven"]).await;
    expected.reverse();
    let (mut seen, mut path) = (Vec::new(), "/v1/signals?limit=3".to_owned());
    loop {
        let (status, page) = house.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/signals?limit=3&cursor={next}");
        house.signals(&["a late one"]).await;
    }
    assert_eq!(seen, expected, "each once, newest first, none of the late ones");
}

#[tokio::test]
async fn filters_find_what_they_say_and_refuse_the_rest() {
    let house = House::open().await;
    let csv = house
        .signal(json!({ "verbatim": "The CSV export stops halfway", "severity": "high" }))
        .await;
    let excel =
        house.signal(json!({ "verbatim": "Export to Excel please", "severity": "low" })).await;
    let both = [excel.clone(), csv.clone()];
    for (query, expected) in [
        ("q=export", &both[..]),
        ("q=export%20-excel", &both[1..]),
        ("q=%22to%20excel%22", &both[..1]),
        ("q=nothing-like-it", &[]),
        ("severity=high", &both[1..]),
        ("source=webhook&status=new", &both[..]),
        ("source=slack", &[]),
        ("from=2020-01-01T00:00:00Z", &both[..]),
        ("to=2020-01-01T00:00:00Z", &[]),
        ("duplicate=true", &[]),
        ("project=none", &[]),
        ("persona=none", &[]),
    ] {
        let (status, page) = house.get(&format!("/v1/signals?{query}")).await;
        assert_eq!((status, ids(&page)), (200, expected.to_vec()), "{query}");
    }
    for query in [
        "severity=huge",
        "colour=red",
        "limit=0",
        "limit=201",
        "limit=x",
        "from=yesterday",
        "cursor=xyz",
        "cursor=MTIz",
        "processed=maybe",
        "q=%00",
        "status=new&status=new",
    ] {
        let (status, problem) = house.get(&format!("/v1/signals?{query}")).await;
        assert_eq!(status, 400, "{query}: {problem}");
        assert!(problem["error"].is_string() && problem["code"] == "bad_request", "{problem}");
    }
}

#[tokio::test]
async fn a_signal_tells_its_whole_story() {
    let house = House::open().await;
    let body = json!({ "verbatim": "It is slow", "sourceRef": "r1", "severity": "low", "tags": ["speed"] });
    let id = house.signal(body).await;
    let (status, signal) = house.get(&format!("/v1/signals/{id}")).await;
    assert_eq!(status, 200);
    assert_eq!(signal["verbatim"], "It is slow");
    assert_eq!(signal["provenance"]["severity"]["by"], "caller");
    assert_eq!(signal["tags"], json!(["speed"]));
    assert_eq!(signal["versions"].as_array().unwrap().len(), 1);
    let event = signal["event_id"].as_str().unwrap();
    let (_, event) = house.get(&format!("/v1/events/{event}")).await;
    assert_eq!(event["state"], "normalized");
    assert_eq!(event["trace_id"], signal["trace_id"], "one trace from request to row");
    assert_eq!(event["effects"][0]["id"], id);
    let (_, stats) = house.get("/v1/stats").await;
    assert_eq!(stats["sources"][0]["signals"]["signals"], 1);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a statement of our own sources, explained")]
async fn the_effects_of_one_event_are_found_among_100_000() {
    let db = Pg::database().await;
    sqlx::raw_sql(
        "insert into signals.workspaces (id, name) values ('w', 'w');
         insert into signals.signals (id, workspace_id, verbatim, source) values ('s', 'w', 'x', 'webhook');
         insert into signals.signal_versions (workspace_id, signal_id, version, change, event_id)
           select 'w', 's', n, 'edited', gen_random_uuid() from generate_series(1, 100000) n;
         insert into signals.inbox_items (workspace_id, type, source, title, raw_content, event_id)
           select 'w', 'document', 'webhook', 'x', 'x', gen_random_uuid() from generate_series(1, 100000);
         analyze signals.signal_versions, signals.inbox_items;",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let sql = include_str!("../../../../jobs/src/store/effects.sql");
    let explain = format!("explain (analyze, buffers, format json) {sql}");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain))
        .bind(uuid::Uuid::now_v7())
        .fetch_one(&db.pool)
        .await
        .unwrap();
    let read = ["Shared Hit Blocks", "Shared Read Blocks"];
    let pages: i64 = read.iter().map(|name| plan[0]["Plan"][name].as_i64().unwrap()).sum();
    assert!(pages < 50, "{pages} pages: {plan:#}");
}
