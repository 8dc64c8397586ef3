//! What faults are made in: a Postgres behind a proxy, two receivers, two workers, a scheduler.

use std::time::Duration;

use millrace_worker::embedded::Keep;

use rustix::process::Signal;

use crate::{App, Database, Sender, cluster::Private, proxy::Proxy};

/// Leases short enough that a run sees many of them end.
const LEASE_MS: &str = "3000";
const REFUSED: &str = "millrace_leases_refused_total";
const SOON: Duration = Duration::from_secs(60);

/// Everything that can fail.
#[derive(Debug)]
pub(super) struct House {
    pub(super) postgres: Private,
    pub(super) proxy: Proxy,
    /// Two receivers, two workers, a scheduler.
    pub(super) apps: Vec<App>,
    pub(super) sender: Sender,
    /// Refused completions of processes that have ended since.
    pub(super) fenced: u64,
}

impl House {
    pub(super) async fn open() -> Self {
        let postgres = Private::start(Keep::Throwaway).await;
        let database = postgres.database().await;
        let proxy = Proxy::before(&database.url).await;
        let app = |role: &str| {
            App::new(&database, &[role])
                .env("DATABASE_URL", &proxy.url)
                .env("MILLRACE__QUEUE__LEASE_MS", LEASE_MS)
                .env("MILLRACE__QUEUE__HEARTBEAT_MS", "1000")
                .env("MILLRACE__QUEUE__RETRY_BASE_MS", "200")
                .env("MILLRACE__QUEUE__RETRY_CAP_S", "5")
                .env("MILLRACE__QUEUE__CRASHES_MAX", "1000")
                .env("MILLRACE__TELEMETRY__LEVEL", "warn")
                .spawned()
        };
        let apps = vec![app("serve"), app("serve"), app("work"), app("work"), app("schedule")];
        for receiver in &apps[..2] {
            receiver.wait_ready().await;
        }
        let sender = Sender::add(&apps[0], "chaos", "webhook", &[]).await;
        Self { postgres, proxy, apps, sender, fenced: 0 }
    }

    pub(super) async fn database(&self) -> Database {
        self.postgres.database().await
    }

    /// The delivery URL at each receiver.
    pub(super) fn urls(&self) -> Vec<String> {
        let path = format!("/hooks/{}", self.sender.source["path_id"].as_str().unwrap());
        self.apps[..2].iter().map(|app| app.url(&path)).collect()
    }

    /// Postgres is gone for a moment, and comes back somewhere else.
    pub(super) async fn crash_postgres(&mut self) {
        self.postgres.crash().await;
        self.proxy.retarget(&self.postgres.url());
    }

    /// SIGTERM: it must end by itself, well, and hold nothing.
    pub(super) async fn stop(&mut self, victim: usize) {
        self.fenced += self.apps[victim].counter(REFUSED).await;
        self.apps[victim].signal(Signal::TERM);
        let status = self.apps[victim].ended(SOON).await;
        assert!(status.success(), "stopped with {status}: {}", self.apps[victim].log());
        self.apps[victim].spawn();
    }

    /// `kill -9`, and a start.
    pub(super) async fn kill(&mut self, victim: usize) {
        self.fenced += self.apps[victim].counter(REFUSED).await;
        self.apps[victim].kill();
        self.apps[victim].spawn();
    }

    /// Completions refused because the lease was somebody else's by then.
    pub(super) async fn fenced(&self) -> u64 {
        let mut fenced = self.fenced;
        for worker in &self.apps {
            fenced += worker.counter(REFUSED).await;
        }
        fenced
    }
}
