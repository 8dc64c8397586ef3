//! The promises while the network, Postgres and the processes themselves fail.

use std::{collections::BTreeMap, time::Duration};

use millrace_tests::{
    App, Database, Pg, Sender,
    chaos::{self, Fault, Plan},
    client,
    oracle::{self, Oracle},
    proxy::{Fault as Network, Proxy},
    wait_until,
};
use rustix::process::Signal;
use serde_json::json;

const SOON: Duration = Duration::from_secs(60);

fn feedback(nth: usize) -> serde_json::Value {
    json!({ "verbatim": format!("Report {nth} stops halfway"), "sourceRef": format!("ref-{nth}") })
}

/// An app whose way to the database can fail, and a source of it.
async fn behind_a_proxy() -> (Database, Proxy, App, Sender) {
    let db = Pg::database().await;
    let proxy = Proxy::before(&db.url).await;
    let app = App::new(&db, &["all"]).env("DATABASE_URL", &proxy.url).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    (db, proxy, app, sender)
}

async fn status(app: &App, path: &str) -> u16 {
    client().get(app.url(path)).send().await.unwrap().status().as_u16()
}

async fn all_done(db: &Database) {
    wait_until("all work to be done", SOON, async || {
        oracle::unfinished(&db.pool).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_its_database_it_refuses_stays_alive_and_comes_back() {
    for fault in [Network::Reset, Network::BlackHole] {
        let (db, proxy, app, sender) = behind_a_proxy().await;
        let mut oracle = Oracle::default();
        oracle.promised("0", sender.send("", &feedback(0)).await.event_id());
        proxy.set(fault);
        for nth in 1..4 {
            let refused = sender.send("", &feedback(nth)).await;
            assert_eq!(refused.status, 503, "{fault:?}: {refused:?}");
            assert!(refused.retry_after.is_some(), "{fault:?}: when to come again");
        }
        assert_eq!(status(&app, "/livez").await, 200, "{fault:?}");
        wait_until("not ready", SOON, async || {
            (status(&app, "/readyz").await == 503).then_some(())
        })
        .await;
        proxy.set(Network::None);
        for nth in 1..4 {
            let again = async || Some(sender.send("", &feedback(nth)).await);
            let taken = async || again().await.filter(|a| a.status == 200);
            let answer = wait_until("the delivery to be taken", SOON, taken).await;
            oracle.promised(&nth.to_string(), answer.event_id());
        }
        app.wait_ready().await;
        all_done(&db).await;
        let verdict = oracle.judge(&db.pool, 4).await;
        assert!(verdict.is_good(), "{fault:?}: {verdict:#?}");
    }
}

#[tokio::test]
async fn commits_whose_answer_is_lost_neither_lose_nor_double() {
    let (db, proxy, _app, sender) = behind_a_proxy().await;
    proxy.set(Network::LoseAnswers(5));
    let mut oracle = Oracle::default();
    for nth in 0..60 {
        let taken = async || {
            let answer = sender.try_send("", &feedback(nth)).await.ok()?;
            (answer.status == 200).then(|| answer.event_id())
        };
        oracle.promised(&nth.to_string(), wait_until("taken", SOON, taken).await);
    }
    assert!(proxy.lost() > 10, "{} answers were lost", proxy.lost());
    proxy.set(Network::None);
    all_done(&db).await;
    let verdict = oracle.judge(&db.pool, 60).await;
    assert!(verdict.is_good(), "{verdict:#?}");
}

#[tokio::test]
async fn it_waits_for_a_database_that_comes_later_and_can_be_stopped_meanwhile() {
    let db = Pg::database().await;
    let proxy = Proxy::before(&db.url).await;
    proxy.set(Network::Reset);
    let start = || App::new(&db, &["all"]).env("DATABASE_URL", &proxy.url).spawned();
    let (mut stopped, app) = (start(), start());
    for waiting in [&stopped, &app] {
        wait_until("it to say what it waits for", SOON, async || {
            waiting.log().contains("waiting for it").then_some(())
        })
        .await;
    }
    stopped.signal(Signal::TERM);
    assert!(stopped.ended(SOON).await.success(), "{}", stopped.log());
    proxy.set(Network::None);
    app.wait_ready().await;
    assert_eq!(
        Sender::add(&app, "acme", "webhook", &[]).await.send("", &feedback(0)).await.status,
        200
    );
}

/// The short pass of `make chaos`.
#[tokio::test]
async fn faults_in_random_order_break_no_promise() {
    let length = Duration::from_secs(20);
    let plan = Plan { seed: 20_261_121, length, rate: 100, faults: Fault::ALL.to_vec() };
    let outcome = chaos::run(&plan).await;
    assert!(outcome.verdict.is_good(), "{outcome:#?}");
    assert!(outcome.deliveries > 100 && outcome.faults != BTreeMap::new(), "{outcome:#?}");
}
