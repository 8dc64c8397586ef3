//! `social.outcome`: what a platform shows of one of our replies, at its time.
//!
//! A platform that is away, or refuses us, keeps its own looks waiting and no others: each waits by itself, without
//! losing an attempt, until it is of no use any more.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use http::StatusCode;
use millrace_jobs::{
    ctx::Ctx,
    queue::{self, Job, Leased, Verdict},
    social::outcomes::windows::{self, LATEST, Shown},
    store::social::reply_outcomes::{self, Posted},
};
use reqwest::Client;
use serde::{Deserialize, Serialize};

use super::{
    client::Answer,
    fetch::{self, Failure},
    platform::{NoPage, Of, platform},
};
use crate::{
    json::{self, Object},
    registry::credentials::{self, Polled},
    secrets::KeyRing,
};

/// After a platform was away.
const AWAY: Duration = Duration::from_secs(300);
/// After it refused what a person has to put right.
const WRONG: Duration = Duration::from_secs(3600);

/// The job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Look(windows::Look);

impl Job for Look {
    const KIND: &'static str = windows::KIND;
    const ATTEMPTS_MAX: i32 = windows::ATTEMPTS_MAX;
    const CONCURRENCY: usize = 2;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for lease in batch {
            verdicts.push(look(&ctx, &lease).await.unwrap_or_else(Verdict::Retry));
        }
        verdicts
    }
}

async fn look(ctx: &Ctx, lease: &Leased<Look>) -> anyhow::Result<Verdict> {
    let Look(look) = &lease.job;
    let mut conn = ctx.pool.acquire().await.context("connection")?;
    let posted = reply_outcomes::due(&mut conn, look).await.context("reply")?;
    drop(conn);
    let Some(posted) = posted else {
        return Ok(Verdict::Cancel("the reply is not posted, or was looked at".into()));
    };
    if is_too_late(&posted, look.window, ctx.clock.now()) {
        return Ok(Verdict::Cancel("it is too late to say anything of this window".into()));
    }
    let (shown, complete) = match ask(ctx, &posted).await? {
        Ok(seen) => seen,
        Err(Failure::NotNow(wait)) => return Ok(Verdict::Snooze(wait)),
        Err(Failure::Away(why)) => {
            tracing::warn!(platform = posted.platform, why, "a reply cannot be looked at");
            return Ok(Verdict::Snooze(AWAY));
        }
        Err(Failure::Wrong(why)) => {
            tracing::error!(platform = posted.platform, why, "a look at a reply is refused");
            return Ok(Verdict::Snooze(WRONG));
        }
    };
    let mut tx = ctx.pool.begin().await.context("begin")?;
    if queue::complete_in(&mut tx, &[lease.id]).await.context("completing the lease")?.is_empty() {
        tx.rollback().await.context("rollback")?;
        return Ok(Verdict::Done);
    }
    let now = ctx.clock.now();
    reply_outcomes::record(&mut tx, look, now, &shown, complete).await.context("outcome")?;
    tx.commit().await.context("commit")?;
    metrics::counter!("millrace_social_looks_total", "platform" => posted.platform, "window" => look.window.as_str())
        .increment(1);
    Ok(Verdict::Committed)
}

fn is_too_late(posted: &Posted, window: windows::Window, now: DateTime<Utc>) -> bool {
    now - posted.posted_at > window.after() + LATEST
}

/// Ask with the first source of the tenant that has credentials; whether all was told that the platform has.
async fn ask(ctx: &Ctx, posted: &Posted) -> anyhow::Result<Result<(Shown, bool), Failure>> {
    let kind = match posted.platform.as_str() {
        "TWITTER" => "x",
        "REDDIT" => "reddit",
        _ => "threads",
    };
    if !is_id(&posted.platform_post_id) {
        return Ok(Err(Failure::Wrong("its id on the platform is none".into())));
    }
    let ring = KeyRing::load(&ctx.settings.secrets).context("key ring")?;
    let sources = credentials::polled(&ctx.pool, None).await.context("sources")?;
    let ours = |s: &&Polled| s.kind == kind && s.workspace_id == posted.workspace_id;
    for source in sources.iter().filter(ours) {
        let kept = credentials::load(&ctx.pool, &ring, &source.id).await.context("credentials")?;
        let (Some(kept), Some(platform)) = (kept, platform(kind)) else { continue };
        let look =
            |client: &Client, of: Of<'_>| platform.look(client, of, &posted.platform_post_id);
        let answer =
            fetch::ask(ctx, (platform, source), (&ring, kept), platform.look_quota(), look);
        return Ok(answer.await?.and_then(|answer| {
            let is_gone = is_gone(&answer);
            let shown =
                if is_gone { Ok(GONE) } else { success(&answer, |body| platform.shown(body)) };
            let complete = |shown: &Shown| shown.removed || shown.likes.is_some();
            shown.map(|shown| (shown, complete(&shown)))
        }));
    }
    Ok(Err(Failure::Wrong(format!("no source of kind {kind} has credentials"))))
}

/// Whether an id that somebody gave us can be part of an address.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// A count; absent if the platform does not say.
pub(super) fn count(object: &Object<'_>, pointer: &str) -> Option<i64> {
    object.text(pointer)?.split('.').next()?.parse().ok()
}

/// It is not there any more.
pub(super) const GONE: Shown =
    Shown { likes: None, replies: None, shares: None, views: None, removed: true };

/// Also by Meta's 400 "Object does not exist" (Graph API, error 100, subcode 33).
pub(super) fn is_gone(answer: &Answer) -> bool {
    let subcode = || {
        let body = json::decode(&answer.body);
        Object::parse(&body).ok().and_then(|error| error.text("/error/error_subcode"))
    };
    match answer.status {
        StatusCode::NOT_FOUND => true,
        StatusCode::BAD_REQUEST => subcode().as_deref() == Some("33"),
        _ => false,
    }
}

fn success(
    answer: &Answer,
    read: impl Fn(&[u8]) -> Result<Shown, NoPage>,
) -> Result<Shown, Failure> {
    fetch::accepted(answer.status)?;
    read(&answer.body).map_err(|why| Failure::Away(why.0.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &str, body: &str) -> Result<Shown, NoPage> {
        platform(kind).unwrap().shown(body.as_bytes())
    }

    fn counts(likes: i64, replies: i64, shares: i64, views: Option<i64>) -> Shown {
        let (likes, replies, shares) = (Some(likes), Some(replies), Some(shares));
        Shown { likes, replies, shares, views, removed: false }
    }

    #[test]
    fn each_platform_is_read() {
        let x = r#"{"data":[{"id":"1","text":"a","public_metrics":{"retweet_count":2,"reply_count":3,"like_count":4,
            "quote_count":1,"bookmark_count":9,"impression_count":500}}]}"#;
        assert_eq!(shown("x", x), Ok(counts(4, 3, 3, Some(500))));
        let reddit = r#"{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"name":"t3_a","score":7,"num_comments":2,
            "num_crossposts":1,"selftext":"words","removed_by_category":null}}]}}"#;
        assert_eq!(shown("reddit", reddit), Ok(counts(7, 2, 1, None)));
        let threads = r#"{"data":[{"name":"views","period":"lifetime","values":[{"value":90}]},{"name":"likes","values":[{"value":5}]},
            {"name":"replies","values":[{"value":2}]},{"name":"reposts","values":[{"value":1}]},{"name":"quotes","values":[{"value":1}]}]}"#;
        assert_eq!(shown("threads", threads), Ok(counts(5, 2, 2, Some(90))));
        let comment = r#"{"kind":"Listing","data":{"children":[{"kind":"t1","data":{"name":"t1_a","score":-3,"body":"words"}}]}}"#;
        let expected = Shown { likes: Some(-3), ..Shown::default() };
        assert_eq!(shown("reddit", comment), Ok(expected), "what is not said is unknown");
    }

    #[test]
    fn what_is_gone_is_told_from_what_failed() {
        let x = |problem: &str| {
            shown(
                "x",
                &format!(r#"{{"errors":[{{"type":"https://api.x.com/2/problems/{problem}"}}]}}"#),
            )
        };
        assert_eq!(x("resource-not-found"), Ok(GONE));
        assert!(x("not-authorized-for-resource").is_err());
        assert_eq!(shown("reddit", r#"{"kind":"Listing","data":{"children":[]}}"#), Ok(GONE));
        let removed =
            r#"{"kind":"Listing","data":{"children":[{"data":{"score":1,"body":"[removed]"}}]}}"#;
        assert_eq!(shown("reddit", removed), Ok(GONE));
        assert!(shown("reddit", r#"{"message":"Forbidden"}"#).is_err());
        for kind in ["x", "reddit", "threads"] {
            assert!(shown(kind, r#"{"data":[{"id""#).is_err(), "{kind}: cut");
        }
        let answer = |status, body: &str| Answer {
            status,
            headers: http::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        };
        let meta = |subcode| format!(r#"{{"error":{{"code":100,"error_subcode":{subcode}}}}}"#);
        assert!(is_gone(&answer(StatusCode::BAD_REQUEST, &meta(33))));
        assert!(!is_gone(&answer(StatusCode::BAD_REQUEST, &meta(34))));
        assert!(is_gone(&answer(StatusCode::NOT_FOUND, "")));
        assert!(!is_gone(&answer(StatusCode::FORBIDDEN, "")));
    }
}
