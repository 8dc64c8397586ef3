//! `/v1/stats`: from received to classified, in numbers.

use std::collections::HashMap;

use axum::{Json, extract::State};
use millrace_ingest::events::tally::{self, SourceTally};
use millrace_jobs::{
    queue::depth::Depth,
    store::signal_stats::{self, SignalTally},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api,
    auth::{Caller, Read},
    error::ApiError,
};

/// The workspace in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stats {
    /// One entry per source.
    sources: Vec<SourceStats>,
    /// Signals that no source delivered.
    other: SignalTally,
    /// Jobs, by kind.
    queue: Vec<Depth>,
}

/// A source in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceStats {
    /// What was delivered.
    deliveries: SourceTally,
    /// What it became.
    signals: SignalTally,
}

/// Deliveries, signals and jobs of the workspace, counted
#[utoipa::path(get, path = "/v1/stats", tag = "stats", responses((status = 200, body = Stats)))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
) -> Result<Json<Stats>, ApiError> {
    let workspace = Some(caller.workspace());
    let mut tx = caller.begin(&api).await?;
    let deliveries = tally::by_source(&mut *tx, workspace).await?;
    let signals = signal_stats::by_source(&mut *tx, workspace).await?;
    let queue = api.queue.depth(&mut *tx, workspace).await?;
    let mut signals: HashMap<_, _> =
        signals.into_iter().map(|t| (t.source_id.clone(), t)).collect();
    let mut of = |id: Option<String>| {
        signals
            .remove(&id)
            .unwrap_or_else(|| SignalTally { source_id: id, ..SignalTally::default() })
    };
    let sources = deliveries.into_iter().map(|deliveries| SourceStats {
        signals: of(Some(deliveries.source_id.clone())),
        deliveries,
    });
    let sources = sources.collect();
    let other = of(None);
    Ok(Json(Stats { sources, other, queue }))
}
