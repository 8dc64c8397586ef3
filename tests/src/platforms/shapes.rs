//! Answers in the shapes of the platforms.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// The first millisecond of X's ids.
const X_EPOCH_MS: i64 = 1_288_834_974_657;

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Writer {
    pub id: String,
    pub name: String,
    pub bio: String,
    pub followers: u64,
}

impl Default for Writer {
    fn default() -> Self {
        Self { id: "7".into(), name: "ann".into(), bio: String::new(), followers: 120 }
    }
}

/// A post as its platform has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its id there.
    pub id: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub by: Writer,
    /// X: ids of its earlier versions. Others: it was edited if there are any.
    pub earlier: Vec<String>,
    /// Reddit shows it still, without its words.
    pub gone: bool,
    /// The post that it answers.
    pub answers: Option<String>,
    /// X's likes, Reddit's score.
    pub likes: u64,
}

impl Post {
    /// The `nth` post of X, Reddit or Threads, on the matter that our brand is about.
    #[must_use]
    pub fn new(kind: &str, nth: usize, at: DateTime<Utc>) -> Self {
        let id = match kind {
            "x" => (((at.timestamp_millis() - X_EPOCH_MS) << 22)
                + i64::try_from(nth % (1 << 22)).unwrap())
            .to_string(),
            "reddit" => format!("t3_{nth}"),
            _ => format!("1800000{nth:06}"),
        };
        let text = format!("So hungover today, post {id}");
        Self {
            id,
            at,
            text,
            by: Writer::default(),
            earlier: Vec::new(),
            gone: false,
            answers: None,
            likes: 4,
        }
    }

    fn x(&self) -> Value {
        let mut versions = self.earlier.clone();
        versions.push(self.id.clone());
        json!({ "id": self.id, "text": self.text, "author_id": self.by.id, "created_at": self.at.to_rfc3339(),
            "edit_history_tweet_ids": versions,
            "public_metrics": { "like_count": self.likes, "reply_count": 2, "retweet_count": 2, "quote_count": 1,
                                "impression_count": 90 } })
    }

    fn reddit(&self) -> Value {
        let edited =
            if self.earlier.is_empty() { json!(false) } else { json!(self.at.timestamp() + 60) };
        let mut data = json!({ "name": self.id, "title": self.text, "selftext": "", "author": self.by.name,
            "author_fullname": format!("t2_{}", self.by.id), "subreddit": "party", "edited": edited,
            "created_utc": self.at.timestamp(), "score": self.likes, "num_comments": 2, "num_crossposts": 3 });
        if self.gone {
            data["selftext"] = "[deleted]".into();
            data["author"] = "[deleted]".into();
        }
        json!({ "kind": "t3", "data": data })
    }

    fn threads(&self) -> Value {
        let mut media = json!({ "id": self.id, "text": self.text, "username": self.by.name,
            "timestamp": self.at.format("%Y-%m-%dT%H:%M:%S+0000").to_string() });
        if let Some(answered) = &self.answers {
            media["replied_to"] = json!({ "id": answered });
        }
        media
    }
}

/// A page of X's search, or what a look-up by ids finds; `missing` are ids that it does not.
pub(super) fn x(posts: &[&Post], next: Option<String>, missing: &[&str]) -> Value {
    // Errors beside the data are usual.
    let mut errors = vec![
        json!({ "resource_type": "tweet", "parameter": "referenced_tweets.id", "resource_id": "1",
        "title": "Not Found Error", "type": "https://api.twitter.com/2/problems/resource-not-found" }),
    ];
    let not_found = |id: &&str| {
        json!({ "resource_type": "tweet", "parameter": "ids", "resource_id": id, "value": id, "title": "Not Found Error",
            "type": "https://api.twitter.com/2/problems/resource-not-found" })
    };
    errors.splice(0..0, missing.iter().map(not_found));
    if posts.is_empty() && !missing.is_empty() {
        return json!({ "errors": errors });
    }
    let mut meta = json!({ "result_count": posts.len() });
    if let Some(next) = next {
        meta["next_token"] = next.into();
    }
    if posts.is_empty() {
        return json!({ "meta": meta });
    }
    let user = |post: &&Post| {
        let Writer { id, name, bio, followers } = &post.by;
        json!({ "id": id, "username": name, "name": name, "description": bio, "verified": false,
            "created_at": "2015-01-01T00:00:00.000Z", "public_metrics": { "followers_count": followers } })
    };
    json!({ "data": posts.iter().map(|post| post.x()).collect::<Vec<_>>(), "errors": errors, "meta": meta,
        "includes": { "users": posts.iter().map(user).collect::<Vec<_>>() } })
}

/// A line of X's stream.
pub(super) fn line(post: &Post) -> Value {
    let page = x(&[post], None, &[]);
    json!({ "data": page["data"][0], "includes": page["includes"], "matching_rules": [{ "id": "1" }] })
}

/// A listing of Reddit.
pub(super) fn reddit(posts: &[&Post], next: Option<String>) -> Value {
    let children: Vec<Value> = posts.iter().map(|post| post.reddit()).collect();
    json!({ "kind": "Listing", "data": { "after": next, "children": children } })
}

/// Comments that answer us, as Reddit's inbox shows them.
pub(super) fn inbox(posts: &[&Post], next: Option<String>) -> Value {
    let child = |post: &&Post| {
        let short = post.id.trim_start_matches("t1_");
        json!({ "kind": "t1", "data": { "name": post.id, "body": post.text, "author": post.by.name,
            "author_fullname": format!("t2_{}", post.by.id), "subreddit": "party", "parent_id": post.answers,
            "context": format!("/r/party/comments/thread9/a_title/{short}/?context=3"), "type": "comment_reply",
            "created_utc": post.at.timestamp(), "score": 1, "new": true } })
    };
    let children: Vec<Value> = posts.iter().map(child).collect();
    json!({ "kind": "Listing", "data": { "after": next, "children": children } })
}

/// A page of Threads.
pub(super) fn threads(posts: &[&Post], next: Option<String>) -> Value {
    let mut page = json!({ "data": posts.iter().map(|post| post.threads()).collect::<Vec<_>>() });
    if let Some(next) = next {
        page["paging"] = json!({ "cursors": { "after": next }, "next": "there is more" });
    }
    page
}

/// One post of Threads.
pub(super) fn media(post: &Post) -> Value {
    post.threads()
}

/// What Threads shows of a post of ours.
pub(super) fn insights() -> Value {
    let metrics = [("likes", 4), ("replies", 2), ("reposts", 3), ("views", 90)];
    let metric = |(name, value)| json!({ "name": name, "values": [{ "value": value }] });
    json!({ "data": metrics.map(metric) })
}

/// What a platform says of its window; Threads says nothing.
pub(super) fn rate_headers(
    path: &str,
    limit: usize,
    used: usize,
    left: Duration,
) -> Vec<(String, String)> {
    let remaining = limit.saturating_sub(used);
    #[expect(clippy::disallowed_methods, reason = "platforms tell the real time")]
    let reset = (Utc::now() + TimeDelta::from_std(left).unwrap()).timestamp() + 1;
    let pairs = match path {
        _ if path.starts_with("/2/") => vec![
            ("x-rate-limit-limit", limit.to_string()),
            ("x-rate-limit-remaining", remaining.to_string()),
            ("x-rate-limit-reset", reset.to_string()),
        ],
        _ if path.starts_with("/r/") || path.starts_with("/api/") => vec![
            ("x-ratelimit-used", used.to_string()),
            ("x-ratelimit-remaining", format!("{remaining}.0")),
            ("x-ratelimit-reset", (left.as_secs() + 1).to_string()),
        ],
        _ => Vec::new(),
    };
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
