//! The read side over HTTP: JSON under `/v1`, for keys with scopes. Each handler sees the key's workspace only: what
//! belongs to another one does not exist.

mod auth;
mod code;
mod error;
mod events;
mod extract;
pub(crate) mod openapi;
mod page;
mod projects;
mod queue;
mod signals;
mod social;
mod sources;
mod stats;
mod suggestions;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use millrace_config::Settings;
use millrace_jobs::{
    embed::{self, Embedder},
    queue::Queue,
    social::brand::{Brand, Brands},
    store::tenants::Tenants,
};
use sqlx::PgPool;
use tokio::{sync::OnceCell, time::Instant};

use auth::Keys;
use error::ApiError;
pub use openapi::document;
pub use page::read_cursor;

/// What handlers use.
#[derive(Debug, Clone)]
pub struct Api {
    /// Everything a handler asks and writes, as its caller's workspace.
    tenants: Tenants,
    /// For `queue.enqueue` and its like in such a transaction.
    queue: Queue,
    settings: Arc<Settings>,
    keys: Keys,
    embedder: Arc<OnceCell<Arc<dyn Embedder>>>,
    brands: Arc<Brands>,
}

impl Api {
    /// Answer from `tenants`; questions become vectors by `embedder`, or by one of its own. Whose a key is is looked up through `edge`; that one was revoked is noticed within
    /// `ingest.source_cache_ms`.
    #[must_use]
    pub fn new(
        tenants: Tenants,
        edge: PgPool,
        queue: Queue,
        settings: Arc<Settings>,
        embedder: Option<Arc<dyn Embedder>>,
    ) -> Self {
        let keys = Keys::new(edge, Duration::from_millis(settings.ingest.source_cache_ms));
        let embedder = Arc::new(OnceCell::new_with(embedder));
        Self { tenants, queue, settings, keys, embedder, brands: Arc::default() }
    }

    /// The brand of a workspace.
    fn brand(&self, workspace_id: &str) -> anyhow::Result<Arc<Brand>> {
        self.brands.of(&self.settings, workspace_id)
    }

    /// The model, loaded when it is first asked for: many processes never are.
    async fn embedder(&self) -> anyhow::Result<&dyn Embedder> {
        let open = async || {
            let settings = self.settings.clone();
            let opened = tokio::task::spawn_blocking(move || embed::open(&settings)).await?;
            opened.context("embedding model; `millrace doctor` says more")
        };
        Ok(&**self.embedder.get_or_try_init(open).await?)
    }
}

/// Routes under `/v1`.
pub fn routes(api: Api) -> Router {
    let v1 = Router::new()
        .route("/openapi.json", get(openapi::serve))
        .route("/signals", get(signals::list))
        .route("/signals/{id}", get(signals::show).patch(signals::change))
        .route("/projects", get(projects::list).post(projects::add))
        .route("/projects/{id}", get(projects::show).patch(projects::change))
        .route("/projects/{id}/signals", post(projects::link))
        .route("/signals/{id}/similar", get(signals::similar))
        .route(
            "/signals/{id}/projects/{project_id}",
            put(suggestions::link).delete(suggestions::unlink),
        )
        .route("/signals/{id}/suggestions/{project_id}/accept", post(suggestions::accept))
        .route("/signals/{id}/suggestions/{project_id}/dismiss", post(suggestions::dismiss))
        .route("/suggestions", get(suggestions::list))
        .route("/sources", get(sources::list))
        .route("/events", get(events::list))
        .route("/events/replay", post(events::replay))
        .route("/events/{id}", get(events::show))
        .route("/events/{id}/body", get(events::body))
        .route("/jobs", get(queue::jobs))
        .route("/jobs/{id}", get(queue::job))
        .route("/jobs/{id}/retry", post(queue::retry))
        .route("/jobs/{id}/cancel", post(queue::cancel))
        .route("/dead", get(queue::dead))
        .route("/dead/replay", post(queue::replay))
        .route("/codebases", get(code::list))
        .route("/search/code", post(code::search))
        .route("/stats", get(stats::show))
        .nest("/social", social::routes())
        .fallback(|| async { ApiError::NotFound("path") })
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(middleware::from_fn_with_state(api.clone(), timed))
        .with_state(api);
    Router::new().nest("/v1", v1)
}

/// Bound every request in time, and measure it.
async fn timed(State(api): State<Api>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path =
        request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().as_str().to_owned();
    let request_max = Duration::from_millis(api.settings.http.request_ms);
    let response = match tokio::time::timeout(request_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Unavailable.into_response(),
    };
    let status = response.status().as_u16().to_string();
    metrics::histogram!("millrace_api_duration_seconds", "path" => path, "method" => method, "status" => status)
        .record(started.elapsed().as_secs_f64());
    response
}
