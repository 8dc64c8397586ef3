//! Threads: webhooks in its own envelope and in Meta's classic one, and pages that a poller fetched.
//!
//! Nobody's account id is shown but our own ("Threads Media", fields): an account is known by its name, as `@name`.

use chrono::{DateTime, Utc};
use millrace_jobs::social::record::{Author, Metrics, Platform, Said};
use serde_json::{Value, value::RawValue};

use super::identity::{self, common_reply, common_wire, hold, refuse, stored_header};
use super::social::{
    self, Aside, Found, Item, count, each, gone, id, id_of, known_flag, line, post, when, whole,
};
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Handshake, Hold, Normalized, PAGE_HEADER, Receipt, Reject, Source,
    SourceConfig, Stored, Wire,
};
use crate::sources::fields::web_url;
use crate::{form, limits, verify};

/// See the module.
#[derive(Debug)]
pub(super) struct Threads;

/// Who the source is, and when it was told.
#[derive(Debug, Clone, Copy)]
struct Seen<'c> {
    at: DateTime<Utc>,
    /// Our own name, without `@`.
    us: Option<&'c str>,
}

impl Source for Threads {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn about(&self) -> &'static str {
        "Threads: keyword search and replies; polls with an access token, or takes Meta's webhooks"
    }

    fn is_social(&self) -> bool {
        true
    }

    fn default_scheme(&self) -> &'static str {
        "meta"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    /// Meta's verification request: the challenge back, if the token is the one that we gave out.
    fn handshake(&self, asked: &Handshake<'_>) -> Result<Option<Accepted>, Reject> {
        let field = |name: &str| form::field(form::URLENCODED, asked.query.as_bytes(), name);
        if field("hub.mode").as_deref() != Some("subscribe") {
            return Ok(None);
        }
        if asked.secrets.is_empty() {
            return Err(refuse("secret_missing", "Source is not ready"));
        }
        let token = field("hub.verify_token").unwrap_or_default();
        let known = |expected: String| {
            verify::hash_key(expected.as_bytes()) == verify::hash_key(token.as_bytes())
        };
        if !asked.secrets.iter().filter_map(verify::verify_token).any(known) {
            return Err(refuse("verify_token_wrong", "Wrong verify token"));
        }
        let challenge = field("hub.challenge").unwrap_or_default();
        let body = crate::text::cap(&challenge, limits::FIELD_BYTES_MAX).to_owned().into_bytes();
        Ok(Some(Accepted::Reply { content_type: "text/plain", body }))
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let values = object.at("values").and_then(|raw| Object::parse(first(raw)).ok());
        let field = values.and_then(|value| value.text("field"));
        let field = field.or_else(|| object.text("/entry/0/changes/0/field"));
        Ok(identity::event(identity::hash_key(delivery.body), field.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Stored")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let us = config.options.get("username").and_then(Value::as_str);
        let seen = Seen { at: stored.received_at, us };
        let object = whole(&body)?;
        let mut found = Found::default();
        match stored_header(stored, PAGE_HEADER) {
            Some(kind @ ("keyword_search" | "mentions" | "replies")) => {
                if !object.has("data") {
                    return Err(hold("foreign_payload", "`data` is missing"));
                }
                let addressed = kind != "keyword_search";
                each(&mut found, object.array("data"), |media| media_post(&media, seen, addressed));
            }
            // One post, or none.
            Some("lookup") => {
                if object.has("id") {
                    found.add(media_post(&object, seen, false));
                }
                let shown = object.text("id").into_iter().collect();
                social::not_shown(stored, Platform::Threads, &shown, &mut found);
            }
            Some(_) => {
                return Err(hold(
                    "page_unknown",
                    "a page of a kind that this release does not know",
                ));
            }
            None => delivered(&object, seen, &mut found)?,
        }
        found.end()
    }
}

/// The first of a list, or the one that there is.
fn first(raw: &RawValue) -> &str {
    if raw.get().starts_with('[') {
        json::array(raw).first().map_or("", |raw| raw.get())
    } else {
        raw.get()
    }
}

fn delivered(object: &Object<'_>, seen: Seen<'_>, found: &mut Found) -> Result<(), Hold> {
    if let Some(values) = object.at("values") {
        let values = if values.get().starts_with('[') { json::array(values) } else { vec![values] };
        each(found, values, |value| changed(&value, seen));
        return Ok(());
    }
    if object.has("entry") {
        for entry in object.array("entry") {
            let entry = Object::parse(entry.get()).unwrap_or_default();
            each(found, entry.array("changes"), |change| changed(&change, seen));
        }
        return Ok(());
    }
    Err(hold("foreign_payload", "neither `values` nor `entry`"))
}

fn changed(change: &Object<'_>, seen: Seen<'_>) -> Item {
    let field = change.text("field").ok_or(Aside::Odd("field_missing"))?;
    let value = change.object("value").ok_or(Aside::Odd("item_no_object"))?;
    match field.as_str() {
        "replies" | "mentions" => media_post(&value, seen, true),
        "delete" => Ok(gone(
            Platform::Threads,
            id(&value, "id", "id_missing")?,
            when(&value, "deleted_at"),
            "deleted",
        )),
        "publish" => Err(Aside::Left("own_post")),
        _ => Err(Aside::Left("field_of_no_use")),
    }
}

fn media_post(media: &Object<'_>, seen: Seen<'_>, addressed: bool) -> Item {
    let own = id(media, "id", "id_missing")?;
    let name = line(media, "username").ok_or(Aside::Odd("author_missing"))?;
    let name = name.trim_start_matches('@').to_owned();
    if seen.us.is_some_and(|us| us.trim_start_matches('@').eq_ignore_ascii_case(&name)) {
        return Err(Aside::Left("own_post"));
    }
    if media.text("media_type").as_deref() == Some("REPOST_FACADE") {
        return Err(Aside::Left("repost"));
    }
    let content = social::words(&media.text("text").unwrap_or_default())?;
    let mut post = post(Platform::Threads, own, content, seen.at);
    post.posted_at = when(media, "timestamp");
    post.in_reply_to = id_of(media, "/replied_to/id");
    post.conversation = id_of(media, "/root_post/id");
    post.url = line(media, "permalink").as_deref().and_then(web_url);
    post.addressed = addressed;
    post.metrics = Metrics {
        likes: count(media, "like_count"),
        replies: count(media, "reply_count"),
        reposts: count(media, "repost_count"),
        quotes: count(media, "quote_count"),
        views: count(media, "views"),
    };
    post.author = Author {
        platform_id: format!("@{}", name.to_ascii_lowercase()),
        handle: Some(name),
        verified: known_flag(media, "is_verified"),
        ..Author::default()
    };
    Ok(Said::Post(Box::new(post)))
}
