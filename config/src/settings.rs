//! All settings together: read in layers, checked at once.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    DEFAULT_TOML,
    layers::{ConfigError, Layers},
    sections::{
        Classify, Codebase, Database, Embed, Endpoint, Http, Ingest, Learning, Nats, Poll, Queue,
        Retention, Schedule, Secrets, Social, Telemetry,
    },
};

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents each key")]
pub struct Settings {
    /// State folder (`--home`): embedded Postgres, models, keys. Not part of the file.
    #[serde(skip)]
    pub home: PathBuf,
    pub http: Http,
    pub database: Database,
    pub ingest: Ingest,
    pub nats: Nats,
    pub queue: Queue,
    pub embed: Embed,
    pub classify: Classify,
    pub poll: Poll,
    pub endpoint: Endpoint,
    pub codebase: Codebase,
    pub social: Social,
    pub learning: Learning,
    pub retention: Retention,
    pub secrets: Secrets,
    pub telemetry: Telemetry,
    #[serde(default)]
    pub schedule: Vec<Schedule>,
}

impl Settings {
    /// Reads the default, `file` if given (or named by `MILLRACE_CONFIG`), and the environment.
    ///
    /// # Errors
    /// All problems at once.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn load(home: &Path, file: Option<&Path>) -> Result<Self, ConfigError> {
        let named = std::env::var_os("MILLRACE_CONFIG").map(PathBuf::from);
        // `vars` would panic, and quote, over any variable of anybody that is no UTF-8.
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let vars = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Self::from_parts(home, file.or(named.as_deref()), vars)
    }

    /// As [`Settings::load`], with the environment given.
    ///
    /// # Errors
    /// All problems at once.
    pub fn from_parts(
        home: &Path,
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new(DEFAULT_TOML);
        if let Some(path) = file {
            layers.file(path);
        }
        Self::from_layers(layers, home, env)
    }

    /// As [`Settings::from_parts`], with the text of the file given.
    ///
    /// # Errors
    /// All problems at once.
    pub fn from_text(
        home: &Path,
        file: Option<&str>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new(DEFAULT_TOML);
        if let Some(text) = file {
            layers.text("the file", text);
        }
        Self::from_layers(layers, home, env)
    }

    fn from_layers(
        mut layers: Layers,
        home: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        layers.env(env);
        match layers.tree.clone().try_into::<Self>() {
            Err(e) => layers.problem("", "merged settings", e.message()),
            Ok(mut settings) => {
                settings.home = home.to_path_buf();
                settings.fill_paths();
                settings.check(&mut layers);
                if layers.problems.is_empty() {
                    return Ok(settings);
                }
            }
        }
        Err(ConfigError(layers.problems))
    }

    fn fill_paths(&mut self) {
        if self.embed.model_dir.as_os_str().is_empty() {
            self.embed.model_dir = self.home.join("models").join(&self.embed.model);
        }
        if self.codebase.folder.as_os_str().is_empty() {
            self.codebase.folder = self.home.join("repositories");
        }
        if self.secrets.key_file.as_os_str().is_empty() {
            self.secrets.key_file = self.home.join("secrets.key");
        }
    }

    fn check(&self, layers: &mut Layers) {
        let (edge, database, buffer) =
            (self.edge_rules(), self.database_rules(), self.buffer_rules());
        let (queue, model, other) = (self.queue_rules(), self.model_rules(), self.other_rules());
        for (ok, key, message) in [edge, database, buffer, queue, model, other].concat() {
            if !ok {
                let origin = layers.origin(key);
                layers.problem(key, &origin, message);
            }
        }
    }

    fn edge_rules(&self) -> Vec<Rule> {
        let (http, ingest) = (&self.http, &self.ingest);
        let one = "must be at least 1";
        vec![
            (http.in_flight_max > 0, "http.in_flight_max", one),
            (http.connections_max > 0, "http.connections_max", one),
            (
                http.in_flight_bytes_max >= 1 << 20,
                "http.in_flight_bytes_max",
                "must hold at least one body (1048576)",
            ),
            (
                (1..=2000).contains(&ingest.batch_events_max),
                "ingest.batch_events_max",
                "must be between 1 and 2000",
            ),
        ]
    }

    fn database_rules(&self) -> Vec<Rule> {
        let database = &self.database;
        let url = database.url.expose_secret();
        let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        // 0 waits for nothing, and a wait longer than the request is of no use to anybody.
        let waits = (1..=self.http.request_ms).contains(&database.acquire_ms);
        // 0 is Postgres' word for no limit.
        let ends = database.statement_ms == 0 || database.statement_ms >= 1000;
        let some = "must be between 1 and 500";
        vec![
            (
                url.is_empty() || postgres,
                "database.url",
                "must start with postgres:// or postgresql://",
            ),
            (
                (1..=64).contains(&database.ingest_connections),
                "database.ingest_connections",
                "must be between 1 and 64; more of them commit smaller batches",
            ),
            ((1..=500).contains(&database.edge_connections), "database.edge_connections", some),
            ((1..=500).contains(&database.api_connections), "database.api_connections", some),
            (
                (3..=500).contains(&database.job_connections),
                "database.job_connections",
                "must be between 3 and 500",
            ),
            (waits, "database.acquire_ms", "must be between 1 and http.request_ms"),
            (ends, "database.statement_ms", "must be at least 1000, or 0 for no limit"),
        ]
    }

    fn buffer_rules(&self) -> Vec<Rule> {
        let nats = &self.nats;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let both = nats.client_cert_file.as_os_str().is_empty()
            == nats.client_key_file.as_os_str().is_empty();
        vec![
            (
                ["postgres", "nats"].contains(&self.ingest.buffer.as_str()),
                "ingest.buffer",
                "must be postgres or nats",
            ),
            (
                !self.buffered() || !nats.url.expose_secret().is_empty(),
                "nats.url",
                "must name a server when ingest.buffer is nats",
            ),
            (
                !nats.stream.is_empty()
                    && nats.stream.len() <= 32
                    && nats.stream.chars().all(plain),
                "nats.stream",
                "must be 1 to 32 letters, digits, _ or -",
            ),
            ((1..=5).contains(&nats.replicas), "nats.replicas", "must be between 1 and 5"),
            (nats.max_bytes >= 1 << 20, "nats.max_bytes", "must be at least 1048576"),
            (nats.dedup_window_s > 0, "nats.dedup_window_s", "must be at least 1"),
            ((1..=8).contains(&nats.bridges), "nats.bridges", "must be between 1 and 8"),
            (both, "nats.client_key_file", "must be set together with nats.client_cert_file"),
        ]
    }

    /// Whether deliveries are acknowledged by the front buffer.
    #[must_use]
    pub fn buffered(&self) -> bool {
        self.ingest.buffer == "nats"
    }

    fn queue_rules(&self) -> Vec<Rule> {
        let queue = &self.queue;
        vec![
            (
                queue.heartbeat_ms.saturating_mul(2) < queue.lease_ms,
                "queue.heartbeat_ms",
                "must be less than half of queue.lease_ms, so that one lost beat loses no lease",
            ),
            (
                (1..=5000).contains(&queue.claim_jobs_max),
                "queue.claim_jobs_max",
                "must be between 1 and 5000",
            ),
            (queue.crashes_max > 0, "queue.crashes_max", "must be at least 1"),
        ]
    }

    fn model_rules(&self) -> Vec<Rule> {
        let (embed, classify, endpoint) = (&self.embed, &self.classify, &self.endpoint);
        let engine = ["auto", "native", "fastembed", "hash"].contains(&embed.engine.as_str());
        let mut rules = vec![
            (engine, "embed.engine", "must be auto, native, fastembed or hash"),
            ((1..=64).contains(&embed.threads), "embed.threads", "must be between 1 and 64"),
            (
                classify.initiative_below <= classify.project_above,
                "classify.initiative_below",
                "must not be above classify.project_above",
            ),
            (
                endpoint.url.is_empty() || !endpoint.model.is_empty(),
                "endpoint.model",
                "must name a model when endpoint.url is set",
            ),
        ];
        let shares = [
            ("classify.project_above", classify.project_above),
            ("classify.initiative_below", classify.initiative_below),
            ("classify.undecided_above", classify.undecided_above),
            ("classify.margin_min", classify.margin_min),
            ("classify.suggest_from", classify.suggest_from),
            ("classify.auto_link_above", classify.auto_link_above),
            ("classify.near_duplicate_above", classify.near_duplicate_above),
        ];
        let within = |(key, share)| ((0.0..=1.0).contains(&share), key, "must be between 0 and 1");
        rules.extend(shares.map(within));
        rules
    }

    fn other_rules(&self) -> Vec<Rule> {
        let (retention, format) = (&self.retention, self.telemetry.format.as_str());
        let one = "must be at least 1";
        vec![
            (retention.body_days >= 1, "retention.body_days", one),
            (retention.job_history_days >= 1, "retention.job_history_days", one),
            (self.codebase.files_max >= 1, "codebase.files_max", one),
            (self.codebase.bytes_max >= 1, "codebase.bytes_max", one),
            (self.codebase.runs_max >= 1, "codebase.runs_max", one),
            (self.learning.window_days >= 7, "learning.window_days", "must be at least 7"),
            (!self.social.profile.is_empty(), "social.profile", "must name a profile"),
            (
                self.social.retention.days > 30,
                "social.retention.days",
                "must be over 30: figures look back that far",
            ),
            (self.social.retention.kpi_years >= 1, "social.retention.kpi_years", one),
            (
                self.social.retention.audit_years >= 3,
                "social.retention.audit_years",
                "must be at least 3: the database refuses to delete younger entries",
            ),
            (
                self.telemetry.listen.is_empty() || self.telemetry.listen().is_some(),
                "telemetry.listen",
                "must be an address and a port, e.g. 0.0.0.0:8485",
            ),
            (["text", "json"].contains(&format), "telemetry.format", "must be text or json"),
        ]
    }
}

/// Whether it holds, for which key, and what the key must be.
type Rule = (bool, &'static str, &'static str);
