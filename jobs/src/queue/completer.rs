//! Carries the ends of deliveries to the database. No timer: while one batch is written, the next one gathers.

use std::{collections::HashSet, sync::Arc, time::Duration};

use millrace_config::point::{Point, may_die, may_fail};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    Queue,
    call::{End, How},
    complete::{Again, End as Finish, Grave},
    fault, metrics,
    runtime::Shared,
};

/// Calls per batch.
const CALLS_MAX: usize = 1024;
/// Batches written at once, so that one prepares while another waits for the disk.
const WRITERS: usize = 2;

/// Runs until `flush` says that no more will come and everything is written.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut ends: mpsc::Receiver<Vec<End>>,
    flush: CancellationToken,
) {
    let writers = Arc::new(Semaphore::new(WRITERS));
    let mut calls = Vec::with_capacity(CALLS_MAX);
    while let Ok(permit) = writers.clone().acquire_owned().await {
        tokio::select! {
            biased;
            _ = ends.recv_many(&mut calls, CALLS_MAX) => {}
            () = flush.cancelled() => break,
        }
        let batch: Vec<End> = calls.drain(..).flatten().collect();
        let shared = shared.clone();
        tokio::spawn(async move {
            write(&shared, batch).await;
            drop(permit);
        });
    }
    let all = u32::try_from(WRITERS).unwrap_or(1);
    drop(writers.acquire_many(all).await);
}

#[derive(Default)]
struct Sorted {
    finished: Vec<Finish>,
    again: Vec<Again>,
    graves: Vec<Grave>,
}

/// Record how deliveries ended.
pub(crate) async fn write(shared: &Shared, batch: Vec<End>) {
    // Whatever happens here, what is not written then runs out.
    let leases = shared.held.until_dropped(batch.iter().map(|end| end.lease).collect());
    may_die(Point::EndsGathered);
    let mut kept = Vec::with_capacity(batch.len());
    let mut sorted = Sorted::default();
    let mut lost = 0;
    for end in batch {
        let End { lease, kind, how, frees } = end;
        let outcome = how.name();
        match how {
            How::Done => sorted.finished.push(Finish { lease, outcome, error: None }),
            How::Committed => {}
            How::Lost => lost += 1,
            How::Cancelled(why) => {
                sorted.finished.push(Finish { lease, outcome, error: Some(why) });
            }
            How::Again { delay_ms, spare, error, .. } => {
                sorted.again.push(Again { lease, delay_ms, spare, error });
            }
            How::Dead { reason, error } => sorted.graves.push(Grave { lease, reason, error }),
        }
        kept.push((kind, outcome, frees));
    }
    let sent = sorted.finished.len() + sorted.again.len() + sorted.graves.len();
    let held: HashSet<i64> = settle(shared, sorted).await;
    metrics::refused(sent - held.len());
    metrics::lost(lost);
    drop(leases);
    let mut freed = Vec::new();
    for (kind, outcome, frees) in kept {
        metrics::ended(kind, outcome, 1);
        // Past every mark: it brings back a parked tenant and lowers nothing.
        freed.extend(frees.map(|place| (place, i64::MAX)));
    }
    shared.queue.wakes().spread(freed);
}

/// One statement's worth.
enum Batch {
    Finished(Vec<Finish>),
    Again(Vec<Again>),
    Graves(Vec<Grave>),
}

impl Batch {
    const fn is_empty(&self) -> bool {
        match self {
            Self::Finished(rows) => rows.is_empty(),
            Self::Again(rows) => rows.is_empty(),
            Self::Graves(rows) => rows.is_empty(),
        }
    }

    async fn write(&mut self, queue: &Queue) -> sqlx::Result<Vec<i64>> {
        let (ids, point) = match self {
            Self::Finished(rows) => (queue.complete(rows).await?, Point::JobsFinished),
            Self::Again(rows) => (queue.again(rows).await?, Point::JobsReturned),
            Self::Graves(rows) => (queue.bury(rows).await?, Point::JobsBuried),
        };
        may_fail(point)?;
        Ok(ids)
    }
}

/// Returns the ids of the jobs that were still held.
async fn settle(shared: &Shared, sorted: Sorted) -> HashSet<i64> {
    let mut held = HashSet::new();
    let Sorted { finished, again, graves } = sorted;
    for batch in [Batch::Finished(finished), Batch::Again(again), Batch::Graves(graves)] {
        if !batch.is_empty() {
            held.extend(insist(shared, batch).await);
        }
    }
    held
}

/// Try until it works. What Postgres refuses for good is logged and left to its lease.
async fn insist(shared: &Shared, mut batch: Batch) -> Vec<i64> {
    let mut wait = Duration::from_millis(50);
    loop {
        match fault::bounded(batch.write(&shared.queue)).await {
            Ok(ids) => return ids,
            Err(error) if fault::is_transient(&error) && !shared.given_up() => {
                tracing::warn!(%error, "cannot record finished jobs; trying again");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(2));
            }
            Err(error) => {
                tracing::error!(%error, "finished jobs not recorded; they run again when their leases end");
                return Vec::new();
            }
        }
    }
}
