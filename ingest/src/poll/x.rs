//! X API v2: recent search.

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use http::HeaderMap;
use millrace_jobs::social::outcomes::windows::Shown;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::{
    access::{Credentials, Grant, expose},
    budget::{Quota, Told, number},
    look::{GONE, count},
    plan::Query,
    platform::{Ask, NoPage, Of, Platform, with_query},
    walk::Page,
};
use crate::json::{self, Object};

/// See the module.
pub(super) struct X;

/// The first millisecond of X's ids.
const EPOCH_MS: i64 = 1_288_834_974_657;
/// Bits of an id below its milliseconds.
const BELOW_MS: u32 = 22;
/// Recent search goes back so far, less a margin for the way there.
const REACH: TimeDelta = TimeDelta::minutes(7 * 24 * 60 - 10);

const TWEET_FIELDS: &str = "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,public_metrics,referenced_tweets";
const USER_FIELDS: &str = "created_at,description,name,public_metrics,username,verified";

/// Connections of the filtered stream, and changes of its rules (X, "Rate limits").
pub(super) const STREAM: Quota =
    Quota { bucket: "search/stream", limit: 50.0, window_s: 900.0, refill_per_s: 0.0 };
pub(super) const RULES: Quota =
    Quota { bucket: "search/stream/rules", limit: 25.0, window_s: 900.0, refill_per_s: 0.0 };

/// The request for the filtered stream.
pub(super) fn stream(client: &Client, of: Of<'_>) -> RequestBuilder {
    let base = of.base("api_url", "https://api.x.com");
    let pairs =
        [("expansions", "author_id"), ("tweet.fields", TWEET_FIELDS), ("user.fields", USER_FIELDS)];
    client
        .get(with_query(&format!("{base}/2/tweets/search/stream"), &pairs))
        .bearer_auth(expose(of.credentials.bearer.as_ref()))
}

/// The request for its rules, or to change them.
pub(super) fn rules(client: &Client, of: Of<'_>, change: Option<&Value>) -> RequestBuilder {
    let base = of.base("api_url", "https://api.x.com");
    let address = format!("{base}/2/tweets/search/stream/rules");
    let request = match change {
        None => client.get(address),
        Some(change) => {
            client.post(address).header("content-type", "application/json").body(change.to_string())
        }
    };
    request.bearer_auth(expose(of.credentials.bearer.as_ref()))
}

impl Platform for X {
    fn page(&self, client: &Client, of: Of<'_>, ask: &Ask<'_>) -> RequestBuilder {
        let base = of.base("api_url", "https://api.x.com");
        let (bound, value) = since(ask);
        let mut pairs = vec![
            ("query", ask.query.text.as_str()),
            ("max_results", "100"),
            ("expansions", "author_id"),
            ("tweet.fields", TWEET_FIELDS),
            ("user.fields", USER_FIELDS),
            (bound, &value),
        ];
        pairs.extend(ask.cursor.next_page.as_deref().map(|next| ("next_token", next)));
        client
            .get(with_query(&format!("{base}/2/tweets/search/recent"), &pairs))
            .bearer_auth(expose(of.credentials.bearer.as_ref()))
    }

    fn read(&self, body: &[u8]) -> Result<Page, NoPage> {
        let body = json::decode(body);
        let page = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if !page.has("data") && !page.has("meta") {
            return Err(NoPage("errors and no data"));
        }
        let ids = page.array("data");
        let ids = ids.iter().filter_map(|raw| Object::parse(raw.get()).ok()?.text("id"));
        let mut seen: Vec<(DateTime<Utc>, String)> =
            ids.filter_map(|id| Some((written_at(&id)?, id))).collect();
        seen.sort_unstable();
        Ok(Page {
            items: page.array("data").len(),
            newest: seen.last().map(|(at, id)| (id.clone(), *at)),
            // X ends the sweep itself, at `since_id`.
            oldest: None,
            next: page.line("/meta/next_token", 512),
            lost: false,
        })
    }

    fn lookup(&self, client: &Client, of: Of<'_>, ids: &str) -> RequestBuilder {
        let base = of.base("api_url", "https://api.x.com");
        let pairs = [
            ("ids", ids),
            ("expansions", "author_id"),
            ("tweet.fields", TWEET_FIELDS),
            ("user.fields", USER_FIELDS),
        ];
        client
            .get(with_query(&format!("{base}/2/tweets"), &pairs))
            .bearer_auth(expose(of.credentials.bearer.as_ref()))
    }

    fn tells(&self, body: &[u8]) -> Result<bool, NoPage> {
        let body = json::decode(body);
        let answer = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        // What is not there has an error with its id.
        if answer.has("data") || answer.at("/errors/0/resource_id").is_some() {
            return Ok(true);
        }
        Err(NoPage("errors and no data"))
    }

    fn shown(&self, body: &[u8]) -> Result<Shown, NoPage> {
        let body = json::decode(body);
        let answer = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        let Some(post) = answer.object("/data/0") else {
            let error = answer.text("/errors/0/type").unwrap_or_default();
            // "https://api.twitter.com/2/problems/resource-not-found" (X, "Response codes").
            let gone = error.ends_with("/resource-not-found");
            return if gone { Ok(GONE) } else { Err(NoPage("errors and no post")) };
        };
        let count = |name: &str| count(&post, &format!("/public_metrics/{name}"));
        let shares = [count("retweet_count"), count("quote_count")];
        Ok(Shown {
            likes: count("like_count"),
            replies: count("reply_count"),
            shares: shares.into_iter().flatten().reduce(i64::saturating_add),
            views: count("impression_count"),
            removed: false,
        })
    }

    fn look_quota(&self) -> Quota {
        Quota { bucket: "tweets", limit: 300.0, window_s: 900.0, refill_per_s: 0.0 }
    }

    fn told(&self, headers: &HeaderMap, _: DateTime<Utc>) -> Told {
        let reset = headers.get("x-rate-limit-reset").and_then(|v| v.to_str().ok()?.parse().ok());
        Told {
            limit: number(headers, "x-rate-limit-limit"),
            remaining: number(headers, "x-rate-limit-remaining"),
            reset_at: reset.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        }
    }

    fn quota(&self, _: Of<'_>, _: &Query) -> Quota {
        // Per app; the headers know better (X, "Rate limits").
        Quota { bucket: "search/recent", limit: 450.0, window_s: 900.0, refill_per_s: 0.0 }
    }

    fn renewal(&self, _: &Client, _: Of<'_>) -> Option<RequestBuilder> {
        None
    }

    fn is_stale(&self, _: &Credentials, _: DateTime<Utc>) -> bool {
        false
    }

    fn granted(&self, _: &[u8]) -> Option<Grant> {
        None
    }

    fn counted_by<'c>(&self, credentials: &'c Credentials) -> Option<&'c str> {
        credentials.bearer.as_ref().map(|bearer| expose(Some(bearer)))
    }

    fn overlap(&self) -> TimeDelta {
        TimeDelta::seconds(30)
    }
}

/// Where the sweep ends. X refuses an id older than its seven days.
fn since(ask: &Ask<'_>) -> (&'static str, String) {
    let reach = ask.now - REACH;
    let floor = ask.cursor.floor();
    if ask.cursor.newest_seen_at.is_some() && floor > reach {
        return ("since_id", id_at(floor).to_string());
    }
    // All pages of a sweep are asked for alike: within an hour, the reach does not move.
    let hour = TimeDelta::hours(1);
    let reach = reach.duration_trunc(hour).map_or(reach, |at| at + hour);
    ("start_time", floor.max(reach).to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// When the post with this id was written.
fn written_at(id: &str) -> Option<DateTime<Utc>> {
    let id: i64 = id.parse().ok()?;
    DateTime::from_timestamp_millis((id >> BELOW_MS).checked_add(EPOCH_MS)?)
}

/// The first id of a moment.
fn id_at(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis().saturating_sub(EPOCH_MS).max(0) << BELOW_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::walk::Cursor;

    fn bound(newest_seen_at: Option<&str>, now: &str) -> (&'static str, String) {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let query = Query { kind: "search", place: String::new(), text: "q".into() };
        let cursor = Cursor {
            newest_seen_at: newest_seen_at.map(at),
            overlap: TimeDelta::seconds(30),
            begin_at: at("2026-01-14T12:34:56Z"),
            ..Cursor::default()
        };
        since(&Ask { query: &query, cursor: &cursor, now: at(now) })
    }

    #[test]
    fn an_id_tells_its_time() {
        // A post whose time is known to the millisecond.
        let at = written_at("1541815603606036480").unwrap();
        assert_eq!(at.to_rfc3339(), "2022-06-28T16:07:40.105+00:00");
        assert!(id_at(at) <= 1_541_815_603_606_036_480);
        assert_eq!(written_at(&id_at(at).to_string()), Some(at));
        assert_eq!(written_at("x"), None);
    }

    #[test]
    fn a_sweep_goes_back_to_the_cursor_or_as_far_as_x_reaches() {
        let (name, id) = bound(Some("2026-01-15T12:00:30Z"), "2026-01-15T13:00:00Z");
        assert_eq!(name, "since_id");
        assert_eq!(written_at(&id).unwrap().to_rfc3339(), "2026-01-15T12:00:00+00:00");
        let start = |time: &str| ("start_time", time.to_owned());
        assert_eq!(bound(None, "2026-01-15T13:00:00Z"), start("2026-01-14T12:34:56Z"));
        assert_eq!(
            bound(Some("2026-01-01T00:00:00Z"), "2026-01-15T13:20:00Z"),
            start("2026-01-08T14:00:00Z")
        );
        assert_eq!(
            bound(Some("2026-01-01T00:00:00Z"), "2026-01-15T13:40:00Z"),
            start("2026-01-08T14:00:00Z")
        );
    }

    #[test]
    fn a_page_is_read() {
        let page = X.read(br#"{"data":[{"id":"1700000000000000000"},{"id":"1699999999999999999"},{"id":"odd"}],"meta":{"next_token":"n"}}"#).unwrap();
        assert_eq!(page.items, 3);
        assert_eq!(page.newest.unwrap().0, "1700000000000000000");
        assert_eq!(page.next.as_deref(), Some("n"));
        assert_eq!(X.read(br#"{"meta":{"result_count":0}}"#), Ok(Page::default()));
        assert!(X.read(br#"{"errors":[{}]}"#).is_err());
        assert!(X.read(br#"{"data":[{"id""#).is_err());
    }
}
