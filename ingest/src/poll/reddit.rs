//! Reddit: listings of approved subreddits.
//!
//! A sweep begins at the newest page and goes back by time: next to a post that was deleted meanwhile (`before`, `after`)
//! Reddit shows nothing, and does not say so.

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, header::USER_AGENT};
use millrace_jobs::{social::outcomes::windows::Shown, store::social::own_accounts::Standing};
use reqwest::{Client, RequestBuilder};
use serde_json::value::RawValue;

use super::{
    access::{Credentials, Grant, expose, grant},
    budget::{Quota, Told, in_seconds, number},
    look::{GONE, count, is_id},
    plan::Query,
    platform::{Ask, NoPage, Of, Platform, form_of, with_query},
    walk::Page,
};
use crate::{
    json::{self, Object},
    time,
};

/// See the module.
pub(super) struct Reddit;

/// 100 a minute, averaged over ten; the headers know better (Reddit, "Data API").
const API: Quota = Quota { bucket: "api", limit: 1000.0, window_s: 600.0, refill_per_s: 0.0 };
/// Renewed so long before they run out.
const BEFORE_END: TimeDelta = TimeDelta::minutes(5);

impl Platform for Reddit {
    fn page(&self, client: &Client, of: Of<'_>, ask: &Ask<'_>) -> RequestBuilder {
        let base = of.base("api_url", "https://oauth.reddit.com");
        let Query { kind, place, text } = ask.query;
        let mut pairs = vec![("limit", "100"), ("raw_json", "1")];
        if *kind == "search" {
            pairs.extend([
                ("q", text.as_str()),
                ("restrict_sr", "1"),
                ("sort", "new"),
                ("t", "all"),
            ]);
        }
        pairs.extend(ask.cursor.next_page.as_deref().map(|after| ("after", after)));
        let path = match *kind {
            // Of the inbox only answers to comments of ours: private messages are none of this.
            "replies" => "message/comments".to_owned(),
            kind => format!("{place}/{kind}"),
        };
        client
            .get(with_query(&format!("{base}/{path}"), &pairs))
            .bearer_auth(expose(of.credentials.access_token.as_ref()))
            .header(USER_AGENT, agent(of))
    }

    fn read(&self, body: &[u8]) -> Result<Page, NoPage> {
        let body = json::decode(body);
        let listing = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if listing.text("kind").as_deref() != Some("Listing") {
            return Err(NoPage("the answer is no listing"));
        }
        let children = listing.array("/data/children");
        let mut seen: Vec<(DateTime<Utc>, String)> =
            children.iter().filter_map(|raw| written(raw)).collect();
        seen.sort_unstable();
        Ok(Page {
            items: children.len(),
            newest: seen.last().map(|(at, name)| (name.clone(), *at)),
            oldest: seen.first().map(|(at, _)| *at),
            next: listing.line("/data/after", 64),
            lost: false,
        })
    }

    fn lookup(&self, client: &Client, of: Of<'_>, ids: &str) -> RequestBuilder {
        let base = of.base("api_url", "https://oauth.reddit.com");
        client
            .get(with_query(&format!("{base}/api/info"), &[("id", ids), ("raw_json", "1")]))
            .bearer_auth(expose(of.credentials.access_token.as_ref()))
            .header(USER_AGENT, agent(of))
    }

    /// What is not there is just left out.
    fn tells(&self, body: &[u8]) -> Result<bool, NoPage> {
        Ok(self.read(body)?.items > 0)
    }

    fn shown(&self, body: &[u8]) -> Result<Shown, NoPage> {
        let body = json::decode(body);
        let listing = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if listing.text("kind").as_deref() != Some("Listing") {
            return Err(NoPage("the answer is no listing"));
        }
        // A thing that was taken away is shown without its words, or not at all.
        let Some(thing) = listing.object("/data/children/0/data") else { return Ok(GONE) };
        let words = thing.text("body").or_else(|| thing.text("selftext")).unwrap_or_default();
        let taken = thing.at("removed_by_category").is_some();
        if taken || matches!(words.as_str(), "[removed]" | "[deleted]") {
            return Ok(GONE);
        }
        Ok(Shown {
            likes: count(&thing, "/score"),
            replies: count(&thing, "/num_comments"),
            shares: count(&thing, "/num_crossposts"),
            views: None,
            removed: false,
        })
    }

    fn look_quota(&self) -> Quota {
        API
    }

    fn told(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Told {
        let remaining = number(headers, "x-ratelimit-remaining").map(f64::floor);
        let used = number(headers, "x-ratelimit-used");
        Told {
            limit: remaining.zip(used).map(|(left, used)| left + used),
            remaining,
            reset_at: number(headers, "x-ratelimit-reset").and_then(|s| in_seconds(now, s)),
        }
    }

    fn quota(&self, _: Of<'_>, _: &Query) -> Quota {
        API
    }

    fn renewal(&self, client: &Client, of: Of<'_>) -> Option<RequestBuilder> {
        let base = of.base("auth_url", "https://www.reddit.com");
        let Credentials { client_id, client_secret, refresh_token, .. } = of.credentials;
        let pairs = match refresh_token {
            Some(token) => {
                vec![("grant_type", "refresh_token"), ("refresh_token", expose(Some(token)))]
            }
            None => vec![("grant_type", "client_credentials")],
        };
        let request = client
            .post(format!("{base}/api/v1/access_token"))
            .basic_auth(client_id.as_deref()?, Some(expose(client_secret.as_ref())))
            .header(USER_AGENT, agent(of))
            .header("content-type", crate::form::URLENCODED)
            .body(form_of(&pairs));
        Some(request)
    }

    fn is_stale(&self, credentials: &Credentials, now: DateTime<Utc>) -> bool {
        credentials.access_token.is_none()
            || credentials.expires_at.is_some_and(|at| at < now + BEFORE_END)
    }

    fn granted(&self, body: &[u8]) -> Option<Grant> {
        grant(body)
    }

    fn counted_by<'c>(&self, credentials: &'c Credentials) -> Option<&'c str> {
        credentials.client_id.as_deref()
    }

    /// A page behind a post that was deleted is empty, and does not say why.
    fn empty_is_lost(&self) -> bool {
        true
    }

    fn overlap(&self) -> TimeDelta {
        // New posts show up late in searches.
        TimeDelta::minutes(5)
    }
}

/// Whether the source can ask for an account of ours: one that lets it read, or one that it names (option `account`).
pub(super) fn has_account(of: Of<'_>) -> bool {
    of.credentials.refresh_token.is_some() || of.option("account").is_some_and(is_id)
}

/// The request for what Reddit says of that account.
pub(super) fn account(client: &Client, of: Of<'_>) -> RequestBuilder {
    let base = of.base("api_url", "https://oauth.reddit.com");
    let path = match of.option("account").filter(|name| is_id(name)) {
        Some(name) => format!("user/{name}/about"),
        None => "api/v1/me".to_owned(),
    };
    client
        .get(with_query(&format!("{base}/{path}"), &[("raw_json", "1")]))
        .bearer_auth(expose(of.credentials.access_token.as_ref()))
        .header(USER_AGENT, agent(of))
}

/// What it says; `None` if that is not both karma and age, as of an account that is suspended.
pub(super) fn standing(body: &[u8]) -> Option<Standing> {
    let body = json::decode(body);
    let answer = Object::parse(&body).ok()?;
    let account = answer.object("data").unwrap_or(answer);
    let karma = count(&account, "/total_karma").or_else(|| {
        let [links, comments] = ["/link_karma", "/comment_karma"].map(|of| count(&account, of));
        Some(links?.saturating_add(comments?))
    })?;
    Some(Standing { karma, since: time::parse(&account.text("/created_utc")?)? })
}

/// Agents that do not say who they are are throttled (Reddit, "API rules").
fn agent(of: Of<'_>) -> String {
    let given = |name| of.option(name).filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    let app = given("app_id").unwrap_or("millrace");
    let version = env!("CARGO_PKG_VERSION");
    match given("username") {
        Some(name) => format!("server:{app}:v{version} (by /u/{name})"),
        None => format!("server:{app}:v{version}"),
    }
}

/// Time and full name of a thing.
fn written(raw: &RawValue) -> Option<(DateTime<Utc>, String)> {
    let thing = Object::parse(raw.get()).ok()?;
    Some((time::parse(&thing.text("/data/created_utc")?)?, thing.line("/data/name", 64)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_listing_is_read() {
        let body = br#"{"kind":"Listing","data":{"after":"t3_a","children":[
            {"kind":"t3","data":{"name":"t3_b","created_utc":1768478300.0}},
            {"kind":"t3","data":{"name":"t3_a","created_utc":1768478200}},{"kind":"more","data":{}}]}}"#;
        let page = Reddit.read(body).unwrap();
        assert_eq!(page.items, 3);
        assert_eq!(page.newest.unwrap().0, "t3_b");
        assert_eq!(page.oldest.unwrap().timestamp(), 1_768_478_200);
        assert_eq!(page.next.as_deref(), Some("t3_a"));
        assert!(Reddit.read(br#"{"message":"Forbidden","error":403}"#).is_err());
        assert!(Reddit.read(br#"{"kind":"Listing","data":{"chil"#).is_err());
    }

    #[test]
    fn our_standing_is_read_whole_or_not_at_all() {
        let read = |body: &str| standing(body.as_bytes()).map(|s| (s.karma, s.since.timestamp()));
        let me = r#"{"name":"acme_bot","total_karma":120,"link_karma":1,"comment_karma":2,"created_utc":1600000000.0}"#;
        assert_eq!(read(me), Some((120, 1_600_000_000)));
        let about = r#"{"kind":"t2","data":{"link_karma":1,"comment_karma":-5,"created_utc":1600000000.0}}"#;
        assert_eq!(read(about), Some((-4, 1_600_000_000)));
        for none in [
            r#"{"kind":"t2","data":{"name":"acme_bot","is_suspended":true}}"#,
            r#"{"total_karma":120}"#,
            r#"{"link_karma":120,"created_utc":1600000000.0}"#,
            r#"{"total_ka"#,
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn the_budget_is_what_the_headers_say() {
        let now = DateTime::from_timestamp(1_768_478_400, 0).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-used", "1"),
            ("x-ratelimit-remaining", "599.5"),
            ("x-ratelimit-reset", "120"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let told = Reddit.told(&headers, now);
        assert_eq!((told.limit, told.remaining), (Some(600.0), Some(599.0)));
        assert_eq!(told.reset_at, DateTime::from_timestamp(1_768_478_520, 0));
        assert_eq!(Reddit.told(&HeaderMap::new(), now), Told::default());
    }
}
