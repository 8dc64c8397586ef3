//! Who answers our replies, and who is angry at them. Reads only.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// A reply that many people answer.
#[derive(Debug, Clone, FromRow)]
pub struct Crowded {
    /// `social.replies.id`.
    pub reply_id: String,
    /// Where it is.
    pub platform: String,
    /// The decision that it follows from, and when that was made.
    pub decision_id: String,
    /// See `decision_id`.
    pub decision_created_at: Option<DateTime<Utc>>,
    /// The post that it answers.
    pub post_id: Option<String>,
}

/// Replies of the last week that at least `people` answered in the day before `now`, and of which nobody is asked
/// already, nor has said in that day that a burst of anger is nothing.
///
/// # Errors
/// Those of the database.
pub async fn crowded(
    conn: &mut PgConnection,
    workspace: &str,
    people: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Crowded>> {
    sqlx::query_as(
        "select r.id as reply_id, r.platform, r.decision_id, r.decision_created_at,
                (select p.id from social.posts p where p.workspace_id = $1 and p.id = r.decision_snapshot ->> 'post_id') as post_id
         from social.replies r
         where r.workspace_id = $1 and r.posted_at > $3::timestamptz - interval '7 days' and r.posted_at <= $3 and r.deleted_at is null
           and (select count(distinct a.author_id) from social.posts a
                where a.workspace_id = $1 and a.platform = r.platform and a.in_reply_to = r.platform_post_id
                  and a.posted_at > $3::timestamptz - interval '24 hours' and a.posted_at <= $3)
             + (select count(distinct e.author_id) from social.relationship_events e
                where e.workspace_id = $1 and e.reply_id = r.id and e.type in ('block', 'report', 'hostile')
                  and e.occurred_at > $3::timestamptz - interval '24 hours' and e.occurred_at <= $3) >= $2
           and not exists (select from social.escalations x where x.workspace_id = $1 and x.reply_id = r.id and x.reason = 'BACKLASH_SPIKE'
                and (x.status in ('PENDING','IN_REVIEW') or x.status = 'DISMISSED' and x.resolved_at > $3::timestamptz - interval '24 hours'))
         order by r.id",
    )
    .bind(workspace)
    .bind(people)
    .bind(now)
    .fetch_all(conn)
    .await
}

/// Somebody answered, or blocked or reported us over, a reply.
#[derive(Debug, Clone, FromRow)]
pub struct Came {
    /// `social.replies.id`.
    pub reply_id: String,
    /// `social.authors.id`.
    pub author_id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What they said; absent of what is no answer.
    pub content: Option<String>,
    /// Hash of it, folded.
    pub words: Option<Vec<u8>>,
    /// When their account was made.
    pub made: Option<DateTime<Utc>>,
    /// Who follows them.
    pub followers: i32,
    /// They say something of themselves.
    pub bio: bool,
}

/// What came to a reply in the day before `now`.
///
/// # Errors
/// Those of the database.
pub async fn came(
    conn: &mut PgConnection,
    workspace: &str,
    reply_id: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Came>> {
    sqlx::query_as(
        "select x.reply_id, x.author_id, x.at, x.content, x.words, u.account_created_at as made, u.follower_count as followers,
                coalesce(u.bio, '') <> '' as bio
         from (
           select r.id as reply_id, a.author_id, a.posted_at as at, a.content, a.content_norm_hash as words
           from social.replies r
           join social.posts a on a.workspace_id = $1 and a.platform = r.platform and a.in_reply_to = r.platform_post_id
           where r.workspace_id = $1 and r.id = $2 and a.superseded_by is null and a.deleted_at is null
           union all
           select e.reply_id, e.author_id, e.occurred_at, null, null from social.relationship_events e
           where e.workspace_id = $1 and e.reply_id = $2 and e.type in ('block', 'report', 'hostile')
         ) x
         join social.authors u on u.workspace_id = $1 and u.id = x.author_id
         where x.at > $3::timestamptz - interval '24 hours' and x.at <= $3
         order by x.at, x.author_id limit 20000",
    )
    .bind(workspace)
    .bind(reply_id)
    .bind(now)
    .fetch_all(conn)
    .await
}

/// What people said to other replies of a platform in their first day, in the 30 days before `now`, the newest so many;
/// and how many such replies there were.
///
/// # Errors
/// Those of the database.
pub async fn usual(
    conn: &mut PgConnection,
    workspace: &str,
    of: &Crowded,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<(Vec<Option<String>>, i64)> {
    let replies = sqlx::query_scalar(
        "select count(*) from social.replies r where r.workspace_id = $1 and r.platform = $2 and r.id <> $3
           and r.posted_at > $4::timestamptz - interval '30 days' and r.posted_at <= $4::timestamptz - interval '24 hours'",
    )
    .bind(workspace)
    .bind(&of.platform)
    .bind(&of.reply_id)
    .bind(now)
    .fetch_one(&mut *conn)
    .await?;
    let said = sqlx::query_scalar(
        "select x.content from (
           select a.content, a.posted_at as at from social.replies r
           join social.posts a on a.workspace_id = $1 and a.platform = r.platform and a.in_reply_to = r.platform_post_id
           where r.workspace_id = $1 and r.platform = $2 and r.id <> $3 and a.posted_at <= r.posted_at + interval '24 hours'
             and r.posted_at > $4::timestamptz - interval '30 days' and r.posted_at <= $4::timestamptz - interval '24 hours'
             and a.superseded_by is null and a.deleted_at is null
           union all
           select null, e.occurred_at from social.replies r
           join social.relationship_events e on e.workspace_id = $1 and e.reply_id = r.id
           where r.workspace_id = $1 and r.platform = $2 and r.id <> $3 and e.type in ('block', 'report', 'hostile')
             and e.occurred_at <= r.posted_at + interval '24 hours'
             and r.posted_at > $4::timestamptz - interval '30 days' and r.posted_at <= $4::timestamptz - interval '24 hours'
         ) x order by x.at desc limit $5",
    )
    .bind(workspace)
    .bind(&of.platform)
    .bind(&of.reply_id)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok((said, replies))
}
