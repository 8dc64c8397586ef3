//! What a job may use.

use std::sync::Arc;

use millrace_config::{Clock, Settings};
use sqlx::PgPool;

use crate::{
    codebase::tokens,
    embed::Embedder,
    queue::Queue,
    signals::{State, endpoint::Endpoint},
    social::judge,
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
    /// Caches of the social jobs.
    pub social: judge::State,
    /// The model's tokens, read when first wanted.
    pub tokens: tokens::Once,
    /// The optional OpenAI-compatible endpoint.
    pub endpoint: Option<Arc<Endpoint>>,
}

impl Ctx {
    /// With the system's clock, empty caches and no endpoint.
    #[must_use]
    pub fn new(
        pool: PgPool,
        queue: Queue,
        settings: Arc<Settings>,
        embedder: Arc<dyn Embedder>,
    ) -> Self {
        Self {
            pool,
            queue,
            settings,
            clock: Clock::system(),
            embedder,
            signals: State::default(),
            social: judge::State::default(),
            tokens: tokens::Once::default(),
            endpoint: None,
        }
    }
}
