//! From a push to a searchable chunk, through the real binary.

use std::{path::Path, process::Command, time::Duration};

use millrace_tests::{Checkout, Sender};
use tokio::time::Instant;

use crate::{
    report::Report,
    server::{self, WORKSPACE},
};

const PUSHES: usize = 40;
const PATIENCE: Duration = Duration::from_secs(600);

/// One file of the checkout changes, is committed and pushed, again and again.
pub(crate) async fn run(report: &mut Report, path: &str) {
    let (_pg, db) = server::postgres().await;
    let local = [("MILLRACE__CODEBASE__ALLOW_LOCAL", "true")];
    let role = server::role(&db, "all", &local).await;
    let github = server::sender(&role, WORKSPACE, "github", &[]).await;
    let checkout = Checkout::new();
    let from = Path::new(path).join(".");
    assert!(
        Command::new("cp").arg("-r").args([&from, checkout.path()]).status().unwrap().success()
    );
    checkout.write("src/fresh.rs", "fn fresh() {}\n");
    checkout.commit("all of it");
    checkout.connect(&db.pool, WORKSPACE, "points").await;
    push(&github, &checkout, 0).await;
    shown(&db.pool, &checkout.head()).await;
    let files: i64 = db.count("select count(*) from factory.codebase_files").await;
    let mut times = Vec::new();
    for nth in 1..=PUSHES {
        checkout.write("src/fresh.rs", format!("/// Number {nth}.\nfn fresh_{nth}() {{}}\n"));
        let commit = checkout.commit("one file");
        let began = Instant::now();
        push(&github, &checkout, nth).await;
        shown(&db.pool, &commit).await;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        let searchable = db
            .count("select count(*) from factory.code_chunks where content like '%Number%'")
            .await;
        assert_eq!(searchable, 1);
    }
    times.sort_by(f64::total_cmp);
    let figure = format!("{:.0} ms, {:.0} ms", times[PUSHES / 2], times[PUSHES * 95 / 100]);
    report.note("A commit of one file, pushed by a signed delivery; until the index shows it, looked for every 5 ms.");
    report.row(&format!("push to searchable, {files} files: p50, p95"), &figure, "-", "");
}

async fn push(github: &Sender, checkout: &Checkout, nth: usize) {
    let answer = github.github(&format!("push-{nth}"), "push", &checkout.push()).await;
    assert_eq!(answer.unwrap().status, 202);
}

async fn shown(pool: &sqlx::PgPool, commit: &str) {
    let began = Instant::now();
    loop {
        let shown: Option<String> =
            sqlx::query_scalar("select last_indexed_commit from factory.codebase_connections")
                .fetch_one(pool)
                .await
                .unwrap();
        if shown.as_deref() == Some(commit) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "never shown");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
