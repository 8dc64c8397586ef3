//! Readiness: may this process be sent traffic?

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use millrace_ingest::buffer::Buffer;
use millrace_jobs::{
    queue::fault::is_transient,
    store::migrate::{self, SchemaError},
};
use sqlx::PgPool;
use tokio::sync::Mutex;

const CACHE: Duration = Duration::from_secs(1);
const PING: Duration = Duration::from_secs(2);

/// When it was given, and ready (as what) or why not.
type Answer = (Instant, Result<&'static str, String>);

/// Cached answer of `/readyz`. Liveness never asks the database; this does, once a second at most.
#[derive(Debug, Clone)]
pub struct Readiness {
    pool: PgPool,
    buffer: Option<Buffer>,
    draining: Arc<AtomicBool>,
    last: Arc<Mutex<Option<Answer>>>,
}

impl Readiness {
    /// Ask through `pool`; with a `buffer`, that is what must answer.
    #[must_use]
    pub fn new(pool: PgPool, buffer: Option<Buffer>) -> Self {
        Self { pool, buffer, draining: Arc::default(), last: Arc::default() }
    }

    /// From now on not ready: the process is going to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Ready (in one line), or why not.
    ///
    /// # Errors
    /// The reason in one line.
    pub async fn check(&self) -> Result<&'static str, String> {
        if self.draining.load(Ordering::Relaxed) {
            return Err("draining".into());
        }
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = last.as_ref()
            && at.elapsed() < CACHE
        {
            return answer.clone();
        }
        let answer = self.ask().await;
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn ask(&self) -> Result<&'static str, String> {
        if let Some(buffer) = &self.buffer {
            match tokio::time::timeout(PING, buffer.check()).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => return Err(format!("buffer: {e}")),
                Err(_) => return Err("buffer does not answer".into()),
            }
        }
        let away = match tokio::time::timeout(PING, migrate::check(&self.pool)).await {
            Ok(Ok(())) => return Ok("ready"),
            Ok(Err(SchemaError::Database(e))) if is_transient(&e) => format!("database: {e}"),
            Ok(Err(e)) => return Err(format!("database: {e}")),
            Err(_) => "database does not answer".into(),
        };
        if self.buffer.is_some() {
            Ok("ready, buffering: database does not answer")
        } else {
            Err(away)
        }
    }
}
