//! What platforms say is gone or replaced: remembered for whatever comes later, and taken from what is there.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use super::{
    apply::{Arrival, author_key},
    merge::{id_text, millis, text},
    rows::Key,
};
use crate::{social::record::Said, store::embeddings};

/// The platform's word for what does not come back.
const DELETED: &str = "deleted";

/// A row of `social.tombstones`: a thing that is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Gone {
    for_good: bool,
    at: Option<DateTime<Utc>>,
    reason: String,
}

/// What a batch says is gone or replaced.
#[derive(Debug, Default)]
pub(super) struct Tombstones<'a> {
    posts: BTreeMap<Key<'a>, Gone>,
    authors: BTreeMap<Key<'a>, Gone>,
    /// Post -> the one that replaces it.
    replaced: BTreeMap<Key<'a>, String>,
}

impl<'a> Tombstones<'a> {
    /// What the arrivals say of it.
    pub(super) fn of(arrivals: &'a [Arrival<'a>]) -> Self {
        let mut found = Self::default();
        for arrival in arrivals {
            let key = |platform: &'a str, id: &str| Key {
                workspace_id: arrival.workspace_id,
                platform,
                key: id_text(id),
            };
            match arrival.said {
                Said::Post(post) if arrival.triage.refused.is_none_or(|r| r.is_of_words()) => {
                    for old in post.supersedes.iter().filter(|old| **old != post.platform_post_id) {
                        let by =
                            found.replaced.entry(key(post.platform.as_str(), old)).or_default();
                        // Ids that grow with time are longer or greater.
                        let newest = |id: &str| (id.chars().count(), id.to_owned());
                        if newest(&post.platform_post_id) > newest(by) {
                            by.clone_from(&post.platform_post_id);
                        }
                    }
                }
                Said::Post(_) => {}
                Said::PostGone { platform, platform_post_id, at, reason } => {
                    let one = key(platform.as_str(), platform_post_id);
                    found.posts.entry(one).or_default().hear(*at, reason);
                }
                Said::AuthorGone { platform, platform_id, at, reason } => {
                    let one = key(platform.as_str(), platform_id);
                    found.authors.entry(one).or_default().hear(*at, reason);
                }
            }
        }
        found
    }

    /// The workspaces and platforms it speaks of.
    pub(super) fn places(&self) -> HashSet<(&'a str, &'a str)> {
        let keys = self.posts.keys().chain(self.authors.keys()).chain(self.replaced.keys());
        keys.map(|key| (key.workspace_id, key.platform)).collect()
    }

    /// Remembers it. Whatever order it comes in, the same is remembered.
    pub(super) async fn remember(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let gone: Vec<_> = [("author", &self.authors), ("post", &self.posts)]
            .into_iter()
            .flat_map(|(kind, found)| found.iter().map(move |(key, gone)| (kind, key, gone)))
            .collect();
        if !gone.is_empty() {
            sqlx::query(
                "insert into social.tombstones as t (workspace_id, platform, kind, platform_id, for_good, at, reason)
                 select r -> 1 ->> 'workspace_id', r -> 1 ->> 'platform', r ->> 0, r -> 1 ->> 'key',
                        (r -> 2 ->> 'for_good')::boolean, (r -> 2 ->> 'at')::timestamptz, r -> 2 ->> 'reason'
                 from jsonb_array_elements($1) r
                 on conflict (workspace_id, platform, kind, platform_id) do update set
                   (for_good, at, reason) = (
                     select c.for_good, c.at, c.reason
                     from (values (t.for_good, t.at, t.reason), (excluded.for_good, excluded.at, excluded.reason))
                       as c (for_good, at, reason)
                     order by c.for_good desc, c.at desc nulls last, c.reason collate \"C\" desc nulls last limit 1)",
            )
            .bind(Json(gone))
            .execute(&mut *conn)
            .await?;
        }
        if !self.replaced.is_empty() {
            let replaced: Vec<_> = self.replaced.iter().collect();
            sqlx::query(
                "insert into social.tombstones as t (workspace_id, platform, kind, platform_id, superseded_by)
                 select r -> 0 ->> 'workspace_id', r -> 0 ->> 'platform', 'post', r -> 0 ->> 'key', r ->> 1
                 from jsonb_array_elements($1) r
                 on conflict (workspace_id, platform, kind, platform_id) do update set superseded_by = (
                   select c.id from (values (t.superseded_by), (excluded.superseded_by)) as c (id)
                   where c.id is not null order by char_length(c.id) desc, c.id collate \"C\" desc limit 1)",
            )
            .bind(Json(replaced))
            .execute(conn)
            .await?;
        }
        Ok(())
    }

    /// Takes from authors and posts what the tombstones say of the posts `touched` and their authors, and of what this
    /// batch names. Ids of posts that are gone or replaced.
    pub(super) async fn bury(
        &self,
        conn: &mut PgConnection,
        touched: &[String],
    ) -> sqlx::Result<HashSet<String>> {
        let authors: Vec<&Key<'_>> = self.authors.keys().collect();
        bury_authors(&mut *conn, touched, &authors).await?;
        let posts: Vec<&Key<'_>> = self.posts.keys().chain(self.replaced.keys()).collect();
        let found: Vec<(String, Option<Vec<u8>>)> = sqlx::query_as(
            "with named as (select * from jsonb_to_recordset($2) as k (workspace_id text, platform text, key text)),
                  gone as (select * from jsonb_to_recordset($3) as k (workspace_id text, platform text, key text))
             select p.id, p.content_hash from social.posts p
             where p.id in (
               select unnest($1::text[])
               union all
               select p.id from named k join social.posts p
                 on p.workspace_id = k.workspace_id and p.platform = k.platform and p.platform_post_id = k.key
               union all
               select p.id from named k join social.tombstones t
                 on t.workspace_id = k.workspace_id and t.platform = k.platform and t.superseded_by = k.key
               join social.posts p
                 on p.workspace_id = t.workspace_id and p.platform = t.platform and p.platform_post_id = t.platform_id
               union all
               select p.id from gone k join social.authors a
                 on a.workspace_id = k.workspace_id and a.platform = k.platform and a.platform_id = k.key
               join social.posts p on p.author_id = a.id)
             order by p.id for update of p",
        )
        .persistent(false)
        .bind(touched)
        .bind(Json(posts))
        .bind(Json(authors))
        .fetch_all(&mut *conn)
        .await?;
        let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
        let done: Vec<(String, bool, bool)> = sqlx::query_as(include_str!("bury.sql"))
            .persistent(false)
            .bind(ids)
            .fetch_all(&mut *conn)
            .await?;
        let dead: HashSet<&str> =
            done.iter().filter(|(_, dead, _)| *dead).map(|(id, ..)| id.as_str()).collect();
        if !dead.is_empty() {
            let hashes: Vec<Vec<u8>> = found
                .iter()
                .filter(|(id, _)| dead.contains(id.as_str()))
                .filter_map(|(_, hash)| hash.clone())
                .collect();
            let dead: Vec<&str> = dead.into_iter().collect();
            sqlx::query("delete from social.post_versions where post_id = any ($1)")
                .bind(&dead)
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "delete from social.competitive_mentions where post_id = any ($1) and not replied",
            )
            .bind(&dead)
            .execute(&mut *conn)
            .await?;
            embeddings::forget(conn, &hashes).await?;
        }
        let buried = done.into_iter().filter(|(_, dead, replaced)| *dead || *replaced);
        Ok(buried.map(|(id, ..)| id).collect())
    }
}

impl Gone {
    /// Without a time there is nothing to tell what comes back by.
    fn hear(&mut self, at: Option<DateTime<Utc>>, reason: &str) {
        let reason = if reason.is_empty() { DELETED } else { reason };
        let for_good = reason == DELETED || at.is_none();
        let said = Self { for_good, at: at.map(millis), reason: text(reason) };
        if said > *self {
            *self = said;
        }
    }
}

async fn bury_authors(
    conn: &mut PgConnection,
    touched: &[String],
    named: &[&Key<'_>],
) -> sqlx::Result<()> {
    sqlx::query(
        "with state as (
           select a.id, t.for_good or a.last_seen_at <= t.at as dead
           from social.authors a join social.tombstones t
             on t.workspace_id = a.workspace_id and t.platform = a.platform and t.kind = 'author' and t.platform_id = a.platform_id
           where a.id in (
             select p.author_id from social.posts p where p.id = any ($1)
             union all
             select a.id from jsonb_to_recordset($2) as k (workspace_id text, platform text, key text)
             join social.authors a on a.workspace_id = k.workspace_id and a.platform = k.platform and a.platform_id = k.key)
           order by a.id for update of a
         )
         update social.authors a set
           deleted_at = case when s.dead then coalesce(a.deleted_at, now()) end,
           handle = case when s.dead then '[deleted]' else a.handle end,
           display_name = case when s.dead then null else a.display_name end,
           bio = case when s.dead then null else a.bio end
         from state s where a.id = s.id",
    )
    .persistent(false)
    .bind(touched)
    .bind(Json(named))
    .execute(conn)
    .await?;
    Ok(())
}

/// Authors of the arrivals who are not stored, because they were erased. What names them there is a hash.
pub(super) async fn erased<'a>(
    conn: &mut PgConnection,
    arrivals: &'a [Arrival<'a>],
) -> sqlx::Result<HashSet<Key<'a>>> {
    let mut keys: Vec<Key<'a>> = Vec::new();
    for arrival in arrivals {
        if let Said::Post(post) = arrival.said {
            let (workspace_id, platform) = (arrival.workspace_id, post.platform.as_str());
            keys.push(author_key(&Key { workspace_id, platform, key: String::new() }, post));
        }
    }
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let found: Vec<i64> = sqlx::query_scalar(
        "select k.nth from jsonb_array_elements($1) with ordinality as k (key, nth)
         join social.tombstones t
           on t.workspace_id = k.key ->> 'workspace_id' and t.platform = k.key ->> 'platform' and t.kind = 'author'
           and t.platform_id = social.erased_as(k.key ->> 'workspace_id', k.key ->> 'platform', k.key ->> 'key')",
    )
    .persistent(false)
    .bind(Json(&keys))
    .fetch_all(conn)
    .await?;
    let places: HashSet<usize> =
        found.iter().filter_map(|nth| usize::try_from(*nth).ok()).collect();
    Ok((1..).zip(keys).filter(|(nth, _)| places.contains(nth)).map(|(_, key)| key).collect())
}

/// Whether any tombstone is on one of these posts or of their authors.
pub(super) async fn any(
    conn: &mut PgConnection,
    posts: &[Key<'_>],
    authors: &[Key<'_>],
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (
           select from jsonb_to_recordset($1) as k (workspace_id text, platform text, key text)
           join social.tombstones t
             on t.workspace_id = k.workspace_id and t.platform = k.platform and t.kind = 'post' and t.platform_id = k.key
         ) or exists (
           select from jsonb_to_recordset($2) as k (workspace_id text, platform text, key text)
           join social.tombstones t
             on t.workspace_id = k.workspace_id and t.platform = k.platform and t.kind = 'author' and t.platform_id = k.key)",
    )
    .persistent(false)
    .bind(Json(posts))
    .bind(Json(authors))
    .fetch_one(conn)
    .await
}
