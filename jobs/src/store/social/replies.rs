//! `social.replies`: what we answer. A reply keeps the decision that it came from, and outlives it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use utoipa::ToSchema;

use crate::social::{
    oversight::{
        approval::Why,
        reply::{Approval, Rejection, ReplyType},
    },
    profile::Archetype,
    record::Platform,
};

/// A row of `social.replies`.
#[derive(Debug, Clone, Serialize, sqlx::FromRow, ToSchema)]
pub struct ReplyRow {
    /// Id.
    pub id: String,
    /// The decision that it came from.
    pub decision_id: String,
    /// That as it was, with its propensity and versions.
    pub decision_snapshot: Value,
    /// What it says, signature included; `link` follows.
    pub content: String,
    /// What kind of text it is.
    pub archetype: Option<String>,
    /// Where it goes.
    pub platform: String,
    /// Why it is written.
    pub reply_type: String,
    /// Which link is its own.
    pub utm_code: Option<String>,
    /// The link that is sent after the text.
    pub link: Option<String>,
    /// Replies that the workspace had sent in 30 days when it was written.
    pub help_count: i32,
    /// How sure the decision and the writer were: the smaller.
    pub confidence: Option<f64>,
    /// `PENDING`, `APPROVED`, `REJECTED`, `AUTO_APPROVED`.
    pub approval_status: String,
    /// Why a person must allow it.
    pub review_reason: Option<String>,
    /// Why a person did not.
    pub reject_reason: Option<String>,
    /// Who allowed it, or did not.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was sent.
    pub posted_at: Option<DateTime<Utc>>,
    /// Its id there.
    pub platform_post_id: Option<String>,
    /// When it was taken back.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Why.
    pub delete_reason: Option<String>,
    /// Of who planned it.
    pub idempotency_key: Option<String>,
    /// Raised by each edit.
    pub version: i32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A reply that broke no rule.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "columns of social.replies")]
pub struct NewReply<'a> {
    pub workspace_id: &'a str,
    pub id: &'a str,
    pub decision_id: &'a str,
    pub content: &'a str,
    pub archetype: Option<Archetype>,
    pub platform: Platform,
    pub reply_type: ReplyType,
    pub utm_code: Option<&'a str>,
    pub link: Option<&'a str>,
    pub has_link: bool,
    pub promotes: bool,
    pub thread: &'a str,
    pub community: Option<&'a str>,
    pub help_count: i32,
    pub confidence: Option<f64>,
    /// `None`: nobody is asked.
    pub review: Option<Why>,
    pub idempotency_key: &'a str,
}

/// Store it, with its decision frozen by the database.
///
/// # Errors
/// Those of the database.
pub async fn insert(db: impl PgExecutor<'_>, new: &NewReply<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into social.replies (workspace_id, id, decision_id, content, archetype, platform, reply_type, utm_code, link,
           has_link, promotes, thread, community, help_count, confidence, review_reason, idempotency_key, approval_status,
           approved_by, approved_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
           case when $16::text is null then 'AUTO_APPROVED' else 'PENDING' end, case when $16 is null then 'rules' end,
           case when $16 is null then now() end)",
    )
    .bind(new.workspace_id)
    .bind(new.id)
    .bind(new.decision_id)
    .bind(new.content)
    .bind(new.archetype.map(Archetype::as_str))
    .bind(new.platform.as_str())
    .bind(new.reply_type.as_str())
    .bind(new.utm_code)
    .bind(new.link)
    .bind(new.has_link)
    .bind(new.promotes)
    .bind(new.thread)
    .bind(new.community)
    .bind(new.help_count)
    .bind(new.confidence)
    .bind(new.review.map(Why::as_str))
    .bind(new.idempotency_key)
    .execute(db)
    .await
    .map(drop)
}

/// Which replies; `None` does not filter.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "columns of social.replies")]
pub struct ReplyFilter {
    pub id: Option<String>,
    pub idempotency_key: Option<String>,
    pub approval_status: Option<Approval>,
    pub platform: Option<Platform>,
    pub decision_id: Option<String>,
    pub posted: Option<bool>,
}

/// Replies before a place, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    filter: &ReplyFilter,
    before: Option<&(DateTime<Utc>, String)>,
    limit: i64,
) -> sqlx::Result<Vec<ReplyRow>> {
    sqlx::query_as(
        "select id, decision_id, decision_snapshot, content, archetype, platform, reply_type, utm_code, link, help_count, confidence,
                approval_status, review_reason, reject_reason, approved_by, approved_at, posted_at, platform_post_id, deleted_at,
                delete_reason, idempotency_key, version, created_at, updated_at
         from social.replies
         where workspace_id = $1 and ($2::text is null or id = $2) and ($3::text is null or idempotency_key = $3)
           and ($4::text is null or approval_status = $4) and ($5::text is null or platform = $5)
           and ($6::text is null or decision_id = $6) and ($7::boolean is null or $7 = (posted_at is not null))
           and ($8::timestamptz is null or (created_at, id) < ($8, $9))
         order by created_at desc, id desc limit $10",
    )
    .bind(workspace_id)
    .bind(&filter.id)
    .bind(&filter.idempotency_key)
    .bind(filter.approval_status.map(Approval::as_str))
    .bind(filter.platform.map(Platform::as_str))
    .bind(&filter.decision_id)
    .bind(filter.posted)
    .bind(before.map(|place| place.0))
    .bind(before.map(|place| &place.1))
    .bind(limit)
    .fetch_all(db)
    .await
}

/// One reply.
///
/// # Errors
/// Those of the database.
pub async fn get(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Option<ReplyRow>> {
    let filter = ReplyFilter { id: Some(id.to_owned()), ..ReplyFilter::default() };
    Ok(list(db, workspace_id, &filter, None, 1).await?.pop())
}

/// What rules ask of a reply that is stored; nobody else changes it until the transaction ends.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "columns of social.replies")]
pub struct Standing {
    pub content: String,
    pub link: Option<String>,
    pub utm_code: Option<String>,
    pub platform: String,
    pub mode: Option<String>,
    pub reply_type: String,
    pub approval_status: String,
    pub confidence: Option<f64>,
    pub has_link: bool,
    pub promotes: bool,
    pub thread: String,
    pub community: Option<String>,
    pub platform_post_id: Option<String>,
    pub posted_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub version: i32,
    /// The post was deleted.
    pub gone: bool,
}

/// Take it in hand.
///
/// # Errors
/// Those of the database.
pub async fn lock(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    id: &str,
) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as(
        "select content, link, utm_code, platform, decision_snapshot ->> 'mode' as mode, reply_type, approval_status, confidence, has_link,
                promotes, coalesce(thread, '') as thread, community, platform_post_id, posted_at, deleted_at,
                version, exists (select from social.posts p where p.workspace_id = r.workspace_id
                          and p.id = r.decision_snapshot ->> 'post_id' and p.deleted_at is not null) as gone
         from social.replies r where workspace_id = $1 and id = $2 for update of r",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_optional(db)
    .await
}

/// Write another text; the reply waits for a person again.
///
/// # Errors
/// Those of the database.
pub async fn edit(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    content: &str,
    (has_link, promotes): (bool, bool),
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.replies set content = $3, has_link = $4, promotes = $5, version = version + 1, approval_status = 'PENDING',
           approved_by = null, approved_at = null, reject_reason = null
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(content)
    .bind(has_link)
    .bind(promotes)
    .execute(conn)
    .await
    .map(drop)
}

/// Allow it, or with a reason do not.
///
/// # Errors
/// Those of the database.
pub async fn judge(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    rejected: Option<Rejection>,
    actor: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.replies set approval_status = case when $3::text is null then 'APPROVED' else 'REJECTED' end,
           reject_reason = $3, approved_by = $4, approved_at = now()
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(rejected.map(Rejection::as_str))
    .bind(actor)
    .execute(conn)
    .await
    .map(drop)
}

/// It was sent; a moment ago if nobody says when.
///
/// # Errors
/// Those of the database.
pub async fn posted(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    platform_post_id: &str,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.replies set platform_post_id = $3, posted_at = least(coalesce($4, now()), now())
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(platform_post_id)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
}

/// It was taken back, before or after it was sent.
///
/// # Errors
/// Those of the database.
pub async fn deleted(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.replies set deleted_at = now(), delete_reason = $3 where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(reason)
    .execute(conn)
    .await
    .map(drop)
}
