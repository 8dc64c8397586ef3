//! Which database errors pass by themselves.

use std::{future::Future, io, time::Duration};

/// The server cuts off a statement well before (`database.statement_ms`).
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// For statements of loops that must go on: what has no end by then has lost its peer without a word (a half-open
/// connection), which the kernel would notice after a quarter of an hour.
///
/// # Errors
/// Those of the statement, or that it took too long.
pub async fn bounded<T>(statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "the database does not answer");
    match tokio::time::timeout(SILENCE_MAX, statement).await {
        Ok(outcome) => outcome,
        Err(_) => Err(sqlx::Error::Io(silent())),
    }
}

/// Connection trouble, conflicts and a server that restarts pass; everything else is a bug or bad data. So does a
/// unique key taken while a job was on its way back to the queue: the next try sees who took it.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is open, and what is unknown does not pass"
    )]
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(e) => {
            e.code().is_some_and(|code| {
                ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                    || code == "55P03"
            }) || e.constraint() == Some("jobs_unique_waiting")
        }
        _ => false,
    }
}
