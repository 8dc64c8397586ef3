//! What a job may use.

use std::sync::Arc;

use millrace_config::{Clock, Settings};
use sqlx::PgPool;

use crate::{
    embed::Embedder,
    queue::Queue,
    signals::{State, endpoint::Endpoint},
};

/// Handed to every job; cheap to clone behind its `Arc`.
#[derive(Debug)]
pub struct Ctx {
    /// Connections for jobs (the HTTP edge has its own pool).
    pub pool: PgPool,
    /// The queue, to enqueue follow-up jobs and to complete leases.
    pub queue: Queue,
    /// All settings.
    pub settings: Arc<Settings>,
    /// Wall clock for stamps that are not leases or schedules (those use the database's clock).
    pub clock: Clock,
    /// The local embedding model.
    pub embedder: Arc<dyn Embedder>,
    /// Caches of the signals jobs.
    pub signals: State,
    /// The optional OpenAI-compatible endpoint.
    pub endpoint: Option<Arc<Endpoint>>,
}
