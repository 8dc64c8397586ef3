//! One throwaway Postgres per test run, one database per test.
//!
//! The first test that needs it starts the cluster; the others find it. A watchdog ends it and removes
//! its folder when the run is over, however it ended.

use std::{
    fs::{File, OpenOptions},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    str::FromStr,
    time::Duration,
};

use millrace_worker::embedded::{Keep, Place, launch};
use rustix::{
    fs::{FlockOperation, flock},
    process::{getpid, getppid},
};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::OnceCell;

use crate::roles;

const TEMPLATE: &str = "millrace_template";

/// `$1`: the process whose end is the end of the run; `$2`: the cluster's folder; `$3`: its lock. Standard
/// output is the cluster's lifeline. An initdb that was just running may still write: remove until gone.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM
while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
exec >/dev/null
tries=0
while [ -e "$2/data/postmaster.pid" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
while [ -e "$2" ] && [ $tries -lt 100 ]; do rm -rf "$2"; sleep 0.1; tries=$((tries + 1)); done
rm -f "$3"
"#;

/// The run's cluster.
#[derive(Debug)]
pub struct Pg;

/// A database of one test. Dropping it leaves the database to the cluster's end.
#[derive(Debug, Clone)]
pub struct Database {
    /// Connections of the test itself, as superuser.
    pub pool: PgPool,
    /// For the processes under test, as the service's own role.
    pub url: String,
}

impl Database {
    /// URL for another role.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        roles::connecting_as(role, &self.url)
    }

    /// The one number that a statement yields.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

impl Pg {
    /// A fresh database with the current schema.
    pub async fn database() -> Database {
        Self::create(TEMPLATE).await
    }

    /// A fresh database with nothing in it.
    pub async fn empty_database() -> Database {
        Self::create("template0").await
    }

    /// A fresh database in the state `template` is in; nothing may be connected to that.
    #[expect(clippy::disallowed_methods, reason = "a database name cannot be a parameter")]
    pub async fn create(template: &str) -> Database {
        let admin_url = Self::url().await;
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        let mut admin = PgConnection::connect(&admin_url).await.unwrap();
        let sql = format!("create database {name} template {template} strategy file_copy");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        connect(&admin_url, &name).await
    }

    /// URL of the cluster's own database, for administration.
    pub async fn url() -> String {
        static URL: OnceCell<String> = OnceCell::const_new();
        URL.get_or_init(find_or_start).await.clone()
    }
}

async fn connect(admin_url: &str, name: &str) -> Database {
    let url = admin_url.replace("/postgres?", &format!("/{name}?"));
    let options = PgConnectOptions::from_str(&url).unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(20))
        .connect_with(options)
        .await
        .unwrap();
    Database { pool, url: roles::connecting_as(roles::APP, &url) }
}

/// Under nextest every test is a process, and the run is their parent; otherwise the run is this process.
#[expect(clippy::disallowed_methods, reason = "the test run's own environment, not the service's")]
fn run() -> (String, i32) {
    match (std::env::var("NEXTEST_RUN_ID"), getppid()) {
        (Ok(id), Some(parent)) => (id, parent.as_raw_nonzero().get()),
        _ => {
            let pid = getpid().as_raw_nonzero().get();
            (format!("process-{pid}"), pid)
        }
    }
}

async fn find_or_start() -> String {
    let (run, watched) = run();
    let dir = std::env::temp_dir().canonicalize().unwrap().join(format!("millrace-{run}"));
    let lock_path = dir.with_extension("lock");
    let home = crate::home();
    // Before anything is made: without `scripts/setup` there is nothing to clean up either.
    let place = Place::with_cluster(&home.canonicalize().unwrap_or(home), &dir).unwrap();
    let lock = tokio::task::spawn_blocking({
        let lock_path = lock_path.clone();
        move || {
            let options = OpenOptions::new().create(true).append(true).open(&lock_path);
            let lock: File = options.unwrap();
            flock(&lock, FlockOperation::LockExclusive).unwrap();
            lock
        }
    })
    .await
    .unwrap();
    let url = match std::fs::read_to_string(dir.join("url")) {
        Ok(url) => url,
        Err(_) => start(&place, &lock_path, watched).await,
    };
    drop(lock);
    url
}

#[expect(clippy::zombie_processes, reason = "the watchdog outlives us; init reaps it")]
async fn start(place: &Place, lock_path: &Path, watched: i32) -> String {
    let dir = place.cluster.as_path();
    let (reader, lifeline) = std::io::pipe().unwrap();
    // First, so that a test killed while the cluster is made leaves nothing either.
    Command::new("/bin/sh")
        .args(["-c", WATCHDOG, "millrace-watchdog", &watched.to_string()])
        .args([dir, lock_path])
        .stdin(Stdio::null())
        .stdout(lifeline)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let cluster = launch(place, Keep::Throwaway, reader.into()).await.unwrap();
    let mut admin = PgConnection::connect(&cluster.url).await.unwrap();
    sqlx::query("create database millrace_template").execute(&mut admin).await.unwrap();
    roles::provision(&cluster.url.replace("/postgres?", &format!("/{TEMPLATE}?"))).await;
    let template = connect(&cluster.url, TEMPLATE).await;
    sqlx::query("select ops.ensure_partitions(3)").execute(&template.pool).await.unwrap();
    template.pool.close().await;
    // Only now may others use it.
    std::fs::write(dir.join("url"), &cluster.url).unwrap();
    cluster.url
}
