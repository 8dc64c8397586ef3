//! Event storage: group commit of deliveries, each with its normalise job, in one statement.
//!
//! A few writers share one bounded queue; each takes whatever is waiting (never a timer) and commits
//! it. One writer would serialise the disk's flushes at low concurrency, a commit per request wastes
//! them at high concurrency (measured: spec/ingest.md, section D).

pub mod check;
pub mod counts;
pub(crate) mod lanes;
pub mod log;
pub mod readings;
pub mod replay;
pub mod tally;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    queue::{Job, Queue, fault::is_transient},
    task::lasting,
};
use sqlx::{PgConnection, PgPool, Postgres, Row, pool::PoolConnection, postgres::PgRow};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use crate::{normalize::Normalize, outage::Outage};

/// How long storing may take before the edge gives the platform's retry status: Slack waits 3 s in all.
pub const STORE_TIMEOUT: Duration = Duration::from_millis(1300);

/// A batch is full once it holds this many body bytes: its statement copies them twice more on their way
/// to Postgres, so that a crowd of large bodies in one batch would take several times its own memory.
const BATCH_BYTES_MAX: usize = 2 << 20;

/// A connection that was quiet for longer may have died unnoticed; a new one costs about 10 ms.
const QUIET_MAX: Duration = Duration::from_secs(30);

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
                let line = Line { pool: pool.clone(), kept: None, outage: outage.clone() };
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

/// A writer's own connection: taken from the pool once, not for each batch, which would ping it twice.
#[derive(Debug)]
struct Line {
    pool: PgPool,
    /// With its last use.
    kept: Option<(PoolConnection<Postgres>, Instant)>,
    outage: Arc<Outage>,
}

impl Line {
    /// Store a batch. If a kept connection turns out to be gone, then once more on a new one: whatever the first
    /// try committed, the second finds under the same ids.
    async fn store(
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
        let result = tokio::time::timeout(STORE_TIMEOUT, try_batch(&mut conn, queue, events)).await;
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

/// All of `events`, whose ids are distinct, in one commit; their jobs are enqueued in this order.
pub(crate) async fn try_batch(
    conn: &mut PgConnection,
    queue: &Queue,
    events: &[NewEvent],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    may_fail(Point::EventsInsert)?;
    let fresh = insert(&mut *conn, events).await?;
    may_fail(Point::EventsInserted)?;
    let mut found = HashMap::with_capacity(events.len());
    let mut ready = HashMap::new();
    for row in fresh {
        found.insert(row.try_get::<Uuid, _>("id")?, row.try_get("received_at")?);
        ready.insert(row.try_get("tenant")?, row.try_get("first_position")?);
    }
    queue.wake_at(Normalize::KIND, ready);
    if found.len() < events.len() {
        return first_of(conn, events).await;
    }
    let stored = |e: &NewEvent| {
        found.get(&e.id).map(|at| StoredEvent { id: e.id, duplicate: false, received_at: *at })
    };
    Ok(events.iter().filter_map(stored).collect())
}

/// The rows that are new: event, bytes and job, in one statement and so in one commit.
async fn insert(conn: &mut PgConnection, events: &[NewEvent]) -> Result<Vec<PgRow>, sqlx::Error> {
    let ids: Vec<_> = events.iter().map(|e| e.id).collect();
    let workspaces: Vec<_> = events.iter().map(|e| &*e.workspace_id).collect();
    let sources: Vec<_> = events.iter().map(|e| &*e.source_id).collect();
    let keys: Vec<_> = events.iter().map(|e| e.delivery_key.as_slice()).collect();
    let types: Vec<_> = events.iter().map(|e| e.event_type.as_deref()).collect();
    let headers: Vec<_> = events.iter().map(|e| e.headers.as_str()).collect();
    let bodies: Vec<_> = events.iter().map(|e| e.body.as_ref()).collect();
    let secrets: Vec<_> = events.iter().map(|e| e.secret_id.as_deref()).collect();
    let traces: Vec<_> = events.iter().map(|e| e.trace_id.as_str()).collect();
    let times: Vec<_> = events.iter().map(|e| e.received_at).collect();
    sqlx::query(
        "with input as materialized (
           select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[],
                                $6::text[], $7::bytea[], $8::text[], $9::text[], $10::timestamptz[]) with ordinality
             as t(id, workspace_id, source_id, delivery_key, event_type, headers, body, secret_id, trace_id, received_at, nth)
         ), fresh as (
           insert into ops.events (id, workspace_id, source_id, delivery_key, event_type, body_bytes, secret_id, trace_id, received_at)
           select id, workspace_id, source_id, delivery_key, event_type, octet_length(body), secret_id, trace_id,
                  coalesce(received_at, now())
           from input
           on conflict on constraint events_delivery do nothing
           returning id, received_at
         ), bodies as (
           insert into ops.event_bodies (event_id, workspace_id, received_at, headers, body)
           select f.id, i.workspace_id, f.received_at, i.headers::jsonb, i.body from fresh f join input i on i.id = f.id
         ), wanted as (
           select array_agg(i.workspace_id order by i.nth) as workspaces,
                  array_agg(jsonb_build_object('event_id', i.id, 'source_id', i.source_id) order by i.nth) as payloads,
                  array_agg(i.trace_id order by i.nth) as traces
           from fresh f join input i on i.id = f.id
         ), queued as materialized (
           select q.tenant, q.first_position
           from wanted w, ops.enqueue($11, $12, w.workspaces, w.payloads, w.traces) q
         )
         select f.id, f.received_at, q.tenant, q.first_position
         from fresh f join input i on i.id = f.id join queued q on q.tenant = i.workspace_id",
    )
    .bind(&ids)
    .bind(&workspaces)
    .bind(&sources)
    .bind(&keys)
    .bind(&types)
    .bind(&headers)
    .bind(&bodies)
    .bind(&secrets)
    .bind(&traces)
    .bind(&times)
    .bind(Normalize::KIND)
    .bind(Normalize::ATTEMPTS_MAX)
    .fetch_all(conn)
    .await
}

/// The event rows of deliveries, some of which had been stored before.
async fn first_of(
    conn: &mut PgConnection,
    events: &[NewEvent],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let first = sqlx::query(
        "select e.id, e.received_at
         from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as t(workspace_id, source_id, delivery_key, nth)
         join ops.events e on e.workspace_id = t.workspace_id and e.source_id = t.source_id
                          and e.delivery_key = t.delivery_key
         order by t.nth",
    )
    .bind(events.iter().map(|e| &*e.workspace_id).collect::<Vec<_>>())
    .bind(events.iter().map(|e| &*e.source_id).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.delivery_key.as_slice()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    if first.len() != events.len() {
        return Err(sqlx::Error::RowNotFound);
    }
    let mut stored = Vec::with_capacity(events.len());
    for (event, row) in events.iter().zip(first) {
        let id: Uuid = row.try_get("id")?;
        let received_at = row.try_get("received_at")?;
        stored.push(StoredEvent { id, duplicate: id != event.id, received_at });
    }
    Ok(stored)
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
