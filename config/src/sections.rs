//! What each section of `default.toml` holds; it documents each key.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chrono_tz::Tz;
use secrecy::SecretString;
use serde::Deserialize;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "default.toml documents each key")]
        pub struct $name { $(pub $field: $type),* }
    };
}

section! {
    /// The HTTP edge.
    Http {
        listen: SocketAddr, public_url: String, notice_ms: u64, connections_max: usize, header_read_ms: u64,
        body_read_ms: u64, request_ms: u64, in_flight_max: usize, in_flight_bytes_max: usize,
        queue_age_shed_s: u64,
    }
}
section! {
    /// Connections to Postgres.
    Database {
        url: SecretString, ingest_connections: u32, edge_connections: u32, api_connections: u32,
        job_connections: u32, acquire_ms: u64, statement_ms: u64,
    }
}
section! {
    /// Event storage.
    Ingest {
        buffer: String, batch_events_max: usize, queued_events_max: usize, source_cache_ms: u64,
        source_stale_s: u64,
    }
}
section! {
    /// The optional front buffer.
    Nats {
        url: SecretString, user: String, password: SecretString, credentials_file: PathBuf,
        ca_file: PathBuf, client_cert_file: PathBuf, client_key_file: PathBuf, stream: String,
        replicas: usize, max_bytes: i64, dedup_window_s: u64, bridges: u32,
    }
}
section! {
    /// Leases, claims and back-off.
    Queue {
        lease_ms: u64, heartbeat_ms: u64, poll_ms: u64, claim_jobs_max: i64, crashes_max: i32,
        drain_ms: u64, retry_base_ms: u64, retry_cap_s: u64,
    }
}
section! {
    /// The local embedding model.
    Embed {
        engine: String, model: String, model_dir: PathBuf, runtime_library: PathBuf,
        threads: usize, batch_tokens_max: usize,
    }
}
section! {
    /// Thresholds on calibrated confidence and cosine.
    Classify {
        project_above: f64, initiative_below: f64, undecided_above: f64, margin_min: f64,
        suggest_from: f64, auto_link_above: f64, near_duplicate_above: f64, exact_scan_rows_max: i64,
    }
}
section! {
    /// The optional OpenAI-compatible model.
    Endpoint {
        url: String, api_key: SecretString, model: String, timeout_ms: u64, calls_per_day_max: i64,
        breaker_failures: u32, breaker_open_s: u64, allow_private_addresses: bool,
    }
}
section! {
    /// Limits of code indexing.
    Codebase {
        files_max: usize, bytes_max: i64, runs_max: i64, exact_scan_chunks_max: i64, grace_days: u32, folder: PathBuf,
        allow_local: bool,
        tokens: SecretString, app_id: String, app_key_file: PathBuf, api_url: String,
    }
}
section! {
    /// Posts of social platforms.
    Social { profile: String, profiles: String, retention: SocialRetention }
}
section! {
    /// How long what of it is kept, and where it goes then.
    SocialRetention { folder: PathBuf, days: u32, kpi_years: u32, audit_years: u32 }
}
section! {
    /// What decisions learn from their outcomes.
    Learning { window_days: u32, auto_approve: bool }
}
section! {
    /// Fetching from social platforms.
    Poll {
        interval_s: u64, recheck_s: u32, timeout_ms: u64, breaker_failures: u32, breaker_open_s: u32,
        allow_private_addresses: bool,
    }
}
section! {
    /// How long what is kept.
    Retention { body_days: u32, job_history_days: u32 }
}
section! {
    /// The key ring that seals source secrets.
    Secrets { keys: SecretString, key_file: PathBuf }
}
section! {
    /// Logs, metrics, traces.
    Telemetry { listen: String, format: String, level: String, otlp_url: String }
}
section! {
    /// One periodic job.
    Schedule { name: String, cron: String, timezone: Tz, kind: String }
}

impl Database {
    /// Wait for a free connection.
    #[must_use]
    pub const fn acquire(&self) -> Duration {
        Duration::from_millis(self.acquire_ms)
    }
}

impl Telemetry {
    /// Where a process without receiver answers, if anywhere.
    #[must_use]
    pub fn listen(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }
}

impl Http {
    /// Where senders reach the service.
    #[must_use]
    pub fn base_url(&self, bound: SocketAddr) -> String {
        if self.public_url.is_empty() {
            format!("http://{bound}")
        } else {
            self.public_url.trim_end_matches('/').into()
        }
    }
}

impl Social {
    /// The brand profile of a workspace: a name that ships, or the path of a file.
    #[must_use]
    pub fn profile_of(&self, workspace_id: &str) -> &str {
        let mut pairs = self.profiles.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs
            .find(|(workspace, _)| workspace.trim() == workspace_id)
            .map_or(self.profile.as_str(), |(_, profile)| profile.trim())
    }
}
