//! The wall clock, injected.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// Time for stamps and freshness windows. Leases and schedules use the database's clock instead.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds added to the system's clock; tests turn it.
    offset_us: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::microseconds(self.offset_us.load(Ordering::Relaxed))
    }

    /// Move this clock (and every clone of it) by `delta`.
    pub fn turn(&self, delta: TimeDelta) {
        let us = delta.num_microseconds().unwrap_or(0);
        self.offset_us.fetch_add(us, Ordering::Relaxed);
    }
}
