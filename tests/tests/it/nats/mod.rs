//! The front buffer: acknowledged by the stream, one row each in the end, whoever is killed meanwhile.

mod limits;
mod outages;
mod sharing;

use std::{collections::HashSet, time::Duration};

use millrace_tests::{Answer, App, Database, Nats, Pg, Sender, client, wait_until};
use serde_json::Value;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(60);
/// The server's own default for one message.
const MIB: usize = 1 << 20;

/// An app of these roles that buffers.
fn buffered(nats: &Nats, db: &Database, roles: &str) -> App {
    nats.buffer(App::new(db, &[roles]))
}

async fn get(app: &App, path: &str) -> (u16, String) {
    let answer = client().get(app.url(path)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The sum of a metric over its labels; nothing before it was first counted.
async fn metric(app: &App, name: &str) -> Option<f64> {
    let text = get(app, "/metrics").await.1;
    let values: Vec<f64> = text
        .lines()
        .filter(|line| line.split(['{', ' ']).next() == Some(name))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

async fn metric_is(app: &App, name: &str, wanted: f64) {
    wait_until(&format!("{name} to be {wanted}"), SOON, async || {
        (metric(app, name).await == Some(wanted)).then_some(())
    })
    .await;
}

async fn stored(db: &Database) -> HashSet<Uuid> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from ops.events").fetch_all(&db.pool).await.unwrap();
    ids.into_iter().collect()
}

/// Every acknowledged delivery has its row, and there is none besides.
async fn exactly(db: &Database, acknowledged: &HashSet<Uuid>) {
    wait_until("every acknowledged delivery to have its row", SOON, async || {
        acknowledged.is_subset(&stored(db).await).then_some(())
    })
    .await;
    assert_eq!(stored(db).await.len(), acknowledged.len(), "no row that nobody was promised");
    let bodies = db.count("select count(*) from ops.event_bodies").await;
    assert_eq!(usize::try_from(bodies).unwrap(), acknowledged.len(), "each with its bytes");
}

async fn delivered(sender: &Sender, nth: usize) -> Answer {
    let answer = sender.send("", &Sender::feedback(nth)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[tokio::test]
async fn repetitions_at_once_and_after_the_window_are_one_row_and_one_id() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let app = buffered(&nats, &db, "all").env("MILLRACE__NATS__DEDUP_WINDOW_S", "1").ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let sender = sender.clone();
        posts.spawn(async move { sender.send("one", &Sender::feedback(1)).await });
    }
    let answers = posts.join_all().await;
    assert!(answers.iter().all(|a| a.status == 200), "{answers:?}");
    let ids: HashSet<Uuid> = answers.iter().map(Answer::event_id).collect();
    assert_eq!(ids.len(), 1, "every answer names the one event");
    exactly(&db, &ids).await;
    // The stream has forgotten it; the row has not.
    let after = async || Some(delivered(&sender, 1).await).filter(|a| a.body["duplicate"] == false);
    let after = wait_until("the window to pass", SOON, after).await;
    assert!(ids.contains(&after.event_id()));
    wait_until("the bridge to find it stored", SOON, async || {
        get(&app, "/metrics")
            .await
            .1
            .lines()
            .any(|l| l.starts_with("millrace_bridge_events_total{outcome=\"duplicate\"} "))
            .then_some(())
    })
    .await;
    exactly(&db, &ids).await;
    wait_until("the signal", SOON, async || {
        (db.count("select count(*) from signals.signals where processed_at is not null").await == 1)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_doctor_and_the_metrics_show_the_buffer() {
    let Some(mut nats) = Nats::start(8 * MIB).await else { return };
    let db = Pg::database().await;
    let serve = buffered(&nats, &db, "serve").ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    for nth in 0..3 {
        delivered(&sender, nth).await;
    }
    metric_is(&serve, "millrace_buffer_messages", 3.0).await;
    assert!(metric(&serve, "millrace_buffer_oldest_age_s").await.unwrap() >= 0.0);
    let finding = |report: &Value, check: &str| -> (String, String) {
        let all = report["checks"].as_array().unwrap();
        let found = all.iter().find(|c| c["check"] == check).unwrap_or(&Value::Null);
        (found["level"].to_string(), found["found"].to_string())
    };
    let report: Value =
        serde_json::from_str(&serve.run(&["--json", "doctor"]).await.stdout).unwrap();
    assert_eq!(finding(&report, "nats").0, "\"ok\"", "{report}");
    assert_eq!(finding(&report, "jetstream").0, "\"warn\"", "one copy: {report}");
    let (level, found) = finding(&report, "buffer");
    assert_eq!((level.as_str(), found.contains("3 waiting")), ("\"ok\"", true), "{report}");
    assert_eq!(finding(&report, "buffer held").0, "\"ok\"", "{report}");
    nats.kill();
    let failed = serve.run(&["--json", "doctor"]).await;
    assert_eq!(failed.status.code(), Some(1));
    let report: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!(finding(&report, "nats").0, "\"fail\"", "{report}");
    let typo = App::new(&db, &[]).env("MILLRACE__INGEST__BUFFER", "kafka");
    let refused = typo.run(&["config", "check"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("must be postgres or nats"), "{}", refused.stderr);
}
