//! X: webhooks (account activity, filtered stream, compliance) and pages of API v2 that a poller fetched.
//!
//! Each edit of a post has an id of its own (X, "Edit Posts"); errors stand beside data in a 200 ("Partial errors").

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use millrace_jobs::social::record::{Author, Metrics, Platform, Said};
use serde_json::Value;

use super::identity::{self, common_reply, common_wire, hold, refuse, stored_header};
use super::social::{
    self, Aside, Found, Item, by_id, count, each, id, id_of, known_flag, line, lines, post, when,
    whole,
};
use super::{x_account, x_gone};
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Handshake, Hold, Normalized, PAGE_HEADER, Receipt, Reject, Source,
    SourceConfig, Stored, Wire,
};
use crate::{form, limits, verify};

/// See the module.
#[derive(Debug)]
pub(super) struct X;

/// Who the source is, and when it was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'c> {
    pub(super) at: DateTime<Utc>,
    /// Our own account's id.
    pub(super) us: Option<&'c str>,
}

type Users<'a> = HashMap<String, Object<'a>>;

impl Source for X {
    fn name(&self) -> &'static str {
        "x"
    }

    fn about(&self) -> &'static str {
        "X: recent search, filtered stream, account activity, compliance; polls with a bearer token, or takes webhooks"
    }

    fn is_social(&self) -> bool {
        true
    }

    fn default_scheme(&self) -> &'static str {
        "x"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    /// The challenge-response check, which decides at once whether X goes on to deliver.
    fn handshake(&self, asked: &Handshake<'_>) -> Result<Option<Accepted>, Reject> {
        let Some(token) = form::field(form::URLENCODED, asked.query.as_bytes(), "crc_token") else {
            return Ok(None);
        };
        let secret =
            asked.secrets.first().ok_or(refuse("secret_missing", "Source is not ready"))?;
        let answer = verify::crc_response(secret, &token)
            .ok_or(refuse("crc_token_invalid", "Invalid crc_token"))?;
        let body = serde_json::json!({ "response_token": answer }).to_string().into();
        Ok(Some(Accepted::Reply { content_type: "application/json", body }))
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        Ok(identity::event(identity::hash_key(delivery.body), Some(event_type(&object))))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Stored")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let seen = Seen { at: stored.received_at, us: config.external_id.as_deref() };
        let mut found = Found::default();
        match stored_header(stored, PAGE_HEADER) {
            Some("search") => page(&whole(&body)?, seen, &mut found)?,
            Some("lookup") => {
                let object = whole(&body)?;
                page(&object, seen, &mut found)?;
                each(&mut found, object.array("errors"), x_gone::missing);
            }
            Some("stream") => {
                lines(&mut found, &body, |object, found| delivered(&object, seen, found))
            }
            Some(kind @ ("compliance_tweets" | "compliance_users")) => {
                lines(&mut found, &body, |object, found| found.add(x_gone::of_job(kind, &object)));
            }
            Some(_) => {
                return Err(hold(
                    "page_unknown",
                    "a page of a kind that this release does not know",
                ));
            }
            None => delivered(&whole(&body)?, seen, &mut found),
        }
        found.end()
    }
}

fn event_type<'o>(object: &'o Object<'_>) -> &'o str {
    let known = |key: &&str| {
        !matches!(*key, "for_user_id" | "user_has_blocked" | "matching_rules" | "includes")
    };
    match object.get("data").and_then(|data| Object::parse(data.get()).ok()) {
        Some(data) if x_gone::is_compliance(&data) => "compliance",
        Some(data) if data.has("event_type") => "activity",
        Some(_) => "post",
        None => object.entries().map(|(key, _)| key).find(known).unwrap_or("unknown"),
    }
}

/// One webhook body, or one line of a stream.
fn delivered(object: &Object<'_>, seen: Seen<'_>, found: &mut Found) {
    if let Some(data) = object.object("data") {
        if data.has("event_type") {
            return found.add(Err(Aside::Left("activity")));
        }
        if x_gone::is_compliance(&data) {
            return found.add(x_gone::of_stream(&data));
        }
        let users = by_id(object, "/includes/users").into_iter().collect();
        return found.add(tweet(&data, &users, seen));
    }
    if x_account::read(object, seen, found) {
        return;
    }
    let name = if object.has("errors") {
        "stream_error"
    } else if object.has("replay_job_status") {
        "replay_status"
    } else {
        ""
    };
    found.add(Err(if name.is_empty() { Aside::Odd("foreign_payload") } else { Aside::Left(name) }));
}

/// A page of posts. Errors beside the data are about what the posts refer to.
fn page(object: &Object<'_>, seen: Seen<'_>, found: &mut Found) -> Result<(), Hold> {
    if !object.has("data") && !object.has("meta") {
        // A look-up of posts that are all gone is nothing but errors about them.
        let of_things = object.at("/errors/0/resource_id").is_some();
        return match (of_things, object.has("errors")) {
            (true, _) => Ok(()),
            (false, true) => Err(hold("page_errors", "errors and no data")),
            (false, false) => Err(hold("foreign_payload", "neither `data` nor `meta`")),
        };
    }
    let users: Users<'_> = by_id(object, "/includes/users").into_iter().collect();
    each(found, object.array("data"), |data| tweet(&data, &users, seen));
    Ok(())
}

/// A post as API v2 shows it.
fn tweet(data: &Object<'_>, users: &Users<'_>, seen: Seen<'_>) -> Item {
    let own = id(data, "id", "id_missing")?;
    let author_id = id(data, "author_id", "author_missing")?;
    if seen.us == Some(&author_id) {
        return Err(Aside::Left("own_post"));
    }
    let referenced = |wanted: &str| {
        let all = data.array("referenced_tweets");
        let mut all = all.iter().filter_map(|raw| Object::parse(raw.get()).ok());
        all.find(|of| of.text("type").as_deref() == Some(wanted)).and_then(|of| id_of(&of, "id"))
    };
    if referenced("retweeted").is_some() {
        return Err(Aside::Left("repost"));
    }
    let text = data
        .text("/note_tweet/text")
        .or_else(|| data.text("text"))
        .ok_or(Aside::Odd("text_missing"))?;
    let versions = data.array("edit_history_tweet_ids");
    let versions: Vec<String> = versions.into_iter().filter_map(json::scalar).collect();
    let earlier = versions.iter().position(|version| *version == own).unwrap_or(0);
    let edited = earlier > 0;
    let mut post = post(Platform::Twitter, own, social::words(&unescaped(&text))?, seen.at);
    post.supersedes = versions.into_iter().take(earlier).collect();
    post.posted_at = when(data, "created_at");
    post.edited_at = post.posted_at.filter(|_| edited);
    post.lang = lang(data);
    post.in_reply_to = referenced("replied_to");
    post.conversation = id_of(data, "conversation_id");
    post.url = Some(url(&post.platform_post_id));
    post.addressed = addressed(data, seen);
    let metric = |name: &str| count(data, &format!("/public_metrics/{name}"));
    post.metrics = Metrics {
        likes: metric("like_count"),
        replies: metric("reply_count"),
        reposts: metric("retweet_count"),
        quotes: metric("quote_count"),
        views: metric("impression_count"),
    };
    post.author = author(author_id, users);
    Ok(Said::Post(Box::new(post)))
}

/// What is known of the account; only its id if it was left out, as one that is suspended is.
fn author(author_id: String, users: &Users<'_>) -> Author {
    let Some(user) = users.get(&author_id) else {
        return Author { platform_id: author_id, ..Author::default() };
    };
    Author {
        platform_id: author_id,
        handle: line(user, "username"),
        display_name: line(user, "name"),
        bio: line(user, "description"),
        followers: count(user, "/public_metrics/followers_count"),
        verified: known_flag(user, "verified"),
        since: when(user, "created_at"),
    }
}

fn addressed(data: &Object<'_>, seen: Seen<'_>) -> bool {
    let Some(us) = seen.us else { return false };
    let mentions = data.array("/entities/mentions");
    let mut mentions = mentions.iter().filter_map(|raw| Object::parse(raw.get()).ok());
    data.text("in_reply_to_user_id").as_deref() == Some(us)
        || mentions.any(|of| of.text("id").as_deref() == Some(us))
}

/// X escapes these three in texts, and nothing else.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// `und` is X's word for not knowing.
pub(super) fn lang(object: &Object<'_>) -> Option<String> {
    line(object, "lang").filter(|lang| lang.len() <= 16 && lang != "und")
}

pub(super) fn url(id: &str) -> String {
    format!("https://x.com/i/status/{id}")
}
