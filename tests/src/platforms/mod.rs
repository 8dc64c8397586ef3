//! X, Reddit and Threads as local servers: pages newest first, tokens, budgets in headers, and the trouble that a test
//! asks for.

mod shapes;
mod stream;

pub use shapes::{Post, Writer};

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fake::{self, Reply, Request};

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
    /// Oldest first.
    posts: Vec<Post>,
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
    stream: stream::Stream,
    /// What Reddit says of our account.
    account: Option<Value>,
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
            stream: stream::Stream::default(),
            account: None,
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
        let (now, before) = (Utc::now(), self.with(|state| state.posts.len()));
        let posts = (before..).zip(ages_s);
        self.show(posts.map(|(nth, age)| Post::new(kind, nth, now - TimeDelta::seconds(age))));
    }

    /// These posts are there from now on; those of known ids are so now.
    pub fn show(&self, posts: impl IntoIterator<Item = Post>) {
        self.with(|state| {
            for post in posts {
                state.posts.retain(|known| known.id != post.id);
                state.posts.push(post);
            }
            state.posts.sort_by_key(|post| (post.at, post.id.clone()));
        });
    }

    /// What Reddit says of our account from now on; nothing: there is none.
    pub fn account(&self, account: Option<Value>) {
        self.with(|state| state.account = account);
    }

    /// Somebody deletes a post.
    pub fn delete(&self, id: &str) {
        self.with(|state| state.posts.retain(|known| known.id != id));
    }

    /// Ids of all posts.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.with(|state| state.posts.iter().map(|post| post.id.clone()).collect())
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
            head = shapes::rate_headers(
                path,
                limit,
                used,
                window.saturating_sub(self.window.0.elapsed()),
            );
            if used > limit {
                self.over += 1;
                return (Duration::ZERO, Reply { head, ..Reply::new("429 Too Many Requests", "") });
            }
        }
        let bearer = format!("Bearer {}", self.token);
        if request.header("authorization") != Some(&bearer) {
            return (Duration::ZERO, Reply { head, ..Reply::new("401 Unauthorized", "{}") });
        }
        if path.starts_with("/2/tweets/search/stream") {
            return (Duration::ZERO, self.stream.answer(path, request));
        }
        let Some(body) = self.posts_page(path, query) else {
            let absent = json!({ "error": { "code": 100, "error_subcode": 33 } });
            let reply = Reply::new("400 Bad Request", absent.to_string());
            return (Duration::ZERO, Reply { head, ..reply });
        };
        let body = body.to_string();
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

    /// Nothing: what is asked for is not there.
    fn posts_page(&self, path: &str, query: &HashMap<String, String>) -> Option<Value> {
        let get = |name: &str| query.get(name).map(String::as_str);
        let mut posts: Vec<&Post> = self.posts.iter().rev().collect();
        if let Some(since) = get("since_id").and_then(|id| id.parse::<i64>().ok()) {
            posts.retain(|post| post.id.parse::<i64>().unwrap() > since);
        }
        if let Some(start) = get("start_time").and_then(|t| DateTime::parse_from_rfc3339(t).ok()) {
            posts.retain(|post| post.at >= start);
        }
        if let Some(since) = get("since").and_then(|t| t.parse::<i64>().ok()) {
            posts.retain(|post| post.at.timestamp() >= since);
        }
        if let Some(place) = get("next_token").or_else(|| get("after")) {
            // Behind a post that is gone there is nothing, as at Reddit.
            let at = posts.iter().position(|post| post.id == place);
            posts = at.map_or_else(Vec::new, |at| posts.split_off(at + 1));
        }
        let more = posts.len() > self.page;
        posts.truncate(self.page);
        let next = posts.last().filter(|_| more).map(|post| post.id.clone());
        Some(match path {
            "/2/tweets/search/recent" => shapes::x(&posts, next, &[]),
            "/2/tweets" => {
                let (known, missing) = self.by_id(get("ids").unwrap());
                shapes::x(&known, None, &missing)
            }
            "/api/info" => shapes::reddit(&self.by_id(get("id").unwrap()).0, None),
            "/api/v1/me" | "/user/acme_bot/about" => self.account.clone()?,
            "/message/comments" => shapes::inbox(&posts, next),
            _ if path.ends_with("/replies") => {
                let of = path.rsplit('/').nth(1)?;
                posts.retain(|post| post.answers.as_deref() == Some(of));
                shapes::threads(&posts, next)
            }
            _ if path.ends_with("/insights") => shapes::insights(),
            _ if path.starts_with("/r/") => shapes::reddit(&posts, next),
            "/v1.0/keyword_search" | "/v1.0/me/mentions" => shapes::threads(&posts, next),
            _ => shapes::media(self.by_id(path.rsplit('/').next()?).0.pop()?),
        })
    }

    /// The posts with these ids, and the ids of which there is none.
    fn by_id<'q>(&self, ids: &'q str) -> (Vec<&Post>, Vec<&'q str>) {
        let of = |id: &str| self.posts.iter().find(|post| post.id == id);
        assert!(ids.split(',').count() <= 100, "more than platforms take");
        let missing = ids.split(',').filter(|id| of(id).is_none()).collect();
        (ids.split(',').filter_map(of).collect(), missing)
    }
}
