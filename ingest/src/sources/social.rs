//! What pages and deliveries of social platforms have in common: lists of things, of which some are odd. One odd thing
//! does not lose its neighbours.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use millrace_jobs::social::record::{Metrics, Platform, Post, Said};
use serde_json::value::RawValue;

use super::identity::{hold, stored_header};
use crate::json::{self, Object};
use crate::source::{ASKED_HEADER, Hold, Normalized, Odd, Stored};
use crate::{limits, text, time};

/// Longest id of a post or account (the seed's rule), bytes.
const ID_BYTES_MAX: usize = 100;

/// Why a thing says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// It cannot be read.
    Odd(&'static str),
    /// It is of no use, and known to be.
    Left(&'static str),
}

pub(super) type Item = Result<Said, Aside>;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Found<T = Said> {
    said: Vec<T>,
    odd: Odd,
    left: Option<&'static str>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { said: Vec::new(), odd: Odd::new(), left: None }
    }
}

impl<T> Found<T> {
    pub(super) fn add(&mut self, item: Result<T, Aside>) {
        match item {
            Ok(said) => self.said.push(said),
            Err(Aside::Odd(reason)) => {
                let count = self.odd.entry(reason).or_default();
                *count = count.saturating_add(1);
            }
            Err(Aside::Left(name)) => self.left = self.left.or(Some(name)),
        }
    }

    /// Held only if there is nothing but odd things; `empty` if there is nothing at all.
    pub(super) fn end_as(
        self,
        something: fn(Vec<T>, Odd) -> Normalized,
        empty: &'static str,
    ) -> Result<Normalized, Hold> {
        match (self.said.is_empty(), self.odd.first_key_value()) {
            (false, _) => Ok(something(self.said, self.odd)),
            (true, Some((reason, count))) => {
                Err(hold(reason, &format!("{count} of them, and nothing else")))
            }
            (true, None) => Ok(Normalized::Ignored(self.left.unwrap_or(empty))),
        }
    }
}

impl Found {
    /// As [`Found::end_as`], of a page.
    pub(super) fn end(self) -> Result<Normalized, Hold> {
        self.end_as(Normalized::Social, "empty_page")
    }
}

/// Each element read by `read`; one that is no object is odd.
pub(super) fn each<'a>(
    found: &mut Found,
    list: Vec<&'a RawValue>,
    read: impl Fn(Object<'a>) -> Item,
) {
    for raw in list {
        let item = Object::parse(raw.get()).map_err(|_| Aside::Odd("item_no_object"));
        found.add(item.and_then(&read));
    }
}

/// Lines of JSON objects; blank ones keep a connection alive, one that is cut is odd.
pub(super) fn lines<'a>(found: &mut Found, body: &'a str, read: impl Fn(Object<'a>, &mut Found)) {
    for line in
        body.split('\n').map(str::trim).filter(|line| !line.is_empty()).take(limits::RECORDS_MAX)
    {
        match Object::parse(line) {
            Ok(object) => read(object, found),
            Err(_) => found.add(Err(Aside::Odd("line_cut"))),
        }
    }
}

/// An id: of letters, digits, `_`, `-`.
pub(super) fn id(
    object: &Object<'_>,
    pointer: &str,
    missing: &'static str,
) -> Result<String, Aside> {
    let id = object.line(pointer, ID_BYTES_MAX.saturating_add(1)).ok_or(Aside::Odd(missing))?;
    let sound = id.len() <= ID_BYTES_MAX
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if sound { Ok(id) } else { Err(Aside::Odd("id_invalid")) }
}

/// As [`id`], where it may be absent.
pub(super) fn id_of(object: &Object<'_>, pointer: &str) -> Option<String> {
    id(object, pointer, "").ok()
}

/// A line that Postgres can store.
pub(super) fn line(object: &Object<'_>, pointer: &str) -> Option<String> {
    let line = object.line(pointer, limits::FIELD_BYTES_MAX)?;
    Some(text::clean(&line).0.into_owned())
}

/// Text of a post: trimmed, storable, bounded. Absent if there are no words.
pub(super) fn words(text: &str) -> Result<String, Aside> {
    let (clean, _) = text::clean(text.trim());
    let words = text::cap(&clean, limits::POST_BYTES_MAX).trim_end();
    if words.is_empty() { Err(Aside::Left("no_words")) } else { Ok(words.to_owned()) }
}

/// A whole number; a fraction is cut off.
pub(super) fn count(object: &Object<'_>, pointer: &str) -> Option<i64> {
    let text = object.text(pointer)?;
    text.split('.').next()?.parse().ok()
}

/// A time.
pub(super) fn when(object: &Object<'_>, pointer: &str) -> Option<DateTime<Utc>> {
    time::parse(&object.line(pointer, 64)?)
}

/// A flag that may be unknown.
pub(super) fn known_flag(object: &Object<'_>, pointer: &str) -> Option<bool> {
    match object.at(pointer)?.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A post of which nothing but its place is known yet.
pub(super) fn post(
    platform: Platform,
    id: String,
    content: String,
    seen_at: DateTime<Utc>,
) -> Post {
    Post {
        platform,
        platform_post_id: id,
        supersedes: Vec::new(),
        author: Default::default(),
        content,
        posted_at: None,
        edited_at: None,
        lang: None,
        in_reply_to: None,
        conversation: None,
        community: None,
        url: None,
        addressed: false,
        metrics: Metrics::default(),
        seen_at,
    }
}

/// A post that is no more.
pub(super) fn gone(
    platform: Platform,
    id: String,
    at: Option<DateTime<Utc>>,
    reason: &str,
) -> Said {
    Said::PostGone { platform, platform_post_id: id, at, reason: reason.to_owned() }
}

/// What a look-up asked for and was not shown is gone.
pub(super) fn not_shown(
    stored: &Stored<'_>,
    platform: Platform,
    shown: &HashSet<String>,
    found: &mut Found,
) {
    let asked = stored_header(stored, ASKED_HEADER).unwrap_or_default();
    for id in asked.split(',').filter(|id| !id.is_empty() && !shown.contains(*id)) {
        found.add(Ok(gone(platform, id.to_owned(), None, "removed")));
    }
}

/// The body as one object.
pub(super) fn whole(body: &str) -> Result<Object<'_>, Hold> {
    Object::parse(body).map_err(|why| hold("json_invalid", why))
}

/// Elements of an array of objects below a pointer, by their `id`.
pub(super) fn by_id<'a>(object: &Object<'a>, pointer: &str) -> Vec<(String, Object<'a>)> {
    let parsed = object.at(pointer).map(json::array).unwrap_or_default().into_iter();
    parsed
        .filter_map(|raw| Object::parse(raw.get()).ok())
        .filter_map(|object| Some((id_of(&object, "id")?, object)))
        .collect()
}
