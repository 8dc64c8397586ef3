//! What platforms say becomes rows, set-based, in the caller's transaction.
//!
//! Rows are inserted in key order and existing ones locked in id order, so that batches with common posts wait for each
//! other instead of dead-locking. A post that comes while its deletion does would miss it, and the deletion the post: so
//! batches that tell of something gone or replaced have a platform of a workspace for themselves, all others share it.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    beside::{self, Funnel},
    merge::{AuthorRow, Merged, PostRow, id_text},
    rows::{self, Key},
    tombstones::{self, Tombstones},
};
use crate::social::{
    record::{Post, Said},
    triage::Triage,
};

/// Something said, and the delivery that brought it.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// The source that delivered it.
    pub source_id: &'a str,
    /// The delivery.
    pub event_id: Uuid,
    /// Trace of the delivery, 32 hex digits.
    pub trace_id: &'a str,
    /// What it says.
    pub said: &'a Said,
    /// What was found out about it, if it is a post.
    pub triage: Triage,
}

/// A post whose text is new, and is no spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDecide {
    /// Tenant.
    pub workspace_id: String,
    /// `social.posts.id`.
    pub post_id: String,
    /// Trace of the delivery that brought the text.
    pub trace_id: String,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied<'a> {
    /// Posts that need a decision, by id.
    pub to_decide: Vec<ToDecide>,
    /// Counts by workspace, platform and stage: `scanned`, `refused`, `saved` (new), `matched` (new, with a keyword),
    /// `spam` (new), `edited`, `gone`, `erased` (of an author who wants to be forgotten: not stored).
    pub funnel: Funnel<'a>,
}

/// All that a batch says of one post, in order.
type Posts<'a> = BTreeMap<Key<'a>, Vec<(&'a Arrival<'a>, &'a Post)>>;

/// Applies what is said. In whatever order and in whatever batches it comes, the rows end the same.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn apply<'a>(
    conn: &mut PgConnection,
    arrivals: &'a [Arrival<'a>],
) -> sqlx::Result<Applied<'a>> {
    let mut applied = Applied::default();
    if arrivals.is_empty() {
        return Ok(applied);
    }
    let gone = Tombstones::of(arrivals);
    lock_places(conn, arrivals, &gone).await?;
    let erased = tombstones::erased(conn, arrivals).await?;
    gone.remember(conn).await?;
    let ours = ours(conn, arrivals).await?;
    let refused: Vec<_> = arrivals.iter().filter(|arrival| !is_taken(arrival, &ours)).collect();
    beside::write_refused(conn, &refused).await?;

    let posts = taken(arrivals, &ours, &erased);
    let authors = write_authors(conn, &posts).await?;
    let (merged, new) = write_posts(conn, &posts, &authors).await?;
    beside::write_versions(conn, &merged).await?;
    beside::write_snapshots(conn, &sightings(&posts, &merged)).await?;
    beside::write_mentions(conn, &merged).await?;

    let post_keys: Vec<Key<'_>> = posts.keys().cloned().collect();
    let author_keys: Vec<Key<'_>> = authors.keys().cloned().collect();
    let mut buried = HashSet::new();
    if !gone.places().is_empty() || tombstones::any(conn, &post_keys, &author_keys).await? {
        let touched: Vec<String> = merged.iter().map(|one| one.row.id.clone()).collect();
        buried = gone.bury(conn, &touched).await?;
    }
    applied.to_decide = to_decide(&merged, &new, &buried);
    applied.funnel = counted(arrivals, (&ours, &erased), &merged, &new);
    beside::count(conn, &applied.funnel).await?;
    Ok(applied)
}

fn key_of<'a>(workspace_id: &'a str, post: &'a Post) -> Key<'a> {
    Key { workspace_id, platform: post.platform.as_str(), key: post.platform_post_id.clone() }
}

/// Posts with words that are not ours, and that are: they are stored, or another version in the batch will be. Without
/// this an edit that leaves the topic would leave the old text standing.
async fn ours<'a>(
    conn: &mut PgConnection,
    arrivals: &'a [Arrival<'a>],
) -> sqlx::Result<HashSet<Key<'a>>> {
    let (mut kept, mut off) = (HashSet::new(), HashSet::new());
    for arrival in arrivals {
        let Said::Post(post) = arrival.said else { continue };
        let key = key_of(arrival.workspace_id, post);
        match arrival.triage.refused {
            None => drop(kept.insert(key)),
            Some(refusal) if refusal.leaves_topic() => drop(off.insert(key)),
            Some(_) => {}
        }
    }
    let mut ours = rows::stored_posts(conn, off.iter().collect()).await?;
    ours.extend(off.into_iter().filter(|key| kept.contains(key)));
    Ok(ours)
}

/// Whether a post is stored, or changes one that is.
fn is_taken(arrival: &Arrival<'_>, ours: &HashSet<Key<'_>>) -> bool {
    match (arrival.triage.refused, arrival.said) {
        (Some(refusal), Said::Post(post)) if refusal.leaves_topic() => {
            ours.contains(&key_of(arrival.workspace_id, post))
        }
        (refused, _) => refused.is_none(),
    }
}

/// The posts that are taken, of people who did not want to be forgotten.
fn taken<'a>(
    arrivals: &'a [Arrival<'a>],
    ours: &HashSet<Key<'a>>,
    erased: &HashSet<Key<'a>>,
) -> Posts<'a> {
    let mut posts = Posts::new();
    for arrival in arrivals.iter().filter(|arrival| is_taken(arrival, ours)) {
        if let Said::Post(post) = arrival.said {
            let key = key_of(arrival.workspace_id, post);
            if erased.contains(&author_key(&key, post)) {
                continue;
            }
            posts.entry(key).or_default().push((arrival, post));
        }
    }
    posts
}

/// Each time that a post was seen: its workspace, its id, how.
fn sightings<'a>(
    posts: &'a Posts<'a>,
    merged: &'a [Merged<'a>],
) -> Vec<(&'a str, &'a str, &'a Post)> {
    let ids: HashMap<(&str, &str, &str), &'a str> = merged
        .iter()
        .map(|one| &one.row)
        .map(|r| ((&*r.workspace_id, &*r.platform, &*r.platform_post_id), &*r.id))
        .collect();
    let mut found = Vec::new();
    for (key, said) in posts {
        if let Some(id) = ids.get(&(key.workspace_id, key.platform, &*key.key)) {
            found.extend(said.iter().map(|(_, post)| (key.workspace_id, *id, *post)));
        }
    }
    found
}

pub(super) fn author_key<'a>(post_key: &Key<'a>, post: &Post) -> Key<'a> {
    Key { key: id_text(&post.author.platform_id), ..post_key.clone() }
}

/// Upserts the authors. Their ids.
async fn write_authors<'a>(
    conn: &mut PgConnection,
    posts: &Posts<'a>,
) -> sqlx::Result<BTreeMap<Key<'a>, String>> {
    let mut said: BTreeMap<Key<'a>, Vec<&Post>> = BTreeMap::new();
    for (key, versions) in posts {
        for (_, post) in versions {
            said.entry(author_key(key, post)).or_default().push(post);
        }
    }
    let see_all = |mut row: AuthorRow, posts: &[&Post]| {
        posts.iter().for_each(|post| row.see(&post.author, post.seen_at));
        row
    };
    let fresh: Vec<(&Key<'a>, AuthorRow)> = said
        .iter()
        .filter_map(|(key, posts)| {
            Some((key, see_all(AuthorRow::new(key.workspace_id, posts.first()?), posts)))
        })
        .collect();
    if fresh.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<&AuthorRow> = fresh.iter().map(|(_, row)| row).collect();
    let new = rows::insert_authors(conn, &rows).await?;
    let mut ids: BTreeMap<Key<'a>, String> = BTreeMap::new();
    let mut known = Vec::new();
    for (key, row) in fresh {
        if new.contains(&row.id) {
            ids.insert(key.clone(), row.id);
        } else {
            known.push(key.clone());
        }
    }
    if !known.is_empty() {
        let keys: HashMap<(&str, &str, &str), &Key<'a>> =
            known.iter().map(|k| ((k.workspace_id, k.platform, &*k.key), k)).collect();
        let mut rows = Vec::with_capacity(known.len());
        for row in rows::lock_authors(conn, &known).await? {
            let key = (&*row.workspace_id, &*row.platform, &*row.platform_id);
            let Some(key) = keys.get(&key).copied() else { continue };
            ids.insert(key.clone(), row.id.clone());
            let before = row.clone();
            let row = see_all(row, said.get(key).map_or(&[], Vec::as_slice));
            if row != before {
                rows.push(row);
            }
        }
        rows::update_authors(conn, &rows).await?;
    }
    Ok(ids)
}

/// Upserts the posts. What they are now, and the ids of those that are new.
async fn write_posts<'a>(
    conn: &mut PgConnection,
    posts: &Posts<'a>,
    authors: &BTreeMap<Key<'a>, String>,
) -> sqlx::Result<(Vec<Merged<'a>>, HashSet<String>)> {
    let mut fresh = Vec::with_capacity(posts.len());
    for (key, said) in posts {
        let author = said.first().map(|(_, post)| author_key(key, post));
        let author = author.and_then(|author| authors.get(&author));
        fresh.extend(author.and_then(|id| Some((key, Merged::fresh(id, said)?))));
    }
    if fresh.is_empty() {
        return Ok((Vec::new(), HashSet::new()));
    }
    let rows: Vec<&PostRow> = fresh.iter().map(|(_, one)| &one.row).collect();
    let new = rows::insert_posts(conn, &rows).await?;
    let is_new = |(_, one): &(&Key<'a>, Merged<'a>)| new.contains(&one.row.id);
    let known: Vec<Key<'a>> =
        fresh.iter().filter(|f| !is_new(f)).map(|(key, _)| (*key).clone()).collect();
    let mut merged: Vec<Merged<'a>> =
        fresh.into_iter().filter(is_new).map(|(_, one)| one).collect();
    if !known.is_empty() {
        let keys: HashMap<(&str, &str, &str), &Key<'a>> =
            known.iter().map(|k| ((k.workspace_id, k.platform, &*k.key), k)).collect();
        let stored: Vec<Merged<'a>> = rows::lock_posts(conn, &known)
            .await?
            .into_iter()
            .filter_map(|row| {
                let key = (&*row.workspace_id, &*row.platform, &*row.platform_post_id);
                let key = keys.get(&key).copied()?;
                Some(Merged::stored(row, posts.get(key)?))
            })
            .collect();
        let rows: Vec<&PostRow> = stored.iter().map(|one| &one.row).collect();
        rows::update_posts(conn, &rows).await?;
        merged.extend(stored);
    }
    Ok((merged, new))
}

fn to_decide(
    merged: &[Merged<'_>],
    new: &HashSet<String>,
    buried: &HashSet<String>,
) -> Vec<ToDecide> {
    let fresh = |one: &&Merged<'_>| {
        let row = &one.row;
        (row.reread || new.contains(&row.id)) && !row.spam_filtered && !buried.contains(&row.id)
    };
    let mut found: Vec<ToDecide> = merged
        .iter()
        .filter(fresh)
        .filter_map(|one| {
            Some(ToDecide {
                workspace_id: one.row.workspace_id.clone(),
                post_id: one.row.id.clone(),
                trace_id: one.by?.trace_id.to_owned(),
            })
        })
        .collect();
    found.sort_unstable_by(|a, b| a.post_id.cmp(&b.post_id));
    found
}

fn counted<'a>(
    arrivals: &'a [Arrival<'a>],
    (ours, erased): (&HashSet<Key<'a>>, &HashSet<Key<'a>>),
    merged: &[Merged<'a>],
    new: &HashSet<String>,
) -> Funnel<'a> {
    let mut funnel = Funnel::new();
    let mut add = |workspace_id, platform, stage, is: bool| {
        if is {
            *funnel.entry((workspace_id, platform, stage)).or_default() += 1;
        }
    };
    for arrival in arrivals {
        let at = arrival.workspace_id;
        match arrival.said {
            Said::Post(post) => {
                add(at, post.platform.as_str(), "scanned", true);
                let platform = post.platform.as_str();
                let refused = !is_taken(arrival, ours);
                add(at, platform, "refused", refused);
                let key = Key { workspace_id: at, platform, key: String::new() };
                add(at, platform, "erased", !refused && erased.contains(&author_key(&key, post)));
            }
            Said::PostGone { platform, .. } | Said::AuthorGone { platform, .. } => {
                add(at, platform.as_str(), "gone", true);
            }
        }
    }
    for one in merged {
        let (Some(by), is_new) = (one.by, new.contains(&one.row.id)) else { continue };
        let Said::Post(post) = by.said else { continue };
        let (at, platform) = (by.workspace_id, post.platform.as_str());
        add(at, platform, "saved", is_new);
        add(at, platform, "matched", is_new && !by.triage.keyword_matches.is_empty());
        add(at, platform, "spam", is_new && one.row.spam_filtered);
        add(at, platform, "edited", !is_new && one.row.reread);
    }
    funnel
}

async fn lock_places(
    conn: &mut PgConnection,
    arrivals: &[Arrival<'_>],
    gone: &Tombstones<'_>,
) -> sqlx::Result<()> {
    let alone = gone.places();
    let mut places: Vec<(&str, &str)> = arrivals
        .iter()
        .map(|arrival| (arrival.workspace_id, arrival.said.platform().as_str()))
        .collect();
    places.sort_unstable();
    places.dedup();
    let names: Vec<String> = places
        .iter()
        .map(|(workspace_id, platform)| format!("social {workspace_id} {platform}"))
        .collect();
    let alone: Vec<bool> = places.iter().map(|place| alone.contains(place)).collect();
    sqlx::query(
        "select case when alone then pg_advisory_xact_lock(hashtextextended(name, 0))::text
                else pg_advisory_xact_lock_shared(hashtextextended(name, 0))::text end
         from unnest($1::text[], $2::bool[]) as n (name, alone)",
    )
    .bind(names)
    .bind(alone)
    .execute(conn)
    .await?;
    Ok(())
}
