//! What jobs run in, without the rest of the service.

use std::{path::Path, sync::Arc};

use millrace_config::{Clock, Settings};
use millrace_jobs::{ctx::Ctx, embed::HashEmbedder, queue::Queue, signals::State};
use sqlx::PgPool;

/// The default settings.
#[must_use]
pub fn settings() -> Settings {
    Settings::from_parts(Path::new("unused"), None, std::iter::empty()).unwrap()
}

/// A context on `pool`, with the hashing embedder.
#[must_use]
pub fn ctx(pool: &PgPool, settings: Settings) -> Arc<Ctx> {
    Arc::new(Ctx {
        pool: pool.clone(),
        queue: Queue::new(pool, &settings.queue),
        settings: Arc::new(settings),
        clock: Clock::system(),
        embedder: Arc::new(HashEmbedder::new(384)),
        signals: State::default(),
        endpoint: None,
    })
}
