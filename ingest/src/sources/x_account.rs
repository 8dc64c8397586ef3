//! X's account activity: posts in the shape of API 1.1.

use millrace_jobs::social::record::{Author, Metrics, Platform, Said};

use super::social::{
    self, Aside, Found, Item, count, each, gone, id, id_of, known_flag, line, post, when,
};
use super::x::{self, Seen};
use crate::json::Object;

/// Whether the object is account activity; what it says goes into `found`.
pub(super) fn read(object: &Object<'_>, seen: Seen<'_>, found: &mut Found) -> bool {
    let Some(account) = object.line("for_user_id", 64) else {
        // Somebody took our app's access back: what others let us see goes on.
        let revoked = object.has("user_event");
        if revoked {
            found.add(Err(Aside::Left("user_revoked")));
        }
        return revoked;
    };
    let of = Seen { us: Some(&account), ..seen };
    for (key, _) in object.entries() {
        match key {
            "for_user_id" | "user_has_blocked" => {}
            "tweet_create_events" => each(found, object.array(key), |tweet| written(&tweet, of)),
            "tweet_delete_events" => each(found, object.array(key), deleted),
            _ => found.add(Err(Aside::Left("activity"))),
        }
    }
    true
}

fn written(tweet: &Object<'_>, seen: Seen<'_>) -> Item {
    let own = id(tweet, "id_str", "id_missing")?;
    let author_id = id(tweet, "/user/id_str", "author_missing")?;
    if seen.us == Some(&author_id) {
        return Err(Aside::Left("own_post"));
    }
    if tweet.get("retweeted_status").is_some() {
        return Err(Aside::Left("repost"));
    }
    let text =
        ["/extended_tweet/full_text", "full_text", "text"].iter().find_map(|at| tweet.text(at));
    let text = text.ok_or(Aside::Odd("text_missing"))?;
    let mut post = post(Platform::Twitter, own, social::words(&x::unescaped(&text))?, seen.at);
    post.posted_at = when(tweet, "created_at");
    post.lang = x::lang(tweet);
    post.in_reply_to = id_of(tweet, "in_reply_to_status_id_str");
    post.url = Some(x::url(&post.platform_post_id));
    // They are sent because they mention or answer the account.
    post.addressed = true;
    // Views are not part of this shape.
    post.metrics = Metrics {
        likes: count(tweet, "favorite_count"),
        replies: count(tweet, "reply_count"),
        reposts: count(tweet, "retweet_count"),
        quotes: count(tweet, "quote_count"),
        views: None,
    };
    post.author = Author {
        platform_id: author_id,
        handle: line(tweet, "/user/screen_name"),
        display_name: line(tweet, "/user/name"),
        bio: line(tweet, "/user/description"),
        followers: count(tweet, "/user/followers_count"),
        verified: known_flag(tweet, "/user/verified"),
        since: when(tweet, "/user/created_at"),
    };
    Ok(Said::Post(Box::new(post)))
}

fn deleted(event: Object<'_>) -> Item {
    let id = id(&event, "/status/id", "id_missing")?;
    Ok(gone(Platform::Twitter, id, when(&event, "timestamp_ms"), "deleted"))
}
