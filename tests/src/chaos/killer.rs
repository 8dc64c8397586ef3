//! Jobs for scenarios that the product has no job for, and a process that works on them.

use std::{path::Path, sync::Arc};

use millrace_config::Settings;
use millrace_jobs::{
    ctx::Ctx,
    jobs,
    queue::{Job, Leased, Runtime, Spec, Verdict},
};
use millrace_worker::db;
use serde::{Deserialize, Serialize};

use super::house::LEASE;
use crate::rig;

/// Takes its process with it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kill;

impl Job for Kill {
    const KIND: &'static str = "chaos.kill";
    const ATTEMPTS_MAX: i32 = 10;

    async fn run(_: Arc<Ctx>, _: Vec<Leased<Self>>) -> Vec<Verdict> {
        std::process::abort()
    }
}

/// Does nothing, quickly.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Quick;

impl Job for Quick {
    const KIND: &'static str = "chaos.quick";

    async fn run(_: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        batch.iter().map(|_| Verdict::Done).collect()
    }
}

const JOBS: &[Spec] = jobs![Kill, Quick];

/// Work on the database at `url` until this process dies.
pub async fn work(url: &str) {
    let variables = [("DATABASE_URL".to_owned(), url.to_owned())];
    let mut settings =
        Settings::from_parts(Path::new("unused"), None, variables.into_iter()).unwrap();
    settings.queue.lease_ms = u64::try_from(LEASE.as_millis()).unwrap();
    settings.queue.heartbeat_ms = 1000;
    let pool = db::pool(&settings, "jobs", 1..=8).unwrap();
    let _runtime = Runtime::start(rig::ctx(&pool, settings), JOBS);
    std::future::pending().await
}
