//! The committed OpenAPI document is the code's.

use millrace_tests::{App, Pg, client, root};
use serde_json::Value;

#[tokio::test]
async fn the_document_is_the_codes_own() {
    let committed = std::fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    let generated = serde_json::to_string_pretty(&millrace_worker::api::document()).unwrap();
    assert!(
        committed.trim_end() == generated,
        "docs/openapi.json is old: `millrace openapi > docs/openapi.json`"
    );
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let served = client().get(app.url("/v1/openapi.json")).send().await.unwrap();
    let served: Value = served.json().await.unwrap();
    assert_eq!(served, serde_json::from_str::<Value>(&generated).unwrap());
    for (path, item) in served["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} says what it does");
            let guarded = operation["security"].is_array();
            assert_eq!(guarded, path.starts_with("/v1/"), "{method} {path}");
        }
    }
}
