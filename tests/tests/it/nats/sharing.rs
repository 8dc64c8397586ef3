//! Several receivers and several bridges.

use std::collections::HashSet;

use millrace_tests::{App, Database, Nats, Pg, Sender, wait_until};
use rustix::process::Signal;
use uuid::Uuid;

use super::{MIB, SOON, buffered, delivered, exactly, metric, metric_is};

/// Ids in the order of their jobs, which are not run.
async fn in_order(db: &Database, source_id: &str) -> Vec<Uuid> {
    let ids: Vec<String> = sqlx::query_scalar(
        "select payload->>'event_id' from ops.jobs
         where kind = 'normalize' and payload->>'source_id' = $1 order by position",
    )
    .bind(source_id)
    .fetch_all(&db.pool)
    .await
    .unwrap();
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

#[tokio::test]
async fn two_receivers_and_two_bridges_share_the_load_and_keep_each_sources_order() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let receivers =
        [buffered(&nats, &db, "serve").ready().await, buffered(&nats, &db, "serve").ready().await];
    receivers[0].run_json(&["--json", "jobs", "pause", "--kind", "normalize"]).await;
    let mut sources = Vec::new();
    for nth in 0..12 {
        let name = format!("source-{nth}");
        sources.push(Sender::add(&receivers[0], "acme", "webhook", &["--name", &name]).await);
    }
    let mut bridges =
        [buffered(&nats, &db, "work").ready().await, buffered(&nats, &db, "work").ready().await];
    for bridge in &bridges {
        metric_is(bridge, "millrace_bridge_lanes", 4.0).await;
    }
    let mut senders = tokio::task::JoinSet::new();
    for source in &sources {
        let mut by_other = source.clone();
        by_other.url = source.url.replace(&receivers[0].url(""), &receivers[1].url(""));
        let by = [source.clone(), by_other];
        senders.spawn(async move {
            let mut sent = Vec::new();
            for nth in 0..60 {
                sent.push(delivered(&by[nth % 2], nth).await.event_id());
            }
            (by[0].id().to_owned(), sent)
        });
    }
    // Both have stored something; then one is killed in the middle, and another hangs and comes back.
    for bridge in &bridges {
        moved_some(bridge).await;
    }
    bridges[0].kill();
    bridges[1].signal(Signal::STOP);
    bridges[0].spawn();
    let mut acknowledged = HashSet::new();
    let all = senders.join_all().await;
    bridges[1].signal(Signal::CONT);
    for (_, sent) in &all {
        acknowledged.extend(sent);
    }
    assert_eq!(acknowledged.len(), 12 * 60);
    exactly(&db, &acknowledged).await;
    for (source, sent) in &all {
        assert_eq!(&in_order(&db, source).await, sent, "{source}");
    }
}

async fn moved_some(bridge: &App) {
    wait_until("the bridge to have its share", SOON, async || {
        metric(bridge, "millrace_bridge_events_total").await.filter(|n| *n > 0.0)
    })
    .await;
}

#[tokio::test]
async fn a_bridge_that_hangs_is_cut_off_and_its_lanes_go_on() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let serve = buffered(&nats, &db, "serve").ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let hangs = buffered(&nats, &db, "work").ready().await;
    metric_is(&hangs, "millrace_bridge_lanes", 8.0).await;
    hangs.signal(Signal::STOP);
    let mut acknowledged = HashSet::new();
    for nth in 0..10 {
        acknowledged.insert(delivered(&sender, nth).await.event_id());
    }
    let other = buffered(&nats, &db, "work").ready().await;
    exactly(&db, &acknowledged).await;
    hangs.signal(Signal::CONT);
    for bridge in [&hangs, &other] {
        metric_is(bridge, "millrace_bridge_lanes", 4.0).await;
    }
    for nth in 0..20 {
        acknowledged.insert(delivered(&sender, nth).await.event_id());
    }
    exactly(&db, &acknowledged).await;
}
