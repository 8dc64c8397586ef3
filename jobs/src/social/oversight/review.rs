//! What becomes of a reply after it was written: edited, allowed, refused, sent, taken back.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    approval::BULK,
    cadence::Wanted,
    desk::{Actor, note},
    karma::Gate,
    reply::{Approval, Broken, Refused, Rejection, ReplyType, Text},
    write::{mode, place_for, platform},
};
use crate::{
    social::{profile::Profile, text::reply::Violation},
    store::social::{
        places,
        replies::{self as store, ReplyRow, Standing},
    },
};

/// What became of an act.
pub type Answer = Result<ReplyRow, Refused>;

/// Write another text, over the version that the editor saw; it waits for a person again.
///
/// # Errors
/// Those of the database.
pub async fn edit(
    conn: &mut PgConnection,
    profile: &Profile,
    actor: Actor<'_>,
    id: &str,
    (version, content): (i32, &str),
) -> sqlx::Result<Answer> {
    let Some(now) = store::lock(&mut *conn, actor.workspace_id, id).await? else {
        return Ok(Err(Refused::NotFound("reply")));
    };
    if let Err(why) = unsent(&now) {
        return Ok(Err(why));
    }
    if now.version != version {
        let why = format!("it is at version {} by now", now.version);
        return Ok(Err(Refused::State("version", why)));
    }
    let Some(text) = text(&now, content) else { return Ok(Err(Refused::NotFound("reply"))) };
    if let Some(broken) = broken(text.violations(profile)) {
        return Ok(Err(broken));
    }
    let wanted = wanted(text, &now, profile);
    let at = (actor.workspace_id, id);
    store::edit(conn, at, content, (wanted.links, wanted.promotes)).await?;
    let details = json!({ "version": version + 1, "content": content, "was": now.content, "approval_was": now.approval_status });
    done(conn, actor, id, "edited", details).await
}

/// Allow it: the text that the caller saw, which must break no rule of today's profile, and there must be a place for it.
/// `bulk`: only if its confidence is over 0.90.
///
/// # Errors
/// Those of the database.
pub async fn approve(
    conn: &mut PgConnection,
    profile: &Profile,
    actor: Actor<'_>,
    id: &str,
    (version, bulk): (Option<i32>, bool),
) -> sqlx::Result<Answer> {
    let Some(now) = store::lock(&mut *conn, actor.workspace_id, id).await? else {
        return Ok(Err(Refused::NotFound("reply")));
    };
    if let Err(why) = unsent(&now) {
        return Ok(Err(why));
    }
    if version.is_some_and(|version| version != now.version) {
        let why = format!("it is at version {} by now", now.version);
        return Ok(Err(Refused::State("version", why)));
    }
    if Approval::of(&now.approval_status) != Approval::Pending {
        let why = format!("it does not wait: {}", now.approval_status);
        return Ok(Err(Refused::State("not_pending", why)));
    }
    if bulk && !now.confidence.is_some_and(|confidence| confidence > BULK) {
        let why = format!("its confidence is not over {BULK}: look at it alone");
        return Ok(Err(Refused::State("confidence", why)));
    }
    if now.gone {
        return Ok(Err(Refused::State("post_gone", "the post was deleted".into())));
    }
    let karma_gate = match may_go(conn, profile, actor, id, &now).await? {
        Ok(gate) => gate,
        Err(why) => return Ok(Err(why)),
    };
    store::judge(conn, (actor.workspace_id, id), None, actor.id).await?;
    let details = json!({ "version": now.version, "content": now.content, "bulk": bulk, "karma_gate": karma_gate,
        "profile_sha256": profile.sha256 });
    done(conn, actor, id, "approved", details).await
}

/// Whether it breaks no rule and there is a place for it, which nobody else gets until the transaction ends.
async fn may_go(
    conn: &mut PgConnection,
    profile: &Profile,
    actor: Actor<'_>,
    id: &str,
    now: &Standing,
) -> sqlx::Result<Result<Gate, Refused>> {
    let Some(text) = text(now, &now.content) else { return Ok(Err(Refused::NotFound("reply"))) };
    if let Some(broken) = broken(text.violations(profile)) {
        return Ok(Err(broken));
    }
    places::hold_places(&mut *conn, actor.workspace_id, text.platform).await?;
    let wanted = wanted(text, now, profile);
    let place = (&*now.thread, now.community.as_deref());
    place_for(conn, profile, (actor, text.platform), place, id, wanted).await
}

/// Do not allow it.
///
/// # Errors
/// Those of the database.
pub async fn reject(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    (reason, notes): (Rejection, &str),
) -> sqlx::Result<Answer> {
    let Some(now) = store::lock(&mut *conn, actor.workspace_id, id).await? else {
        return Ok(Err(Refused::NotFound("reply")));
    };
    if let Err(why) = unsent(&now) {
        return Ok(Err(why));
    }
    store::judge(conn, (actor.workspace_id, id), Some(reason), actor.id).await?;
    let details = json!({ "reason": reason, "notes": notes, "version": now.version });
    done(conn, actor, id, "rejected", details).await
}

/// It was sent, and is `platform_post_id` there. What is to follow a reply is enqueued by the caller in the transaction of
/// this act, from the row that it returns, when `first` (not for a repetition).
///
/// # Errors
/// Those of the database.
pub async fn posted(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    (platform_post_id, at): (&str, Option<DateTime<Utc>>),
) -> sqlx::Result<Result<Posted, Refused>> {
    let Some(now) = store::lock(&mut *conn, actor.workspace_id, id).await? else {
        return Ok(Err(Refused::NotFound("reply")));
    };
    let allowed = [Approval::Approved, Approval::AutoApproved];
    if let Some(there) = &now.platform_post_id {
        if there != platform_post_id {
            let why = format!("it was sent already, as {there}");
            return Ok(Err(Refused::State("posted", why)));
        }
        let row = store::get(conn, actor.workspace_id, id).await?;
        return Ok(row.map(|row| Posted { row, first: false }).ok_or(Refused::NotFound("reply")));
    }
    if !allowed.contains(&Approval::of(&now.approval_status)) {
        let why = format!("nobody has allowed it: {}", now.approval_status);
        return Ok(Err(Refused::State("not_approved", why)));
    }
    store::posted(conn, (actor.workspace_id, id), platform_post_id, at).await?;
    let details = json!({ "platform_post_id": platform_post_id, "posted_at": at, "content": now.content, "version": now.version });
    let answer = done(conn, actor, id, "posted", details).await?;
    Ok(answer.map(|row| Posted { row, first: true }))
}

/// A reply that was sent.
#[derive(Debug, Clone)]
pub struct Posted {
    /// It.
    pub row: ReplyRow,
    /// Nobody had said so before.
    pub first: bool,
}

/// It was taken back, before or after it was sent.
///
/// # Errors
/// Those of the database.
pub async fn deleted(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    reason: &str,
) -> sqlx::Result<Answer> {
    let Some(now) = store::lock(&mut *conn, actor.workspace_id, id).await? else {
        return Ok(Err(Refused::NotFound("reply")));
    };
    if now.deleted_at.is_some() {
        let row = store::get(conn, actor.workspace_id, id).await?;
        return Ok(row.ok_or(Refused::NotFound("reply")));
    }
    store::deleted(conn, (actor.workspace_id, id), reason).await?;
    let details = json!({ "reason": reason, "was_posted": now.posted_at.is_some() });
    done(conn, actor, id, "deleted", details).await
}

fn unsent(now: &Standing) -> Result<(), Refused> {
    if now.posted_at.is_some() {
        return Err(Refused::State("posted", "it was sent already".into()));
    }
    if now.deleted_at.is_some() {
        return Err(Refused::State("deleted", "it was taken back".into()));
    }
    Ok(())
}

fn wanted(text: Text<'_>, now: &Standing, profile: &Profile) -> Wanted {
    let builds_karma = now.reply_type == ReplyType::KarmaBuilding.as_str();
    text.wants(profile, now.community.is_some(), builds_karma)
}

fn text<'a>(now: &'a Standing, content: &'a str) -> Option<Text<'a>> {
    Some(Text {
        content,
        platform: platform(&now.platform)?,
        link: now.link.as_deref(),
        utm_code: now.utm_code.as_deref(),
        mode: now.mode.as_deref().and_then(mode),
    })
}

fn broken(violations: Vec<Violation>) -> Option<Refused> {
    let broken = Broken { violations, regenerations_left: 0, escalated: false };
    (!broken.violations.is_empty()).then_some(Refused::Broken(broken))
}

async fn done(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    action: &str,
    details: Value,
) -> sqlx::Result<Answer> {
    note(conn, actor, ("reply", id), action, details).await?;
    let row = store::get(conn, actor.workspace_id, id).await?;
    Ok(row.ok_or(Refused::NotFound("reply")))
}
