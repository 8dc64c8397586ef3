//! Readiness: may this process be sent traffic?

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use millrace_jobs::store::migrate;
use sqlx::PgPool;
use tokio::sync::Mutex;

const CACHE: Duration = Duration::from_secs(1);
const PING: Duration = Duration::from_secs(2);

/// When it was given, and ready or why not.
type Answer = (Instant, Result<(), String>);

/// Cached answer of `/readyz`. Liveness never asks the database; this does, once a second at most.
#[derive(Debug, Clone)]
pub struct Readiness {
    pool: PgPool,
    draining: Arc<AtomicBool>,
    last: Arc<Mutex<Option<Answer>>>,
}

impl Readiness {
    /// Ask through `pool`.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, draining: Arc::default(), last: Arc::default() }
    }

    /// From now on not ready: the process is going to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Ready, or why not.
    ///
    /// # Errors
    /// The reason in one line.
    pub async fn check(&self) -> Result<(), String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("draining".into());
        }
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = last.as_ref()
            && at.elapsed() < CACHE
        {
            return answer.clone();
        }
        let ask = migrate::check(&self.pool);
        let answer = match tokio::time::timeout(PING, ask).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(format!("database: {e}")),
            Err(_) => Err("database does not answer".into()),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}
