//! Shedding by the age of the queue: what could only wait is better refused, so that its sender keeps it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use millrace_jobs::queue::Queue;
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether a new delivery would wait longer than it may.
#[derive(Debug, Clone, Default)]
pub struct Backlog(Arc<AtomicBool>);

impl Backlog {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Look once a second until `stop`; `wait_max_s` of 0 means that any wait will do.
    pub async fn watch(self, queue: Queue, wait_max_s: u64, stop: CancellationToken) {
        if wait_max_s == 0 {
            return;
        }
        let wait_max = Duration::from_secs(wait_max_s).as_secs_f64();
        let mut every = tokio::time::interval(LOOK_EVERY);
        let mut before = 0.0;
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = stop.cancelled() => return,
            }
            // While the database does not answer, nothing is taken anyway.
            let Ok(oldest) = queue.oldest_ready_s().await else { continue };
            let late = expected_wait_s(before, oldest) > wait_max;
            before = oldest;
            if self.0.swap(late, Ordering::Relaxed) != late {
                let oldest_s = oldest.round();
                tracing::warn!(late, oldest_s, "deliveries are refused while work is late");
            }
        }
    }
}

/// How long a job that is enqueued now will wait, from the age of the oldest one a look ago and now. In a queue that takes
/// `in` and works off `out` a second, the oldest gets older by `1 - out / in` a second, and the newest waits `in / out` times
/// as long as the oldest has.
fn expected_wait_s(before: f64, oldest: f64) -> f64 {
    let growth = ((oldest - before) / LOOK_EVERY.as_secs_f64()).clamp(0.0, 0.99);
    oldest / (1.0 - growth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_foreseen_from_how_the_oldest_ages() {
        for (before, oldest, wait) in [
            (0.0, 0.0, 0.0),
            (9.0, 8.0, 8.0), // it shrinks: the newest waits no longer than the oldest
            (8.0, 8.0, 8.0), // as much comes as goes
            (7.5, 8.0, 16.0), // twice as much comes
            (7.1, 8.0, 80.0), // ten times
            (0.0, 1.0, 100.0), // nothing goes
        ] {
            assert!((expected_wait_s(before, oldest) - wait).abs() < 0.01, "{before} {oldest}");
        }
    }
}
