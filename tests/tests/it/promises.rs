//! The two promises, through the real binary: a 2xx is exactly one event row, and each job runs at least
//! once with its effect exactly once.

use std::{collections::HashSet, time::Duration};

use millrace_tests::{App, Database, Pg, Sender, wait_until};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn killed_after_acknowledging_loses_nothing_and_doubles_nothing() {
    let db = Pg::database().await;
    let mut app = App::new(&db, &["all"])
        .env("MILLRACE__QUEUE__LEASE_MS", "2000")
        .env("MILLRACE__QUEUE__HEARTBEAT_MS", "500")
        .ready()
        .await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let mut acknowledged = HashSet::new();
    for round in 0..3 {
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
                app.kill();
            }
        }
        app.spawn();
        app.wait_ready().await;
    }
    assert!(acknowledged.len() >= 60);
    let stored: Vec<Uuid> =
        sqlx::query_scalar("select id from ops.events").fetch_all(&db.pool).await.unwrap();
    let stored: HashSet<Uuid> = stored.into_iter().collect();
    assert!(acknowledged.is_subset(&stored), "an acknowledged delivery is gone");
    let settled = async || {
        let open = db.count(
            "select (select count(*) from ops.events where state <> 'normalized')
                  + (select count(*) from signals.signals where processed_at is null)",
        );
        (open.await == 0).then_some(())
    };
    wait_until("everything processed", Duration::from_secs(60), settled).await;
    let signals = db.count("select count(*) from signals.signals").await;
    assert_eq!(usize::try_from(signals).unwrap(), stored.len(), "one signal for each event");
    assert_eq!(
        db.count("select count(*) from signals.signal_versions").await,
        signals,
        "each effect landed once"
    );
    assert_eq!(db.count("select count(*) from ops.dead_letters").await, 0);
}

/// Holds the event's row, so that the worker that normalises it stays in the middle of its job.
async fn block(db: &Database) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut tx = db.pool.begin().await.unwrap();
    sqlx::query("lock table signals.signals in exclusive mode").execute(&mut *tx).await.unwrap();
    tx
}

async fn running_attempt(db: &Database, attempt: i32) {
    let running = async || {
        sqlx::query_scalar::<_, i32>(
            "select attempt from ops.jobs where state = 'running' and kind = 'normalize'",
        )
        .fetch_optional(&db.pool)
        .await
        .unwrap()
        .filter(|a| *a >= attempt)
        .map(drop)
    };
    wait_until("the worker to be in the middle of the job", SOON, running).await;
}

#[tokio::test]
async fn a_job_that_kills_its_process_ends_in_the_dead_letters() {
    let db = Pg::database().await;
    let serve = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&serve, "acme", "webhook", &[]).await;
    let quick = [("MILLRACE__QUEUE__LEASE_MS", "1000"), ("MILLRACE__QUEUE__HEARTBEAT_MS", "300")];
    let mut worker =
        App::new(&db, &["work"]).env(quick[0].0, quick[0].1).env(quick[1].0, quick[1].1);
    let blocked = block(&db).await;
    assert_eq!(sender.send("", &Sender::feedback(1)).await.status, 200);
    for attempt in 1..=3 {
        worker.spawn();
        running_attempt(&db, attempt).await;
        worker.kill();
    }
    blocked.rollback().await.unwrap();
    worker.spawn();
    let dead = async || {
        sqlx::query_as::<_, (String, i32, Option<Uuid>)>(
            "select reason, crashes, event_id from ops.dead_letters",
        )
        .fetch_optional(&db.pool)
        .await
        .unwrap()
    };
    let (reason, crashes, event_id) = wait_until("the dead letter", SOON, dead).await;
    assert_eq!((reason.as_str(), crashes), ("crashed", 3));
    assert!(event_id.is_some(), "it names its event");
    // Nothing is lost: replayed, it is processed.
    serve.run_json(&["--json", "dead", "replay", "--reason", "crashed"]).await;
    let done = async || (db.count("select count(*) from signals.signals").await == 1).then_some(());
    wait_until("the replayed job", SOON, done).await;
}

#[tokio::test]
async fn a_store_that_dropped_its_connections_costs_no_delivery() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    for nth in 0..3 {
        assert_eq!(sender.send("", &Sender::feedback(nth)).await.status, 200);
        let ended = db.count(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
             where datname = current_database() and application_name = 'millrace-ingest'",
        );
        assert!(ended.await >= 1, "a writer had a connection");
    }
    let answer = sender.send("", &Sender::feedback(3)).await;
    assert_eq!((answer.status, answer.body["duplicate"].as_bool()), (200, Some(false)));
    assert_eq!(db.count("select count(*) from ops.events").await, 4);
}

#[tokio::test]
async fn refusals_are_told_apart_and_counted() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let signed = |signature: &str| vec![("x-webhook-signature".to_owned(), signature.to_owned())];
    let wrong = sender
        .post(&signed(&format!("sha256={}", "0".repeat(64))), b"{\"verbatim\":\"x\"}".to_vec())
        .await
        .unwrap();
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (401, Some("UNAUTHORIZED")));
    let none = sender.post(&[], b"{}".to_vec()).await.unwrap();
    assert_eq!(none.status, 401);
    let large = sender.post(&signed("sha256=00"), vec![b'x'; 3 << 20]).await.unwrap();
    assert_eq!(large.status, 413);
    let zipped =
        sender.post(&[("content-encoding".into(), "gzip".into())], b"x".to_vec()).await.unwrap();
    assert_eq!(zipped.status, 415);
    app.run_json(&["--json", "source", "pause", sender.id()]).await;
    let paused = async || (sender.send("", &Sender::feedback(9)).await.status != 200).then_some(());
    wait_until("the pause to be noticed", SOON, paused).await;
    let counted = async || {
        let reasons: Vec<String> = sqlx::query_scalar(
            "select distinct reason from ops.delivery_counts where outcome = 'refused' order by 1",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap();
        let wanted =
            ["content_encoding", "paused", "signature_mismatch", "signature_missing", "too_large"];
        (wanted.iter().all(|w| reasons.iter().any(|r| r == w))).then_some(())
    };
    wait_until("every refusal counted by its reason", SOON, counted).await;
    assert_eq!(db.count("select count(*) from ops.events").await, db.count("select coalesce(sum(count), 0)::bigint from ops.delivery_counts where outcome = 'accepted'").await);
}

#[tokio::test]
async fn a_rotated_secret_verifies_beside_the_new_one_until_its_grace_ends() {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__INGEST__SOURCE_CACHE_MS", "50").ready().await;
    let old = Sender::add(&app, "acme", "webhook", &[]).await;
    let source = app.run_json(&["--json", "source", "rotate", old.id()]).await;
    let mut new = old.clone();
    new.source = source;
    assert_ne!(old.secret(), new.secret());
    let both = async || {
        let (a, b) = (
            old.send("", &Sender::feedback(1)).await.status,
            new.send("", &Sender::feedback(2)).await.status,
        );
        ((a, b) == (200, 200)).then_some(())
    };
    wait_until("both secrets to verify", SOON, both).await;
    app.run_json(&["--json", "source", "rotate", old.id(), "--grace-hours", "0"]).await;
    let refused = async || (old.send("", &Sender::feedback(3)).await.status == 401).then_some(());
    wait_until("the oldest secret to be refused", SOON, refused).await;
}

#[tokio::test]
async fn a_source_without_a_secret_accepts_nothing() {
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    sqlx::query("delete from ops.source_secrets").execute(&db.pool).await.unwrap();
    let answer =
        async || Some(sender.send("", &Sender::feedback(1)).await).filter(|a| a.status != 200);
    let answer = wait_until("the source to be closed", SOON, answer).await;
    assert_eq!(answer.status, 503);
    assert!(answer.retry_after.is_some(), "a sender that honours it comes again");
}
