//! Reddit: pages of listings, comments and look-ups that a poller fetched with `raw_json=1`. It has no push.

use chrono::{DateTime, Utc};
use millrace_jobs::social::record::{Author, Metrics, Platform, Post, Said};
use serde_json::{Value, value::RawValue};

use super::identity::{common_reply, common_wire, hold, refuse, stored_header};
use super::social::{
    self, Aside, Found, Item, count, each, gone, id, id_of, line, post, when, whole,
};
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, PAGE_HEADER, Receipt, Reject, Source, SourceConfig,
    Stored, Wire,
};
use crate::{limits, text};

/// See the module.
#[derive(Debug)]
pub(super) struct Reddit;

/// Answers below answers that are followed.
const DEPTH_MAX: usize = 20;

impl Source for Reddit {
    fn name(&self) -> &'static str {
        "reddit"
    }

    fn about(&self) -> &'static str {
        "Reddit: searches approved subreddits with an OAuth2 app; polls only, for Reddit delivers nothing"
    }

    fn is_social(&self) -> bool {
        true
    }

    fn default_scheme(&self) -> &'static str {
        "millrace"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, _: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        Err(refuse("no_push", "Reddit delivers nothing; this source polls"))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Stored")
    }

    fn normalize(&self, stored: &Stored<'_>, _: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let mut found = Found::default();
        match stored_header(stored, PAGE_HEADER) {
            Some("listing") => listing(&whole(&body)?, stored.received_at, 0, &mut found)?,
            Some("replies") => {
                each(&mut found, whole(&body)?.array("/data/children"), |thing| {
                    answer(&thing, stored.received_at)
                });
            }
            Some("lookup") => {
                let object = whole(&body)?;
                listing(&object, stored.received_at, 0, &mut found)?;
                let things = object.array("/data/children");
                let things = things.iter().filter_map(|raw| Object::parse(raw.get()).ok());
                let shown = things.filter_map(|thing| thing.text("/data/name")).collect();
                social::not_shown(stored, Platform::Reddit, &shown, &mut found);
            }
            // A thread: the listing of its post, and that of the comments.
            Some("comments") => {
                for raw in json::items(&body).map_err(|why| hold("json_invalid", why))? {
                    listing(&whole(raw.get())?, stored.received_at, 0, &mut found)?;
                }
            }
            _ => return Err(hold("page_unknown", "no page of a kind that this release knows")),
        }
        found.end()
    }
}

fn listing(
    object: &Object<'_>,
    seen_at: DateTime<Utc>,
    depth: usize,
    found: &mut Found,
) -> Result<(), Hold> {
    if object.text("kind").as_deref() != Some("Listing") {
        return Err(hold("foreign_payload", "no Listing"));
    }
    for raw in object.array("/data/children") {
        thing(raw, seen_at, depth, found);
    }
    Ok(())
}

fn thing(raw: &RawValue, seen_at: DateTime<Utc>, depth: usize, found: &mut Found) {
    let parts = Object::parse(raw.get()).ok();
    let parts = parts.as_ref().and_then(|thing| Some((thing.text("kind")?, thing.object("data")?)));
    let Some((kind, data)) = parts else { return found.add(Err(Aside::Odd("item_no_object"))) };
    match kind.as_str() {
        "t3" => found.add(submission(&data, seen_at)),
        "t1" => {
            found.add(comment(&data, seen_at));
            // Without answers it is an empty text.
            if let Some(replies) = data.object("replies").filter(|_| depth < DEPTH_MAX)
                && listing(&replies, seen_at, depth.saturating_add(1), found).is_err()
            {
                found.add(Err(Aside::Odd("replies_no_listing")));
            }
        }
        "more" => found.add(Err(Aside::Left("more"))),
        _ => found.add(Err(Aside::Odd("kind_unknown"))),
    }
}

fn submission(data: &Object<'_>, seen_at: DateTime<Utc>) -> Item {
    let own = full_name(data, "t3_")?;
    let body = data.text("selftext").unwrap_or_default();
    if let Some(reason) = gone_for(data, &body) {
        return Ok(gone(Platform::Reddit, own, None, reason));
    }
    let title = data.text("title").unwrap_or_default();
    let content = social::words(&format!("{}\n\n{}", title.trim(), body.trim()))?;
    let mut post = common(data, own.clone(), content, seen_at)?;
    post.conversation = Some(own);
    post.metrics.replies = count(data, "num_comments");
    post.metrics.reposts = count(data, "num_crossposts");
    Ok(Said::Post(Box::new(post)))
}

fn comment(data: &Object<'_>, seen_at: DateTime<Utc>) -> Item {
    let own = full_name(data, "t1_")?;
    let body = data.text("body").ok_or(Aside::Odd("text_missing"))?;
    if let Some(reason) = gone_for(data, &body) {
        return Ok(gone(Platform::Reddit, own, None, reason));
    }
    let mut post = common(data, own, social::words(&body)?, seen_at)?;
    post.in_reply_to = id_of(data, "parent_id");
    post.conversation = id_of(data, "link_id");
    Ok(Said::Post(Box::new(post)))
}

/// A comment under one of ours, as an inbox shows it: its thread is only in its address there.
fn answer(thing: &Object<'_>, seen_at: DateTime<Utc>) -> Item {
    if thing.text("kind").as_deref() != Some("t1") {
        return Err(Aside::Left("no_comment"));
    }
    let data = thing.object("data").ok_or(Aside::Odd("item_no_object"))?;
    let mut said = comment(&data, seen_at)?;
    if let Said::Post(post) = &mut said {
        post.addressed = true;
        let address = line(&data, "context").unwrap_or_default();
        let thread = address.split_once("/comments/").and_then(|(_, rest)| rest.split('/').next());
        let thread =
            thread.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        post.conversation = post.conversation.take().or(thread.map(|id| format!("t3_{id}")));
        let url = address.split('?').next().filter(|path| path.starts_with('/'));
        post.url = post.url.take().or(url.map(|path| format!("https://www.reddit.com{path}")));
    }
    Ok(said)
}

fn common(
    data: &Object<'_>,
    own: String,
    content: String,
    seen_at: DateTime<Utc>,
) -> Result<Post, Aside> {
    let author = id(data, "author_fullname", "author_missing")?;
    let mut post = post(Platform::Reddit, own, content, seen_at);
    post.posted_at = when(data, "created_utc");
    post.edited_at = when(data, "edited");
    post.community = line(data, "subreddit").map(|name| name.to_ascii_lowercase());
    post.url = line(data, "permalink")
        .filter(|path| path.starts_with('/'))
        .map(|path| format!("https://www.reddit.com{path}"));
    // Votes are blurred by Reddit, and hidden at first.
    post.metrics = Metrics {
        likes: count(data, "score").filter(|_| !data.flag("score_hidden")),
        ..Metrics::default()
    };
    post.author = Author { platform_id: author, handle: line(data, "author"), ..Author::default() };
    Ok(post)
}

fn full_name(data: &Object<'_>, prefix: &str) -> Result<String, Aside> {
    let own = id(data, "name", "id_missing")?;
    if own.starts_with(prefix) { Ok(own) } else { Err(Aside::Odd("id_invalid")) }
}

/// Why a thing is not there any more, if so. One whose author deleted the account must go too: the terms ask for it.
fn gone_for(data: &Object<'_>, body: &str) -> Option<&'static str> {
    match (body.trim(), data.text("removed_by_category").as_deref()) {
        ("[deleted]", _) | (_, Some("deleted" | "author")) => Some("deleted"),
        ("[removed]", _) | (_, Some(_)) => Some("removed"),
        _ if data.text("author").as_deref().map(|name| text::cap(name, 16))
            == Some("[deleted]") =>
        {
            Some("author_deleted")
        }
        _ => None,
    }
}
