//! Postgres, NATS and our own processes go away, one at a time.

use std::collections::HashSet;

use millrace_tests::{
    Answer, App, Database, Nats, Pg, Sender,
    proxy::{Fault, Proxy},
    wait_until,
};

use super::{MIB, SOON, buffered, delivered, exactly, get, metric, metric_is};

async fn behind_a_proxy(nats: &Nats) -> (Database, Proxy, App, Sender) {
    let db = Pg::database().await;
    let proxy = Proxy::before(&db.url).await;
    let app = buffered(nats, &db, "all")
        .env("DATABASE_URL", &proxy.url)
        .env("MILLRACE__INGEST__SOURCE_CACHE_MS", "100")
        .ready()
        .await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    (db, proxy, app, sender)
}

#[tokio::test]
async fn while_postgres_is_away_deliveries_are_accepted_and_each_arrives_once() {
    let Some(nats) = Nats::start(MIB).await else { return };
    for fault in [Fault::Reset, Fault::BlackHole] {
        let (db, proxy, app, sender) = behind_a_proxy(&nats).await;
        let mut acknowledged = HashSet::from([delivered(&sender, 0).await.event_id()]);
        exactly(&db, &acknowledged).await;
        let before = db.count("select (extract(epoch from now()) * 1000)::bigint").await;
        proxy.set(fault);
        for nth in 1..20 {
            acknowledged.insert(delivered(&sender, nth).await.event_id());
        }
        let again = delivered(&sender, 7).await;
        assert!(acknowledged.contains(&again.event_id()), "a repetition names the same event");
        wait_until("the source to be known from before", SOON, async || {
            delivered(&sender, 7).await;
            metric(&app, "millrace_source_lookups_stale_total").await.filter(|n| *n > 0.0)
        })
        .await;
        wait_until("ready, and why that is remarkable", SOON, async || {
            let (status, text) = get(&app, "/readyz").await;
            (status == 200 && text.contains("buffering")).then_some(())
        })
        .await;
        let mut unknown = sender.clone();
        unknown.url = app.url("/hooks/nobody-knows-this-one");
        assert_eq!(unknown.send("", &Sender::feedback(1)).await.status, 503, "{fault:?}");
        let outage = db.count("select (extract(epoch from now()) * 1000)::bigint").await;
        assert_eq!(db.count("select count(*) from ops.events").await, 1, "{fault:?}");
        proxy.set(Fault::None);
        exactly(&db, &acknowledged).await;
        let times: Vec<i64> = sqlx::query_scalar(
            "select (extract(epoch from received_at) * 1000)::bigint from ops.events order by 1",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap();
        assert!(times[1] >= before, "{fault:?}");
        assert!(times[19] <= outage, "{fault:?}: received when accepted, not when stored");
        wait_until("all signals", SOON, async || {
            let done = "select count(*) from signals.signals where processed_at is not null";
            (db.count(done).await == 20).then_some(())
        })
        .await;
        metric_is(&app, "millrace_buffer_messages", 0.0).await;
    }
}

#[tokio::test]
async fn what_a_killed_nats_server_had_acknowledged_is_there_when_it_is_back() {
    let Some(mut nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let serve = buffered(&nats, &db, "serve").ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let mut acknowledged = HashSet::new();
    for round in 0..3 {
        let mut posts = tokio::task::JoinSet::new();
        for nth in 0..40 {
            let sender = sender.clone();
            posts.spawn(async move { sender.send("", &Sender::feedback(round * 40 + nth)).await });
        }
        let mut answered = 0;
        while let Some(answer) = posts.join_next().await {
            let answer: Answer = answer.unwrap();
            if answer.status == 200 {
                acknowledged.insert(answer.event_id());
                answered += 1;
            }
            if answered == 15 {
                nats.kill();
            }
        }
        let refused = sender.send("", &Sender::feedback(1000 + round)).await;
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.retry_after.is_some(), "when to come again");
        wait_until("not ready", SOON, async || {
            let (status, text) = get(&serve, "/readyz").await;
            (status == 503 && text.starts_with("buffer")).then_some(())
        })
        .await;
        nats.spawn().await;
        serve.wait_ready().await;
    }
    assert!(acknowledged.len() >= 45);
    assert_eq!(db.count("select count(*) from ops.events").await, 0);
    let _work = buffered(&nats, &db, "work").spawned();
    metric_is(&serve, "millrace_buffer_messages", 0.0).await;
    let stored = super::stored(&db).await;
    assert!(acknowledged.is_subset(&stored), "an acknowledged delivery is gone");
    let keys = "select count(distinct delivery_key) from ops.events";
    assert_eq!(usize::try_from(db.count(keys).await).unwrap(), stored.len());
}

#[tokio::test]
async fn killed_receivers_and_bridges_lose_nothing_and_double_nothing() {
    let Some(nats) = Nats::start(MIB).await else { return };
    let db = Pg::database().await;
    let quick = |app: App| {
        app.env("MILLRACE__QUEUE__LEASE_MS", "2000").env("MILLRACE__QUEUE__HEARTBEAT_MS", "500")
    };
    let mut serve = buffered(&nats, &db, "serve").ready().await;
    let mut work = quick(buffered(&nats, &db, "work")).ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let mut acknowledged = HashSet::new();
    for round in 0..4 {
        let mut posts = tokio::task::JoinSet::new();
        for nth in 0..60 {
            let sender = sender.clone();
            posts.spawn(
                async move { sender.try_send("", &Sender::feedback(round * 60 + nth)).await },
            );
        }
        let mut answered = 0;
        while let Some(answer) = posts.join_next().await {
            if let Ok(answer) = answer.unwrap()
                && answer.status == 200
            {
                acknowledged.insert(answer.event_id());
                answered += 1;
            }
            if answered == 20 {
                if round % 2 == 0 { work.kill() } else { serve.kill() }
            }
        }
        if round % 2 == 0 {
            work.spawn()
        } else {
            serve.spawn()
        }
        serve.wait_ready().await;
    }
    metric_is(&serve, "millrace_buffer_messages", 0.0).await;
    let stored = super::stored(&db).await;
    assert!(acknowledged.is_subset(&stored), "an acknowledged delivery is gone");
    wait_until("everything processed", SOON, async || {
        let open = "select (select count(*) from ops.events where state <> 'normalized')
                         + (select count(*) from signals.signals where processed_at is null)";
        (db.count(open).await == 0).then_some(())
    })
    .await;
    let signals = db.count("select count(*) from signals.signals").await;
    assert_eq!(usize::try_from(signals).unwrap(), stored.len(), "one signal for each event");
    assert_eq!(db.count("select count(*) from signals.signal_versions").await, signals);
    assert_eq!(db.count("select count(*) from ops.dead_letters").await, 0);
}
