//! Connections to Postgres.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use anyhow::Context;
use millrace_config::{ExposeSecret, Settings};
use millrace_jobs::store::tenants::Tenants;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::embedded::Embedded;

/// A connection whose peer is gone without a word looks like a slow one.
const PING_MAX: Duration = Duration::from_secs(3);

/// No database is configured and none is running in the home folder.
#[derive(Debug, thiserror::Error)]
#[error("no database: set DATABASE_URL (or database.url), or start `millrace up` with this --home")]
pub struct NoDatabase;

/// The configured database, else the embedded one that runs in the home folder.
///
/// # Errors
/// [`NoDatabase`].
pub fn url(settings: &Settings) -> Result<String, NoDatabase> {
    let url = settings.database.url.expose_secret();
    if url.is_empty() {
        Embedded::running(&settings.home).ok_or(NoDatabase)
    } else {
        Ok(url.to_owned())
    }
}

/// A pool for `role` that opens and keeps as few connections as `open` says, and at most as many.
/// Opening one takes several round trips, which a job or a delivery must not wait for. Its connections see all
/// workspaces, for ingest and jobs work for all of them.
///
/// # Errors
/// If there is no database or its URL is malformed.
pub fn pool(settings: &Settings, role: &str, open: RangeInclusive<u32>) -> anyhow::Result<PgPool> {
    let options = options(settings, role)?.options([("millrace.workspace", "*")]);
    Ok(limits(settings, open).connect_lazy_with(options))
}

/// As [`pool`], for what tenants ask: each transaction sees one workspace.
///
/// # Errors
/// As those of [`pool`].
pub fn tenants(
    settings: &Settings,
    role: &str,
    open: RangeInclusive<u32>,
) -> anyhow::Result<Tenants> {
    Ok(Tenants::new(limits(settings, open).connect_lazy_with(options(settings, role)?)))
}

fn options(settings: &Settings, role: &str) -> anyhow::Result<PgConnectOptions> {
    let url = url(settings)?;
    let options = PgConnectOptions::from_str(&url).context("database.url cannot be parsed")?;
    let statement_ms = settings.database.statement_ms.to_string();
    Ok(options.application_name(&format!("millrace-{role}")).options([
        ("timezone", "UTC"),
        ("client_min_messages", "warning"),
        ("statement_timeout", statement_ms.as_str()),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
        // A filtered HNSW scan silently returns too few rows without it (spec/embedding.md, E).
        ("hnsw.iterative_scan", "relaxed_order"),
        ("hnsw.ef_search", "100"),
    ]))
}

fn limits(settings: &Settings, open: RangeInclusive<u32>) -> PgPoolOptions {
    let (keep, max) = open.into_inner();
    PgPoolOptions::new()
        .min_connections(keep.min(max))
        .max_connections(max)
        .acquire_timeout(settings.database.acquire())
        .idle_timeout(Duration::from_secs(300))
        // sqlx asks every connection that comes home whether it lives, and waits for its answer for ever.
        .after_release(|conn, _| Box::pin(alive(conn)))
}

/// Whether a connection that comes home can be lent out again.
async fn alive(conn: &mut PgConnection) -> sqlx::Result<bool> {
    let ping = tokio::time::timeout(PING_MAX, conn.ping()).await;
    ping.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// A pool for one command, checked at once.
///
/// # Errors
/// If there is no database or it does not answer.
pub async fn connect(settings: &Settings) -> anyhow::Result<PgPool> {
    let pool = pool(settings, "cli", 0..=4)?;
    pool.acquire().await.context("the database does not answer; `millrace doctor` says more")?;
    Ok(pool)
}
