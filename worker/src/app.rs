//! Starting and stopping the roles: receiver, workers, scheduler.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use millrace_config::{Clock, Settings};
use millrace_ingest::{
    buffer::{self, Bridge, Buffer, Intake},
    events::{Events, counts::Counts},
    poll::stream,
    receive::{Backlog, Receiver},
    registry::Registry,
    secrets::KeyRing,
};
use millrace_jobs::{
    ctx::Ctx,
    embed::{self, Choice, Embedder},
    queue::{Queue, Runtime, RuntimeHandle, fault::is_transient},
    signals::endpoint::Endpoint,
    store::migrate::{self, SchemaError},
    task::lasting,
};
use sqlx::PgPool;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{JOBS, db, http, ready::Readiness, schedule::Scheduler};

/// Counters go to the database this often.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

/// Between two looks for a database that does not answer.
const DATABASE_RETRY: Duration = Duration::from_millis(500);
/// On shutdown, wait for connections to come home.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// Which roles one process plays.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// Receive deliveries and serve the API.
    pub serve: bool,
    /// Run jobs.
    pub work: bool,
    /// Tick schedules.
    pub schedule: bool,
}

/// A started process.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the role `serve`.
    pub address: Option<SocketAddr>,
    readiness: Readiness,
    stop: CancellationToken,
    serving: Option<Serving>,
    working: Option<RuntimeHandle>,
    scheduling: Option<JoinHandle<()>>,
    bridging: Option<TaskTracker>,
    /// The routes of operation of a process without receiver.
    watched: Option<JoinHandle<anyhow::Result<()>>>,
    pools: Vec<PgPool>,
}

#[derive(Debug)]
struct Serving {
    server: JoinHandle<anyhow::Result<()>>,
    counts: Arc<Counts>,
    writers: TaskTracker,
    flusher: JoinHandle<()>,
    pool: PgPool,
}

/// Start `roles` on a migrated database.
///
/// # Errors
/// If something they need is missing; the message says what to do.
pub async fn start(
    settings: Arc<Settings>,
    roles: Roles,
    metrics: PrometheusHandle,
) -> anyhow::Result<Running> {
    let edge = db::pool(&settings, "edge", 1..=settings.database.edge_connections)?;
    schema(&edge).await?;
    let jobs = db::pool(&settings, "jobs", 4..=settings.database.job_connections)?;
    let queue = Queue::new(&jobs, &settings.queue);
    let buffer = match settings.buffered() {
        true => Some(Buffer::open(&settings.nats).await.context("ingest.buffer")?),
        false => None,
    };
    // Who receives can do so without the database then; who works cannot.
    let readiness = Readiness::new(edge.clone(), buffer.clone().filter(|_| roles.serve));
    let stop = CancellationToken::new();
    let mut running = Running {
        address: None,
        readiness: readiness.clone(),
        stop: stop.clone(),
        serving: None,
        working: None,
        scheduling: None,
        bridging: None,
        watched: None,
        pools: vec![edge.clone(), jobs.clone()],
    };
    let mut embedder = None;
    if roles.work {
        let ctx = context(&settings, jobs.clone(), queue.clone()).await?;
        embedder = Some(ctx.embedder.clone());
        let (streaming, listening) = (ctx.clone(), stop.clone());
        let streams = move || stream::run(streaming.clone(), listening.clone());
        tokio::spawn(lasting("streams", streams));
        running.working = Some(Runtime::start(ctx, JOBS));
        if let Some(buffer) = &buffer {
            let bridge = bridge(&settings, buffer.clone(), queue.clone(), &stop)?;
            running.bridging = Some(bridge);
        }
    }
    if roles.schedule {
        let scheduler = Scheduler::new(queue.clone(), &settings.schedule, JOBS)?;
        let stop = stop.clone();
        let run = move || scheduler.clone().run(stop.clone());
        running.scheduling = Some(tokio::spawn(lasting("scheduler", run)));
    }
    if let Some(buffer) = &buffer {
        let (buffer, stop) = (buffer.clone(), stop.clone());
        let watch = move || buffer::watch(buffer.clone(), stop.clone());
        tokio::spawn(lasting("buffer watch", watch));
    }
    let watch = http::Watch { readiness, metrics };
    if roles.serve {
        let (address, serving) =
            serve(&settings, edge, queue, buffer, embedder, watch, stop).await?;
        running.address = Some(address);
        running.serving = Some(serving);
    } else if let Some(listen) = settings.telemetry.listen() {
        let listener = listen_on(listen, "telemetry.listen")?;
        running.watched = Some(tokio::spawn(async move {
            let router = http::operation(watch);
            http::serve(listener, router, &settings.http, stop, Duration::ZERO).await
        }));
    }
    Ok(running)
}

/// This release's schema is there. A database that does not answer is waited for: it may come later than we do.
async fn schema(pool: &PgPool) -> anyhow::Result<()> {
    let mut said = false;
    loop {
        match migrate::check(pool).await {
            Err(SchemaError::Database(e)) if is_transient(&e) => {
                if !std::mem::replace(&mut said, true) {
                    tracing::warn!(error = %e, "the database does not answer; waiting for it");
                }
                tokio::time::sleep(DATABASE_RETRY).await;
            }
            checked => return checked.context("schema"),
        }
    }
}

/// What jobs may use; loads the model.
async fn context(settings: &Arc<Settings>, pool: PgPool, queue: Queue) -> anyhow::Result<Arc<Ctx>> {
    let settings_of_model = settings.clone();
    let Choice { embedder, why } =
        tokio::task::spawn_blocking(move || embed::choose(&settings_of_model))
            .await?
            .context("embedding model; `scripts/setup` fetches it, `millrace doctor` says more")?;
    let model = embedder.model();
    tracing::info!(engine = model.engine, model = model.name, why, "embedding");
    let endpoint = Endpoint::open(&settings.endpoint).context("model endpoint")?.map(Arc::new);
    Ok(Arc::new(Ctx { endpoint, ..Ctx::new(pool, queue, settings.clone(), embedder) }))
}

/// What moves deliveries from the buffer into the database.
fn bridge(
    settings: &Settings,
    buffer: Buffer,
    queue: Queue,
    stop: &CancellationToken,
) -> anyhow::Result<TaskTracker> {
    let count = settings.nats.bridges;
    let pool = db::pool(settings, "bridge", 0..=count)?;
    Ok(Bridge::start(buffer, pool, queue, count, settings.ingest.batch_events_max, stop))
}

async fn serve(
    settings: &Arc<Settings>,
    edge: PgPool,
    queue: Queue,
    buffer: Option<Buffer>,
    embedder: Option<Arc<dyn Embedder>>,
    watch: http::Watch,
    stop: CancellationToken,
) -> anyhow::Result<(SocketAddr, Serving)> {
    let ring = Arc::new(KeyRing::load(&settings.secrets).context("key ring")?);
    let fresh = Duration::from_millis(settings.ingest.source_cache_ms);
    let stale = Duration::from_secs(settings.ingest.source_stale_s);
    let registry = Registry::new(edge.clone(), ring, fresh, stale);
    let writers_max = settings.database.ingest_connections;
    let store = db::pool(settings, "ingest", 4..=writers_max)?;
    let limits = &settings.ingest;
    let (events, writers) = Events::start(
        &store,
        &queue,
        writers_max,
        limits.batch_events_max,
        limits.queued_events_max,
    );
    let intake = match buffer {
        Some(buffer) => Intake::Buffered(Box::new(buffer), events),
        None => Intake::Direct(events),
    };
    let listener = listen_on(settings.http.listen, "http.listen")?;
    let address = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let backlog = Backlog::default();
    let watch_backlog =
        backlog.clone().watch(queue.clone(), settings.http.queue_age_shed_s, stop.clone());
    tokio::spawn(watch_backlog);
    let receiver = Receiver::new(
        registry,
        intake,
        counts.clone(),
        Clock::system(),
        backlog,
        &settings.http,
        settings.http.base_url(address),
    );
    let deliveries = http::Edge {
        receiver: Arc::new(receiver),
        request_max: Duration::from_millis(settings.http.request_ms),
    };
    let tenants = db::tenants(settings, "api", 1..=settings.database.api_connections)?;
    let read_side = crate::api::Api::new(tenants, edge.clone(), queue, settings.clone(), embedder);
    let router =
        http::operation(watch).merge(http::routes(deliveries)).merge(crate::api::routes(read_side));
    let drain = Duration::from_millis(settings.queue.drain_ms);
    let served = settings.http.clone();
    let server_stop = stop.clone();
    let server =
        tokio::spawn(
            async move { http::serve(listener, router, &served, server_stop, drain).await },
        );
    let (counted, pool) = (counts.clone(), edge.clone());
    let run = move || flush(counted.clone(), pool.clone(), stop.clone());
    let flusher = tokio::spawn(lasting("delivery counts", run));
    tracing::info!(%address, "receiving");
    Ok((address, Serving { server, counts, writers, flusher, pool: edge }))
}

/// What the kernel keeps at most for a peer that does not read, bytes. By itself it takes megabytes for each.
const SEND_BUFFER: u32 = 256 << 10;
/// Connections that wait in the kernel.
const BACKLOG: u32 = 1024;

fn listen_on(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    let listen = || {
        let v4 = address.is_ipv4();
        let socket = if v4 { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("cannot listen on {address} ({key})"))
}

async fn flush(counts: Arc<Counts>, pool: PgPool, stop: CancellationToken) {
    let mut every = tokio::time::interval(FLUSH_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(e) = counts.flush(&pool).await {
            tracing::warn!(error = %e, "delivery counts stay in memory until the database takes them");
        }
    }
}

impl Serving {
    /// Once the open requests are answered: what they stored is committed, what they counted is written.
    async fn stop(self) -> anyhow::Result<anyhow::Result<()>> {
        let served = self.server.await.context("server task")?;
        self.writers.wait().await;
        self.flusher.await.context("counter task")?;
        if let Err(e) = self.counts.flush(&self.pool).await {
            tracing::warn!(error = %e, "the last delivery counts are lost");
        }
        Ok(served)
    }
}

impl Running {
    /// Not ready, stop taking work, finish what was begun, give back the rest.
    ///
    /// # Errors
    /// If the server had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.readiness.drain();
        self.stop.cancel();
        let mut outcome = Ok(());
        if let Some(serving) = self.serving {
            outcome = serving.stop().await?;
        }
        if let Some(bridging) = self.bridging {
            bridging.wait().await;
        }
        if let Some(working) = self.working {
            working.drain().await;
        }
        if let Some(scheduling) = self.scheduling {
            scheduling.await.context("scheduler task")?;
        }
        if let Some(watched) = self.watched {
            watched.await.context("metrics task")??;
        }
        for pool in self.pools {
            if tokio::time::timeout(CLOSE_MAX, pool.close()).await.is_err() {
                tracing::debug!(
                    "connections are still out; the server will notice that they ended"
                );
            }
        }
        outcome
    }
}

/// Until the process is asked to stop (SIGTERM, SIGINT).
///
/// # Errors
/// If signals cannot be listened to.
pub async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping: no new work, finishing what is running");
    Ok(())
}
