//! A private Postgres that can crash and come back.

use std::{
    io::PipeWriter, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration,
};

use millrace_jobs::store::workspaces;
use millrace_worker::embedded::{Cluster, Keep, Place, launch};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tempfile::TempDir;

use crate::{Database, roles, wait_until};

/// Recovery included.
const BACK_WITHIN: Duration = Duration::from_secs(60);

/// A cluster of its own in a folder that goes away with it.
#[derive(Debug)]
pub struct Private {
    place: Place,
    keep: Keep,
    cluster: Cluster,
    lifeline: Option<PipeWriter>,
    /// Connected to by no more than the test itself.
    name: String,
    _folder: TempDir,
}

impl Private {
    /// One with a migrated database.
    pub async fn start(keep: Keep) -> Self {
        let folder = folder();
        Self::create(folder, keep, None).await
    }

    /// One whose WAL, but nothing else, is in a folder of the caller's.
    pub async fn start_logging_to(volume: &Path) -> Self {
        let mut private = Self::start(Keep::Throwaway).await;
        private.kill();
        let supervisor = &mut private.cluster.supervisor;
        supervisor.wait().unwrap();
        let wal = private.place.cluster.join("data/pg_wal");
        let moved = Command::new("cp").arg("-a").args([&wal, &volume.join("wal")]).status();
        assert!(moved.unwrap().success());
        std::fs::remove_dir_all(&wal).unwrap();
        std::os::unix::fs::symlink(volume.join("wal"), &wal).unwrap();
        private.again().await;
        private
    }

    /// One whose database, but not its WAL, is in a folder of the caller's.
    pub async fn start_in(tables: &Path) -> Self {
        let folder = folder();
        Self::create(folder, Keep::Throwaway, Some(tables)).await
    }

    async fn create(folder: TempDir, keep: Keep, tables: Option<&Path>) -> Self {
        let home = crate::home().canonicalize().unwrap();
        let place = Place::with_cluster(&home, &folder.path().join("pg")).unwrap();
        let (cluster, lifeline) = up(&place, keep).await;
        let name = format!("c_{}", uuid::Uuid::now_v7().simple());
        let private = Self { place, keep, cluster, lifeline, name, _folder: folder };
        private.create_database(tables).await;
        private
    }

    #[expect(clippy::disallowed_methods, reason = "a database name cannot be a parameter")]
    async fn create_database(&self, tables: Option<&Path>) {
        let mut admin = PgConnection::connect(&self.cluster.url).await.unwrap();
        let mut statements = vec![format!("create database {}", self.name)];
        if let Some(tables) = tables {
            let place = tables.join("tables");
            std::fs::create_dir(&place).unwrap();
            self.place.give(&place).unwrap();
            statements.insert(0, format!("create tablespace small location '{}'", place.display()));
            statements[1].push_str(" tablespace small");
        }
        for sql in statements {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        }
        roles::provision(&self.admin_url()).await;
        let pool = self.pool(4).await;
        sqlx::query("select ops.ensure_partitions(3)").execute(&pool).await.unwrap();
        workspaces::add(&pool, Some("chaos"), "chaos").await.unwrap();
    }

    /// URL of the database for the service's own role; another one after a crash.
    #[must_use]
    pub fn url(&self) -> String {
        roles::connecting_as(roles::APP, &self.admin_url())
    }

    fn admin_url(&self) -> String {
        self.cluster.url.replace("/postgres?", &format!("/{}?", self.name))
    }

    /// Fresh connections of the test itself, so many at most.
    pub async fn pool(&self, connections: u32) -> PgPool {
        let options: PgConnectOptions = self.admin_url().parse().unwrap();
        PgPoolOptions::new().max_connections(connections).connect_with(options).await.unwrap()
    }

    /// Process around the server.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.cluster.supervisor.id()
    }

    /// Where it is now, as the rest of the harness wants it.
    pub async fn database(&self) -> Database {
        Database { pool: self.pool(4).await, url: self.url() }
    }

    /// `kill -9` of the postmaster, and a start that has to recover.
    pub async fn crash(&mut self) {
        self.kill();
        self.again().await;
    }

    fn kill(&self) {
        let pid = std::fs::read_to_string(self.place.cluster.join("data/postmaster.pid")).unwrap();
        let pid = Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        self.cluster.supervisor.try_wait().unwrap().is_some()
    }

    /// A start after it has ended.
    pub async fn again(&mut self) {
        let supervisor = &mut self.cluster.supervisor;
        wait_until("the supervisor to notice", BACK_WITHIN, || {
            std::future::ready(supervisor.try_wait().unwrap())
        })
        .await;
        (self.cluster, self.lifeline) = up(&self.place, self.keep).await;
    }
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    // Under root the server runs as somebody else, who must be able to enter.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Backends outlive their postmaster for a moment, and no new one starts beside them.
async fn up(place: &Place, keep: Keep) -> (Cluster, Option<PipeWriter>) {
    wait_until("Postgres to start", BACK_WITHIN, async || {
        let (reader, lifeline) = std::io::pipe().unwrap();
        let cluster = launch(place, keep, reader.into()).await;
        cluster.inspect_err(|e| println!("{e:#}")).ok().map(|cluster| (cluster, Some(lifeline)))
    })
    .await
}

impl Drop for Private {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Until it has ended, its folder cannot go.
        self.cluster.supervisor.wait().ok();
    }
}
