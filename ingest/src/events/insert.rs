//! Storing a batch: event, bytes and job of each, in one statement and so in one commit.

use std::collections::HashMap;

use millrace_config::point::{Point, may_fail};
use millrace_jobs::queue::{Job, Queue};
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

use super::{NewEvent, StoredEvent};
use crate::normalize::Normalize;

/// All of `events`, whose ids are distinct, in one commit; their jobs are enqueued in this order.
pub(crate) async fn batch(
    conn: &mut PgConnection,
    queue: &Queue,
    events: &[NewEvent],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let (stored, ready) = rows(conn, events).await?;
    wake(queue, ready);
    Ok(stored)
}

/// Per workspace, where the first new job is.
pub(crate) type Ready = HashMap<String, i64>;

/// Tell workers of the jobs of stored events.
pub(crate) fn wake(queue: &Queue, ready: Ready) {
    queue.wake_at(Normalize::KIND, ready);
}

/// As [`batch`], in the caller's transaction; workers are to be told after it.
pub(crate) async fn rows(
    conn: &mut PgConnection,
    events: &[NewEvent],
) -> Result<(Vec<StoredEvent>, Ready), sqlx::Error> {
    may_fail(Point::EventsInsert)?;
    let fresh = insert(&mut *conn, events).await?;
    may_fail(Point::EventsInserted)?;
    let mut found = HashMap::with_capacity(events.len());
    let mut ready = HashMap::new();
    for row in fresh {
        found.insert(row.try_get::<Uuid, _>("id")?, row.try_get("received_at")?);
        ready.insert(row.try_get("tenant")?, row.try_get("first_position")?);
    }
    if found.len() < events.len() {
        return Ok((first_of(conn, events).await?, ready));
    }
    let stored = |e: &NewEvent| {
        found.get(&e.id).map(|at| StoredEvent { id: e.id, duplicate: false, received_at: *at })
    };
    Ok((events.iter().filter_map(stored).collect(), ready))
}

/// The rows that are new: event, bytes and job, in one statement and so in one commit.
async fn insert(conn: &mut PgConnection, events: &[NewEvent]) -> Result<Vec<PgRow>, sqlx::Error> {
    let ids: Vec<_> = events.iter().map(|e| e.id).collect();
    let workspaces: Vec<_> = events.iter().map(|e| &*e.workspace_id).collect();
    let sources: Vec<_> = events.iter().map(|e| &*e.source_id).collect();
    let keys: Vec<_> = events.iter().map(|e| e.delivery_key.as_slice()).collect();
    let types: Vec<_> = events.iter().map(|e| e.event_type.as_deref()).collect();
    let headers: Vec<_> = events.iter().map(|e| e.headers.as_str()).collect();
    let bodies: Vec<_> = events.iter().map(|e| e.body.as_ref()).collect();
    let secrets: Vec<_> = events.iter().map(|e| e.secret_id.as_deref()).collect();
    let traces: Vec<_> = events.iter().map(|e| e.trace_id.as_str()).collect();
    let times: Vec<_> = events.iter().map(|e| e.received_at).collect();
    sqlx::query(
        "with input as materialized (
           select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[],
                                $6::text[], $7::bytea[], $8::text[], $9::text[], $10::timestamptz[]) with ordinality
             as t(id, workspace_id, source_id, delivery_key, event_type, headers, body, secret_id, trace_id, received_at, nth)
         ), fresh as (
           insert into ops.events (id, workspace_id, source_id, delivery_key, event_type, body_bytes, secret_id, trace_id, received_at)
           select id, workspace_id, source_id, delivery_key, event_type, octet_length(body), secret_id, trace_id,
                  coalesce(received_at, now())
           from input
           on conflict on constraint events_delivery do nothing
           returning id, received_at
         ), bodies as (
           insert into ops.event_bodies (event_id, workspace_id, received_at, headers, body)
           select f.id, i.workspace_id, f.received_at, i.headers::jsonb, i.body from fresh f join input i on i.id = f.id
         ), wanted as (
           select array_agg(i.workspace_id order by i.nth) as workspaces,
                  array_agg(jsonb_build_object('event_id', i.id, 'source_id', i.source_id) order by i.nth) as payloads,
                  array_agg(i.trace_id order by i.nth) as traces
           from fresh f join input i on i.id = f.id
         ), queued as materialized (
           select q.tenant, q.first_position
           from wanted w, ops.enqueue($11, $12, w.workspaces, w.payloads, w.traces) q
         )
         select f.id, f.received_at, q.tenant, q.first_position
         from fresh f join input i on i.id = f.id join queued q on q.tenant = i.workspace_id",
    )
    .bind(&ids)
    .bind(&workspaces)
    .bind(&sources)
    .bind(&keys)
    .bind(&types)
    .bind(&headers)
    .bind(&bodies)
    .bind(&secrets)
    .bind(&traces)
    .bind(&times)
    .bind(Normalize::KIND)
    .bind(Normalize::ATTEMPTS_MAX)
    .fetch_all(conn)
    .await
}

/// The event rows of deliveries, some of which had been stored before.
async fn first_of(
    conn: &mut PgConnection,
    events: &[NewEvent],
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let first = sqlx::query(
        "select e.id, e.received_at
         from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as t(workspace_id, source_id, delivery_key, nth)
         join ops.events e on e.workspace_id = t.workspace_id and e.source_id = t.source_id
                          and e.delivery_key = t.delivery_key
         order by t.nth",
    )
    .bind(events.iter().map(|e| &*e.workspace_id).collect::<Vec<_>>())
    .bind(events.iter().map(|e| &*e.source_id).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.delivery_key.as_slice()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    if first.len() != events.len() {
        return Err(sqlx::Error::RowNotFound);
    }
    let mut stored = Vec::with_capacity(events.len());
    for (event, row) in events.iter().zip(first) {
        let id: Uuid = row.try_get("id")?;
        let received_at = row.try_get("received_at")?;
        stored.push(StoredEvent { id, duplicate: id != event.id, received_at });
    }
    Ok(stored)
}
