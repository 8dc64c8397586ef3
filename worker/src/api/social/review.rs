//! `/v1/social/replies/{id}/...`: what becomes of a reply.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use millrace_jobs::{
    social::{
        outcomes::windows,
        oversight::{
            reply::{Refused, Rejection},
            review::{self, Answer, Posted},
        },
    },
    store::social::replies::ReplyRow,
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{
    super::{
        Api,
        auth::{Caller, Moderate, Reply},
        error::{ApiError, Problem},
        extract::{At, Body},
    },
    replies::{Violations, actor, refusal, words},
};

/// Replies allowed by one call at most.
const BULK_MAX: usize = 200;

/// Another text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditReply {
    /// The version that it replaces.
    version: i32,
    /// The text, signature included.
    content: String,
}

/// Write another text over a version; the reply waits for a person again
#[utoipa::path(patch, path = "/v1/social/replies/{id}", tag = "social", request_body = EditReply,
    params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow), (status = 409, body = Problem, description = "It is at another version, or was sent"),
              (status = 422, body = Violations, description = "It breaks rules")))]
pub(crate) async fn edit(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(edit): Body<EditReply>,
) -> Result<Response, ApiError> {
    let (brand, name) = (api.brand(caller.workspace())?, caller.actor());
    let mut tx = caller.begin(&api).await?;
    let edited = (edit.version, &*edit.content);
    let answer = review::edit(&mut tx, &brand.profile, actor(&caller, &name), &id, edited).await?;
    done(tx, &edit.content, answer).await
}

/// Which text.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApproveReply {
    /// The version that was read; whichever it is if absent.
    version: Option<i32>,
}

/// Allow a reply: if it breaks no rule of today, and there is a place for it
#[utoipa::path(post, path = "/v1/social/replies/{id}/approve", tag = "social", request_body = ApproveReply,
    params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow), (status = 409, body = Problem, description = "There is no place for it, or the state of things forbids it"),
              (status = 422, body = Violations, description = "It breaks rules")))]
pub(crate) async fn approve(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(ApproveReply { version }): Body<ApproveReply>,
) -> Result<Response, ApiError> {
    let (brand, name) = (api.brand(caller.workspace())?, caller.actor());
    let mut tx = caller.begin(&api).await?;
    let how = (version, false);
    let answer = review::approve(&mut tx, &brand.profile, actor(&caller, &name), &id, how).await?;
    done(tx, "", answer).await
}

/// Several replies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveReplies {
    /// At most 200.
    ids: Vec<String>,
}

/// What became of each.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ApprovedReplies {
    /// Allowed.
    approved: Vec<String>,
    /// Not.
    refused: Vec<RefusedReply>,
}

/// A reply that was not allowed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedReply {
    /// Which.
    id: String,
    /// Why, for programs.
    code: &'static str,
    /// And for people.
    error: String,
}

/// Allow several replies whose confidence is over 0.90
#[utoipa::path(post, path = "/v1/social/replies/approve", tag = "social", request_body = ApproveReplies,
    responses((status = 200, body = ApprovedReplies)))]
pub(crate) async fn approve_all(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    Body(ApproveReplies { ids }): Body<ApproveReplies>,
) -> Result<Json<ApprovedReplies>, ApiError> {
    if ids.is_empty() || ids.len() > BULK_MAX {
        return Err(ApiError::BadRequest(format!("ids: name 1 to {BULK_MAX}")));
    }
    let (brand, name) = (api.brand(caller.workspace())?, caller.actor());
    let mut all = ApprovedReplies::default();
    for id in ids {
        // One by one: none is held while another is waited for.
        let mut tx = caller.begin(&api).await?;
        let how = (None, true);
        let answer =
            review::approve(&mut tx, &brand.profile, actor(&caller, &name), &id, how).await?;
        let (code, error) = match answer {
            Ok(_) => {
                tx.commit().await?;
                all.approved.push(id);
                continue;
            }
            Err(Refused::NotFound(what)) => ("not_found", format!("no such {what}")),
            Err(Refused::Full(full)) => (full.as_str(), full.says().to_owned()),
            Err(Refused::Broken(_)) => ("violations", "the reply breaks rules".to_owned()),
            Err(Refused::State(code, why)) => (code, why),
        };
        all.refused.push(RefusedReply { id, code, error });
    }
    Ok(Json(all))
}

/// Why not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectReply {
    /// Why.
    reason: Rejection,
    /// In words.
    #[serde(default)]
    notes: String,
}

/// Do not allow a reply
#[utoipa::path(post, path = "/v1/social/replies/{id}/reject", tag = "social", request_body = RejectReply,
    params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow), (status = 409, body = Problem, description = "It was sent")))]
pub(crate) async fn reject(
    State(api): State<Api>,
    caller: Caller<Moderate>,
    At(id): At<String>,
    Body(RejectReply { reason, notes }): Body<RejectReply>,
) -> Result<Response, ApiError> {
    if !notes.is_empty() {
        words("notes", &notes)?;
    }
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let said = (reason, &*notes);
    let answer = review::reject(&mut tx, actor(&caller, &name), &id, said).await?;
    done(tx, "", answer).await
}

/// Where it is now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostedReply {
    /// The platform's id of it.
    platform_post_id: String,
    /// When it was sent; a moment ago if absent.
    posted_at: Option<DateTime<Utc>>,
}

/// A reply was sent
#[utoipa::path(post, path = "/v1/social/replies/{id}/posted", tag = "social", request_body = PostedReply,
    params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow), (status = 409, body = Problem, description = "Nobody has allowed it, or it was sent as another")))]
pub(crate) async fn posted(
    State(api): State<Api>,
    caller: Caller<Reply>,
    At(id): At<String>,
    Body(PostedReply { platform_post_id, posted_at }): Body<PostedReply>,
) -> Result<Response, ApiError> {
    let ok = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !(1..=100).contains(&platform_post_id.len()) || !platform_post_id.chars().all(ok) {
        return Err(ApiError::BadRequest("platform_post_id: Invalid post ID format".into()));
    }
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let said = (&*platform_post_id, posted_at);
    let answer = review::posted(&mut tx, actor(&caller, &name), &id, said).await?;
    if let Ok(Posted { row, first: true }) = &answer {
        look_at(&api, &mut tx, &caller, row).await?;
    }
    done(tx, "", answer.map(|posted| posted.row)).await
}

/// What came of a reply that was just sent is looked at later: the jobs commit with its posting.
async fn look_at(
    api: &Api,
    tx: &mut PgConnection,
    caller: &Caller<Reply>,
    row: &ReplyRow,
) -> Result<(), ApiError> {
    // The row was written in this transaction: its `updated_at` is the database's now.
    let now = row.updated_at;
    let looks = windows::jobs(caller.workspace(), &row.id, row.posted_at.unwrap_or(now), now);
    api.queue.enqueue(tx, &looks.map_err(anyhow::Error::from)?).await?;
    Ok(())
}

/// Why it is gone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeletedReply {
    /// In words.
    reason: String,
}

/// A reply was taken back, before or after it was sent
#[utoipa::path(post, path = "/v1/social/replies/{id}/deleted", tag = "social", request_body = DeletedReply,
    params(("id" = String, Path, description = "Reply")),
    responses((status = 200, body = ReplyRow)))]
pub(crate) async fn deleted(
    State(api): State<Api>,
    caller: Caller<Reply>,
    At(id): At<String>,
    Body(DeletedReply { reason }): Body<DeletedReply>,
) -> Result<Response, ApiError> {
    words("reason", &reason)?;
    let name = caller.actor();
    let mut tx = caller.begin(&api).await?;
    let answer = review::deleted(&mut tx, actor(&caller, &name), &id, &reason).await?;
    done(tx, "", answer).await
}

async fn done(
    tx: sqlx::Transaction<'static, sqlx::Postgres>,
    content: &str,
    answer: Answer,
) -> Result<Response, ApiError> {
    match answer {
        Ok(row) => {
            tx.commit().await?;
            Ok(Json(row).into_response())
        }
        Err(why) => refusal(content, why),
    }
}
