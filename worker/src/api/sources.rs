//! `/v1/sources`: who delivers, and how that goes.

use std::collections::HashMap;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use millrace_ingest::{
    events::tally::{self, SourceTally},
    registry::admin,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Api,
    auth::{Caller, Read},
    error::ApiError,
};

/// A source. Its delivery URL is a secret of sorts and is not shown here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceView {
    /// Id.
    id: String,
    /// Kind.
    kind: String,
    /// Name.
    name: String,
    /// Signature scheme.
    scheme: String,
    /// Vendor account it is bound to.
    external_id: Option<String>,
    /// `active`, `paused` or `uninstalled`.
    state: String,
    /// Secrets and keys that verify now.
    secrets: i64,
    /// When one of them last did.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was added.
    created_at: DateTime<Utc>,
    /// Its deliveries, counted since it was added.
    deliveries: SourceTally,
}

/// All sources of the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceList {
    /// Sources, oldest first.
    items: Vec<SourceView>,
}

/// Sources with what became of their deliveries
#[utoipa::path(get, path = "/v1/sources", tag = "sources", responses((status = 200, body = SourceList)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
) -> Result<Json<SourceList>, ApiError> {
    let workspace = Some(caller.workspace());
    let mut tx = caller.begin(&api).await?;
    let tallies = tally::by_source(&mut *tx, workspace).await?;
    let mut tallies: HashMap<_, _> =
        tallies.into_iter().map(|t| (t.source_id.clone(), t)).collect();
    let rows = admin::list(&mut *tx, workspace, None).await?;
    // A source added between the two reads shows up next time.
    let items = rows.into_iter().filter_map(|s| {
        let deliveries = tallies.remove(&s.id)?;
        Some(SourceView {
            id: s.id,
            kind: s.kind,
            name: s.name,
            scheme: s.scheme,
            external_id: s.external_id,
            state: s.state,
            secrets: s.secrets,
            last_used_at: s.last_used_at,
            created_at: s.created_at,
            deliveries,
        })
    });
    Ok(Json(SourceList { items: items.collect() }))
}
