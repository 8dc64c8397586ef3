//! The promises while the network, Postgres and the processes themselves fail.

use std::time::Duration;

use millrace_tests::{
    App, Pg, Sender,
    chaos::{self, Fault, Plan},
    proxy::{Fault as Network, Proxy},
    wait_until,
};
use rustix::process::Signal;

const SOON: Duration = Duration::from_secs(60);

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
        Sender::add(&app, "acme", "webhook", &[]).await.send("", &Sender::feedback(0)).await.status,
        200
    );
}

/// The short pass of `make chaos`.
#[tokio::test]
async fn faults_in_random_order_break_no_promise() {
    let length = Duration::from_secs(20);
    let plan = Plan { seed: 20_261_121, length, rate: 100, faults: Fault::ALL.to_vec() };
    let (outcome, faults) = chaos::run(&plan).await;
    assert!(outcome.verdict.is_good(), "{:#?}", outcome.verdict);
    assert!(outcome.deliveries > 100 && !faults.is_empty(), "{faults:?}");
}

/// The short passes of its scenarios.
mod scenario {
    use millrace_tests::{chaos, reliability};

    async fn holds(name: &str, times: u32) {
        let scenario = chaos::ALL.iter().find(|s| s.name == name).unwrap();
        reliability::hold(&scenario.run(times).await);
    }

    macro_rules! hold {
        ($($name:ident $times:literal)*) => {
            $(#[tokio::test] async fn $name() { holds(stringify!($name), $times).await; })*
            #[test]
            fn none_is_left_out() {
                let names: Vec<&str> = chaos::ALL.iter().map(|s| s.name).collect();
                assert_eq!(names, [$(stringify!($name)),*]);
            }
        };
    }

    hold! {
        kills 2
        pauses 1
        orphans 1
        outage 4
        crashes 2
        commits 40
        same 1000
        stops 4
        poison 100
        backoff 100
        order 300
        ticks 100
        clock 4
        connections 5
        disk 3
        points 1
        hostile 1
        mutants 500
        slow 200
        overload 1
        ssrf 1
        canaries 1
        queue 1000
        soak 15
        keys 40
        replays 20
        expand 2
        migrations 12
        month 3
        taught 9
        walls 600
    }
}
