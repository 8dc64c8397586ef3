//! The optional front buffer: a NATS JetStream between the receivers and Postgres.
//!
//! A delivery is acknowledged once the stream has it; a bridge moves it into `ops.events`, where the unique
//! key decides, as ever, what is one delivery. The stream keeps a message until its event row is committed,
//! without an age limit: what was acknowledged does not expire.

mod bridge;
mod lane;
mod message;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions,
    connection::State,
    jetstream::{
        self, Context, ErrorCode,
        context::{PublishError, PublishErrorKind},
        message::PublishMessage,
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use millrace_config::{
    Clock, ExposeSecret, Nats,
    point::{Point, may_fail},
};

pub use self::{
    bridge::Bridge,
    message::event_id,
    watch::{Depth, watch},
};
use crate::events::{Events, NewEvent, STORE_TIMEOUT, StoreError, StoredEvent};

/// Patience with the server's management answers.
const REQUEST_MAX: Duration = Duration::from_secs(5);
/// Room for the protocol's own headers beside our message.
const FRAME_BYTES_MAX: usize = 1024;

/// Why the buffer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BufferError {
    /// The settings do not fit together or name files that cannot be read.
    #[error("nats settings: {0}")]
    Settings(String),
    /// Nobody answers, or who answers has no JetStream.
    #[error("nats: {0}")]
    Server(String),
    /// The stream is there and would lose what was acknowledged.
    #[error("nats: stream {0} is not ours to use: {1}")]
    Stream(String, &'static str),
    /// The database does not answer.
    #[error("database")]
    Database(#[from] sqlx::Error),
}

fn server(e: impl std::error::Error) -> BufferError {
    BufferError::Server(chain(&e))
}

/// The error and its causes, in one line.
fn chain(e: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(e), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A connection to the buffer; clones share it.
#[derive(Debug, Clone)]
pub struct Buffer {
    client: Client,
    jetstream: Context,
    settings: Nats,
    clock: Clock,
    /// The stream was seen and keeps what it acknowledges.
    usable: Arc<AtomicBool>,
}

impl Buffer {
    /// Connect in the background, for ever: a server that is away comes back.
    ///
    /// # Errors
    /// If the settings cannot be used.
    pub async fn open(settings: &Nats) -> Result<Self, BufferError> {
        Self::connect(settings, options(settings).await?.retry_on_initial_connect()).await
    }

    /// Connect now.
    ///
    /// # Errors
    /// If no server answers.
    pub async fn probe(settings: &Nats) -> Result<Self, BufferError> {
        Self::connect(settings, options(settings).await?.max_reconnects(1)).await
    }

    async fn connect(settings: &Nats, options: ConnectOptions) -> Result<Self, BufferError> {
        let urls: Vec<&str> = settings.url.expose_secret().split(',').map(str::trim).collect();
        let client = options.connect(urls).await.map_err(server)?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST_MAX)
            .ack_timeout(STORE_TIMEOUT)
            .build(client.clone());
        let (settings, clock, usable) = (settings.clone(), Clock::system(), Arc::default());
        Ok(Self { client, jetstream, settings, clock, usable })
    }

    /// The stream of deliveries; made if absent, brought to our settings if it has others.
    ///
    /// # Errors
    /// If the server does not answer, or the stream would not keep what it acknowledged.
    pub async fn stream(&self) -> Result<Stream, BufferError> {
        let wanted = self.config(&self.settings.stream, self.settings.max_bytes);
        let stream = self.jetstream.get_or_create_stream(wanted.clone()).await.map_err(server)?;
        let there = &stream.cached_info().config;
        self.judge(there)?;
        if (there.max_bytes, there.num_replicas, there.duplicate_window)
            != (wanted.max_bytes, wanted.num_replicas, wanted.duplicate_window)
        {
            self.jetstream.update_stream(&wanted).await.map_err(server)?;
        }
        Ok(stream)
    }

    /// What Postgres refused for good, until somebody has repaired the cause.
    async fn held(&self) -> Result<Stream, BufferError> {
        let wanted = self.config(&self.held_name(), -1);
        self.jetstream.get_or_create_stream(wanted).await.map_err(server)
    }

    fn held_name(&self) -> String {
        format!("{}-HELD", self.settings.stream)
    }

    fn config(&self, name: &str, max_bytes: i64) -> Config {
        Config {
            name: name.to_owned(),
            subjects: vec![format!("{name}.*")],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            max_bytes,
            num_replicas: self.settings.replicas,
            duplicate_window: Duration::from_secs(self.settings.dedup_window_s),
            ..Config::default()
        }
    }

    fn subject(&self, lane: u16) -> String {
        format!("{}.{lane}", self.settings.stream)
    }

    /// The stream answers: deliveries can be acknowledged.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self) -> Result<(), BufferError> {
        if self.client.connection_state() != State::Connected {
            return Err(BufferError::Server("not connected".into()));
        }
        let stream = self.jetstream.get_stream(&self.settings.stream).await.map_err(server)?;
        self.judge(&stream.cached_info().config)
    }

    fn judge(&self, there: &Config) -> Result<(), BufferError> {
        let verdict = fit(there);
        self.usable.store(verdict.is_ok(), Ordering::Relaxed);
        verdict
    }

    /// Returns once the stream has the event, durably as its replicas and the server's `sync_interval` make it.
    async fn publish(&self, event: &NewEvent) -> Result<Taken, StoreError> {
        let connected = self.client.connection_state() == State::Connected;
        if !connected || !self.usable.load(Ordering::Relaxed) {
            return Err(StoreError::BufferUnavailable);
        }
        let received_at = self.clock.now();
        let message = message::encode(event, received_at).ok_or(StoreError::BufferUnavailable)?;
        if message.len() + FRAME_BYTES_MAX > self.client.max_payload() {
            return Ok(Taken::TooLarge);
        }
        let publish = PublishMessage::build()
            .message_id(event.id.to_string())
            .expected_stream(&self.settings.stream)
            .payload(message);
        let subject = self.subject(message::lane(&event.source_id));
        let unavailable = |_| StoreError::BufferUnavailable;
        may_fail(Point::Publish).map_err(unavailable)?;
        let sent = self.jetstream.send_publish(subject, publish).await.map_err(refused)?;
        let ack = sent.await.map_err(refused)?;
        may_fail(Point::Published).map_err(unavailable)?;
        Ok(Taken::Stored(StoredEvent { id: event.id, duplicate: ack.duplicate, received_at }))
    }
}

/// What became of a publish.
enum Taken {
    Stored(StoredEvent),
    TooLarge,
}

fn refused(e: PublishError) -> StoreError {
    let source = std::error::Error::source(&e);
    let code = source.and_then(|s| s.downcast_ref::<jetstream::Error>()).map(|e| e.error_code());
    tracing::error!(error = %e, code = code.map(|c| c.0), "the buffer did not take a delivery");
    let full = [
        ErrorCode::STREAM_STORE_FAILED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ];
    if e.kind() == PublishErrorKind::Other && code.is_some_and(|c| full.contains(&c)) {
        StoreError::BufferFull
    } else {
        StoreError::BufferUnavailable
    }
}

/// A stream that is there keeps what it acknowledged until we have settled it.
fn fit(there: &Config) -> Result<(), BufferError> {
    let limited = there.max_messages > 0 || there.max_messages_per_subject > 0;
    let why = if there.storage != StorageType::File {
        "its storage is memory"
    } else if there.retention != RetentionPolicy::WorkQueue {
        "its retention is not `workqueue`"
    } else if there.discard != DiscardPolicy::New {
        "it discards old messages when it is full"
    } else if limited || !there.max_age.is_zero() {
        "it drops messages by age or number"
    } else {
        return Ok(());
    };
    Err(BufferError::Stream(there.name.clone(), why))
}

async fn options(settings: &Nats) -> Result<ConnectOptions, BufferError> {
    let mut options = ConnectOptions::new()
        .name("millrace")
        .connection_timeout(REQUEST_MAX)
        .request_timeout(Some(REQUEST_MAX))
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(|tries| {
            Duration::from_millis(u64::try_from(tries).unwrap_or(20).min(20) * 50)
        });
    if !settings.user.is_empty() {
        let password = settings.password.expose_secret().to_owned();
        options = options.user_and_password(settings.user.clone(), password);
    }
    if !settings.credentials_file.as_os_str().is_empty() {
        let unreadable =
            |e| BufferError::Settings(format!("nats.credentials_file cannot be read: {e}"));
        options = options.credentials_file(&settings.credentials_file).await.map_err(unreadable)?;
    }
    if !settings.ca_file.as_os_str().is_empty() {
        options = options.add_root_certificates(settings.ca_file.clone());
    }
    if !settings.client_cert_file.as_os_str().is_empty() {
        let (cert, key) = (settings.client_cert_file.clone(), settings.client_key_file.clone());
        options = options.add_client_certificate(cert, key);
    }
    Ok(options)
}

/// Where accepted deliveries go.
#[derive(Debug)]
pub enum Intake {
    /// Into Postgres.
    Direct(Events),
    /// Into the stream; what is larger than its messages goes into Postgres.
    Buffered(Box<Buffer>, Events),
}

impl Intake {
    /// Returns once the event is durable.
    ///
    /// # Errors
    /// If it is not. Nothing was promised to the sender then.
    pub async fn store(&self, event: NewEvent) -> Result<StoredEvent, StoreError> {
        let (buffer, events) = match self {
            Self::Direct(events) => return events.store(event).await,
            Self::Buffered(buffer, events) => (buffer, events),
        };
        let direct = event.id;
        let event = NewEvent { id: event_id(&event), ..event };
        match buffer.publish(&event).await? {
            Taken::Stored(stored) => Ok(stored),
            Taken::TooLarge => {
                let stored = events.store(NewEvent { id: direct, ..event }).await;
                let away = |e| e == StoreError::Unavailable;
                stored.map_err(|e| if away(e) { StoreError::BufferTooSmall } else { e })
            }
        }
    }
}
