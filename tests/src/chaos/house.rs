//! What faults are made in: a Postgres behind a proxy and the processes of a deployment.

use std::time::Duration;

use millrace_worker::embedded::Keep;
use rustix::process::Signal;

use crate::{App, Database, Sender, cluster::Private, proxy::Proxy};

/// Leases short enough that a run sees many of them end.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// A stale delivery is refused when it ends, or given up before, when its worker finds the lease gone.
const FENCED: [&str; 2] = ["millrace_leases_refused_total", "millrace_leases_lost_total"];
const SOON: Duration = Duration::from_secs(60);

/// Which processes, on what, and what is special about them.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// One process each; receivers first.
    pub(super) roles: &'static [&'static str],
    /// What leases last.
    pub(super) lease: Duration,
    /// More of the environment of a role: role, name, value.
    pub(super) env: Vec<(&'static str, &'static str, String)>,
}

impl Default for Shape {
    /// Two receivers, two workers, a scheduler.
    fn default() -> Self {
        let roles = &["serve", "serve", "work", "work", "schedule"];
        Self { roles, lease: LEASE, env: Vec::new() }
    }
}

/// Everything that can fail.
#[derive(Debug)]
pub(super) struct House {
    pub(super) postgres: Private,
    pub(super) proxy: Proxy,
    pub(super) apps: Vec<App>,
    roles: &'static [&'static str],
    pub(super) sender: Sender,
    /// Stale deliveries of processes that have ended since.
    fenced: u64,
}

impl House {
    pub(super) async fn open(shape: &Shape) -> Self {
        // Its process is killed, not the machine: what it has written to files stays.
        let postgres = Private::start(Keep::Throwaway).await;
        let database = postgres.database().await;
        let proxy = Proxy::before(&database.url).await;
        let app = |role: &&str| {
            let app = App::new(&database, &[role])
                .env("DATABASE_URL", &proxy.url)
                .env("MILLRACE__QUEUE__LEASE_MS", &shape.lease.as_millis().to_string())
                .env("MILLRACE__QUEUE__HEARTBEAT_MS", "1000")
                .env("MILLRACE__QUEUE__RETRY_BASE_MS", "200")
                .env("MILLRACE__QUEUE__RETRY_CAP_S", "5")
                .env("MILLRACE__QUEUE__CRASHES_MAX", "1000")
                .env("MILLRACE__TELEMETRY__LEVEL", "warn");
            let own = shape.env.iter().filter(|(of, ..)| of == role);
            own.fold(app, |app, (_, name, value)| app.env(name, value)).spawned()
        };
        let apps: Vec<App> = shape.roles.iter().map(app).collect();
        let roles = shape.roles;
        for (receiver, _) in apps.iter().zip(roles).filter(|(_, role)| **role == "serve") {
            receiver.wait_ready().await;
        }
        let sender = Sender::add(&apps[0], "chaos", "webhook", &[]).await;
        Self { postgres, proxy, apps, roles, sender, fenced: 0 }
    }

    pub(super) async fn database(&self) -> Database {
        self.postgres.database().await
    }

    /// Places of the processes of a role.
    pub(super) fn of_role(&self, role: &str) -> Vec<usize> {
        (0..self.apps.len()).filter(|nth| self.roles[*nth] == role).collect()
    }

    /// The delivery URL at each receiver.
    pub(super) fn urls(&self) -> Vec<String> {
        let path = format!("/hooks/{}", self.sender.source["path_id"].as_str().unwrap());
        self.of_role("serve").iter().map(|nth| self.apps[*nth].url(&path)).collect()
    }

    /// Postgres is gone for a moment, and comes back somewhere else.
    pub(super) async fn crash_postgres(&mut self) {
        self.postgres.crash().await;
        self.proxy.retarget(&self.postgres.url());
    }

    /// SIGTERM: it must end by itself, well. Returns how long that took; it is started again.
    pub(super) async fn stop(&mut self, victim: usize) -> Duration {
        self.fenced += fenced(&self.apps[victim]).await;
        let at = tokio::time::Instant::now();
        self.apps[victim].signal(Signal::TERM);
        let status = self.apps[victim].ended(SOON).await;
        let took = at.elapsed();
        assert!(status.success(), "stopped with {status}: {}", self.apps[victim].log());
        self.apps[victim].spawn();
        took
    }

    /// `kill -9`, and a start.
    pub(super) async fn kill(&mut self, victim: usize) {
        self.fenced += fenced(&self.apps[victim]).await;
        self.apps[victim].kill();
        self.apps[victim].spawn();
    }

    /// Stale deliveries that came to nothing.
    pub(super) async fn fenced(&self) -> u64 {
        let mut all = self.fenced;
        for worker in &self.apps {
            all += fenced(worker).await;
        }
        all
    }
}

async fn fenced(app: &App) -> u64 {
    let mut fenced = 0;
    for name in FENCED {
        fenced += app.counter(name).await;
    }
    fenced
}
