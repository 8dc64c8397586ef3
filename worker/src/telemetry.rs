//! Logs, metrics and, for those who build with `otlp`, traces.

use std::io::IsTerminal;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use millrace_config::Telemetry;
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

/// Histogram buckets, seconds: the OpenTelemetry messaging conventions' 5 ms to 10 s, finer below.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// What must outlive the work; sends the last spans when dropped.
#[must_use]
#[derive(Debug)]
pub struct Guard {
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::Traces>,
}

/// Send logs to stderr, as text or as JSON lines, and spans to the collector if one is set.
///
/// # Errors
/// If the level is not a valid filter, or a collector is set and this build has no exporter.
pub fn init(settings: &Telemetry) -> anyhow::Result<Guard> {
    #[cfg(not(feature = "otlp"))]
    anyhow::ensure!(
        settings.otlp_url.is_empty(),
        "telemetry.otlp_url is set, but this build cannot send traces: build with `--features otlp`"
    );
    let registry = tracing_subscriber::registry().with(lines(settings)?);
    #[cfg(feature = "otlp")]
    {
        let traces = otlp::Traces::open(&settings.otlp_url)?;
        let layer = traces.as_ref().map(otlp::Traces::layer);
        registry.with(layer).try_init().context("logs were initialised twice")?;
        Ok(Guard { _traces: traces })
    }
    #[cfg(not(feature = "otlp"))]
    {
        registry.try_init().context("logs were initialised twice")?;
        Ok(Guard {})
    }
}

/// From now on a panic is one line of the log that says where, but not what: the text of a panic often quotes the data it
/// was about.
pub fn quote_no_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked; the text is withheld, it may quote a delivery");
    }));
}

fn lines<S>(settings: &Telemetry) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = EnvFilter::try_new(&settings.level)
        .with_context(|| format!("telemetry.level {:?} is not a tracing filter", settings.level))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    Ok(if settings.format == "json" {
        lines.json().flatten_event(true).with_filter(filter).boxed()
    } else {
        lines.with_target(false).with_filter(filter).boxed()
    })
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

#[cfg(feature = "otlp")]
mod otlp {
    use anyhow::Context;
    use millrace_jobs::trace::TARGET;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::WithExportConfig;
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
    use tracing::{Level, Subscriber};
    use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

    /// Sends spans in batches from a thread of its own.
    #[derive(Debug)]
    pub(super) struct Traces(SdkTracerProvider);

    impl Traces {
        /// Nothing if `url` is empty.
        pub(super) fn open(url: &str) -> anyhow::Result<Option<Self>> {
            if url.is_empty() {
                return Ok(None);
            }
            // Whoever installed one first is as good.
            rustls::crypto::ring::default_provider().install_default().ok();
            let exporter = opentelemetry_otlp::SpanExporter::builder()
                .with_http()
                .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
                .build()
                .context("telemetry.otlp_url")?;
            let provider = SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(Resource::builder().with_service_name("millrace").build())
                .build();
            Ok(Some(Self(provider)))
        }

        /// Takes the spans of deliveries and jobs, nobody else's.
        pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
        where
            S: Subscriber + for<'a> LookupSpan<'a>,
        {
            tracing_opentelemetry::layer()
                .with_tracer(self.0.tracer("millrace"))
                .with_location(false)
                .with_threads(false)
                .with_filter(Targets::new().with_target(TARGET, Level::DEBUG))
        }
    }

    impl Drop for Traces {
        fn drop(&mut self) {
            if let Err(e) = self.0.shutdown() {
                tracing::warn!(error = %e, "the last traces are lost");
            }
        }
    }
}
