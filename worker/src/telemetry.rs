//! Logs and metrics.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use millrace_config::Telemetry;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Histogram buckets, seconds: the OpenTelemetry messaging conventions' 5 ms to 10 s, finer below.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// Send logs to stderr, as text or as JSON lines.
///
/// # Errors
/// If the level is not a valid filter.
pub fn init_logs(settings: &Telemetry) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.level)
        .with_context(|| format!("telemetry.level {:?} is not a tracing filter", settings.level))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if settings.format == "json" {
        registry.with(lines.json().flatten_event(true)).try_init()
    } else {
        registry.with(lines.with_target(false)).try_init()
    }
    .context("logs were initialised twice")
}

/// Collect metrics in this process; the handle renders them for `/metrics`.
///
/// # Errors
/// If a recorder is installed already.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .context("histogram buckets")?
        .install_recorder()
        .context("metrics were initialised twice")
}
