//! What does not fit: into a message, into the stream, into Postgres.

use std::collections::HashSet;

use millrace_tests::{
    Nats, Pg, Sender,
    proxy::{Fault, Proxy},
    wait_until,
};
use serde_json::{Value, json};

use super::{MIB, SOON, buffered, delivered, exactly, get, metric_is};

fn long(nth: usize, bytes: usize) -> Value {
    json!({ "verbatim": "x".repeat(bytes), "sourceRef": format!("long-{nth}") })
}

#[tokio::test]
async fn a_delivery_larger_than_a_message_goes_straight_to_postgres_or_is_refused_by_name() {
    let Some(nats) = Nats::start(64 << 10).await else { return };
    let db = Pg::database().await;
    let proxy = Proxy::before(&db.url).await;
    let app = buffered(&nats, &db, "all").env("DATABASE_URL", &proxy.url).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let first = sender.send("", &long(1, 100_000)).await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = sender.send("", &long(1, 100_000)).await;
    assert_eq!((again.status, again.event_id()), (200, first.event_id()));
    proxy.set(Fault::Reset);
    let small = delivered(&sender, 2).await;
    let refused = sender.send("", &long(3, 100_000)).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.retry_after.is_some());
    proxy.set(Fault::None);
    exactly(&db, &HashSet::from([first.event_id(), small.event_id()])).await;
    wait_until("the refusal to be counted by its name", SOON, async || {
        let named = "select count(*) from ops.delivery_counts where reason = 'larger_than_buffer'";
        (db.count(named).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_stream_refuses_and_takes_again_once_it_is_emptied() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let serve =
        buffered(&nats, &db, "serve").env("MILLRACE__NATS__MAX_BYTES", "1048576").ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let mut acknowledged = HashSet::new();
    let refused = loop {
        let answer = sender.send("", &long(acknowledged.len(), 100_000)).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(acknowledged.insert(answer.event_id()) && acknowledged.len() < 20);
    };
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("buffer_full")));
    assert!(acknowledged.len() > 5);
    let _work = buffered(&nats, &db, "work").env("MILLRACE__NATS__MAX_BYTES", "1048576").spawned();
    exactly(&db, &acknowledged).await;
    acknowledged.insert(delivered(&sender, 1).await.event_id());
    exactly(&db, &acknowledged).await;
}

#[tokio::test]
async fn what_can_never_be_stored_is_held_counted_and_tried_again_and_blocks_nobody() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let mut app = buffered(&nats, &db, "all").ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let jetstream = async_nats::jetstream::new(nats.client().await.unwrap());
    let head = |id: uuid::Uuid, trace: &str| {
        let head = json!({
            "id": id, "workspace_id": "acme", "source_id": sender.id(), "event_type": null, "headers": "{}",
            "delivery_key": hex::encode([7; 32]), "secret_id": null, "trace_id": trace,
            "received_at": "2026-01-01T00:00:00Z",
        });
        let head = head.to_string();
        let mut message = u32::try_from(head.len()).unwrap().to_be_bytes().to_vec();
        message.extend_from_slice(head.as_bytes());
        message.extend_from_slice(Sender::feedback(3).to_string().as_bytes());
        message
    };
    let repaired = uuid::Uuid::now_v7();
    for lane in 0..8 {
        // Neither from us nor readable; and readable, but with text that Postgres does not take.
        let subject = format!("MILLRACE.{lane}");
        jetstream.publish(subject.clone(), "not ours".into()).await.unwrap().await.unwrap();
        let bad = head(uuid::Uuid::now_v7(), "nul \0").into();
        jetstream.publish(subject, bad).await.unwrap().await.unwrap();
    }
    let mut acknowledged = HashSet::from([delivered(&sender, 1).await.event_id()]);
    exactly(&db, &acknowledged).await;
    metric_is(&app, "millrace_bridge_held_total", 16.0).await;
    metric_is(&app, "millrace_buffer_held_messages", 16.0).await;
    let reasons = get(&app, "/metrics").await.1;
    for reason in ["unreadable", "refused_22021"] {
        let line = format!("millrace_bridge_held_total{{reason=\"{reason}\"}} 8");
        assert!(reasons.contains(&line), "{line}");
    }
    let report = app.run(&["--json", "doctor"]).await;
    assert!(report.stdout.contains("16 accepted, not storable"), "{}", report.stdout);
    // One whose cause is gone by the next start.
    let publish = async_nats::jetstream::message::PublishMessage::build()
        .header("Millrace-Subject", "MILLRACE.0")
        .payload(head(repaired, "fine").into());
    jetstream.send_publish("MILLRACE-HELD.event", publish).await.unwrap().await.unwrap();
    app.kill();
    app.spawn();
    acknowledged.insert(repaired);
    exactly(&db, &acknowledged).await;
    app.wait_ready().await;
    metric_is(&app, "millrace_buffer_held_messages", 16.0).await;
    acknowledged.insert(delivered(&sender, 2).await.event_id());
    exactly(&db, &acknowledged).await;
}

#[tokio::test]
async fn a_stream_that_would_forget_is_not_used() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let jetstream = async_nats::jetstream::new(nats.client().await.unwrap());
    let config = async_nats::jetstream::stream::Config {
        name: "MILLRACE".into(),
        subjects: vec!["MILLRACE.*".into()],
        max_age: std::time::Duration::from_secs(3600),
        retention: async_nats::jetstream::stream::RetentionPolicy::WorkQueue,
        discard: async_nats::jetstream::stream::DiscardPolicy::New,
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    let serve = buffered(&nats, &db, "serve").spawned();
    let sender = {
        let http = async || millrace_tests::client().get(serve.url("/livez")).send().await.ok();
        wait_until("alive", SOON, http).await;
        Sender::add(&serve, "acme", "webhook", &[]).await
    };
    let (status, text) = get(&serve, "/readyz").await;
    assert_eq!((status, text.contains("drops messages")), (503, true), "{text}");
    assert_eq!(sender.send("", &Sender::feedback(1)).await.status, 503);
}
