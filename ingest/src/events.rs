//! Event storage: group commit of deliveries, each with its normalise job, in one statement.
//!
//! A few writers share one bounded queue; each takes whatever is waiting (never a timer) and commits
//! it. One writer would serialise the disk's flushes at low concurrency, a commit per request wastes
//! them at high concurrency (measured: spec/ingest.md, section D).

pub mod check;
pub mod counts;
pub(crate) mod insert;
pub(crate) mod lanes;
mod line;
pub mod log;
pub mod readings;
pub mod replay;
pub mod tally;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use millrace_jobs::{
    queue::{Queue, fault::is_transient},
    task::lasting,
};
use sqlx::PgPool;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use self::line::Line;
use crate::outage::Outage;

/// How long storing may take before the edge gives the platform's retry status: Slack waits 3 s in all.
pub const STORE_TIMEOUT: Duration = Duration::from_millis(1300);

/// A batch is full once it holds this many body bytes: its statement copies them twice more on their way
/// to Postgres, so that a crowd of large bodies in one batch would take several times its own memory.
const BATCH_BYTES_MAX: usize = 2 << 20;

/// A verified delivery on its way into `ops.events`.
#[derive(Debug)]
pub struct NewEvent {
    /// UUIDv7; with a front buffer derived from the delivery (`buffer::message::event_id`).
    pub id: Uuid,
    /// Tenant.
    pub workspace_id: Arc<str>,
    /// Source.
    pub source_id: Arc<str>,
    /// SHA-256 over the length-prefixed parts of the delivery's identity.
    pub delivery_key: [u8; 32],
    /// The vendor's event type.
    pub event_type: Option<String>,
    /// Allow-listed headers as a JSON object.
    pub headers: String,
    /// The body exactly as received.
    pub body: Bytes,
    /// Which secret verified it.
    pub secret_id: Option<Arc<str>>,
    /// 32 hex digits.
    pub trace_id: String,
    /// When a front buffer took it; absent, the commit's time counts.
    pub received_at: Option<DateTime<Utc>>,
}

/// A delivery that is durable.
#[derive(Debug, Clone, Copy)]
pub struct StoredEvent {
    /// Its event row; of the first delivery if this one is a duplicate.
    pub id: Uuid,
    /// It had been stored before.
    pub duplicate: bool,
    /// When the first delivery was stored.
    pub received_at: DateTime<Utc>,
}

/// The delivery is not stored; the sender must try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More is waiting than the writers can take.
    #[error("the event queue is full")]
    Full,
    /// Postgres did not take it.
    #[error("the event store is unavailable")]
    Unavailable,
    /// The front buffer has no room.
    #[error("the buffer is full")]
    BufferFull,
    /// The front buffer did not take it.
    #[error("the buffer is unavailable")]
    BufferUnavailable,
    /// Larger than a message of the front buffer may be, and Postgres did not take it either.
    #[error("larger than the buffer takes, and the event store is unavailable")]
    BufferTooSmall,
}

impl StoreError {
    /// The counted reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Full => "overloaded",
            Self::Unavailable => "store_unavailable",
            Self::BufferFull => "buffer_full",
            Self::BufferUnavailable => "buffer_unavailable",
            Self::BufferTooSmall => "larger_than_buffer",
        }
    }
}

type Waiting = (NewEvent, oneshot::Sender<Result<StoredEvent, StoreError>>);

/// Hands events to the writers.
#[derive(Debug, Clone)]
pub struct Events {
    waiting: mpsc::Sender<Waiting>,
}

impl Events {
    /// Start `writers` writers, one connection of `pool` each. They end when the last handle is gone.
    #[must_use]
    pub fn start(
        pool: &PgPool,
        queue: &Queue,
        writers: u32,
        batch_events_max: usize,
        queued_events_max: usize,
    ) -> (Self, tokio_util::task::TaskTracker) {
        let (waiting, taken) = mpsc::channel(queued_events_max.max(1));
        let taken = Arc::new(Mutex::new(taken));
        let tasks = tokio_util::task::TaskTracker::new();
        let outage = Arc::new(Outage::new("the event store"));
        for _ in 0..writers {
            let (pool, queue, taken) = (pool.clone(), queue.clone(), taken.clone());
            let outage = outage.clone();
            let run = move || {
                let line = Line::new(pool.clone(), outage.clone());
                write(line, queue.clone(), taken.clone(), batch_events_max)
            };
            tasks.spawn(lasting("event writer", run));
        }
        tasks.close();
        (Self { waiting }, tasks)
    }

    /// Store one event; returns once it is committed.
    ///
    /// # Errors
    /// If it is not stored. Nothing was promised to the sender then.
    pub async fn store(&self, event: NewEvent) -> Result<StoredEvent, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send((event, answer)).map_err(|_| StoreError::Full)?;
        answered.await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// How many events wait for a writer.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.waiting.max_capacity() - self.waiting.capacity()
    }
}

async fn write(
    mut line: Line,
    queue: Queue,
    taken: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    batch_max: usize,
) {
    let mut batch = Vec::with_capacity(batch_max);
    loop {
        batch.clear();
        fill(&mut *taken.lock().await, &mut batch, batch_max).await;
        if batch.is_empty() {
            return;
        }
        // One lock order for all writers: two batches that share keys cannot deadlock.
        batch.sort_unstable_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        let (events, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let results = store_batch(&mut line, &queue, &events).await;
        for (answer, result) in answers.into_iter().zip(results) {
            // The request may have gone; the event is stored all the same.
            answer.send(result).ok();
        }
    }
}

/// What waits, at least one; none once nobody can send any more.
async fn fill(taken: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>, batch_max: usize) {
    let mut bytes = 0;
    let mut next = taken.recv().await;
    while let Some(waiting) = next {
        bytes += waiting.0.body.len();
        batch.push(waiting);
        let full = batch.len() >= batch_max || bytes >= BATCH_BYTES_MAX;
        next = if full { None } else { taken.try_recv().ok() };
    }
}

fn order(e: &NewEvent) -> (&str, &str, &[u8; 32]) {
    (&e.workspace_id, &e.source_id, &e.delivery_key)
}

async fn store_batch(
    line: &mut Line,
    queue: &Queue,
    events: &[NewEvent],
) -> Vec<Result<StoredEvent, StoreError>> {
    match line.store(queue, events).await {
        Ok(stored) => {
            line.outage.over();
            stored.into_iter().map(Ok).collect()
        }
        // One bad row must not refuse its neighbours: each gets a commit of its own.
        Err(e) if events.len() > 1 && !is_transient(&e) => {
            let mut results = Vec::with_capacity(events.len());
            for event in events {
                let one = line.store(queue, std::slice::from_ref(event)).await;
                results.push(
                    one.map_err(|e| unavailable(line, &e))
                        .and_then(|s| s.first().copied().ok_or(StoreError::Unavailable)),
                );
            }
            results
        }
        Err(e) => {
            let refusal = unavailable(line, &e);
            vec![Err(refusal); events.len()]
        }
    }
}

fn unavailable(line: &Line, error: &sqlx::Error) -> StoreError {
    line.outage.noticed(error);
    StoreError::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue_of(bodies: &[usize]) -> mpsc::Receiver<Waiting> {
        let (sender, taken) = mpsc::channel(64);
        for bytes in bodies {
            let event = NewEvent {
                id: Uuid::now_v7(),
                workspace_id: "w".into(),
                source_id: "s".into(),
                delivery_key: [0; 32],
                event_type: None,
                headers: "{}".into(),
                body: vec![0; *bytes].into(),
                secret_id: None,
                trace_id: String::new(),
                received_at: None,
            };
            assert!(sender.try_send((event, oneshot::channel().0)).is_ok());
        }
        taken
    }

    async fn batches_of(bodies: &[usize], batch_max: usize) -> Vec<usize> {
        let (mut taken, mut sizes) = (queue_of(bodies), Vec::new());
        loop {
            let mut batch = Vec::new();
            fill(&mut taken, &mut batch, batch_max).await;
            if batch.is_empty() {
                return sizes;
            }
            sizes.push(batch.len());
        }
    }

    #[tokio::test]
    async fn a_batch_is_bounded_in_events_and_in_bytes() {
        assert_eq!(batches_of(&[1; 5], 2).await, [2, 2, 1]);
        assert_eq!(batches_of(&[BATCH_BYTES_MAX; 3], 512).await, [1, 1, 1]);
        assert_eq!(batches_of(&[BATCH_BYTES_MAX / 2; 5], 512).await, [2, 2, 1]);
    }
}
