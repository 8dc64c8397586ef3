//! Moves events from the stream into Postgres.
//!
//! Each bridge holds some lanes and stores what they bring, a batch at a time, over the connection that holds
//! their locks; only after the commit are the messages settled. Whatever goes wrong, it lets go of everything
//! and starts again from the first message that is not settled: what was stored already is found by its key.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull, message::PublishMessage, stream::Stream};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    queue::{Queue, fault::is_transient},
    task::lasting,
};
use sqlx::{PgConnection, PgPool};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Buffer, BufferError,
    lane::{self, Lane},
    message::{self, LANES},
    server,
};
use crate::events::{NewEvent, StoredEvent, insert, lanes};

/// Between two looks at who else is there; it also tells Postgres that this bridge lives.
const SETTLE: Duration = Duration::from_secs(3);
/// Before the next try after a failure.
const RETRY: Duration = Duration::from_secs(1);
/// A batch that is not stored by then never will be.
const STORE_MAX: Duration = Duration::from_secs(30);
/// A batch is full once it holds this many body bytes.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Why a message is held, and where it came from.
const REASON: &str = "Millrace-Reason";
const SUBJECT: &str = "Millrace-Subject";

/// Moves events; several share the lanes, in one process or many.
#[derive(Debug)]
pub struct Bridge {
    buffer: Buffer,
    pool: PgPool,
    queue: Queue,
    batch_events_max: usize,
}

impl Bridge {
    /// Start `count` bridges, a connection of `pool` each, until `stop`.
    #[must_use]
    pub fn start(
        buffer: Buffer,
        pool: PgPool,
        queue: Queue,
        count: u32,
        batch_events_max: usize,
        stop: &CancellationToken,
    ) -> TaskTracker {
        let bridge = Arc::new(Self { buffer, pool, queue, batch_events_max });
        let tasks = TaskTracker::new();
        for nth in 0..count {
            let (bridge, stop) = (bridge.clone(), stop.clone());
            let run = move || {
                let (bridge, stop) = (bridge.clone(), stop.clone());
                async move { bridge.run(nth == 0, &stop).await }
            };
            tasks.spawn(lasting("bridge", run));
        }
        tasks.close();
        tasks
    }

    async fn run(&self, mut release: bool, stop: &CancellationToken) {
        let mut said = String::new();
        while let Err(e) = self.session(&mut release, stop).await {
            let error = super::chain(&e);
            // An outage is one line, however long it takes.
            if error != said {
                tracing::warn!(error, "a bridge starts again");
                said = error;
            }
            metrics::counter!("millrace_bridge_failures_total").increment(1);
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn session(
        &self,
        release: &mut bool,
        stop: &CancellationToken,
    ) -> Result<(), BufferError> {
        let stream = self.buffer.stream().await?;
        let mut conn = lanes::enter(&self.pool).await?;
        if *release {
            self.release().await?;
            *release = false;
        }
        let (mut held, mut turn) = (Vec::new(), 0);
        let mut settle = interval(SETTLE);
        settle.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = settle.tick() => {
                    self.settle(&mut conn, &stream, &mut held).await?;
                    continue;
                }
                first = lane::next(&mut held, &mut turn) => first?,
            };
            let batch = self.fill(first, &mut held, &mut turn)?;
            match timeout(STORE_MAX, self.store(&mut conn, &batch)).await {
                Ok(stored) => stored?,
                Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
            }
        }
        self.buffer.client.flush().await.map_err(server)?;
        conn.close().await?;
        Ok(())
    }

    /// Hold a fair share of the lanes: take what is free, leave what is too much.
    async fn settle(
        &self,
        conn: &mut PgConnection,
        stream: &Stream,
        held: &mut Vec<Lane>,
    ) -> Result<(), BufferError> {
        let bridges = usize::try_from(lanes::bridges(conn).await?).unwrap_or(1).max(1);
        let share = usize::from(LANES).div_ceil(bridges);
        while held.len() > share
            && let Some(lane) = held.pop()
        {
            lanes::leave(conn, lane.number).await?;
        }
        for number in 0..LANES {
            if held.len() < share
                && held.iter().all(|lane| lane.number != number)
                && lanes::take(conn, number).await?
            {
                may_fail(Point::LaneTaken).map_err(server)?;
                held.push(Lane::open(&self.buffer, stream, number).await?);
            }
        }
        metrics::gauge!("millrace_bridge_lanes").set(u32::try_from(held.len()).unwrap_or(0));
        Ok(())
    }

    /// `first` and what else is here already.
    fn fill(
        &self,
        first: jetstream::Message,
        held: &mut [Lane],
        turn: &mut usize,
    ) -> Result<Vec<jetstream::Message>, BufferError> {
        let mut bytes = first.payload.len();
        let mut batch = vec![first];
        while batch.len() < self.batch_events_max && bytes < BATCH_BYTES_MAX {
            // Not cut short by the scheduler's budget: what is here belongs into one commit.
            let next = tokio::task::unconstrained(lane::next(held, turn)).now_or_never();
            let Some(next) = next else { break };
            let next = next?;
            bytes += next.payload.len();
            batch.push(next);
        }
        Ok(batch)
    }

    /// Commit, then settle. Nothing is settled if anything fails that may pass.
    async fn store(
        &self,
        conn: &mut PgConnection,
        batch: &[jetstream::Message],
    ) -> Result<(), BufferError> {
        let mut events: Vec<NewEvent> = Vec::with_capacity(batch.len());
        let mut of = HashMap::with_capacity(batch.len());
        let mut known = HashSet::with_capacity(batch.len());
        for message in batch {
            match message::decode(&message.payload) {
                Ok(event) if known.insert(event.id) => {
                    of.insert(event.id, message);
                    events.push(event);
                }
                Ok(_) => count("duplicate", 1),
                Err(_) => self.hold(message, "unreadable").await?,
            }
        }
        for (event, reason) in self.commit(conn, &events).await? {
            if let Some(message) = of.get(&event.id) {
                self.hold(message, &reason).await?;
            }
        }
        may_fail(Point::BridgeStored).map_err(server)?;
        for message in batch {
            message.ack().await.map_err(|e| BufferError::Server(e.to_string()))?;
            may_fail(Point::BridgeSettled).map_err(server)?;
        }
        metrics::counter!("millrace_bridge_batches_total").increment(1);
        Ok(())
    }

    /// Store `events`; those that Postgres refuses for good come back with the reason.
    async fn commit<'e>(
        &self,
        conn: &mut PgConnection,
        events: &'e [NewEvent],
    ) -> Result<Vec<(&'e NewEvent, String)>, BufferError> {
        match self.insert(conn, events).await {
            Ok(()) => return Ok(Vec::new()),
            Err(e) if bad_data(&e).is_none() => return Err(e.into()),
            Err(_) => {}
        }
        let mut bad = Vec::new();
        for event in events {
            if let Err(e) = self.insert(conn, std::slice::from_ref(event)).await {
                let Some(code) = bad_data(&e) else { return Err(e.into()) };
                bad.push((event, format!("refused_{code}")));
            }
        }
        Ok(bad)
    }

    async fn insert(&self, conn: &mut PgConnection, events: &[NewEvent]) -> sqlx::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let stored = insert::batch(conn, &self.queue, events).await?;
        // The row of another arrival; our own, stored before a settlement that was lost, is none.
        let micros = |at: chrono::DateTime<chrono::Utc>| at.timestamp_micros();
        let other = |(s, e): &(&StoredEvent, &NewEvent)| {
            s.duplicate || Some(micros(s.received_at)) != e.received_at.map(micros)
        };
        let duplicates = stored.iter().zip(events).filter(other).count();
        count("duplicate", duplicates);
        count("stored", stored.len() - duplicates);
        Ok(())
    }

    /// Put a message aside, durably, where it blocks nobody and is not lost.
    async fn hold(&self, message: &jetstream::Message, reason: &str) -> Result<(), BufferError> {
        let subject = message.subject.as_str();
        tracing::error!(reason, subject, "an accepted delivery cannot be stored and is held");
        let held = PublishMessage::build().header(REASON, reason).header(SUBJECT, subject);
        let to = format!("{}.event", self.buffer.held().await?.cached_info().config.name);
        self.put(to, held, message.payload.clone()).await?;
        metrics::counter!("millrace_bridge_held_total", "reason" => reason.to_owned()).increment(1);
        Ok(())
    }

    /// What is held goes back to its lane once per start of a process: the cause may have been repaired.
    async fn release(&self) -> Result<(), BufferError> {
        let stream = self.buffer.held().await?;
        let count = stream.cached_info().state.messages;
        if count == 0 {
            return Ok(());
        }
        let config =
            pull::Config { durable_name: Some("release".into()), ..pull::Config::default() };
        let consumer = stream.get_or_create_consumer("release", config).await.map_err(server)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut messages = consumer.fetch().max_messages(count).messages().await.map_err(server)?;
        while let Some(message) = messages.next().await {
            let failed = |e: async_nats::Error| BufferError::Server(e.to_string());
            let message = message.map_err(failed)?;
            let to = message.headers.as_ref().and_then(|h| h.get(SUBJECT));
            let Some(to) = to.map(|to| to.as_str().to_owned()) else { continue };
            self.put(to, PublishMessage::build(), message.payload.clone()).await?;
            message.ack().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn put(
        &self,
        subject: String,
        publish: PublishMessage,
        payload: Bytes,
    ) -> Result<(), BufferError> {
        let sent = self.buffer.jetstream.send_publish(subject, publish.payload(payload)).await;
        sent.map_err(server)?.await.map_err(server)?;
        Ok(())
    }
}

fn count(outcome: &'static str, events: usize) {
    let events = u64::try_from(events).unwrap_or(0);
    metrics::counter!("millrace_bridge_events_total", "outcome" => outcome).increment(events);
}

/// The code of an error that is the data's fault and will not pass.
fn bad_data(e: &sqlx::Error) -> Option<String> {
    let code = e.as_database_error()?.code()?;
    let data = code.starts_with("22") || code.starts_with("23");
    (data && !is_transient(e)).then(|| code.into_owned())
}
