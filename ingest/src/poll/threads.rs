//! Threads: keyword search, mentions, and answers to posts of ours.

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use millrace_jobs::social::outcomes::windows::Shown;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, value::RawValue};

use super::{
    access::{Credentials, Grant, expose, grant},
    budget::{Quota, Told},
    look::count,
    plan::Query,
    platform::{Ask, NoPage, Of, Platform, with_query},
    walk::Page,
};
use crate::{
    json::{self, Object},
    time,
};

/// See the module.
pub(super) struct Threads;

/// Posts of one page.
const LIMIT: usize = 50;
/// Keyword searches of one account in any 24 hours (Threads, "Keyword search").
const SEARCHES_PER_DAY: f64 = 2200.0;
/// The least that an account has for all other calls (Threads, "Rate limiting"); half of them are for our own posts.
const LOOKS_PER_DAY: f64 = 4800.0;
const DAY_S: f64 = 86_400.0;
/// Tokens live for 60 days and are renewed in their last week.
const BEFORE_END: TimeDelta = TimeDelta::days(7);
const FIELDS: &str = "id,text,media_type,permalink,timestamp,username,is_reply,is_quote_post,has_replies,replied_to,root_post";

impl Platform for Threads {
    fn page(&self, client: &Client, of: Of<'_>, ask: &Ask<'_>) -> RequestBuilder {
        let base = of.base("api_url", "https://graph.threads.net");
        let (limit, since) = (LIMIT.to_string(), ask.cursor.floor().timestamp().to_string());
        let mut pairs = vec![("fields", FIELDS), ("limit", &limit), ("since", &since)];
        let path = match ask.query.kind {
            "mentions" => "me/mentions".to_owned(),
            "replies" => {
                pairs.push(("reverse", "true"));
                format!("{}/replies", ask.query.place)
            }
            _ => {
                pairs.extend([("q", ask.query.text.as_str()), ("search_type", "RECENT")]);
                "keyword_search".to_owned()
            }
        };
        pairs.extend(ask.cursor.next_page.as_deref().map(|after| ("after", after)));
        client
            .get(with_query(&format!("{base}/v1.0/{path}"), &pairs))
            .bearer_auth(expose(of.credentials.access_token.as_ref()))
    }

    fn read(&self, body: &[u8]) -> Result<Page, NoPage> {
        let body = json::decode(body);
        let page = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if !page.has("data") {
            return Err(NoPage("an error and no data"));
        }
        let data = page.array("data");
        let mut seen: Vec<(DateTime<Utc>, String)> =
            data.iter().filter_map(|raw| written(raw)).collect();
        seen.sort_unstable();
        // The last page has a cursor too.
        let full = data.len() >= LIMIT || page.at("/paging/next").is_some();
        Ok(Page {
            items: data.len(),
            newest: seen.last().map(|(at, id)| (id.clone(), *at)),
            oldest: seen.first().map(|(at, _)| *at),
            next: page.line("/paging/cursors/after", 1024).filter(|_| full && !data.is_empty()),
            lost: false,
        })
    }

    fn lookup(&self, client: &Client, of: Of<'_>, id: &str) -> RequestBuilder {
        let base = of.base("api_url", "https://graph.threads.net");
        client
            .get(with_query(&format!("{base}/v1.0/{id}"), &[("fields", FIELDS)]))
            .bearer_auth(expose(of.credentials.access_token.as_ref()))
    }

    fn lookup_max(&self) -> usize {
        1
    }

    fn tells(&self, body: &[u8]) -> Result<bool, NoPage> {
        let body = json::decode(body);
        let answer = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if answer.has("id") { Ok(true) } else { Err(NoPage("an error and no post")) }
    }

    fn lookup_quota(&self) -> Quota {
        Quota::rolling("posts", LOOKS_PER_DAY / 2.0, DAY_S)
    }

    fn look(&self, client: &Client, of: Of<'_>, id: &str) -> RequestBuilder {
        let base = of.base("api_url", "https://graph.threads.net");
        let pairs = [("metric", "views,likes,replies,reposts,quotes,shares")];
        client
            .get(with_query(&format!("{base}/v1.0/{id}/insights"), &pairs))
            .bearer_auth(expose(of.credentials.access_token.as_ref()))
    }

    fn shown(&self, body: &[u8]) -> Result<Shown, NoPage> {
        let body = json::decode(body);
        let answer = Object::parse(&body).map_err(|_| NoPage("the answer is cut or no JSON"))?;
        if !answer.has("data") {
            return Err(NoPage("an error and no data"));
        }
        let metrics = answer.array("data");
        let metrics: Vec<Object<'_>> =
            metrics.iter().filter_map(|raw| Object::parse(raw.get()).ok()).collect();
        let of = |name: &str| {
            let metric = metrics.iter().find(|m| m.text("name").as_deref() == Some(name))?;
            count(metric, "/values/0/value")
        };
        let shares = ["reposts", "quotes", "shares"].into_iter().filter_map(of);
        Ok(Shown {
            likes: of("likes"),
            replies: of("replies"),
            shares: shares.reduce(i64::saturating_add),
            views: of("views"),
            removed: false,
        })
    }

    fn look_quota(&self) -> Quota {
        Quota::rolling("media", LOOKS_PER_DAY / 2.0, DAY_S)
    }

    fn told(&self, _: &HeaderMap, _: DateTime<Utc>) -> Told {
        Told::default()
    }

    fn quota(&self, of: Of<'_>, query: &Query) -> Quota {
        if query.kind == "replies" {
            return self.look_quota();
        }
        let own = of.options.get("calls_per_day").and_then(Value::as_f64).filter(|n| *n >= 1.0);
        let calls = own.unwrap_or(SEARCHES_PER_DAY).min(SEARCHES_PER_DAY);
        Quota::rolling(query.kind, calls, DAY_S)
    }

    fn renewal(&self, client: &Client, of: Of<'_>) -> Option<RequestBuilder> {
        // On the host of Threads, and by its own grant: Facebook's exchange does not know these tokens.
        let base = of.base("api_url", "https://graph.threads.net");
        let token = of.credentials.access_token.as_ref()?;
        let pairs = [("grant_type", "th_refresh_token"), ("access_token", expose(Some(token)))];
        Some(client.get(with_query(&format!("{base}/refresh_access_token"), &pairs)))
    }

    fn is_stale(&self, credentials: &Credentials, now: DateTime<Utc>) -> bool {
        credentials.expires_at.is_some_and(|at| at < now + BEFORE_END)
    }

    fn granted(&self, body: &[u8]) -> Option<Grant> {
        grant(body)
    }

    fn counted_by<'c>(&self, _: &'c Credentials) -> Option<&'c str> {
        None
    }

    fn overlap(&self) -> TimeDelta {
        TimeDelta::minutes(5)
    }

    fn patience(&self) -> u32 {
        10
    }
}

/// Time and id of a post.
fn written(raw: &RawValue) -> Option<(DateTime<Utc>, String)> {
    let media = Object::parse(raw.get()).ok()?;
    Some((time::parse(&media.text("timestamp")?)?, media.line("id", 64)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_and_the_last_one_is_known() {
        let post = |n: usize| {
            format!(r#"{{"id":"{n}","timestamp":"2026-01-15T11:{:02}:00+0000"}}"#, n % 60)
        };
        let body = |count: usize, next: &str| {
            let data: Vec<String> = (0..count).map(post).collect();
            format!(
                r#"{{"data":[{}],"paging":{{"cursors":{{"after":"c"}}{next}}}}}"#,
                data.join(",")
            )
        };
        let next = |count, more: &str| Threads.read(body(count, more).as_bytes()).unwrap().next;
        assert_eq!(next(LIMIT, "").as_deref(), Some("c"));
        assert_eq!(next(LIMIT - 1, ""), None);
        assert_eq!(next(3, r#","next":"u""#).as_deref(), Some("c"));
        assert_eq!(next(0, r#","next":"u""#), None);
        let page = Threads.read(body(3, "").as_bytes()).unwrap();
        assert_eq!(page.newest.unwrap().0, "2");
        assert!(Threads.read(br#"{"error":{"code":190}}"#).is_err());
    }
}
