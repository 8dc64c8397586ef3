//! Reading stored bytes again: a `normalize` job for each event that a filter names.

use millrace_config::point::{Point, may_fail};
use millrace_jobs::{
    queue::{NewJob, Queue},
    store::tenants::View,
};
use serde::Serialize;
use sqlx::{FromRow, PgExecutor};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    check::Read,
    log::{EventFilter, EventState},
};
use crate::normalize::Normalize;

/// Events per transaction.
const BATCH: i64 = 1000;

/// What a replay would touch, or did.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Replayed {
    /// Events that match the filter and still have their bytes.
    pub matched: i64,
    /// Jobs enqueued; an event whose replay waits already gets no second one. 0 in a dry run.
    pub enqueued: i64,
    /// Matched events, by source and state.
    pub groups: Vec<Group>,
}

/// Matched events of one source in one state.
#[derive(Debug, Clone, FromRow, Serialize, ToSchema)]
pub struct Group {
    /// Source.
    pub source_id: String,
    /// State before the replay.
    pub state: String,
    /// Reason before the replay.
    pub reason: Option<String>,
    /// How many.
    pub count: i64,
}

/// An event that has its bytes.
#[derive(FromRow)]
pub(super) struct Replayable {
    pub(super) id: Uuid,
    workspace_id: String,
    source_id: String,
    trace_id: String,
    /// As what it was read.
    #[sqlx(flatten)]
    pub(super) was: Read,
    /// The digest of that.
    pub(super) reading_sha256: Option<Vec<u8>>,
}

/// What a replay of `filter` would touch.
///
/// # Errors
/// Those of the database.
pub async fn preview(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    filter: &EventFilter,
) -> sqlx::Result<Replayed> {
    let groups: Vec<Group> = sqlx::query_as(
        "select e.source_id, e.state, e.reason, count(*) as count
         from ops.events e
         join ops.event_bodies b on b.event_id = e.id and b.received_at = e.received_at
         left join ops.sources s on s.id = e.source_id
         where ($1::text is null or e.workspace_id = $1)
           and ($2::text is null or $2 in (e.source_id, s.name))
           and ($3::text is null or e.state = $3)
           and ($4::text is null or e.reason = $4)
           and ($5::text is null or e.event_type = $5)
           and ($6::timestamptz is null or e.received_at >= $6)
           and ($7::timestamptz is null or e.received_at < $7)
           and ($8::uuid[] is null or e.id = any ($8))
         group by e.source_id, e.state, e.reason
         order by count(*) desc, e.source_id, e.state, e.reason",
    )
    .bind(workspace)
    .bind(&filter.source)
    .bind(filter.state.map(EventState::as_str))
    .bind(&filter.reason)
    .bind(&filter.event_type)
    .bind(filter.from)
    .bind(filter.to)
    .bind(&filter.ids)
    .persistent(false)
    .fetch_all(db)
    .await?;
    Ok(Replayed { matched: groups.iter().map(|g| g.count).sum(), enqueued: 0, groups })
}

/// Enqueue a `normalize` job for each event of `filter` that still has its bytes, oldest id first, `events_max` at
/// most. Each batch is a transaction of `view` and commits by itself: an interrupted replay is simply run again.
///
/// # Errors
/// Those of the database.
pub async fn run(
    view: View<'_>,
    queue: &Queue,
    workspace: Option<&str>,
    filter: &EventFilter,
    events_max: i64,
) -> anyhow::Result<Replayed> {
    let mut done = preview(&mut *view.begin().await?, workspace, filter).await?;
    let (mut after, mut left) = (Uuid::nil(), events_max);
    while left > 0 {
        let mut tx = view.begin().await?;
        let batch = page(&mut *tx, workspace, filter, after, left.min(BATCH)).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        left -= BATCH;
        let enqueued = queue.enqueue(&mut tx, &jobs(&batch)?).await?;
        tx.commit().await?;
        may_fail(Point::EventsReplayed)?;
        queue.wake(&enqueued);
        done.enqueued += i64::try_from(enqueued.iter().filter(|e| e.fresh).count())?;
    }
    Ok(done)
}

/// Events of `filter` after this id, oldest id first.
pub(super) async fn page(
    db: impl PgExecutor<'_>,
    workspace: Option<&str>,
    filter: &EventFilter,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Replayable>> {
    sqlx::query_as(
        "select e.id, e.workspace_id, e.source_id, e.trace_id, e.state, e.reason, e.records, e.reading_sha256
         from ops.events e
         join ops.event_bodies b on b.event_id = e.id and b.received_at = e.received_at
         left join ops.sources s on s.id = e.source_id
         where e.id > $9
           and ($1::text is null or e.workspace_id = $1)
           and ($2::text is null or $2 in (e.source_id, s.name))
           and ($3::text is null or e.state = $3)
           and ($4::text is null or e.reason = $4)
           and ($5::text is null or e.event_type = $5)
           and ($6::timestamptz is null or e.received_at >= $6)
           and ($7::timestamptz is null or e.received_at < $7)
           and ($8::uuid[] is null or e.id = any ($8))
         order by e.id
         limit $10",
    )
    .bind(workspace)
    .bind(&filter.source)
    .bind(filter.state.map(EventState::as_str))
    .bind(&filter.reason)
    .bind(&filter.event_type)
    .bind(filter.from)
    .bind(filter.to)
    .bind(&filter.ids)
    .bind(after)
    .bind(limit)
    .persistent(false)
    .fetch_all(db)
    .await
}

fn jobs(events: &[Replayable]) -> anyhow::Result<Vec<NewJob>> {
    let job = |event: &Replayable| {
        let job = Normalize { event_id: event.id, source_id: event.source_id.clone() };
        Ok(NewJob::of::<Normalize>(event.workspace_id.as_str(), &job)?
            .unique_key(event.id.to_string())
            .priority(3)
            .trace(Some(event.trace_id.clone())))
    };
    events.iter().map(job).collect()
}
