//! The lane of suspects. A job whose lease ran out twice may be what killed its workers; it runs once more, one such
//! job at a time in a process, so that the jobs that merely died beside it come through.

use std::{sync::Arc, time::Duration};

use millrace_config::point::{Point, may_fail};
use tokio::time::{Instant, timeout};

use super::{
    Queue, call,
    claim::{Claimed, places_left},
    held::Call,
    runtime::Shared,
};

const EVERY: Duration = Duration::from_secs(1);

/// Runs until the runtime stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    while !shared.stop.is_cancelled() {
        let found = match one(&shared).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "cannot claim suspects; trying again");
                false
            }
        };
        if !found {
            drop(timeout(EVERY, shared.stop.cancelled()).await);
        }
    }
}

/// The next suspect, run to its end. False: there is none.
async fn one(shared: &Arc<Shared>) -> sqlx::Result<bool> {
    let Some(suspect) = next(shared).await? else { return Ok(false) };
    call::run(shared.clone(), suspect).await;
    Ok(true)
}

/// Take the next suspect in hand.
pub(crate) async fn next(shared: &Shared) -> sqlx::Result<Option<Call>> {
    let kinds: Vec<&str> = shared.kinds.iter().map(|k| k.spec.kind).collect();
    let asked_at = Instant::now();
    let Some((name, job)) = shared.queue.claim_alone(&kinds, &shared.worker).await? else {
        return Ok(None);
    };
    let Some(kind) = shared.kinds.iter().find(|k| k.spec.kind == name) else { return Ok(None) };
    let until = asked_at + Duration::from_millis(shared.queue.settings().lease_ms);
    Ok(shared.held.take(kind, vec![job], until).pop())
}

impl Queue {
    /// The suspect that has waited longest of those that pauses and caps let run now, of any of `kinds`.
    pub(crate) async fn claim_alone(
        &self,
        kinds: &[&str],
        worker: &str,
    ) -> sqlx::Result<Option<(String, Claimed)>> {
        let place: Option<(String, String, bool)> = sqlx::query_as(include_str!("suspect.sql"))
            .bind(kinds)
            .fetch_optional(self.pool())
            .await?;
        let Some((kind, workspace_id, capped)) = place else { return Ok(None) };
        let mut tx = self.pool().begin().await?;
        if capped && places_left(&mut tx, &kind, &workspace_id).await? == 0 {
            return Ok(None);
        }
        let row = sqlx::query(include_str!("claim_alone.sql"))
            .bind(&kind)
            .bind(&workspace_id)
            .bind(capped)
            .bind(worker)
            .bind(self.settings().lease_ms.cast_signed())
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        may_fail(Point::SuspectClaimed)?;
        row.map(|row| Ok((kind, Claimed::from_row(&row, capped)?))).transpose()
    }
}
