//! What a social platform says, in one shape for all of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A platform: the seed's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Platform {
    Twitter,
    Reddit,
    Threads,
}

impl Platform {
    /// All of them, in the seed's order.
    pub const ALL: [Self; 3] = [Self::Twitter, Self::Reddit, Self::Threads];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twitter => "TWITTER",
            Self::Reddit => "REDDIT",
            Self::Threads => "THREADS",
        }
    }
}

/// One thing that a delivery or a page says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// The post is so now: it was written, edited, or seen again with other counts.
    Post(Box<Post>),
    /// The post is no more; the platform's terms want ours gone too.
    PostGone {
        /// Where.
        platform: Platform,
        /// Its id there.
        platform_post_id: String,
        /// When, if it says so.
        at: Option<DateTime<Utc>>,
        /// The platform's word: `deleted`, `protected`, `suspended`, `withheld`.
        reason: String,
    },
    /// The account is no more: its posts, name and handle go.
    AuthorGone {
        /// Where.
        platform: Platform,
        /// The account's id there.
        platform_id: String,
        /// When, if it says so.
        at: Option<DateTime<Utc>>,
        /// The platform's word.
        reason: String,
    },
}

impl Said {
    /// Where.
    #[must_use]
    pub fn platform(&self) -> Platform {
        match self {
            Self::Post(post) => post.platform,
            Self::PostGone { platform, .. } | Self::AuthorGone { platform, .. } => *platform,
        }
    }
}

/// A post as its platform shows it. What is absent is unknown, and never overwrites what is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Post {
    /// Where.
    pub platform: Platform,
    /// Its id there (Reddit: the full name, `t3_..` or `t1_..`).
    pub platform_post_id: String,
    /// Ids of the versions that this one replaces (X makes a new id for each edit), oldest first.
    pub supersedes: Vec<String>,
    /// Who wrote it.
    pub author: Author,
    /// The text (Reddit: title, blank line, body).
    pub content: String,
    /// When it was written.
    pub posted_at: Option<DateTime<Utc>>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// BCP 47, as the platform says.
    pub lang: Option<String>,
    /// Id of the post that it answers.
    pub in_reply_to: Option<String>,
    /// Id of the post at the top of its thread.
    pub conversation: Option<String>,
    /// Subreddit or group, without prefix, lower case.
    pub community: Option<String>,
    /// Where a person reads it.
    pub url: Option<String>,
    /// It was found because it speaks to us (a mention or an answer), not by a keyword.
    pub addressed: bool,
    /// Its counts at `seen_at`.
    pub metrics: Metrics,
    /// When the platform showed it so.
    pub seen_at: DateTime<Utc>,
}

/// The account behind a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The account's id (Reddit: `t2_..`). A post without one is refused: its text says nothing of who wrote it.
    pub platform_id: String,
    /// Without `@` or `u/`.
    pub handle: Option<String>,
    /// The name shown.
    pub display_name: Option<String>,
    /// What the account says of itself.
    pub bio: Option<String>,
    /// Followers (Reddit: karma is no followers; absent).
    pub followers: Option<i64>,
    /// Verified by the platform.
    pub verified: Option<bool>,
    /// When the account was made.
    pub since: Option<DateTime<Utc>>,
}

/// Public counts; absent where the platform does not say. Zero is a count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// Likes, hearts, or upvotes less downvotes.
    pub likes: Option<i64>,
    /// Answers.
    pub replies: Option<i64>,
    /// Reposts.
    pub reposts: Option<i64>,
    /// Quotes.
    pub quotes: Option<i64>,
    /// Times it was shown.
    pub views: Option<i64>,
}
