//! Ends of a delivery, all fenced by (job, attempt) and by the state: a worker that was paused past its lease finds
//! nothing to complete.

use std::collections::HashSet;

use sqlx::{PgConnection, PgExecutor, Row};

use super::{LeaseId, Queue, wake::Place};

/// Bytes kept of an error text.
const ERROR_BYTES_MAX: usize = 2048;

/// Complete leases in the transaction of their effect, and return those that were still held: the caller writes the
/// effects of these only, and returns [`super::Verdict::Committed`] for them.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn complete_in(
    conn: &mut PgConnection,
    leases: &[LeaseId],
) -> sqlx::Result<HashSet<LeaseId>> {
    let mut ends: Vec<End> =
        leases.iter().map(|lease| End { lease: *lease, outcome: "done", error: None }).collect();
    ends.sort_unstable_by_key(|e| e.lease.job);
    // Planned anew each time: the caller's session has no pinned plans, and the table's size jumps.
    let gone: Vec<(i64, i32)> = sqlx::query_as(include_str!("complete.sql"))
        .persistent(false)
        .bind(ends.iter().map(|e| e.lease.job).collect::<Vec<_>>())
        .bind(ends.iter().map(|e| e.lease.attempt).collect::<Vec<_>>())
        .bind(ends.iter().map(|e| e.outcome).collect::<Vec<_>>())
        .bind(ends.iter().map(|e| e.error.as_deref()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    let held: HashSet<LeaseId> =
        gone.into_iter().map(|(job, attempt)| LeaseId { job, attempt }).collect();
    super::metrics::refused(leases.len().saturating_sub(held.len()));
    Ok(held)
}

/// Done or cancelled.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) lease: LeaseId,
    pub(crate) outcome: &'static str,
    pub(crate) error: Option<String>,
}

/// Back to the queue.
#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) lease: LeaseId,
    pub(crate) delay_ms: i64,
    /// The delivery does not count as an attempt.
    pub(crate) spare: bool,
    pub(crate) error: Option<String>,
}

/// To the dead letters.
#[derive(Debug)]
pub(crate) struct Grave {
    pub(crate) lease: LeaseId,
    pub(crate) reason: &'static str,
    pub(crate) error: String,
}

impl Queue {
    /// Returns the ids that were still held. `ends` is sorted, so that two batches lock in one order.
    pub(crate) async fn complete(&self, ends: &mut [End]) -> sqlx::Result<Vec<i64>> {
        ends.sort_unstable_by_key(|e| e.lease.job);
        sqlx::query_scalar(include_str!("complete.sql"))
            .bind(ends.iter().map(|e| e.lease.job).collect::<Vec<_>>())
            .bind(ends.iter().map(|e| e.lease.attempt).collect::<Vec<_>>())
            .bind(ends.iter().map(|e| e.outcome).collect::<Vec<_>>())
            .bind(ends.iter().map(|e| e.error.as_deref()).collect::<Vec<_>>())
            .fetch_all(self.pool())
            .await
    }

    /// Returns the ids that were still held, and wakes claimers for those ready at once.
    pub(crate) async fn again(&self, jobs: &mut [Again]) -> sqlx::Result<Vec<i64>> {
        jobs.sort_unstable_by_key(|a| a.lease.job);
        let rows = sqlx::query(include_str!("again.sql"))
            .bind(jobs.iter().map(|a| a.lease.job).collect::<Vec<_>>())
            .bind(jobs.iter().map(|a| a.lease.attempt).collect::<Vec<_>>())
            .bind(jobs.iter().map(|a| a.delay_ms).collect::<Vec<_>>())
            .bind(jobs.iter().map(|a| i32::from(a.spare)).collect::<Vec<_>>())
            .bind(jobs.iter().map(|a| a.error.as_deref()).collect::<Vec<_>>())
            .fetch_all(self.pool())
            .await?;
        let mut places = Vec::new();
        for row in &rows {
            if row.try_get("ready")? {
                places.push(Place::from_row(row)?);
            }
        }
        self.wakes().spread(places);
        rows.iter().map(|row| row.try_get("id")).collect()
    }

    /// Returns the ids that were still held.
    pub(crate) async fn bury(&self, graves: &mut [Grave]) -> sqlx::Result<Vec<i64>> {
        graves.sort_unstable_by_key(|g| g.lease.job);
        bury_on(self.pool(), graves).await
    }
}

async fn bury_on(db: impl PgExecutor<'_>, graves: &[Grave]) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar(include_str!("bury.sql"))
        .bind(graves.iter().map(|g| g.lease.job).collect::<Vec<_>>())
        .bind(graves.iter().map(|g| g.lease.attempt).collect::<Vec<_>>())
        .bind(graves.iter().map(|g| g.reason).collect::<Vec<_>>())
        .bind(graves.iter().map(|g| g.error.as_str()).collect::<Vec<_>>())
        .fetch_all(db)
        .await
}

/// An error with its causes, short enough to keep and free of the one character Postgres cannot store.
pub(crate) fn error_text(error: &anyhow::Error) -> String {
    let mut text = format!("{error:#}").replace('\0', "");
    let end = (0..=ERROR_BYTES_MAX.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
    text.truncate(end.unwrap_or(0));
    text
}
