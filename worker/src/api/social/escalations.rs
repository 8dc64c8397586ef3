//! `/v1/social/escalations`: what waits for a person.

use axum::{Json, extract::State, http::StatusCode};
use millrace_jobs::{
    social::oversight::{
        desk::{self, Actor, Answer, CLAIM_MINUTES, CLAIM_MINUTES_MAX, NOTES_MAX},
        escalation::{NewEscalation, Priority, Reason, Status},
    },
    store::social::escalations::{self as store, EscalationFilter, EscalationRow, Sla},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::super::{
    Api,
    auth::{Caller, Moderate, Operate, Read},
    error::{ApiError, Problem},
    extract::{At, Body, Params},
    page::{self, Page},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EscalationsQuery {
    /// Where it is in its life; those that have not ended if absent
    #[param(inline)]
    status: Option<Status>,
    /// How soon
    #[param(inline)]
    priority: Option<Priority>,
    /// Why
    #[param(inline)]
    reason: Option<Reason>,
    /// Late, or not
    overdue: Option<bool>,
    /// Who has it, or had it last
    assigned_to: Option<String>,
    /// Of this reply
    reply: Option<String>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before
    cursor: Option<String>,
}

/// Escalations, the most urgent first, then the oldest
#[utoipa::path(get, path = "/v1/social/escalations", tag = "social", params(EscalationsQuery),
    responses((status = 200, body = Page<EscalationRow>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<EscalationsQuery>,
) -> Result<Json<Page<EscalationRow>>, ApiError> {
    let limit = page::limit(query.limit)?;
    let after = match page::after(query.cursor.as_deref())? {
        None => None,
        Some((at, place)) => {
            let place = place.split_once(' ').and_then(|(r, id)| Some((r.parse().ok()?, id)));
            let Some((rank, id)) = place else {
                return Err(ApiError::BadRequest("cursor: not one of ours".into()));
            };
            Some((rank, at, id.to_owned()))
        }
    };
    let filter = EscalationFilter {
        workspace_id: Some(caller.workspace().to_owned()),
        id: None,
        status: query.status,
        priority: query.priority,
        reason: query.reason,
        overdue: query.overdue,
        assigned_to: query.assigned_to,
        reply_id: query.reply,
    };
    let mut tx = caller.begin(&api).await?;
    let rows = store::list(&mut *tx, &filter, after.as_ref(), limit + 1).await?;
    Ok(Json(page::page(rows, limit, |row| {
        let (rank, at, id) = row.place();
        (at, format!("{rank} {id}"))
    })))
}

/// One escalation
#[utoipa::path(get, path = "/v1/social/escalations/{id}", tag = "social", params(("id" = String, Path, description = "Escalation")),
    responses((status = 200, body = EscalationRow)))]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<String>,
) -> Result<Json<EscalationRow>, ApiError> {
    let filter = EscalationFilter {
        workspace_id: Some(caller.workspace().to_owned()),
        id: Some(id),
        ..EscalationFilter::default()
    };
    let mut tx = caller.begin(&api).await?;
    let row = store::list(&mut *tx, &filter, None, 1).await?.pop();
    row.map(Json).ok_or(ApiError::NotFound("escalation"))
}

/// How many wait, and how many were late
#[utoipa::path(get, path = "/v1/social/escalations/sla", tag = "social", responses((status = 200, body = Sla)))]
pub(crate) async fn sla(
    State(api): State<Api>,
    caller: Caller<Read>,
) -> Result<Json<Sla>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    Ok(Json(store::sla(&mut *tx, Some(caller.workspace())).await?))
}

/// Something that a person wants looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFlag {
    /// Post that it is about.
    post_id: Option<String>,
    /// Reply that it is about.
    reply_id: Option<String>,
    /// `MANUAL_FLAG` if absent.
    reason: Option<Reason>,
    /// That of the reason if absent.
    priority: Option<Priority>,
    /// In words.
    text: String,
}

/// Open an escalation by hand
#[utoipa::path(post, path = "/v1/social/escalations", tag = "social", request_body = NewFlag,
    responses((status = 201, body = EscalationRow)))]
pub(crate) async fn open(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    Body(flag): Body<NewFlag>,
) -> Result<(StatusCode, Json<EscalationRow>), ApiError> {
    noted("text", &flag.text)?;
    let new = NewEscalation {
        workspace_id: caller.workspace().to_owned(),
        post_id: flag.post_id,
        decision: None,
        reply_id: flag.reply_id,
        reason: flag.reason.unwrap_or(Reason::ManualFlag),
        reason_text: Some(flag.text),
        priority: flag.priority,
    };
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let answer = match desk::open(&mut tx, actor(&caller, &name), new).await {
        Err(sqlx::Error::Database(e)) if e.is_foreign_key_violation() => Answer::NotFound,
        answer => answer?,
    };
    let Answer::Done(row) = answer else { return Err(ApiError::NotFound("post or reply")) };
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(*row)))
}

/// For how long.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claim {
    /// 1 to 480; 30 if absent.
    #[schema(minimum = 1, maximum = 480)]
    minutes: Option<i32>,
}

impl Claim {
    fn minutes(&self) -> Result<i32, ApiError> {
        match self.minutes.unwrap_or(CLAIM_MINUTES) {
            minutes @ 1..=CLAIM_MINUTES_MAX => Ok(minutes),
            _ => Err(ApiError::BadRequest(format!(
                "minutes must be between 1 and {CLAIM_MINUTES_MAX}"
            ))),
        }
    }
}

/// Claim an escalation, or prolong one's claim; when a claim has run out, another may have it
#[utoipa::path(post, path = "/v1/social/escalations/{id}/claim", tag = "social", request_body = Claim,
    params(("id" = String, Path, description = "Escalation")),
    responses((status = 200, body = EscalationRow), (status = 409, body = Problem, description = "Another has it, or it has ended")))]
pub(crate) async fn claim(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(claim): Body<Claim>,
) -> Result<Json<EscalationRow>, ApiError> {
    let (minutes, name) = (claim.minutes()?, caller.actor());
    let mut tx = caller.begin(&api).await?;
    let answer = desk::claim(&mut tx, actor(&caller, &name), Some(&id), minutes).await?;
    done(tx, answer).await
}

/// Claim the most urgent escalation that nobody has
#[utoipa::path(post, path = "/v1/social/escalations/claim", tag = "social", request_body = Claim,
    responses((status = 200, body = EscalationRow)))]
pub(crate) async fn claim_next(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    Body(claim): Body<Claim>,
) -> Result<Json<EscalationRow>, ApiError> {
    let (minutes, name) = (claim.minutes()?, caller.actor());
    let mut tx = caller.begin(&api).await?;
    let answer = desk::claim(&mut tx, actor(&caller, &name), None, minutes).await?;
    done(tx, answer).await
}

/// Give a claim back
#[utoipa::path(post, path = "/v1/social/escalations/{id}/release", tag = "social",
    params(("id" = String, Path, description = "Escalation")),
    responses((status = 200, body = EscalationRow), (status = 409, body = Problem, description = "It is not the caller's")))]
pub(crate) async fn release(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
) -> Result<Json<EscalationRow>, ApiError> {
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let answer = desk::release(&mut tx, actor(&caller, &name), &id).await?;
    done(tx, answer).await
}

/// What whoever ended it says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notes {
    /// What was done, and why.
    notes: String,
}

/// Resolve an escalation: its claimant, or a key with the scope `operate`
#[utoipa::path(post, path = "/v1/social/escalations/{id}/resolve", tag = "social", request_body = Notes,
    params(("id" = String, Path, description = "Escalation")),
    responses((status = 200, body = EscalationRow), (status = 409, body = Problem, description = "It is not the caller's, or it has ended")))]
pub(crate) async fn resolve(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(Notes { notes }): Body<Notes>,
) -> Result<Json<EscalationRow>, ApiError> {
    end(&api, &caller, &id, Status::Resolved, &notes).await
}

/// Dismiss an escalation: its claimant, or a key with the scope `operate`
#[utoipa::path(post, path = "/v1/social/escalations/{id}/dismiss", tag = "social", request_body = Notes,
    params(("id" = String, Path, description = "Escalation")),
    responses((status = 200, body = EscalationRow), (status = 409, body = Problem, description = "It is not the caller's, or it has ended")))]
pub(crate) async fn dismiss(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(Notes { notes }): Body<Notes>,
) -> Result<Json<EscalationRow>, ApiError> {
    end(&api, &caller, &id, Status::Dismissed, &notes).await
}

async fn end(
    api: &Api,
    caller: &Caller<Moderate>,
    id: &str,
    status: Status,
    notes: &str,
) -> Result<Json<EscalationRow>, ApiError> {
    noted("notes", notes)?;
    let name = caller.actor();
    let mut tx = caller.begin(api).await?;
    let answer = desk::end(&mut tx, actor(caller, &name), id, status, notes).await?;
    done(tx, answer).await
}

fn actor<'a>(caller: &'a Caller<Moderate>, name: &'a str) -> Actor<'a> {
    Actor { workspace_id: caller.workspace(), id: name, over: caller.also::<Operate>() }
}

fn noted(field: &str, text: &str) -> Result<(), ApiError> {
    match text.trim().is_empty() || text.chars().count() > NOTES_MAX {
        true => Err(ApiError::BadRequest(format!("{field}: write 1 to {NOTES_MAX} characters"))),
        false => Ok(()),
    }
}

async fn done(
    tx: sqlx::Transaction<'static, sqlx::Postgres>,
    answer: Answer,
) -> Result<Json<EscalationRow>, ApiError> {
    match answer {
        Answer::Done(row) => {
            tx.commit().await?;
            Ok(Json(*row))
        }
        Answer::NotFound => Err(ApiError::NotFound("escalation")),
        Answer::Refused(row) => Err(ApiError::Conflict(row.why_not())),
    }
}
