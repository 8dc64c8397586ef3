//! A source that was set up wrong is put right, and what it held is read again.

use std::time::Duration;

use millrace_tests::{App, Pg, Sender, wait_until};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_no_field_map_explained_is_read_with_the_one_given_later() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &["--scheme", "standard"]).await;
    let body = json!({ "type": "ticket.said", "payload": { "words": "The export stops halfway" } });
    let event = sender.send("msg_1", &body).await.event_id().to_string();
    let state = async |wanted: &str| {
        let event = app.run_json(&["--json", "events", "show", &event]).await;
        (event["state"] == wanted).then_some(())
    };
    wait_until("held", SOON, || state("quarantined")).await;

    let map = r#"{"verbatim": "/payload/words"}"#;
    let wrong = app.run(&["source", "set", sender.id(), "--field-map", "[1]"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", wrong.stderr);
    let wrong = app.run(&["source", "set", sender.id(), "--rate-per-s", "0"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", wrong.stderr);
    app.run_json(&["--json", "source", "set", sender.id(), "--field-map", map]).await;
    // The worker may still know the source as it was.
    wait_until("read", SOON, async || {
        app.run_json(&["--json", "events", "replay", &event]).await;
        state("normalized").await
    })
    .await;
    let words: Vec<String> = sqlx::query_scalar("select verbatim from signals.signals")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(words, ["The export stops halfway"]);
}
