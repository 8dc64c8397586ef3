//! What a reply is weighed by before it is written: its decision, what was sent, and which places are taken. Reads only.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::social::{
    oversight::{approval::MANUAL_FIRST, cadence::Taken},
    record::Platform,
};

/// What a reply needs to know of its decision and post.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "columns of social.decisions and social.posts")]
pub struct Decided {
    pub platform: String,
    pub mode: String,
    pub archetype: Option<String>,
    pub mode_confidence: Option<f64>,
    pub needs_review: bool,
    pub created_at: DateTime<Utc>,
    pub post_id: String,
    pub thread: String,
    pub community: Option<String>,
    pub gone: bool,
    pub propensity: Option<f64>,
    /// An escalation of it has not ended.
    pub escalated: bool,
}

/// A decision and its post; `None` if the workspace has none such.
///
/// # Errors
/// Those of the database.
pub async fn decided(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    decision_id: &str,
) -> sqlx::Result<Option<Decided>> {
    sqlx::query_as(
        "select d.platform, d.mode, d.archetype, d.mode_confidence, d.needs_review, d.created_at, d.post_id,
                coalesce(p.conversation, p.platform_post_id) as thread, p.community,
                p.deleted_at is not null as gone, x.propensity,
                exists (select from social.escalations e where e.workspace_id = d.workspace_id and e.decision_id = d.id
                          and e.status in ('PENDING','IN_REVIEW')) as escalated
         from social.decisions d join social.posts p on p.workspace_id = d.workspace_id and p.id = d.post_id
         left join social.decision_exposures x on x.workspace_id = d.workspace_id and x.decision_id = d.id
         where d.workspace_id = $1 and d.id = $2",
    )
    .bind(workspace_id)
    .bind(decision_id)
    .fetch_optional(db)
    .await
}

/// What a workspace has sent.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Sent {
    /// Over all time, counted up to 1000.
    pub ever: i64,
    /// In the last 30 days.
    pub lately: i32,
}

/// Count them.
///
/// # Errors
/// Those of the database.
pub async fn sent(db: impl PgExecutor<'_>, workspace_id: &str) -> sqlx::Result<Sent> {
    sqlx::query_as(
        "select (select count(*) from (select from social.replies where workspace_id = $1 and posted_at is not null limit $2) n) as ever,
                (select count(*)::int from social.replies
                 where workspace_id = $1 and posted_at > now() - interval '30 days') as lately",
    )
    .bind(workspace_id)
    .bind(MANUAL_FIRST)
    .fetch_one(db)
    .await
}

/// Whatever is written for a key is written by one at a time, until the transaction ends.
///
/// # Errors
/// Those of the database.
pub async fn hold_key(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    idempotency_key: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('social.replies key ' || $1 || ' ' || $2, 0))",
    )
    .bind(workspace_id)
    .bind(idempotency_key)
    .execute(db)
    .await
    .map(drop)
}

/// From here to the end of the transaction nobody else gives places of a workspace on a platform away.
///
/// # Errors
/// Those of the database.
pub async fn hold_places(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    platform: Platform,
) -> sqlx::Result<()> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('social.replies ' || $1 || ' ' || $2, 0))",
    )
    .bind(workspace_id)
    .bind(platform.as_str())
    .execute(db)
    .await
    .map(drop)
}

/// Places that are taken, but for those of `but`; `community` is looked for without regard to case.
///
/// # Errors
/// Those of the database.
pub async fn taken(
    db: impl PgExecutor<'_>,
    (workspace_id, platform): (&str, Platform),
    thread: &str,
    community: Option<&str>,
    but: &str,
) -> sqlx::Result<Taken> {
    sqlx::query_as(
        "with near as materialized (
           select coalesce(posted_at, 'infinity') as at, community, promotes
           from social.replies
           where workspace_id = $1 and platform = $2 and id <> $5 and posted_at > now() - interval '24 hours'
           union all
           select 'infinity', community, promotes
           from social.replies
           where workspace_id = $1 and platform = $2 and id <> $5 and posted_at is null and deleted_at is null
             and approval_status in ('APPROVED','AUTO_APPROVED')
         ), promoting as materialized (
           select has_link, row_number() over (order by posted_at desc nulls first, created_at desc, id) as nth
           from social.replies
           where workspace_id = $1 and platform = $2 and id <> $5 and promotes
             and (posted_at is not null or deleted_at is null and approval_status in ('APPROVED','AUTO_APPROVED'))
           order by posted_at desc nulls first, created_at desc, id limit 100
         )
         select (select count(*) from social.replies
                 where workspace_id = $1 and platform = $2 and id <> $5 and thread = $3
                   and (posted_at is not null or deleted_at is null and approval_status <> 'REJECTED')) as thread,
                (select count(*) from near where at > now() - interval '1 hour') as hour,
                (select count(*) from near) as day,
                (select count(*) from near where promotes and lower(community) = lower($4)) as promos,
                (select count(*) from promoting
                 where nth < coalesce((select min(nth) from promoting where not has_link), 101)) as links",
    )
    .bind(workspace_id)
    .bind(platform.as_str())
    .bind(thread)
    .bind(community)
    .bind(but)
    .fetch_one(db)
    .await
}
