//! Stored events as the normaliser takes them, and what it found them to be.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::{
    registry,
    source::{Hold, Normalized, SourceConfig},
};

/// A stored event with everything its source needs to read it.
#[derive(Debug)]
pub struct Event {
    /// `ops.events.id`.
    pub id: Uuid,
    /// Tenant.
    pub workspace_id: String,
    /// Source.
    pub source_id: String,
    /// Trace of the delivery, 32 hex digits.
    pub trace_id: String,
    /// Kind of the source.
    pub kind: String,
    /// Its configuration.
    pub config: SourceConfig,
    /// SHA-256 of the delivery's identity.
    pub delivery_key: Vec<u8>,
    /// Stored headers.
    pub headers: Map<String, Value>,
    /// The body exactly as received.
    pub body: Vec<u8>,
    /// Arrival, from the database.
    pub received_at: DateTime<Utc>,
}

/// What a stored event turned out to be.
pub type Reading = Result<Normalized, Hold>;

/// Bytes of the bodies of the events with these ids.
///
/// # Errors
/// If the database does not answer.
pub async fn sizes(pool: &PgPool, ids: &[Uuid]) -> Result<HashMap<Uuid, usize>, sqlx::Error> {
    let rows: Vec<(Uuid, i32)> =
        sqlx::query_as("select id, body_bytes from ops.events where id = any($1)")
            .bind(ids)
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|(id, bytes)| (id, usize::try_from(bytes).unwrap_or(0))).collect())
}

/// The events with these ids whose bytes have not expired.
///
/// # Errors
/// If the database does not answer.
pub async fn load(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Event>, sqlx::Error> {
    let rows = sqlx::query(
        "select e.id, e.workspace_id, e.source_id, e.trace_id, e.delivery_key, e.received_at,
                s.kind, s.external_id, s.field_map, s.options, b.headers, b.body
         from ops.events e
         join ops.sources s on s.id = e.source_id
         join ops.event_bodies b on b.event_id = e.id and b.received_at = e.received_at
         where e.id = any($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let headers: Value = row.try_get("headers")?;
            Ok(Event {
                id: row.try_get("id")?,
                workspace_id: row.try_get("workspace_id")?,
                source_id: row.try_get("source_id")?,
                trace_id: row.try_get("trace_id")?,
                kind: row.try_get("kind")?,
                config: registry::config(row)?,
                delivery_key: row.try_get("delivery_key")?,
                headers: if let Value::Object(map) = headers { map } else { Map::new() },
                body: row.try_get("body")?,
                received_at: row.try_get("received_at")?,
            })
        })
        .collect()
}

/// Mark events as read: normalised, ignored, or quarantined with the reason; one read well at last
/// leaves the quarantine.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn mark<'a>(
    conn: &mut PgConnection,
    readings: impl Iterator<Item = (&'a Event, &'a Reading)>,
) -> Result<(), sqlx::Error> {
    let mut columns = Columns::default();
    for (event, reading) in readings {
        columns.add(event, reading);
    }
    sqlx::query(
        "with read as (
           select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bytea[])
             as t(id, state, reason, detail, records, digest)
         ), held as (
           insert into ops.quarantine as q (event_id, workspace_id, source_id, reason, detail)
           select e.id, e.workspace_id, e.source_id, r.reason, r.detail
           from read r join ops.events e on e.id = r.id where r.state = 'quarantined'
           on conflict (event_id) do update set reason = excluded.reason, detail = excluded.detail, released_at = null
         ), released as (
           update ops.quarantine q set released_at = now()
           from read r where q.event_id = r.id and r.state <> 'quarantined' and q.released_at is null
         )
         update ops.events e set state = r.state, reason = r.reason, records = r.records, normalized_at = now(),
           reading_sha256 = r.digest
         from read r where e.id = r.id",
    )
    .bind(&columns.ids)
    .bind(&columns.states)
    .bind(&columns.reasons)
    .bind(&columns.details)
    .bind(&columns.records)
    .bind(&columns.digests)
    .execute(&mut *conn)
    .await?;
    registry::admin::uninstall(conn, &columns.uninstalled).await
}

/// State, reason and number of records of an event that was read so.
pub(crate) fn outcome(reading: &Reading) -> (&'static str, Option<&'static str>, i32) {
    let count = |n| i32::try_from(n).unwrap_or(i32::MAX);
    match reading {
        Ok(Normalized::Records(records)) => ("normalized", None, count(records.len())),
        Ok(Normalized::Codebases(changes)) => ("normalized", None, count(changes.len())),
        Ok(Normalized::Social(said, odd)) => {
            ("normalized", odd.keys().next().copied(), count(said.len()))
        }
        Ok(Normalized::Outcomes(outcomes, odd)) => {
            ("normalized", odd.keys().next().copied(), count(outcomes.len()))
        }
        Ok(Normalized::Ignored(reason) | Normalized::Uninstalled(reason)) => {
            ("ignored", Some(reason), 0)
        }
        Err(hold) => ("quarantined", Some(hold.reason), 0),
    }
}

/// SHA-256 over all that a reading says. What a record does not know is left out, so that a new optional field changes
/// the digest only of those that have it.
pub(crate) fn digest(reading: &Reading) -> [u8; 32] {
    let (state, reason, _) = outcome(reading);
    let mut records = match reading {
        Ok(Normalized::Records(records)) => serde_json::json!(records),
        Ok(Normalized::Codebases(changes)) => serde_json::json!(changes),
        Ok(Normalized::Social(said, _)) => serde_json::json!(said),
        Ok(Normalized::Outcomes(outcomes, _)) => serde_json::json!(outcomes),
        _ => Value::Null,
    };
    forget_nulls(&mut records);
    Sha256::digest(serde_json::json!([state, reason, records]).to_string()).into()
}

fn forget_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(forget_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    states: Vec<&'static str>,
    reasons: Vec<Option<&'static str>>,
    details: Vec<Option<String>>,
    records: Vec<i32>,
    digests: Vec<Vec<u8>>,
    uninstalled: Vec<String>,
}

impl Columns {
    fn add(&mut self, event: &Event, reading: &Reading) {
        let (state, reason, records) = outcome(reading);
        if let Ok(Normalized::Uninstalled(_)) = reading {
            self.uninstalled.push(event.source_id.clone());
        }
        if let Ok(Normalized::Social(_, odd) | Normalized::Outcomes(_, odd)) = reading {
            for (reason, count) in odd {
                metrics::counter!("millrace_social_odd_total", "source" => event.kind.clone(), "reason" => *reason)
                    .increment((*count).into());
            }
        }
        metrics::counter!("millrace_events_total", "source" => event.kind.clone(), "state" => state, "reason" => reason.unwrap_or(""))
            .increment(1);
        self.ids.push(event.id);
        self.states.push(state);
        self.reasons.push(reason);
        self.details.push(reading.as_ref().err().map(|hold| hold.detail.clone()));
        self.records.push(records);
        self.digests.push(digest(reading).to_vec());
    }
}
