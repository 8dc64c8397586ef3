//! The HTTP edge: connection cap, deadlines, routes. What a delivery is, `ingest::receive` decides.

mod stall;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse,
    routing::{any, get, post},
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use metrics_exporter_prometheus::PrometheusHandle;
use millrace_config::Http;
use millrace_ingest::{receive::Receiver, registry::Lookup, verify::hash_key};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use self::stall::Stall;
use crate::{
    api::openapi::{Delivered, Problem, SignalBody},
    ready::Readiness,
};

/// What the routes of deliveries need.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Deliveries.
    pub receiver: Arc<Receiver>,
    /// Whole request.
    pub request_max: Duration,
}

/// What the routes of operation need.
#[derive(Debug, Clone)]
pub struct Watch {
    /// `/readyz`.
    pub readiness: Readiness,
    /// `/metrics`.
    pub metrics: PrometheusHandle,
}

/// Routes of operation, which every process has.
pub fn operation(watch: Watch) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(watch)
}

/// Routes of deliveries; those of operation and the read side (`api`) are merged by the caller.
pub fn routes(edge: Edge) -> Router {
    Router::new()
        .route("/hooks/{path_id}", any(hook))
        .route("/hooks/{path_id}/{key}", any(hook_with_key))
        .route("/api/webhooks/signals", post(signals))
        .route("/api/webhooks/signals/{key}", post(signals_key))
        .route("/api/webhooks/pylon", post(pylon))
        .route("/api/webhooks/slack/events", post(slack))
        .route("/api/webhooks/ingest", post(inbox))
        .with_state(edge)
}

async fn ready(State(watch): State<Watch>) -> impl IntoResponse {
    match watch.readiness.check().await {
        Ok(how) => (StatusCode::OK, format!("{how}\n")),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(watch): State<Watch>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], watch.metrics.render())
}

/// Deliver to a source; the status codes are those its platform expects
#[utoipa::path(post, path = "/hooks/{path_id}", tag = "ingest", params(("path_id" = String, Path,
    description = "The source's unguessable id; `millrace source add` prints the URL")), request_body(content = Vec<u8>,
    content_type = "*/*", description = "What the platform sends, signed by the source's scheme"),
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn hook(
    State(edge): State<Edge>,
    Path(path_id): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    edge.deliver(Lookup::Path(path_id), None, request).await
}

/// Deliver to a source whose key is part of the URL
#[utoipa::path(post, path = "/hooks/{path_id}/{key}", tag = "ingest", params(("path_id" = String, Path,
    description = "The source's unguessable id"), ("key" = String, Path, description = "An ingest key of the source")),
    request_body(content = Vec<u8>, content_type = "*/*"),
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn hook_with_key(
    State(edge): State<Edge>,
    Path((path_id, key)): Path<(String, String)>,
    request: Request<Body>,
) -> Response<Body> {
    edge.deliver(Lookup::Path(path_id), Some(&key), request).await
}

/// HMAC with a workspace id, or an API key: the headers of the source system.
#[utoipa::path(post, path = "/api/webhooks/signals", tag = "ingest", params(
    ("X-API-Key" = Option<String>, Header, description = "An ingest key"),
    ("X-Webhook-Signature" = Option<String>, Header, description = "HMAC over the body; with X-Workspace-ID"),
    ("X-Workspace-ID" = Option<String>, Header, description = "Workspace of the signature's secret")),
    request_body = SignalBody,
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn signals(State(edge): State<Edge>, request: Request<Body>) -> Response<Body> {
    let lookup = signals_lookup(request.headers());
    edge.deliver(lookup, None, request).await
}

fn signals_lookup(headers: &HeaderMap) -> Lookup {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    match (text("x-webhook-signature"), text("x-workspace-id"), text("x-api-key")) {
        (Some(_), Some(workspace), _) => Lookup::Workspace("webhook", workspace.to_owned()),
        (_, _, Some(key)) => Lookup::Key(hash_key(key.as_bytes())),
        _ => Lookup::Key([0; 32]),
    }
}

/// The generic webhook with the key in the URL; JSON or plain text
#[utoipa::path(post, path = "/api/webhooks/signals/{key}", tag = "ingest",
    params(("key" = String, Path, description = "An ingest key")), request_body = SignalBody,
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn signals_key(
    State(edge): State<Edge>,
    Path(key): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    edge.deliver(Lookup::Key(hash_key(key.as_bytes())), Some(&key), request).await
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(crate) struct PylonQuery {
    /// The vendor account that a source is bound to
    #[param(required = true)]
    integration_id: Option<String>,
}

/// Pylon's webhook
#[utoipa::path(post, path = "/api/webhooks/pylon", tag = "ingest", params(PylonQuery),
    request_body(content = Vec<u8>, content_type = "application/json"),
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn pylon(
    State(edge): State<Edge>,
    Query(query): Query<PylonQuery>,
    request: Request<Body>,
) -> Response<Body> {
    match query.integration_id {
        Some(id) => edge.deliver(Lookup::External("pylon", id), None, request).await,
        None => bad_request("Missing integration_id query parameter"),
    }
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(crate) struct TeamQuery {
    /// The Slack team that a source is bound to
    #[param(required = true)]
    team_id: Option<String>,
}

/// Slack apps of several workspaces share one URL in the source system, which told them apart by the
/// unverified body; here the team is part of the URL.
#[utoipa::path(post, path = "/api/webhooks/slack/events", tag = "ingest", params(TeamQuery),
    request_body(content = Vec<u8>, content_type = "application/json"),
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn slack(
    State(edge): State<Edge>,
    Query(query): Query<TeamQuery>,
    request: Request<Body>,
) -> Response<Body> {
    match query.team_id {
        Some(id) => edge.deliver(Lookup::External("slack", id), None, request).await,
        None => bad_request("Missing team_id query parameter"),
    }
}

/// Inbox items: transcripts and documents
#[utoipa::path(post, path = "/api/webhooks/ingest", tag = "ingest",
    params(("X-Workspace-ID" = String, Header, description = "Workspace")),
    request_body(content = Vec<u8>, content_type = "application/json"),
    responses((status = 200, body = Delivered), (status = 401, body = Problem), (status = "5XX", body = Problem,
        description = "Not stored; send it again")))]
pub(crate) async fn inbox(State(edge): State<Edge>, request: Request<Body>) -> Response<Body> {
    let workspace = request.headers().get("x-workspace-id").and_then(|v| v.to_str().ok());
    match workspace.map(|w| Lookup::Workspace("inbox", w.to_owned())) {
        Some(lookup) => edge.deliver(lookup, None, request).await,
        None => bad_request("Missing X-Workspace-ID header"),
    }
}

fn bad_request(message: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": message, "code": "bad_request" });
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

impl Edge {
    async fn deliver(
        &self,
        lookup: Lookup,
        path_key: Option<&str>,
        request: Request<Body>,
    ) -> Response<Body> {
        let started = tokio::time::Instant::now();
        let (parts, body) = request.into_parts();
        let receive = self.receiver.receive(lookup, path_key, parts, body);
        let response = match tokio::time::timeout(self.request_max, receive).await {
            Ok(response) => response.map(Body::from),
            Err(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "timed out\n")
                    .into_response()
            }
        };
        metrics::histogram!("millrace_delivery_duration_seconds")
            .record(started.elapsed().as_secs_f64());
        response
    }
}

/// Serve until `stop`, and for `notice` after it, with answers that end their connection: a balancer needs time to see
/// that `/readyz` has turned. Then let open requests end within `drain`.
///
/// # Errors
/// If the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &Http,
    stop: CancellationToken,
    drain: Duration,
) -> anyhow::Result<()> {
    let router = router.layer(axum::middleware::from_fn_with_state(stop.clone(), last_answers));
    let door = Door::new(settings, router);
    tokio::select! {
        never = door.admit_all(&listener) => never?,
        () = async {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_millis(settings.notice_ms)).await;
        } => {}
    }
    door.admit_rest(listener).await?;
    // Asked to end, hyper closes a connection at once that has not brought its first request yet.
    door.fresh.close();
    tokio::time::timeout(Duration::from_millis(settings.header_read_ms), door.fresh.wait())
        .await
        .ok();
    if tokio::time::timeout(drain, door.open.shutdown()).await.is_err() {
        tracing::warn!("open requests were cut off at the end of the drain time");
    }
    Ok(())
}

/// From `stop` on, an answer is the last of its connection.
async fn last_answers(
    State(stop): State<CancellationToken>,
    request: Request<Body>,
    next: axum::middleware::Next,
) -> Response<Body> {
    let mut response = next.run(request).await;
    if stop.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Lets connections in, so many at once.
struct Door {
    slots: Arc<Semaphore>,
    /// For an answer to be taken.
    patience: Duration,
    open: GracefulShutdown,
    /// A token for each connection before its first request.
    fresh: TaskTracker,
    http: hyper::server::conn::http1::Builder,
    router: Router,
}

impl Door {
    fn new(settings: &Http, router: Router) -> Self {
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(settings.header_read_ms))
            .max_headers(100)
            // A client that has said all it had to say still wants its answer.
            .half_close(true)
            .max_buf_size(64 * 1024);
        let slots = Arc::new(Semaphore::new(settings.connections_max));
        // An answer may take as long to go as a body to come.
        let patience = Duration::from_millis(settings.body_read_ms);
        Self {
            slots,
            patience,
            open: GracefulShutdown::new(),
            fresh: TaskTracker::new(),
            http,
            router,
        }
    }

    /// Never ends but by an error.
    async fn admit_all(&self, listener: &TcpListener) -> anyhow::Result<()> {
        loop {
            // A place first: who waits, waits in the kernel.
            let slot = self.slot().await?;
            let socket = accept(listener).await;
            self.begin(socket, slot);
        }
    }

    /// Whoever the kernel has let in by now would be cut off with the listener. It is asked itself: the runtime knows of
    /// a connection only a little later.
    async fn admit_rest(&self, listener: TcpListener) -> anyhow::Result<()> {
        let listener = listener.into_std().context("listener")?;
        while let Ok((socket, _)) = listener.accept() {
            socket.set_nonblocking(true).context("connection")?;
            let socket = TcpStream::from_std(socket).context("connection")?;
            self.begin(socket, self.slot().await?);
        }
        Ok(())
    }

    async fn slot(&self) -> anyhow::Result<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.context("connection slots")
    }

    fn begin(&self, socket: TcpStream, slot: OwnedSemaphorePermit) {
        let fresh = Arc::new(Mutex::new(Some(self.fresh.token())));
        let router = self.router.clone().map_request(move |request: Request<Incoming>| {
            drop(fresh.lock().unwrap_or_else(PoisonError::into_inner).take());
            request
        });
        let service = TowerToHyperService::new(router);
        let socket = TokioIo::new(Stall::new(socket, self.patience));
        let connection = self.open.watch(self.http.serve_connection(socket, service));
        tokio::spawn(async move {
            // A connection that ends badly has told its client; requests are counted where they are decided.
            drop(connection.await);
            drop(slot);
        });
    }
}

/// The next connection. Running out of file descriptors, or a peer that left already, is no fault of the listener.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                // Small answers must not wait for the peer's delayed acknowledgement.
                drop(socket.set_nodelay(true));
                return socket;
            }
            Err(e) => tracing::warn!(error = %e, "accept failed"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
