//! A writer's connection.

use std::{sync::Arc, time::Duration};

use millrace_jobs::queue::Queue;
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::time::Instant;

use super::{NewEvent, STORE_TIMEOUT, StoredEvent, insert};
use crate::outage::Outage;

/// A connection that was quiet for longer may have died unnoticed; a new one costs about 10 ms.
const QUIET_MAX: Duration = Duration::from_secs(30);

/// A writer's own connection: taken from the pool once, not for each batch, which would ping it twice.
#[derive(Debug)]
pub(super) struct Line {
    pool: PgPool,
    /// With its last use.
    kept: Option<(PoolConnection<Postgres>, Instant)>,
    pub(super) outage: Arc<Outage>,
}

impl Line {
    /// Not connected yet.
    pub(super) fn new(pool: PgPool, outage: Arc<Outage>) -> Self {
        Self { pool, kept: None, outage }
    }

    /// Store a batch. If a kept connection turns out to be gone, then once more on a new one: whatever the first
    /// try committed, the second finds under the same ids.
    pub(super) async fn store(
        &mut self,
        queue: &Queue,
        events: &[NewEvent],
    ) -> Result<Vec<StoredEvent>, sqlx::Error> {
        match self.kept.take() {
            Some((conn, used)) if used.elapsed() < QUIET_MAX => {
                match self.store_on(conn, queue, events).await {
                    Err(e) if is_gone(&e) => {}
                    result => return result,
                }
            }
            quiet => drop(quiet.map(|(conn, _)| conn.detach())),
        }
        let conn = self.pool.acquire().await?;
        self.store_on(conn, queue, events).await
    }

    /// The connection is kept only after success; after an error nobody knows its state.
    async fn store_on(
        &mut self,
        mut conn: PoolConnection<Postgres>,
        queue: &Queue,
        events: &[NewEvent],
    ) -> Result<Vec<StoredEvent>, sqlx::Error> {
        // Nobody waits for longer, and a connection whose peer is gone without a word would hold its writer for minutes.
        let result =
            tokio::time::timeout(STORE_TIMEOUT, insert::batch(&mut conn, queue, events)).await;
        let result = result.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if result.is_ok() {
            self.kept = Some((conn, Instant::now()));
        } else {
            drop(conn.detach());
        }
        result
    }
}

/// The connection broke, or the server ended it (class 57P).
fn is_gone(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_))
        || error.as_database_error().and_then(|e| e.code()).is_some_and(|c| c.starts_with("57P"))
}
