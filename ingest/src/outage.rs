//! Says once that something does not work, and once that it does again; what happens in between is counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Of one thing that deliveries depend on.
#[derive(Debug)]
pub(crate) struct Outage {
    what: &'static str,
    failures: AtomicU64,
}

impl Outage {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, failures: AtomicU64::new(0) }
    }

    /// It failed.
    pub(crate) fn noticed(&self, error: &dyn std::error::Error) {
        if self.failures.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(%error, "{} does not take deliveries; senders are told to retry", self.what);
        }
    }

    /// It worked.
    pub(crate) fn over(&self) {
        // Mostly there is nothing to write.
        if self.failures.load(Ordering::Relaxed) == 0 {
            return;
        }
        let failures = self.failures.swap(0, Ordering::Relaxed);
        tracing::warn!(failures, "{} takes deliveries again", self.what);
    }
}
