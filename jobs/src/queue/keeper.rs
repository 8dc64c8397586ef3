//! Keeps leases alive, notices lost ones, and stops jobs that somebody cancelled.

use std::{sync::Arc, time::Duration};

use millrace_config::point::{Point, may_fail};
use sqlx::Row;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{LeaseId, complete::End, fault, runtime::Shared};

/// How often leases near their end are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Runs until the runtime is over.
pub(crate) async fn run(shared: Arc<Shared>) {
    let settings = shared.queue.settings();
    let beat = Duration::from_millis(settings.heartbeat_ms);
    let lease = Duration::from_millis(settings.lease_ms);
    let mut tick = interval(TICK.min(beat));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_beat = Instant::now();
    loop {
        let cancels = tokio::select! {
            _ = tick.tick() => false,
            () = shared.queue.wakes().cancels.notified() => true,
            () = shared.over.cancelled() => return,
        };
        let beats = next_beat <= Instant::now();
        if beats {
            next_beat = Instant::now() + beat;
            report("record this worker", fault::bounded(register(&shared)).await);
        }
        round(&shared, lease.saturating_sub(beat), cancels || beats).await;
    }
}

/// Extend leases that end within `margin`, let go of lost ones, and if `cancels` stop what somebody cancelled.
pub(crate) async fn round(shared: &Shared, margin: Duration, cancels: bool) {
    report("extend leases", fault::bounded(extend(shared, margin)).await);
    if cancels {
        report("look for cancelled jobs", fault::bounded(cancel(shared)).await);
    }
    // What could not be extended in time is somebody else's by now.
    shared.held.lose(shared.held.ending(Duration::ZERO).into_iter());
}

fn report(what: &str, outcome: sqlx::Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "cannot {what}; trying again");
    }
}

async fn extend(shared: &Shared, margin: Duration) -> sqlx::Result<()> {
    let lease = Duration::from_millis(shared.queue.settings().lease_ms);
    let asked = shared.held.ending(margin);
    if asked.is_empty() {
        return Ok(());
    }
    let until = Instant::now() + lease;
    let extended: Vec<i64> = sqlx::query_scalar(include_str!("extend.sql"))
        .bind(asked.iter().map(|id| id.job).collect::<Vec<_>>())
        .bind(asked.iter().map(|id| id.attempt).collect::<Vec<_>>())
        .bind(shared.queue.settings().lease_ms.cast_signed())
        .fetch_all(shared.queue.pool())
        .await?;
    may_fail(Point::LeasesExtended)?;
    shared.held.extended(&extended, until);
    let kept: std::collections::HashSet<i64> = extended.into_iter().collect();
    // Either ended a moment ago, or somebody else's.
    shared.held.lose(asked.into_iter().filter(|id| !kept.contains(&id.job)));
    Ok(())
}

/// End running jobs whose cancellation was asked for: first the row, then the work.
async fn cancel(shared: &Shared) -> sqlx::Result<()> {
    let held = shared.held.all();
    if held.is_empty() {
        return Ok(());
    }
    let asked: Vec<LeaseId> = sqlx::query(
        "select j.id, j.attempt from ops.jobs j
         where j.id = any($1) and j.lease_until is not null and j.cancel_requested",
    )
    .bind(held.iter().map(|id| id.job).collect::<Vec<_>>())
    .fetch_all(shared.queue.pool())
    .await?
    .iter()
    .map(|row| Ok(LeaseId { job: row.try_get("id")?, attempt: row.try_get("attempt")? }))
    .collect::<sqlx::Result<_>>()?;
    if asked.is_empty() {
        return Ok(());
    }
    let mut ends: Vec<End> = asked
        .iter()
        .map(|lease| End { lease: *lease, outcome: "cancelled", error: None })
        .collect();
    let gone = shared.queue.complete(&mut ends).await?;
    may_fail(Point::JobsCancelled)?;
    // Empty if they ended by themselves a moment ago.
    if !gone.is_empty() {
        tracing::info!(jobs = gone.len(), "running jobs cancelled on request");
    }
    shared.held.lose(asked.into_iter());
    Ok(())
}

async fn register(shared: &Shared) -> sqlx::Result<()> {
    let kinds: Vec<&str> = shared.kinds.iter().map(|k| k.spec.kind).collect();
    sqlx::query(
        "insert into ops.workers (id, host, pid, kinds, draining) values ($1, $2, $3, $4, $5)
         on conflict (id) do update set heartbeat_at = now(), draining = excluded.draining",
    )
    .bind(&shared.worker)
    .bind(host())
    .bind(i32::try_from(std::process::id()).unwrap_or(0))
    .bind(kinds)
    .bind(shared.stop.is_cancelled())
    .execute(shared.queue.pool())
    .await?;
    sqlx::query("delete from ops.workers where heartbeat_at < now() - interval '10 minutes'")
        .execute(shared.queue.pool())
        .await
        .map(drop)
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// This worker is gone; its leases were given back before.
pub(crate) async fn deregister(shared: &Shared) {
    let gone = sqlx::query("delete from ops.workers where id = $1")
        .bind(&shared.worker)
        .execute(shared.queue.pool())
        .await;
    if let Err(error) = gone {
        tracing::warn!(%error, "cannot take this worker off the list");
    }
}
