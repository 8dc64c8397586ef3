//! Posts that wait for a decision, with all that it is made from.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, types::Json};

use crate::social::{
    opinion::Told,
    relationship::Event,
    score::{Snapshot, Watched},
};

/// Past posts of an author that its expectation is learned from: days back, and how many.
const PAST_DAYS: i32 = 30;
const PAST_MAX: i64 = 50;
/// Snapshots that are read of each post, the newest.
const SNAPSHOTS_MAX: i32 = 24;
/// Events of a relationship that are read, the newest.
const EVENTS_MAX: i64 = 200;

/// A post without a decision, its author, and their past.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "columns of posts and authors")]
pub struct Waiting {
    pub id: String,
    pub workspace_id: String,
    pub platform: String,
    pub content: String,
    pub content_hash: Option<Vec<u8>>,
    pub posted_at: Option<DateTime<Utc>>,
    pub community: Option<String>,
    pub conversation: Option<String>,
    pub addressed: bool,
    pub trace_id: Option<String>,
    pub author_id: String,
    pub display_name: Option<String>,
    pub bio: Option<String>,
    /// The platform has told of a bio, or that there is none.
    pub bio_known: bool,
    pub followers: Option<i32>,
    pub is_verified: bool,
    pub user_tier: String,
    pub tier_below_since: Option<DateTime<Utc>>,
    pub account_created_at: Option<DateTime<Utc>>,
    /// The author gave cause for concern before.
    pub prior_concern: bool,
    /// What a model said of this text.
    pub opinion: Option<Json<Told>>,
    /// Its counts over time.
    pub snapshots: Json<Vec<Snapshot>>,
    /// Other posts of the author with theirs.
    pub past: Json<Vec<Watched>>,
    /// What was between the author and us.
    pub events: Json<Vec<Event>>,
    /// The database's time, at which the decision is made.
    pub now: DateTime<Utc>,
}

/// Of these posts those that wait, in no order.
///
/// # Errors
/// Those of the database.
pub async fn load(conn: &mut PgConnection, ids: &[&str]) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(
        "select p.id, p.workspace_id, p.platform, p.content, p.content_hash, p.posted_at, p.community, p.conversation,
                p.addressed, p.trace_id, a.id as author_id, a.display_name, a.bio, a.observed ? 'bio' as bio_known,
                case when a.observed ? 'follower_count' then a.follower_count end as followers, a.is_verified,
                a.user_tier, a.tier_below_since, a.account_created_at,
                a.concern_posts <> '{}' and a.concern_posts <> array[p.id] as prior_concern,
                case when m.post_id is not null then jsonb_build_object('safety', m.safety, 'seeks_help', m.seeks_help,
                  'p_metaphor', m.p_metaphor) end as opinion,
                social.snapshots(p.id, $2) as snapshots, coalesce(h.past, '[]') as past,
                coalesce(e.events, '[]') as events, now() as now
         from social.posts p
         join social.authors a on a.id = p.author_id and a.workspace_id = p.workspace_id
         left join social.post_opinions m on m.post_id = p.id and m.content_sha256 = sha256(convert_to(p.content, 'utf8'))
         left join lateral (
           select jsonb_agg(jsonb_build_object('posted_at', o.posted_at, 'snapshots', social.snapshots(o.id, $2))) as past
           from (select o.id, o.posted_at from social.posts o
                 where o.author_id = p.author_id and o.id <> p.id and o.superseded_by is null
                   and o.posted_at > now() - make_interval(days => $3)
                 order by o.posted_at desc limit $4) o
         ) h on true
         left join lateral (
           select jsonb_agg(jsonb_build_object('kind', r.type, 'source_id', r.source_event_id, 'at', r.occurred_at)) as events
           from (select type, source_event_id, occurred_at from social.relationship_events r
                 where r.author_id = p.author_id order by r.occurred_at desc limit $5) r
         ) e on true
         where p.id = any ($1) and p.processed_at is null and not p.spam_filtered and p.superseded_by is null
           and p.deleted_at is null",
    )
    .bind(ids)
    .bind(SNAPSHOTS_MAX)
    .bind(PAST_DAYS)
    .bind(PAST_MAX)
    .bind(EVENTS_MAX)
    .fetch_all(conn)
    .await
}
