//! What is measured: a durable Postgres of its own and the release binary on it.

use millrace_jobs::store::workspaces;
use millrace_tests::{App, Database, Sender, cluster::Private};
use millrace_worker::embedded::Keep;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

/// The workspace of what is measured.
pub(crate) const WORKSPACE: &str = "bench";
/// Requests of [`send_all`] under way at once.
const LANES: usize = 16;

/// A Postgres that flushes to disk, with a migrated database.
pub(crate) async fn postgres() -> (Private, Database) {
    let server = Private::start(Keep::Durable).await;
    let db = Database { pool: server.pool(16).await, url: server.url() };
    workspaces::add(&db.pool, Some(WORKSPACE), WORKSPACE).await.unwrap();
    (server, db)
}

/// Rows of one statement of a load.
const CHUNK: i32 = 50_000;

/// Store rows with these numbers, some at a time, and `analyze`.
pub(crate) async fn load(
    pool: &PgPool,
    numbers: std::ops::RangeInclusive<i32>,
    analyze: &'static str,
    mut store: impl AsyncFnMut(&mut PgConnection, i32, i32),
) {
    let mut conn = pool.acquire().await.unwrap();
    // Keys are looked at when rows change, and nothing is measured here.
    sqlx::raw_sql("set session_replication_role = replica; set synchronous_commit = off; set statement_timeout = 0")
        .execute(&mut *conn)
        .await
        .unwrap();
    let (mut at, to) = numbers.into_inner();
    while at <= to {
        let end = to.min(at + CHUNK - 1);
        store(&mut conn, at, end).await;
        at = end + 1;
    }
    sqlx::raw_sql("set session_replication_role = origin; set synchronous_commit = on")
        .execute(&mut *conn)
        .await
        .unwrap();
    sqlx::raw_sql(analyze).execute(&mut *conn).await.unwrap();
}

/// A role of the release binary with the real model, ready.
pub(crate) async fn role(db: &Database, role: &str, env: &[(&str, &str)]) -> App {
    let mut app = App::new(db, &[role]).with_model().env("MILLRACE__TELEMETRY__LEVEL", "warn");
    for (name, value) in env {
        app = app.env(name, value);
    }
    app.ready().await
}

/// A source of its own name.
pub(crate) async fn sender(app: &App, workspace: &str, kind: &str, extra: &[&str]) -> Sender {
    let name = uuid::Uuid::now_v7().to_string();
    Sender::add(app, workspace, kind, &[extra, &["--name", &name]].concat()).await
}

/// Send all, some at a time; each must be taken.
pub(crate) async fn send_all(sender: &Sender, bodies: impl Iterator<Item = serde_json::Value>) {
    let mut sends = JoinSet::new();
    for body in bodies {
        if sends.len() >= LANES {
            sends.join_next().await.unwrap().unwrap();
        }
        let sender = sender.clone();
        sends.spawn(async move { assert_eq!(sender.send("", &body).await.status, 200) });
    }
    sends.join_all().await;
}

/// Peak resident memory, MiB.
pub(crate) fn peak_mib(app: &App) -> f64 {
    peak_mib_of(app.pid().as_raw_nonzero().get().unsigned_abs())
}

/// The same of any process.
pub(crate) fn peak_mib_of(pid: u32) -> f64 {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// CPU seconds that a process of the service has used.
pub(crate) fn cpu_s(app: &App) -> f64 {
    cpu_s_of(app.pid().as_raw_nonzero().get().unsigned_abs())
}

/// CPU seconds that a process and its living descendants have used.
pub(crate) fn cpu_s_of(root: u32) -> f64 {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // After the name in parentheses: state, parent, ..., utime and stime as the 12th and 13th (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let number = |nth: usize| fields[nth].parse::<u64>().unwrap();
        processes.push((pid, number(1), number(11) + number(12)));
    }
    let mut tree = vec![root];
    let mut ticks = 0;
    while let Some(pid) = tree.pop() {
        ticks += processes.iter().filter(|(p, ..)| *p == pid).map(|(.., t)| t).sum::<u64>();
        tree.extend(
            processes.iter().filter(|(_, parent, _)| *parent == u64::from(pid)).map(|(p, ..)| *p),
        );
    }
    // The unit of proc(5) is 1/100 s for every program, whatever the kernel's own tick.
    ticks as f64 / 100.0
}
