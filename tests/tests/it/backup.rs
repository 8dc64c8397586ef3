//! docs/deploy.md, "Backup and restore", rehearsed: what was accepted before the backup is there, what was accepted
//! after it comes once when its senders repeat it.

use std::{collections::BTreeSet, path::PathBuf, process::Command, time::Duration};

use millrace_tests::{App, Database, Pg, Sender, home, roles, wait_until};
use sqlx::AssertSqlSafe;

const SOON: Duration = Duration::from_secs(60);

/// A client program beside the harness's Postgres.
fn program(name: &str) -> Option<PathBuf> {
    let path = home().join("postgres/server/18/bin").join(name);
    path.exists().then_some(path)
}

/// Runs it to its end; what it complained of, if it failed.
async fn run(
    program: PathBuf,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.success() { Ok(()) } else { Err(said) }
}

async fn deliver(sender: &Sender, numbers: std::ops::Range<usize>) -> Vec<bool> {
    let mut duplicates = Vec::new();
    for n in numbers {
        let answer = sender.send(&format!("msg_{n}"), &Sender::feedback(n)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        duplicates.push(answer.body["duplicate"].as_bool().unwrap());
    }
    duplicates
}

async fn processed(db: &Database, signals: i64) {
    wait_until("all signals", SOON, async || {
        let done: i64 = sqlx::query_scalar(
            "select count(*) from signals.signals where processed_at is not null",
        )
        .fetch_one(&db.pool)
        .await
        .unwrap();
        (done == signals).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restored_backup_takes_up_where_it_ended_and_the_lost_window_comes_once() {
    let (Some(pg_dump), Some(pg_restore)) = (program("pg_dump"), program("pg_restore")) else {
        println!("skipped: no pg_dump and pg_restore beside the Postgres of scripts/setup");
        return;
    };
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).ready().await;
    let extra = ["--scheme", "standard"];
    let sender = Sender::add(&app, "acme", "webhook", &extra).await;
    deliver(&sender, 0..40).await;
    processed(&db, 40).await;

    // By the owner, through the wall; it must not be taken for a backup when he forgets to say so.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("millrace.dump").display().to_string();
    let owner = db.url_as(roles::OWNER);
    let plain = ["--format=custom", "--file", &file, &owner];
    let refused = run(pg_dump.clone(), &plain, &[]).await.unwrap_err();
    assert!(refused.contains("row-level security"), "{refused}");
    let through = ["--format=custom", "--enable-row-security", "--file", &file, &owner];
    let open = [("PGOPTIONS", "-c millrace.workspace=*")];
    // The service goes on meanwhile: some of these are in the backup, some are not.
    let (dumped, _) = tokio::join!(run(pg_dump, &through, &open), deliver(&sender, 40..60));
    dumped.unwrap();
    deliver(&sender, 60..80).await;
    drop(app);

    let fresh = Pg::empty_database().await;
    let restored = App::new(&fresh, &["all"]);
    administer(&fresh, restored.run(&["roles"]).await.stdout).await;
    let admin = fresh.url_as("millrace");
    run(pg_restore, &["--exit-on-error", "--dbname", &admin, &file], &[]).await.unwrap();
    App::new(&fresh, &[])
        .env("DATABASE_URL", &fresh.url_as(roles::OWNER))
        .run_json(&["--json", "migrate"])
        .await;
    let restored = restored.ready().await;
    let kept: i64 =
        sqlx::query_scalar("select count(*) from ops.events").fetch_one(&fresh.pool).await.unwrap();
    assert!((40..60).contains(&kept), "{kept}");
    let report = restored.run_json(&["--json", "doctor"]).await;
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().all(|c| c["level"] != "fail"), "{report}");
    assert_eq!(differences(&restored).await, 0);

    let moved = sender.to(&restored);
    let duplicates = deliver(&moved, 0..80).await;
    let known = duplicates.iter().filter(|known| **known).count();
    assert_eq!(
        i64::try_from(known).unwrap(),
        kept,
        "what was lost is taken, what was not is known"
    );
    assert!(deliver(&moved, 0..80).await.iter().all(|known| *known));
    processed(&fresh, 80).await;
    let before = signals(&fresh).await;
    let replayed = restored.run_json(&["--json", "events", "replay", "--all"]).await;
    assert_eq!(replayed["enqueued"], 80);
    wait_until("the replay", SOON, async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from ops.jobs where kind = 'normalize'")
                .fetch_one(&fresh.pool)
                .await
                .unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(signals(&fresh).await, before, "reading again writes nothing new");
    assert_eq!(differences(&restored).await, 0);
}

#[expect(clippy::disallowed_methods, reason = "a script of ours")]
async fn administer(db: &Database, script: String) {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
}

/// Events that today's code reads differently.
async fn differences(app: &App) -> u64 {
    let checked = app.run_json(&["--json", "events", "replay", "--all", "--check"]).await;
    assert_eq!(checked["same"], checked["checked"], "{checked}");
    checked["different"].as_u64().unwrap()
}

async fn signals(db: &Database) -> BTreeSet<(String, String, i64)> {
    sqlx::query_as("select id, verbatim, version from signals.signals")
        .fetch_all(&db.pool)
        .await
        .unwrap()
        .into_iter()
        .collect()
}
