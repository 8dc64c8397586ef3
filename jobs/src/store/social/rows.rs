//! Authors and posts: inserted in key order, locked in id order, written as one document each batch.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use super::merge::{AuthorRow, PostRow};

/// What names an author or a post: workspace, platform, id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct Key<'a> {
    pub(super) workspace_id: &'a str,
    pub(super) platform: &'a str,
    pub(super) key: String,
}

/// Inserts those that are new. Their ids.
pub(super) async fn insert_authors(
    conn: &mut PgConnection,
    rows: &[&AuthorRow],
) -> sqlx::Result<HashSet<String>> {
    let new: Vec<String> = sqlx::query_scalar(
        "insert into social.authors
           (workspace_id, id, platform, platform_id, handle, display_name, bio, follower_count, is_verified,
            account_created_at, first_seen_at, last_seen_at, observed)
         select n.workspace_id, n.id, n.platform, n.platform_id, n.handle, n.display_name, n.bio, n.follower_count,
                n.is_verified, n.account_created_at, n.first_seen_at, n.last_seen_at, n.observed
         from jsonb_populate_recordset(null::social.authors, $1) n
         order by n.workspace_id, n.platform, n.platform_id
         on conflict (workspace_id, platform, platform_id) do nothing
         returning id",
    )
    .bind(Json(rows))
    .fetch_all(conn)
    .await?;
    Ok(new.into_iter().collect())
}

/// Locks those that exist.
pub(super) async fn lock_authors(
    conn: &mut PgConnection,
    keys: &[Key<'_>],
) -> sqlx::Result<Vec<AuthorRow>> {
    sqlx::query_as(
        "select a.workspace_id, a.id, a.platform, a.platform_id, a.handle, a.display_name, a.bio, a.follower_count,
                a.is_verified, a.account_created_at, a.first_seen_at, a.last_seen_at, a.observed
         from jsonb_to_recordset($1) as k (workspace_id text, platform text, key text)
         join social.authors a on a.workspace_id = k.workspace_id and a.platform = k.platform and a.platform_id = k.key
         order by a.id for update of a",
    )
    // A kept plan may be one for an empty table.
    .persistent(false)
    .bind(Json(keys))
    .fetch_all(conn)
    .await
}

/// Writes rows that are locked.
pub(super) async fn update_authors(
    conn: &mut PgConnection,
    rows: &[AuthorRow],
) -> sqlx::Result<()> {
    sqlx::query(
        "update social.authors a set
           handle = n.handle, display_name = n.display_name, bio = n.bio, follower_count = n.follower_count,
           is_verified = n.is_verified, account_created_at = n.account_created_at, first_seen_at = n.first_seen_at,
           last_seen_at = n.last_seen_at, observed = n.observed
         from jsonb_populate_recordset(null::social.authors, $1) n
         where a.id = n.id",
    )
    .persistent(false)
    .bind(Json(rows))
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of the keys that are stored.
pub(super) async fn stored_posts<'a>(
    conn: &mut PgConnection,
    keys: Vec<&Key<'a>>,
) -> sqlx::Result<HashSet<Key<'a>>> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<i64> = sqlx::query_scalar(
        "select k.nth from jsonb_array_elements($1) with ordinality as k (key, nth)
         join social.posts p on p.workspace_id = k.key ->> 'workspace_id' and p.platform = k.key ->> 'platform'
          and p.platform_post_id = k.key ->> 'key'",
    )
    .persistent(false)
    .bind(Json(&keys))
    .fetch_all(conn)
    .await?;
    let places: HashSet<usize> =
        found.iter().filter_map(|nth| usize::try_from(*nth).ok()).collect();
    Ok((1..)
        .zip(keys)
        .filter(|(nth, _)| places.contains(nth))
        .map(|(_, key)| key.clone())
        .collect())
}

/// Inserts those that are new. Their ids.
pub(super) async fn insert_posts(
    conn: &mut PgConnection,
    rows: &[&PostRow],
) -> sqlx::Result<HashSet<String>> {
    let new: Vec<String> = sqlx::query_scalar(
        "insert into social.posts
           (workspace_id, id, platform, platform_post_id, author_id, content, detected_at, keyword_matches,
            keyword_categories, keyword_priority, spam_filtered, spam_reason, raw_metrics, posted_at, edited_at, seen_at,
            lang, content_norm_hash, content_hash, in_reply_to, conversation, community, url, addressed, first_metrics_at,
            observed, source_id, event_id, trace_id)
         select n.workspace_id, n.id, n.platform, n.platform_post_id, n.author_id, n.content, n.detected_at,
                n.keyword_matches, n.keyword_categories, n.keyword_priority, n.spam_filtered, n.spam_reason, n.raw_metrics,
                n.posted_at, n.edited_at, n.seen_at, n.lang, n.content_norm_hash, n.content_hash, n.in_reply_to,
                n.conversation, n.community, n.url, n.addressed, n.first_metrics_at, n.observed, n.source_id, n.event_id,
                n.trace_id
         from jsonb_populate_recordset(null::social.posts, $1) n
         order by n.workspace_id, n.platform, n.platform_post_id
         on conflict (workspace_id, platform, platform_post_id) do nothing
         returning id",
    )
    .bind(Json(rows))
    .fetch_all(conn)
    .await?;
    Ok(new.into_iter().collect())
}

/// Locks those that exist.
pub(super) async fn lock_posts(
    conn: &mut PgConnection,
    keys: &[Key<'_>],
) -> sqlx::Result<Vec<PostRow>> {
    sqlx::query_as(
        "select p.workspace_id, p.id, p.platform, p.platform_post_id, p.author_id, p.content, p.detected_at,
                p.keyword_matches, p.keyword_categories, p.keyword_priority, p.spam_filtered, p.spam_reason, p.raw_metrics,
                p.posted_at, p.edited_at, p.seen_at, p.lang, p.content_norm_hash, p.content_hash, p.in_reply_to,
                p.conversation, p.community, p.url, p.addressed, p.first_metrics_at, p.observed, p.source_id, p.event_id,
                p.trace_id
         from jsonb_to_recordset($1) as k (workspace_id text, platform text, key text)
         join social.posts p on p.workspace_id = k.workspace_id and p.platform = k.platform and p.platform_post_id = k.key
         order by p.id for update of p",
    )
    .persistent(false)
    .bind(Json(keys))
    .fetch_all(conn)
    .await
}

/// Writes rows that are locked. What was derived from a text falls with it.
pub(super) async fn update_posts(conn: &mut PgConnection, rows: &[&PostRow]) -> sqlx::Result<()> {
    sqlx::query(
        "with n as (
           select x.*, (r ->> 'reread')::boolean as reread
           from jsonb_array_elements($1) r, jsonb_populate_record(null::social.posts, r) x
         )
         update social.posts p set
           content = n.content, detected_at = n.detected_at, keyword_matches = n.keyword_matches,
           keyword_categories = n.keyword_categories, keyword_priority = n.keyword_priority,
           spam_filtered = n.spam_filtered, spam_reason = n.spam_reason, raw_metrics = n.raw_metrics,
           posted_at = n.posted_at, edited_at = n.edited_at, seen_at = n.seen_at, lang = n.lang,
           content_norm_hash = n.content_norm_hash, content_hash = n.content_hash, in_reply_to = n.in_reply_to,
           conversation = n.conversation, community = n.community, url = n.url, addressed = n.addressed,
           first_metrics_at = n.first_metrics_at, observed = n.observed, source_id = n.source_id, event_id = n.event_id,
           trace_id = n.trace_id,
           processed_at = case when n.reread then null else p.processed_at end,
           error_count = case when n.reread then 0 else p.error_count end,
           error_message = case when n.reread then null else p.error_message end,
           embedding = case when n.reread then null else p.embedding end
         from n where p.id = n.id",
    )
    .persistent(false)
    .bind(Json(rows))
    .execute(conn)
    .await?;
    Ok(())
}
