//! What rows become by what is said of them. In whatever order it is said, they end the same: of each field the newest
//! known value stays, of a post the newest text, and the others are its versions.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::apply::Arrival;
use crate::{
    embed::content_hash,
    social::record::{Author, Metrics, Post},
};

/// The text of a post, and the handle of an account, that are gone.
pub(super) const DELETED: &str = "[deleted]";
/// Characters of what is a part of keys: no platform has ids as long.
const ID_CHARS_MAX: usize = 200;
const FOLLOWERS_MAX: i64 = 1_000_000_000;

type Observed = Json<BTreeMap<String, i64>>;

/// A row of `social.authors`, read and written.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub(super) struct AuthorRow {
    pub(super) workspace_id: String,
    pub(super) id: String,
    pub(super) platform: String,
    pub(super) platform_id: String,
    handle: String,
    display_name: Option<String>,
    bio: Option<String>,
    follower_count: i32,
    is_verified: bool,
    account_created_at: Option<DateTime<Utc>>,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    observed: Observed,
}

impl AuthorRow {
    /// One who was never seen before, before [`Self::see`].
    pub(super) fn new(workspace_id: &str, post: &Post) -> Self {
        let seen_at = millis(post.seen_at);
        Self {
            workspace_id: workspace_id.to_owned(),
            id: Uuid::now_v7().to_string(),
            platform: post.platform.as_str().to_owned(),
            platform_id: id_text(&post.author.platform_id),
            handle: String::new(),
            display_name: None,
            bio: None,
            follower_count: 0,
            is_verified: false,
            account_created_at: None,
            first_seen_at: seen_at,
            last_seen_at: seen_at,
            observed: Json::default(),
        }
    }

    /// They were seen so at `seen_at`.
    pub(super) fn see(&mut self, author: &Author, seen_at: DateTime<Utc>) {
        let at = seen_at.timestamp_millis();
        self.first_seen_at = self.first_seen_at.min(millis(seen_at));
        self.last_seen_at = self.last_seen_at.max(millis(seen_at));
        let Json(observed) = &mut self.observed;
        keep(observed, "handle", at, &mut self.handle, author.handle.as_deref().map(text));
        keep(
            observed,
            "display_name",
            at,
            &mut self.display_name,
            known(author.display_name.as_deref()),
        );
        keep(observed, "bio", at, &mut self.bio, known(author.bio.as_deref()));
        let followers = author.followers.filter(|n| (0..=FOLLOWERS_MAX).contains(n));
        let followers = followers.and_then(|n| i32::try_from(n).ok());
        keep(observed, "follower_count", at, &mut self.follower_count, followers);
        keep(observed, "is_verified", at, &mut self.is_verified, author.verified);
        let since = author.since.and_then(sane).map(Some);
        keep(observed, "account_created_at", at, &mut self.account_created_at, since);
    }
}

/// A row of `social.posts`, read and written.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub(super) struct PostRow {
    pub(super) workspace_id: String,
    pub(super) id: String,
    pub(super) platform: String,
    pub(super) platform_post_id: String,
    pub(super) author_id: String,
    pub(super) content: String,
    detected_at: DateTime<Utc>,
    keyword_matches: Vec<String>,
    keyword_categories: Vec<String>,
    keyword_priority: Option<i16>,
    pub(super) spam_filtered: bool,
    spam_reason: Option<String>,
    raw_metrics: Option<Json<Map<String, Value>>>,
    posted_at: Option<DateTime<Utc>>,
    edited_at: Option<DateTime<Utc>>,
    seen_at: DateTime<Utc>,
    lang: Option<String>,
    #[serde(serialize_with = "hex_bytes")]
    content_norm_hash: Option<Vec<u8>>,
    #[serde(serialize_with = "hex_bytes")]
    content_hash: Option<Vec<u8>>,
    in_reply_to: Option<String>,
    conversation: Option<String>,
    community: Option<String>,
    url: Option<String>,
    addressed: bool,
    first_metrics_at: Option<DateTime<Utc>>,
    observed: Observed,
    source_id: Option<String>,
    event_id: Option<Uuid>,
    trace_id: Option<String>,
    /// Its text is another than the stored one, or is no spam any more: what was derived from that falls.
    #[sqlx(skip)]
    pub(super) reread: bool,
}

/// A text that a post had, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) content: String,
    pub(super) edited_at: Option<DateTime<Utc>>,
    pub(super) seen_at: DateTime<Utc>,
}

/// A post with all that a batch says of it.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    pub(super) row: PostRow,
    /// Texts that are not its current one.
    pub(super) versions: Vec<Version>,
    /// The arrival whose text is its current one; none, if that was stored before and not seen again since.
    pub(super) by: Option<&'a Arrival<'a>>,
}

impl<'a> Merged<'a> {
    /// A post that was never seen before, with what is said of it.
    pub(super) fn fresh(author_id: &str, said: &[(&'a Arrival<'a>, &'a Post)]) -> Option<Self> {
        let (arrival, post) = said.first()?;
        let row = PostRow::new(arrival, post, author_id);
        let mut merged = Self { row, versions: Vec::new(), by: Some(arrival) };
        merged.take(arrival, post);
        merged.see_all(said);
        Some(merged)
    }

    /// The stored row, with what is said of it.
    pub(super) fn stored(row: PostRow, said: &[(&'a Arrival<'a>, &'a Post)]) -> Self {
        let (before, was_spam) = (row.content.clone(), row.spam_filtered);
        let mut merged = Self { row, versions: Vec::new(), by: None };
        merged.see_all(said);
        // What was spam was never decided upon.
        let ham = was_spam && !merged.row.spam_filtered;
        merged.row.reread = ham || merged.row.content != before;
        merged
    }

    fn see_all(&mut self, said: &[(&'a Arrival<'a>, &'a Post)]) {
        for (arrival, post) in said {
            self.see(arrival, post);
        }
        let current = &self.row.content;
        self.versions.retain(|version| version.content != *current && version.content != DELETED);
    }

    fn see(&mut self, arrival: &'a Arrival<'a>, post: &'a Post) {
        let (edited_at, seen_at) = (post.edited_at.and_then(sane), millis(post.seen_at));
        let row = &self.row;
        // The delivery last: of the same said twice, one stays.
        if (edited_at, seen_at, post.content.as_str(), Some(arrival.event_id))
            >= (row.edited_at, row.seen_at, row.content.as_str(), row.event_id)
        {
            self.put_aside(row.content.clone(), row.edited_at, row.seen_at);
            self.take(arrival, post);
        } else {
            self.put_aside(post.content.clone(), edited_at, seen_at);
        }
        self.row.see(post);
    }

    fn put_aside(
        &mut self,
        content: String,
        edited_at: Option<DateTime<Utc>>,
        seen_at: DateTime<Utc>,
    ) {
        self.versions.push(Version { content, edited_at, seen_at });
    }

    /// Its current text is this one.
    fn take(&mut self, arrival: &'a Arrival<'a>, post: &Post) {
        let (row, triage) = (&mut self.row, &arrival.triage);
        row.content.clone_from(&post.content);
        row.edited_at = post.edited_at.and_then(sane);
        row.seen_at = millis(post.seen_at);
        row.keyword_matches.clone_from(&triage.keyword_matches);
        row.keyword_categories.clone_from(&triage.keyword_categories);
        row.keyword_priority = triage.keyword_priority;
        row.spam_reason.clone_from(&triage.spam_reason);
        row.spam_filtered = triage.spam_reason.is_some();
        row.content_norm_hash = Some(triage.content_norm_hash.to_vec());
        row.content_hash = Some(content_hash(&post.content).to_vec());
        row.source_id = Some(arrival.source_id.to_owned());
        row.event_id = Some(arrival.event_id);
        row.trace_id = Some(arrival.trace_id.to_owned());
        self.by = Some(arrival);
    }
}

impl PostRow {
    fn new(arrival: &Arrival<'_>, post: &Post, author_id: &str) -> Self {
        let seen_at = millis(post.seen_at);
        Self {
            workspace_id: arrival.workspace_id.to_owned(),
            id: Uuid::now_v7().to_string(),
            platform: post.platform.as_str().to_owned(),
            platform_post_id: post.platform_post_id.clone(),
            author_id: author_id.to_owned(),
            content: String::new(),
            detected_at: seen_at,
            keyword_matches: Vec::new(),
            keyword_categories: Vec::new(),
            keyword_priority: None,
            spam_filtered: false,
            spam_reason: None,
            raw_metrics: None,
            posted_at: None,
            edited_at: None,
            seen_at,
            lang: None,
            content_norm_hash: None,
            content_hash: None,
            in_reply_to: None,
            conversation: None,
            community: None,
            url: None,
            addressed: false,
            first_metrics_at: None,
            observed: Json::default(),
            source_id: None,
            event_id: None,
            trace_id: None,
            reread: false,
        }
    }

    /// All but its text.
    fn see(&mut self, post: &Post) {
        let (seen_at, at) = (millis(post.seen_at), post.seen_at.timestamp_millis());
        self.detected_at = self.detected_at.min(seen_at);
        self.addressed |= post.addressed;
        let Json(observed) = &mut self.observed;
        let posted_at = post.posted_at.and_then(sane).map(Some);
        keep(observed, "posted_at", at, &mut self.posted_at, posted_at);
        keep(observed, "lang", at, &mut self.lang, known(post.lang.as_deref()));
        keep(
            observed,
            "in_reply_to",
            at,
            &mut self.in_reply_to,
            known_id(post.in_reply_to.as_deref()),
        );
        keep(
            observed,
            "conversation",
            at,
            &mut self.conversation,
            known_id(post.conversation.as_deref()),
        );
        keep(observed, "community", at, &mut self.community, known_id(post.community.as_deref()));
        keep(observed, "url", at, &mut self.url, known(post.url.as_deref()));
        let said = counts(&post.metrics);
        if said.iter().all(|(_, count)| count.is_none()) {
            return;
        }
        self.first_metrics_at = Some(self.first_metrics_at.map_or(seen_at, |t| t.min(seen_at)));
        let Json(metrics) = self.raw_metrics.get_or_insert_default();
        for (name, count) in said {
            let mut kept = metrics.get(name).and_then(Value::as_i64);
            keep(observed, name, at, &mut kept, count.map(Some));
            if let Some(count) = kept {
                metrics.insert(name.to_owned(), count.into());
            }
        }
    }
}

/// The counts by their columns.
pub(super) const fn counts(metrics: &Metrics) -> [(&'static str, Option<i64>); 5] {
    let Metrics { likes, replies, reposts, quotes, views } = *metrics;
    [
        ("likes", likes),
        ("replies", replies),
        ("reposts", reposts),
        ("quotes", quotes),
        ("views", views),
    ]
}

/// `kept` becomes what is said, if that is known and no older than what is kept; of two of one moment the greater.
fn keep<T: Ord>(
    observed: &mut BTreeMap<String, i64>,
    field: &str,
    at: i64,
    kept: &mut T,
    said: Option<T>,
) {
    let Some(said) = said else { return };
    if observed.get(field).is_none_or(|before| (at, &said) > (*before, &*kept)) {
        observed.insert(field.to_owned(), at);
        *kept = said;
    }
}

fn known(said: Option<&str>) -> Option<Option<String>> {
    said.map(|said| Some(text(said)))
}

fn known_id(said: Option<&str>) -> Option<Option<String>> {
    said.map(|said| Some(id_text(said)))
}

/// Postgres takes no NUL.
pub(super) fn text(said: &str) -> String {
    said.replace('\0', "\u{FFFD}")
}

/// As a part of a key: not longer than an index takes.
pub(super) fn id_text(said: &str) -> String {
    said.chars().take(ID_CHARS_MAX).map(|c| if c == '\0' { '\u{FFFD}' } else { c }).collect()
}

/// To the millisecond, as it is stored: what is compared with a stored time must have been cut as that was.
pub(super) fn millis(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

/// A time that a platform can mean, cut to the millisecond.
fn sane(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    const END: i64 = 253_402_300_800; // the year 10000
    (0..END).contains(&at.timestamp()).then(|| millis(at))
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn hex_bytes<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => to.collect_str(&format_args!("\\x{}", hex::encode(bytes))),
        None => to.serialize_none(),
    }
}
