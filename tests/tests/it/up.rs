//! The embedded Postgres: started once, kept, never doubled, never orphaned.

use std::{path::Path, time::Duration};

use millrace_tests::{App, app::state_folder, wait_until};
use millrace_worker::embedded::{Embedded, Keep, Place, launch};
use sqlx::{Connection, PgConnection};

async fn execute(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn gone(data: &Path) {
    wait_until("the server is gone", Duration::from_secs(20), async || {
        (!data.join("postmaster.pid").exists()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn data_is_kept_and_a_second_owner_is_refused() {
    let home = state_folder();
    let first = Embedded::start(home.path()).await.unwrap();
    execute(first.url(), "create table kept (n int)").await;
    assert_eq!(Embedded::running(home.path()).as_deref(), Some(first.url()));
    let refusal = Embedded::start(home.path()).await.unwrap_err().to_string();
    assert!(refusal.contains(&format!("process {}", std::process::id())), "{refusal}");
    first.stop().await.unwrap();
    assert_eq!(Embedded::running(home.path()), None);
    let again = Embedded::start(home.path()).await.unwrap();
    execute(again.url(), "insert into kept values (1)").await;
    again.stop().await.unwrap();
    gone(&home.path().join("cluster/data")).await;
}

#[tokio::test]
async fn an_owner_that_vanishes_takes_its_server_along() {
    let home = state_folder();
    // Dropped without a stop, as by a kill: only the pipe closes.
    drop(Embedded::start(home.path()).await.unwrap());
    gone(&home.path().join("cluster/data")).await;
}

#[tokio::test]
async fn an_orphaned_server_is_ended_before_the_next_start() {
    let home = state_folder();
    let path = home.path().canonicalize().unwrap();
    let place = Place::of(&path).unwrap();
    let (reader, held_open) = std::io::pipe().unwrap();
    let mut orphan = launch(&place, Keep::Durable, reader.into()).await.unwrap();
    execute(&orphan.url, "create table kept (n int)").await;
    let next = Embedded::start(&path).await.unwrap();
    assert!(PgConnection::connect(&orphan.url).await.is_err());
    execute(next.url(), "insert into kept values (1)").await;
    next.stop().await.unwrap();
    drop(held_open);
    orphan.supervisor.wait().unwrap();
}

#[tokio::test]
async fn without_its_programs_it_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let refusal = Embedded::start(home.path()).await.unwrap_err().to_string();
    assert!(refusal.contains("scripts/setup"), "{refusal}");
}

/// `up` on nothing but a state folder, killed while it works: the next one has everything.
#[tokio::test]
async fn up_killed_and_started_again_keeps_what_it_acknowledged() {
    let mut app = App::without_database(&["up"]).ready().await;
    let send = [
        "send",
        "--source",
        "webhook",
        "--id",
        "same",
        "--text",
        "The gate code is never on the sheet.",
    ];
    let first = wait_until("the demo sources", Duration::from_secs(20), async || {
        let mut arguments = vec!["--json"];
        arguments.extend(send);
        let done = app.run(&arguments).await;
        done.status
            .success()
            .then(|| serde_json::from_str::<serde_json::Value>(&done.stdout).unwrap())
    })
    .await;
    assert_eq!(first["outcome"], "accepted", "{first}");
    let data = app.home().join("cluster/data");
    app.kill();
    gone(&data).await;
    app.spawn();
    app.wait_ready().await;
    let mut arguments = vec!["--json"];
    arguments.extend(send);
    let again = app.run_json(&arguments).await;
    assert_eq!(again["outcome"], "duplicate", "{again}");
    assert_eq!(again["event"], first["event"]);
    app.signal(rustix::process::Signal::TERM);
    assert!(app.ended(Duration::from_secs(30)).await.success(), "{}", app.log());
    gone(&data).await;
}

/// The shipped data through everything there is, twice: the second time nothing is new.
#[tokio::test]
async fn the_demo_accounts_for_every_delivery_and_again_adds_nothing() {
    let app = App::without_database(&[]).with_model();
    let first = app.run_json(&["--json", "up", "--demo", "--exit"]).await;
    let second = app.run_json(&["--json", "up", "--demo", "--exit"]).await;
    let count = |report: &serde_json::Value, name: &str| report["totals"][name].as_i64().unwrap();
    for report in [&first, &second] {
        let answered =
            ["accepted", "duplicate", "refused", "replied"].map(|name| count(report, name));
        assert_eq!(count(report, "received"), answered.iter().sum::<i64>(), "{report}");
        assert!(count(report, "received") > 300, "{report}");
        assert_eq!(report["surprises"], serde_json::json!([]));
        let kinds: Vec<_> =
            report["sources"].as_array().unwrap().iter().map(|s| &s["source"]).collect();
        assert_eq!(kinds, ["pylon", "slack", "upload", "webhook"]);
    }
    assert!(count(&first, "accepted") > 250 && count(&first, "duplicate") > 10, "{first}");
    assert!(count(&first, "classified") > 0 && count(&first, "new_initiative") > 0, "{first}");
    assert!(count(&first, "near_duplicates") > 5, "{first}");
    assert!(count(&first, "edited") > 5 && count(&first, "deleted") == 3, "{first}");
    assert_eq!(count(&second, "accepted"), 0, "{second}");
    assert_eq!(count(&second, "signals"), count(&first, "signals"));
}
