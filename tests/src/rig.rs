//! What jobs run in, without the rest of the service.

use std::{path::Path, sync::Arc};

use millrace_config::Settings;
use millrace_jobs::{ctx::Ctx, embed::HashEmbedder, queue::Queue};
use sqlx::PgPool;

/// The default settings.
#[must_use]
pub fn settings() -> Settings {
    Settings::from_parts(Path::new("unused"), None, std::iter::empty()).unwrap()
}

/// The real time, as platforms have it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "platforms have the real time")]
pub fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// A context on `pool`, with the hashing embedder.
#[must_use]
pub fn ctx(pool: &PgPool, settings: Settings) -> Arc<Ctx> {
    let queue = Queue::new(pool, &settings.queue);
    Arc::new(Ctx::new(pool.clone(), queue, Arc::new(settings), Arc::new(HashEmbedder::new(384))))
}
