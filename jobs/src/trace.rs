//! Spans of one delivery's way: `receive`, then each `job` that comes of it, all under the delivery's trace id.
//!
//! They are of level debug under one target, so that they cost nothing until an exporter asks for them (the feature
//! `otlp` of the worker).

use tracing::Span;

/// Target of all spans here.
pub const TARGET: &str = "millrace::trace";

/// A delivery on its way to an event row; `trace_id` is 32 hex digits. `outcome` is recorded at the end.
#[must_use]
pub fn receive(trace_id: &str) -> Span {
    adopt(
        tracing::debug_span!(target: TARGET, "receive", otel.kind = "server", trace_id, outcome = tracing::field::Empty),
        Some(trace_id),
    )
}

/// One delivery of a job to a worker; names after the OpenTelemetry messaging conventions.
pub(crate) fn job(kind: &'static str, id: i64, attempt: i32, trace_id: Option<&str>) -> Span {
    adopt(
        tracing::debug_span!(
            target: TARGET,
            "job",
            otel.name = kind,
            otel.kind = "consumer",
            messaging.system = "millrace",
            messaging.operation.type = "process",
            messaging.destination.name = kind,
            messaging.message.id = id,
            attempt,
            trace_id,
            outcome = tracing::field::Empty,
        ),
        trace_id,
    )
}

/// Rows keep the trace's id only, so every span of a trace hangs from one made-up root.
#[cfg(feature = "otlp")]
fn adopt(span: Span, trace_id: Option<&str>) -> Span {
    use opentelemetry::trace::{
        SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    let trace = trace_id.and_then(|id| TraceId::from_hex(id).ok());
    if let (false, Some(trace)) = (span.is_disabled(), trace) {
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        let root = SpanId::from_bytes([a, b, c, d, e, f, g, h]);
        let state = TraceState::default();
        let parent = SpanContext::new(trace, root, TraceFlags::SAMPLED, true, state);
        let parent = opentelemetry::Context::new().with_remote_span_context(parent);
        // It fails for a span that no exporter sees.
        span.set_parent(parent).ok();
    }
    span
}

#[cfg(not(feature = "otlp"))]
const fn adopt(span: Span, _trace_id: Option<&str>) -> Span {
    span
}
