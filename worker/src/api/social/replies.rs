//! `/v1/social/replies`: for whoever writes them, and for people who allow them.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use millrace_jobs::{
    social::{
        oversight::{
            desk::Actor,
            reply::{Approval, Broken, Refused, ReplyType, Text},
            write::{self, Draft},
        },
        profile::{Archetype, Mode},
        record::Platform,
        text::reply::{Violation, length},
    },
    store::social::replies::{self as store, ReplyFilter, ReplyRow},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::{
    Api,
    auth::{Caller, Read, Reply, Scope},
    error::{ApiError, Problem},
    extract::{At, Body, Params},
    page::{self, Page},
};

/// The longest idempotency key, link and reason, in characters.
const WORDS_MAX: usize = 500;

/// A text that is not stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checked {
    /// The text, signature included.
    content: String,
    /// `TWITTER`, `REDDIT` or `THREADS`.
    #[schema(value_type = String, example = "TWITTER")]
    platform: Platform,
    /// `HELPFUL`, `ENGAGEMENT` or `HYBRID`: the last two have rules of their own.
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
    /// The link that is sent after the text, with its parameters.
    link: Option<String>,
    /// Which link is the reply's own.
    utm_code: Option<String>,
}

/// What is wrong with a text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Nothing is.
    ok: bool,
    /// As the platform counts, without the link.
    length: usize,
    /// Each rule, each place.
    violations: Vec<Wrong>,
}

/// A rule that is broken, and where.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wrong {
    /// `too_short`, `too_long`, `signature`, `seed_claim`, `claim`, `length`, `utm`, `hashtags`, `emoji`, `link`.
    #[schema(value_type = String)]
    rule: millrace_jobs::social::text::reply::Rule,
    /// For people.
    message: String,
    /// Bytes of the content in UTF-8; absent when it is about the whole.
    span: Option<Place>,
}

/// A part of the content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    /// First byte.
    start: usize,
    /// One past the last.
    end: usize,
    /// What is there.
    text: String,
}

/// Why a reply was not stored, or not allowed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Violations {
    /// A sentence for people.
    error: &'static str,
    /// `violations`
    code: &'static str,
    /// All that is wrong.
    violations: Vec<Wrong>,
    /// How often it may be written anew before a person is called.
    regenerations_left: i64,
    /// A person was called: `/v1/social/escalations`.
    escalated: bool,
}

fn wrong(content: &str, violations: Vec<Violation>) -> Vec<Wrong> {
    let place = |span: millrace_jobs::social::score::Span| {
        let text = content.get(span.start..span.end).unwrap_or_default().to_owned();
        Place { start: span.start, end: span.end, text }
    };
    violations
        .into_iter()
        .map(|v| Wrong { rule: v.rule, message: v.message, span: v.span.map(place) })
        .collect()
}

/// What is wrong with a text; nothing is stored
#[utoipa::path(post, path = "/v1/social/replies/check", tag = "social", request_body = Checked,
    responses((status = 200, body = Check)))]
pub(crate) async fn check(
    State(api): State<Api>,
    caller: Caller<Reply>,
    Body(asked): Body<Checked>,
) -> Result<Json<Check>, ApiError> {
    let brand = api.brand(caller.workspace())?;
    let text = Text {
        content: &asked.content,
        platform: asked.platform,
        link: asked.link.as_deref(),
        utm_code: asked.utm_code.as_deref(),
        mode: asked.mode,
    };
    let violations = wrong(&asked.content, text.violations(&brand.profile));
    let length = length(asked.platform, &asked.content);
    Ok(Json(Check { ok: violations.is_empty(), length, violations }))
}

/// A reply to a decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReply {
    /// The decision that asks for it.
    decision_id: String,
    /// The text, signature included.
    content: String,
    /// What kind of text; the decision's if absent.
    #[schema(value_type = Option<String>, example = "CHECKLIST")]
    archetype: Option<Archetype>,
    /// `STANDARD` if absent.
    #[serde(default)]
    reply_type: ReplyType,
    /// Of the planned reply: whatever is written for it twice is one reply, the first.
    idempotency_key: String,
    /// An address that the text leads to; it gets parameters that say which reply it was in.
    link: Option<String>,
    /// How sure the writer is, 0 to 1; the smaller of this and the decision's counts.
    #[schema(minimum = 0, maximum = 1)]
    confidence: Option<f64>,
}

/// Store a reply: `AUTO_APPROVED`, or `PENDING` until a person allows it
#[utoipa::path(post, path = "/v1/social/replies", tag = "social", request_body = NewReply,
    responses((status = 201, body = ReplyRow), (status = 200, body = ReplyRow, description = "There is one with this key: the first"),
              (status = 409, body = Problem, description = "There is no place for it (per_thread, per_hour, per_day, promo_per_community_day, link_share), the platform would not have us (karma_gate), or the state of things forbids it"),
              (status = 422, body = Violations, description = "It breaks rules")))]
pub(crate) async fn write(
    State(api): State<Api>,
    caller: Caller<Reply>,
    Body(new): Body<NewReply>,
) -> Result<Response, ApiError> {
    words("idempotency_key", &new.idempotency_key)?;
    if new.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
        return Err(ApiError::BadRequest("confidence must be between 0 and 1".into()));
    }
    let brand = api.brand(caller.workspace())?;
    let draft = Draft {
        decision_id: &new.decision_id,
        content: &new.content,
        archetype: new.archetype,
        reply_type: new.reply_type,
        idempotency_key: &new.idempotency_key,
        link: new.link.as_deref(),
        confidence: new.confidence,
    };
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let written = write::write(&mut tx, &brand.profile, actor(&caller, &name), draft).await?;
    // That a reply was refused stays on record.
    tx.commit().await?;
    match written {
        Ok(written) => {
            let status = if written.known { StatusCode::OK } else { StatusCode::CREATED };
            Ok((status, Json(written.row)).into_response())
        }
        Err(why) => refusal(&new.content, why),
    }
}

/// The answer to what was not done.
pub(super) fn refusal(content: &str, why: Refused) -> Result<Response, ApiError> {
    match why {
        Refused::NotFound(what) => Err(ApiError::NotFound(what)),
        Refused::Full(full) => Err(ApiError::Refused(full.as_str(), full.says().to_owned())),
        Refused::State(code, why) => Err(ApiError::Refused(code, why)),
        Refused::Broken(Broken { violations, regenerations_left, escalated }) => {
            let violations = wrong(content, violations);
            let error = "the reply breaks rules";
            let code = "violations";
            let body = Violations { error, code, violations, regenerations_left, escalated };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response())
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RepliesQuery {
    /// Who allowed it
    #[param(inline)]
    approval_status: Option<Approval>,
    /// `TWITTER`, `REDDIT` or `THREADS`
    #[param(value_type = Option<String>)]
    platform: Option<Platform>,
    /// Of this decision
    decision: Option<String>,
    /// Sent, or not
    posted: Option<bool>,
    /// Rows per page, 1 to 200; 50 if absent
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before
    cursor: Option<String>,
}

/// Replies, newest first
#[utoipa::path(get, path = "/v1/social/replies", tag = "social", params(RepliesQuery),
    responses((status = 200, body = Page<ReplyRow>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Params(query): Params<RepliesQuery>,
) -> Result<Json<Page<ReplyRow>>, ApiError> {
    let limit = page::limit(query.limit)?;
    let before = page::after(query.cursor.as_deref())?;
    let filter = ReplyFilter {
        approval_status: query.approval_status,
        platform: query.platform,
        decision_id: query.decision,
        posted: query.posted,
        ..ReplyFilter::default()
    };
    let mut tx = caller.begin(&api).await?;
    let rows =
        store::list(&mut *tx, caller.workspace(), &filter, before.as_ref(), limit + 1).await?;
    Ok(Json(page::page(rows, limit, |r| (r.created_at, r.id.clone()))))
}

/// One reply
#[utoipa::path(get, path = "/v1/social/replies/{id}", tag = "social", params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow)))]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    At(id): At<String>,
) -> Result<Json<ReplyRow>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    let row = store::get(&mut *tx, caller.workspace(), &id).await?;
    row.map(Json).ok_or(ApiError::NotFound("reply"))
}

pub(super) fn actor<'a, S: Scope>(caller: &'a Caller<S>, name: &'a str) -> Actor<'a> {
    Actor { workspace_id: caller.workspace(), id: name, over: false }
}

pub(super) fn words(field: &str, text: &str) -> Result<(), ApiError> {
    match text.trim().is_empty() || text.chars().count() > WORDS_MAX {
        true => Err(ApiError::BadRequest(format!("{field}: write 1 to {WORDS_MAX} characters"))),
        false => Ok(()),
    }
}
