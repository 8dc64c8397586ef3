//! Names of the queue's metrics, in one place. Install the recorder before the runtime starts.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// A fenced-out completion or retry.
pub(crate) fn refused(leases: usize) {
    if leases > 0 {
        counter!("millrace_leases_refused_total").increment(u64::try_from(leases).unwrap_or(0));
    }
}

/// A delivery given up because its lease was no longer this process's, before it could be refused.
pub(crate) fn lost(leases: u64) {
    if leases > 0 {
        counter!("millrace_leases_lost_total").increment(leases);
    }
}

/// Leases that ran out.
pub(crate) fn expired(leases: usize) {
    counter!("millrace_leases_expired_total").increment(u64::try_from(leases).unwrap_or(0));
}

/// Jobs ended by kind and outcome: done, retried, snoozed, released, cancelled, dead.
pub(crate) fn ended(kind: &'static str, outcome: &'static str, jobs: usize) {
    if jobs > 0 {
        counter!("millrace_jobs_ended_total", "kind" => kind, "outcome" => outcome)
            .increment(u64::try_from(jobs).unwrap_or(0));
    }
}

/// Age of the oldest ready job of a kind, seconds.
pub(crate) fn oldest_ready(kind: &str, seconds: f64) {
    gauge!("millrace_jobs_oldest_ready_seconds", "kind" => kind.to_owned()).set(seconds);
}

/// Ready jobs of a kind, counted up to a bound.
pub(crate) fn ready(kind: &str, jobs: f64) {
    gauge!("millrace_jobs_ready", "kind" => kind.to_owned()).set(jobs);
}

/// Handles of one kind, looked up once.
#[derive(Clone)]
pub(crate) struct KindMetrics {
    /// Seconds from ready to claimed.
    pub(crate) waited: Histogram,
    /// Jobs being worked on.
    pub(crate) running: Gauge,
    /// Jobs claimed.
    pub(crate) claimed: Counter,
}

impl KindMetrics {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            waited: histogram!("millrace_jobs_pickup_seconds", "kind" => kind),
            running: gauge!("millrace_jobs_running", "kind" => kind),
            claimed: counter!("millrace_jobs_claimed_total", "kind" => kind),
        }
    }
}

impl std::fmt::Debug for KindMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KindMetrics")
    }
}
