//! What social platforms send, made up.

use serde_json::{Value, json};

/// A post as X delivers it from a filtered stream: one author per name, who has so many followers.
#[must_use]
pub fn x_post(id: u64, author: &str, followers: u64, text: &str) -> Value {
    let id = id.to_string();
    let author_id = author.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte))
        % 1_000_000_007;
    let author_id = author_id.to_string();
    json!({
        "data": {
            "id": id, "text": text, "author_id": author_id, "lang": "en", "conversation_id": id,
            "created_at": minutes_ago(5), "edit_history_tweet_ids": [id],
            "public_metrics": { "retweet_count": 0, "reply_count": 1, "like_count": 2, "quote_count": 0, "impression_count": 90 },
        },
        "includes": { "users": [{
            "id": author_id, "name": author, "username": author, "description": "", "verified": false,
            "created_at": "2015-01-01T00:00:00.000Z",
            "public_metrics": { "followers_count": followers, "following_count": 10, "tweet_count": 100, "listed_count": 0 },
        }] },
    })
}

#[expect(clippy::disallowed_methods, reason = "platforms have the real time")]
fn minutes_ago(minutes: i64) -> String {
    let at = chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
