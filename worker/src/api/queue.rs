//! `/v1/jobs` and `/v1/dead`: what runs, waits and gave up.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use millrace_jobs::queue::{
    admin::{Cancelled, JobFilter, JobRow, JobView},
    dead::{DeadFilter, DeadRow},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Api,
    auth::{Caller, Operate, Read},
    error::ApiError,
    extract::{At, Body, Params},
    page::{self, Page},
};
use serde_json::json;

/// Dead letters replayed per call at most.
const REPLAY_MAX: i64 = 10_000;

/// State of a living job.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobState {
    Ready,
    Scheduled,
    Running,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct JobsQuery {
    /// Kind of job
    kind: Option<String>,
    /// State
    #[param(inline)]
    state: Option<JobState>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before
    cursor: Option<String>,
}

/// Living jobs, newest first
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(JobsQuery), responses((status = 200, body = Page<JobRow>)))]
pub(super) async fn jobs(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<JobsQuery>,
) -> Result<Json<Page<JobRow>>, ApiError> {
    let limit = page::limit(query.limit)?;
    let state = query.state.map(|s| match s {
        JobState::Ready => "ready",
        JobState::Scheduled => "scheduled",
        JobState::Running => "running",
    });
    let filter = JobFilter {
        workspace_id: Some(caller.workspace().to_owned()),
        kind: query.kind,
        state: state.map(str::to_owned),
        before: before(query.cursor.as_deref())?,
        limit: limit + 1,
    };
    let rows = api.queue.list(&mut *caller.begin(&api).await?, &filter).await?;
    Ok(Json(page::page(rows, limit, |j| (j.created_at, j.id.to_string()))))
}

/// Ids grow with time, so the id alone is the place.
fn before(cursor: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some((_, id)) = page::after(cursor)? else { return Ok(None) };
    id.parse().map(Some).map_err(|_| ApiError::BadRequest("cursor: not one of ours".into()))
}

/// One job, living or finished
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", params(("id" = i64, Path, description = "Job")),
    responses((status = 200, body = JobView)))]
pub(super) async fn job(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<i64>,
) -> Result<Json<JobView>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let found = api.queue.show(&mut tx, Some(caller.workspace()), id).await?;
    found.map(Json).ok_or(ApiError::NotFound("job"))
}

/// What an intervention did.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outcome {
    /// Job.
    id: i64,
    /// `retried`, `cancelled`, or `cancel_requested` for a job that is running.
    outcome: &'static str,
}

/// Run a job that waits for its next attempt at once
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(("id" = i64, Path, description = "Job")),
    responses((status = 200, body = Outcome), (status = 409, body = super::error::Problem, description = "It does not wait")))]
pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller<Operate>,
    At(id): At<i64>,
) -> Result<Json<Outcome>, ApiError> {
    let workspace = Some(caller.workspace());
    caller.note(&api, "jobs.retry", &id.to_string(), json!({})).await?;
    let mut tx = caller.begin(&api).await?;
    if let Some(ready) = api.queue.retry(&mut *tx, workspace, id).await? {
        tx.commit().await?;
        api.queue.wake_ready(ready);
        return Ok(Json(Outcome { id, outcome: "retried" }));
    }
    match api.queue.show(&mut tx, workspace, id).await? {
        None => Err(ApiError::NotFound("job")),
        Some(JobView::Living(job)) => Err(ApiError::Conflict(format!(
            "the job does not wait for a retry, it is {}",
            job.state
        ))),
        Some(JobView::Finished(_)) => Err(ApiError::Conflict(
            "the job has ended; a dead one is replayed with /v1/dead/replay".into(),
        )),
    }
}

/// Cancel a living job; a running one is told to stop
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = i64, Path, description = "Job")),
    responses((status = 200, body = Outcome)))]
pub(super) async fn cancel(
    State(api): State<Api>,
    caller: Caller<Operate>,
    At(id): At<i64>,
) -> Result<Json<Outcome>, ApiError> {
    caller.note(&api, "jobs.cancel", &id.to_string(), json!({})).await?;
    let mut tx = caller.begin(&api).await?;
    let cancelled = api.queue.cancel(&mut tx, Some(caller.workspace()), id).await?;
    tx.commit().await?;
    match cancelled {
        Cancelled::Now => Ok(Json(Outcome { id, outcome: "cancelled" })),
        Cancelled::Requested => {
            api.queue.wake_cancels();
            Ok(Json(Outcome { id, outcome: "cancel_requested" }))
        }
        Cancelled::NotFound => Err(ApiError::NotFound("living job")),
    }
}

/// Why a job gave up.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeadReason {
    AttemptsExhausted,
    Crashed,
    Permanent,
    Undecodable,
}

impl DeadReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::Crashed => "crashed",
            Self::Permanent => "permanent",
            Self::Undecodable => "undecodable",
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadQuery {
    /// Kind of job
    kind: Option<String>,
    /// Id of the source its delivery came from
    source: Option<String>,
    /// Why it gave up
    #[param(inline)]
    reason: Option<DeadReason>,
    /// Died at or after (RFC 3339)
    from: Option<DateTime<Utc>>,
    /// Died before (RFC 3339)
    to: Option<DateTime<Utc>>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before
    cursor: Option<String>,
}

/// Dead letters, newest first
#[utoipa::path(get, path = "/v1/dead", tag = "jobs", params(DeadQuery), responses((status = 200, body = Page<DeadRow>)))]
pub(super) async fn dead(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<DeadQuery>,
) -> Result<Json<Page<DeadRow>>, ApiError> {
    let limit = page::limit(query.limit)?;
    let filter = DeadFilter {
        workspace_id: Some(caller.workspace().to_owned()),
        ids: None,
        kind: query.kind,
        source_id: query.source,
        reason: query.reason.map(|r| r.as_str().to_owned()),
        since: query.from,
        until: query.to,
        before: before(query.cursor.as_deref())?,
        limit: limit + 1,
    };
    let rows = api.queue.dead(&mut *caller.begin(&api).await?, &filter).await?;
    Ok(Json(page::page(rows, limit, |d| (d.died_at, d.id.to_string()))))
}

/// Which dead letters to enqueue again; absent fields match all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeadReplayBody {
    /// Ids of dead letters; only so are letters taken that were replayed before
    ids: Option<Vec<i64>>,
    /// Kind of job
    kind: Option<String>,
    /// Id of the source
    source: Option<String>,
    /// Why it gave up
    reason: Option<DeadReason>,
    /// Died at or after
    from: Option<DateTime<Utc>>,
    /// Died before
    to: Option<DateTime<Utc>>,
    /// Only say which would be replayed
    #[serde(default)]
    dry_run: bool,
}

/// Dead letters taken by a replay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadReplayed {
    /// Letters that match.
    matched: usize,
    /// New jobs, one per letter; empty in a dry run.
    jobs: Vec<i64>,
}

/// Enqueue dead letters again, with all their attempts
#[utoipa::path(post, path = "/v1/dead/replay", tag = "jobs", request_body = DeadReplayBody,
    responses((status = 200, body = DeadReplayed)))]
pub(super) async fn replay(
    State(api): State<Api>,
    caller: Caller<Operate>,
    Body(body): Body<DeadReplayBody>,
) -> Result<Json<DeadReplayed>, ApiError> {
    let filter = DeadFilter {
        workspace_id: Some(caller.workspace().to_owned()),
        ids: body.ids,
        kind: body.kind,
        source_id: body.source,
        reason: body.reason.map(|r| r.as_str().to_owned()),
        since: body.from,
        until: body.to,
        before: None,
        limit: REPLAY_MAX,
    };
    if body.dry_run {
        let mut letters = api.queue.dead(&mut *caller.begin(&api).await?, &filter).await?;
        letters.retain(|l| filter.ids.is_some() || l.replayed_at.is_none());
        return Ok(Json(DeadReplayed { matched: letters.len(), jobs: Vec::new() }));
    }
    caller.note(&api, "dead.replay", "", json!(filter)).await?;
    let mut tx = caller.begin(&api).await?;
    let (replayed, ready) = api.queue.replay(&mut *tx, &filter).await?;
    tx.commit().await?;
    api.queue.wake_ready(ready);
    let jobs: Vec<i64> = replayed.iter().map(|r| r.job).collect();
    Ok(Json(DeadReplayed { matched: jobs.len(), jobs }))
}
