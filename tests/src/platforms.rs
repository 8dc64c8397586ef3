//! X, Reddit and Threads as local servers: pages newest first, tokens, budgets in headers, and the trouble that a test
//! asks for.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fake::{self, Reply, Request};

/// The first millisecond of X's ids.
const X_EPOCH_MS: i64 = 1_288_834_974_657;

/// Trouble for one call.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "named after what happens")]
pub enum Trouble {
    Status(u16),
    /// 429, with these headers.
    Limited(Vec<(String, String)>),
    /// The body ends in the middle.
    Cut,
    /// A 200 that is an error.
    ErrorsOnly,
    /// So much later.
    Slow(Duration),
}

/// One call of a page.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named after the parts of a call")]
pub struct Call {
    pub path: String,
    pub query: HashMap<String, String>,
    pub status: u16,
}

#[derive(Debug)]
struct State {
    /// Id and time, oldest first.
    posts: Vec<(String, DateTime<Utc>)>,
    page: usize,
    calls: Vec<Call>,
    trouble: VecDeque<Trouble>,
    token: String,
    /// Tokens given out.
    granted: usize,
    /// Calls of a window, and its length.
    limit: Option<(usize, Duration)>,
    window: (Instant, usize),
    /// Calls that were turned away.
    over: usize,
}

/// A platform; it ends with the runtime.
#[derive(Debug, Clone)]
pub struct Platform {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Platform {
    /// Without posts, `page` of them to a page.
    pub async fn start(page: usize) -> Self {
        let state = Arc::new(Mutex::new(State {
            posts: Vec::new(),
            page,
            calls: Vec::new(),
            trouble: VecDeque::new(),
            token: "token-0-".repeat(8),
            granted: 0,
            limit: None,
            window: (Instant::now(), 0),
            over: 0,
        }));
        let answering = state.clone();
        let url = fake::start(move |request| {
            let state = answering.clone();
            async move {
                let (wait, reply) = state.lock().unwrap().answer(&request);
                tokio::time::sleep(wait).await;
                reply
            }
        });
        Self { url: url.await, state }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap())
    }

    /// Posts of X, Reddit (`t3_`) or Threads, one for each of these ages in seconds.
    #[expect(clippy::disallowed_methods, reason = "platforms write with the real time")]
    pub fn write(&self, kind: &str, ages_s: impl IntoIterator<Item = i64>) {
        let now = Utc::now();
        self.with(|state| {
            for age in ages_s {
                let (at, nth) = (now - TimeDelta::seconds(age), state.posts.len());
                let id = match kind {
                    "x" => (((at.timestamp_millis() - X_EPOCH_MS) << 22)
                        + i64::try_from(nth).unwrap())
                    .to_string(),
                    "reddit" => format!("t3_{nth}"),
                    _ => format!("1800000{nth:06}"),
                };
                state.posts.push((id, at));
            }
            state.posts.sort_by_key(|(id, at)| (*at, id.clone()));
        });
    }

    /// Somebody deletes a post.
    pub fn delete(&self, id: &str) {
        self.with(|state| state.posts.retain(|(known, _)| known != id));
    }

    /// Ids of all posts.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.with(|state| state.posts.iter().map(|(id, _)| id.clone()).collect())
    }

    /// What the next calls meet, one each.
    pub fn trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.with(|state| state.trouble.extend(trouble));
    }

    /// Trouble that no call has met yet.
    #[must_use]
    pub fn troubles_left(&self) -> usize {
        self.with(|state| state.trouble.len())
    }

    /// From now on only so many calls in a window are answered.
    pub fn allow(&self, calls: usize, window: Duration) {
        self.with(|state| state.limit = Some((calls, window)));
    }

    /// The token that is good now.
    #[must_use]
    pub fn token(&self) -> String {
        self.with(|state| state.token.clone())
    }

    /// The token in use is good no more.
    pub fn expire(&self) {
        self.with(|state| state.token = format!("expired, replaced after {}", state.granted));
    }

    /// Calls of pages so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.with(|state| state.calls.clone())
    }

    /// Calls beyond what was allowed.
    #[must_use]
    pub fn over(&self) -> usize {
        self.with(|state| state.over)
    }

    /// Tokens given out.
    #[must_use]
    pub fn granted(&self) -> usize {
        self.with(|state| state.granted)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> (Duration, Reply) {
        let (_, target) = request.line();
        let url = reqwest::Url::parse(&format!("http://fake{target}")).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let path = url.path().to_owned();
        if path.ends_with("access_token") {
            return (Duration::ZERO, self.grant(&path, &query, request));
        }
        let (wait, reply) = self.page(&path, &query, request);
        let status = reply.status.split(' ').next().unwrap().parse().unwrap();
        self.calls.push(Call { path, query, status });
        (wait, reply)
    }

    /// Reddit's client credentials, and Threads' own grant.
    fn grant(&mut self, path: &str, query: &HashMap<String, String>, request: &Request) -> Reply {
        let reddit = path == "/api/v1/access_token"
            && request.text().contains("grant_type=client_credentials")
            && request.header("authorization")
                == Some("Basic cmVkZGl0LWFwcC1pZDpyZWRkaXQtYXBwLXNlY3JldA==");
        let threads = path == "/refresh_access_token"
            && query.get("grant_type").is_some_and(|g| g == "th_refresh_token");
        if !reddit && !threads {
            return Reply::new("400 Bad Request", r#"{"error":"invalid_grant"}"#);
        }
        self.granted += 1;
        self.token = format!("token-{}-", self.granted).repeat(8);
        let answer =
            json!({ "access_token": self.token, "token_type": "bearer", "expires_in": 5_184_000 });
        Reply::new("200 OK", answer.to_string())
    }

    fn page(
        &mut self,
        path: &str,
        query: &HashMap<String, String>,
        request: &Request,
    ) -> (Duration, Reply) {
        let mut head = Vec::new();
        if let Some((limit, window)) = self.limit {
            if self.window.0.elapsed() > window {
                self.window = (Instant::now(), 0);
            }
            self.window.1 += 1;
            let used = self.window.1;
            head = rate_headers(path, limit, used, window.saturating_sub(self.window.0.elapsed()));
            if used > limit {
                self.over += 1;
                return (Duration::ZERO, Reply { head, ..Reply::new("429 Too Many Requests", "") });
            }
        }
        let bearer = format!("Bearer {}", self.token);
        if request.header("authorization") != Some(&bearer) {
            return (Duration::ZERO, Reply { head, ..Reply::new("401 Unauthorized", "{}") });
        }
        let body = self.posts_page(path, query).to_string();
        let reply = |status: String, body: String, head| Reply { head, ..Reply::new(status, body) };
        match self.trouble.pop_front() {
            None => (Duration::ZERO, reply("200 OK".into(), body, head)),
            Some(Trouble::Slow(wait)) => (wait, reply("200 OK".into(), body, head)),
            Some(Trouble::Cut) => {
                let half = body.chars().take(body.len() / 2).collect();
                (Duration::ZERO, reply("200 OK".into(), half, head))
            }
            Some(Trouble::ErrorsOnly) => {
                let errors = json!({ "errors": [{ "title": "Service Unavailable" }] }).to_string();
                (Duration::ZERO, reply("200 OK".into(), errors, head))
            }
            Some(Trouble::Status(status)) => {
                (Duration::ZERO, reply(format!("{status} Trouble"), "{}".into(), head))
            }
            Some(Trouble::Limited(more)) => {
                head.extend(more);
                (Duration::ZERO, reply("429 Too Many Requests".into(), String::new(), head))
            }
        }
    }

    fn posts_page(&self, path: &str, query: &HashMap<String, String>) -> Value {
        let get = |name: &str| query.get(name).map(String::as_str);
        let mut posts: Vec<&(String, DateTime<Utc>)> = self.posts.iter().rev().collect();
        if let Some(since) = get("since_id").and_then(|id| id.parse::<i64>().ok()) {
            posts.retain(|(id, _)| id.parse::<i64>().unwrap() > since);
        }
        if let Some(start) = get("start_time").and_then(|t| DateTime::parse_from_rfc3339(t).ok()) {
            posts.retain(|(_, at)| *at >= start);
        }
        if let Some(since) = get("since").and_then(|t| t.parse::<i64>().ok()) {
            posts.retain(|(_, at)| at.timestamp() >= since);
        }
        if let Some(place) = get("next_token").or_else(|| get("after")) {
            // Behind a post that is gone there is nothing, as at Reddit.
            let at = posts.iter().position(|(id, _)| id == place);
            posts = at.map_or_else(Vec::new, |at| posts.split_off(at + 1));
        }
        let more = posts.len() > self.page;
        posts.truncate(self.page);
        let next = posts.last().filter(|_| more).map(|(id, _)| id.clone());
        match path {
            "/2/tweets/search/recent" => x(&posts, next),
            "/2/tweets" | "/api/info" => self.one(path, get("ids").or_else(|| get("id")).unwrap()),
            _ if path.ends_with("/insights") => self.one(path, path.split('/').nth(2).unwrap()),
            _ if path.starts_with("/r/") => reddit(&posts, next),
            _ => threads(&posts, next),
        }
    }
}

impl State {
    /// What is shown of one post: four likes, two answers, three shares.
    fn one(&self, path: &str, id: &str) -> Value {
        let known = self.posts.iter().any(|(post, _)| post == id);
        match path {
            "/2/tweets" if known => json!({ "data": [{ "id": id, "public_metrics": {
                "like_count": 4, "reply_count": 2, "retweet_count": 2, "quote_count": 1, "impression_count": 90 } }] }),
            "/2/tweets" => json!({ "errors": [{ "resource_id": id,
                "type": "https://api.twitter.com/2/problems/resource-not-found" }] }),
            "/api/info" => {
                let thing = json!({ "kind": "t3", "data": { "name": id, "score": 4, "num_comments": 2, "num_crossposts": 3 } });
                json!({ "kind": "Listing", "data": { "children": if known { vec![thing] } else { Vec::new() } } })
            }
            _ => {
                let metrics = [("likes", 4), ("replies", 2), ("reposts", 3), ("views", 90)];
                let metric =
                    |(name, value)| json!({ "name": name, "values": [{ "value": value }] });
                json!({ "data": metrics.map(metric) })
            }
        }
    }
}

fn rate_headers(path: &str, limit: usize, used: usize, left: Duration) -> Vec<(String, String)> {
    let remaining = limit.saturating_sub(used);
    #[expect(clippy::disallowed_methods, reason = "platforms tell the real time")]
    let reset = (Utc::now() + TimeDelta::from_std(left).unwrap()).timestamp() + 1;
    let pairs = match path {
        _ if path.starts_with("/2/") => vec![
            ("x-rate-limit-limit", limit.to_string()),
            ("x-rate-limit-remaining", remaining.to_string()),
            ("x-rate-limit-reset", reset.to_string()),
        ],
        _ if path.starts_with("/r/") => vec![
            ("x-ratelimit-used", used.to_string()),
            ("x-ratelimit-remaining", format!("{remaining}.0")),
            ("x-ratelimit-reset", (left.as_secs() + 1).to_string()),
        ],
        _ => Vec::new(),
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn x(posts: &[&(String, DateTime<Utc>)], next: Option<String>) -> Value {
    let post = |(id, at): &&(String, DateTime<Utc>)| {
        json!({ "id": id, "text": format!("Post {id}"), "author_id": "7", "created_at": at.to_rfc3339(),
            "edit_history_tweet_ids": [id], "public_metrics": { "like_count": 1 } })
    };
    let mut meta = json!({ "result_count": posts.len() });
    if let Some(next) = next {
        meta["next_token"] = next.into();
    }
    if posts.is_empty() {
        return json!({ "meta": meta });
    }
    let users = json!([{ "id": "7", "username": "ann", "name": "Ann" }]);
    // Errors beside the data are usual.
    let errors = json!([{ "resource_type": "tweet", "parameter": "referenced_tweets.id", "title": "Not Found Error" }]);
    json!({ "data": posts.iter().map(post).collect::<Vec<_>>(), "includes": { "users": users }, "errors": errors, "meta": meta })
}

fn reddit(posts: &[&(String, DateTime<Utc>)], next: Option<String>) -> Value {
    let thing = |(name, at): &&(String, DateTime<Utc>)| {
        json!({ "kind": "t3", "data": { "name": name, "title": "Title", "selftext": "Body", "author": "ann",
            "author_fullname": "t2_a", "subreddit": "party", "created_utc": at.timestamp() } })
    };
    json!({ "kind": "Listing", "data": { "after": next, "children": posts.iter().map(thing).collect::<Vec<_>>() } })
}

fn threads(posts: &[&(String, DateTime<Utc>)], next: Option<String>) -> Value {
    let media = |(id, at): &&(String, DateTime<Utc>)| {
        json!({ "id": id, "text": format!("Post {id}"), "username": "ann",
            "timestamp": at.format("%Y-%m-%dT%H:%M:%S+0000").to_string() })
    };
    let mut page = json!({ "data": posts.iter().map(media).collect::<Vec<_>>() });
    if let Some(next) = next {
        page["paging"] = json!({ "cursors": { "after": next }, "next": "there is more" });
    }
    page
}
