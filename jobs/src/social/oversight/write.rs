//! A reply is written: checked, given a place, allowed or held for a person, stored. All in one transaction.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    approval::{self, Candidate, REGENERATIONS_MAX, Why},
    cadence::{Wanted, room},
    desk::{Actor, note},
    escalation::{NewEscalation, Reason},
    karma::{Gate, gate},
    link,
    reply::{Broken, Refused, ReplyType, Text},
};
use crate::{
    social::{
        profile::{Archetype, Mode, Profile},
        record::Platform,
        text::reply::Violation,
    },
    store::social::{
        audit, escalations, own_accounts,
        places::{self, Decided},
        replies::{self as store, NewReply, ReplyFilter, ReplyRow},
    },
};

/// What somebody wants to answer.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The decision that asks for it.
    pub decision_id: &'a str,
    /// The text, signature included.
    pub content: &'a str,
    /// What kind of text; the decision's if absent.
    pub archetype: Option<Archetype>,
    /// Why it is written.
    pub reply_type: ReplyType,
    /// Of the planned reply: whatever is written for it twice is one reply, the first.
    pub idempotency_key: &'a str,
    /// An address that the text leads to; it gets parameters that say which reply it was in.
    pub link: Option<&'a str>,
    /// How sure the writer is.
    pub confidence: Option<f64>,
}

/// A reply that is stored.
#[derive(Debug, Clone)]
pub struct Written {
    /// It.
    pub row: ReplyRow,
    /// It was there before, under the same key.
    pub known: bool,
}

/// Store it, or say why not. Commit also what is refused: that it was is on record.
///
/// # Errors
/// Those of the database.
pub async fn write(
    conn: &mut PgConnection,
    profile: &Profile,
    actor: Actor<'_>,
    draft: Draft<'_>,
) -> sqlx::Result<Result<Written, Refused>> {
    // Who has the same plan at the same moment, for whichever platform, waits and finds this one.
    places::hold_key(&mut *conn, actor.workspace_id, draft.idempotency_key).await?;
    if let Some(known) = known(conn, actor, draft).await? {
        return Ok(known);
    }
    let Some(decided) = places::decided(&mut *conn, actor.workspace_id, draft.decision_id).await?
    else {
        return Ok(Err(Refused::NotFound("decision")));
    };
    let (Some(platform), Some(mode)) = (platform(&decided.platform), mode(&decided.mode)) else {
        return Ok(Err(Refused::NotFound("decision")));
    };
    if let Err(why) = answerable(&decided, mode) {
        return Ok(Err(why));
    }
    places::hold_places(&mut *conn, actor.workspace_id, platform).await?;
    let id = Uuid::new_v4().to_string();
    let utm_code = link::utm_code(&id);
    let link = match draft.link.map(|plain| link::tagged(plain, profile, platform, &utm_code)) {
        Some(None) => {
            let why = "link must be an http address without utm parameters";
            return Ok(Err(Refused::State("bad_link", why.into())));
        }
        link => link.flatten(),
    };
    let text = Text {
        content: draft.content,
        platform,
        link: link.as_deref(),
        utm_code: Some(&utm_code),
        mode: Some(mode),
    };
    let violations = text.violations(profile);
    if !violations.is_empty() {
        return broken(conn, actor, draft, &decided, violations).await.map(Err);
    }
    let wanted = text.wants(
        profile,
        decided.community.is_some(),
        draft.reply_type == ReplyType::KarmaBuilding,
    );
    let place = (&*decided.thread, decided.community.as_deref());
    let gate = match place_for(conn, profile, (actor, platform), place, &id, wanted).await? {
        Ok(gate) => gate,
        Err(full) => return Ok(Err(full)),
    };
    stored(conn, profile, (actor, draft, &decided, platform), &id, text, (wanted, gate)).await
}

/// Whether the platform would have us there, and there is a place for a reply, which nobody else gets until the transaction ends: they must be held.
pub(super) async fn place_for(
    conn: &mut PgConnection,
    profile: &Profile,
    (actor, platform): (Actor<'_>, Platform),
    (thread, community): (&str, Option<&str>),
    id: &str,
    wanted: Wanted,
) -> sqlx::Result<Result<Gate, Refused>> {
    let Some(shape) = profile.reply(platform) else {
        let why = "the profile says nothing of this platform";
        return Ok(Err(Refused::State("no_shape", why.into())));
    };
    let accounts = own_accounts::of(&mut *conn, actor.workspace_id, platform).await?;
    let gate = match gate(&accounts, &profile.cadence, wanted) {
        Ok(gate) => gate,
        Err(why) => return Ok(Err(Refused::State("karma_gate", why))),
    };
    let at = (actor.workspace_id, platform);
    let taken = places::taken(conn, at, thread, community, id).await?;
    Ok(room(wanted, taken, shape, &profile.cadence).map(|()| gate).map_err(Refused::Full))
}

/// What an earlier one with the same key became.
async fn known(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    draft: Draft<'_>,
) -> sqlx::Result<Option<Result<Written, Refused>>> {
    let filter = ReplyFilter {
        idempotency_key: Some(draft.idempotency_key.to_owned()),
        ..ReplyFilter::default()
    };
    let row = store::list(conn, actor.workspace_id, &filter, None, 1).await?.pop();
    Ok(row.map(|row| match row.decision_id == draft.decision_id {
        true => Ok(Written { row, known: true }),
        false => {
            let why = format!("the key is that of a reply to decision {}", row.decision_id);
            Err(Refused::State("key_reused", why))
        }
    }))
}

fn answerable(decided: &Decided, mode: Mode) -> Result<(), Refused> {
    if mode == Mode::Disengaged {
        let why = "the decision is to stay away";
        return Err(Refused::State("disengaged", why.into()));
    }
    if decided.gone {
        return Err(Refused::State("post_gone", "the post was deleted".into()));
    }
    Ok(())
}

/// A reply that breaks rules is not stored, but that there was one is.
async fn broken(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    draft: Draft<'_>,
    decided: &Decided,
    violations: Vec<Violation>,
) -> sqlx::Result<Refused> {
    let before = refusals(conn, actor, draft).await?;
    let escalated = before >= REGENERATIONS_MAX;
    let rules: Vec<_> = violations.iter().map(|violation| violation.rule).collect();
    if escalated {
        let text = format!("{} replies broke rules, the last one: {}", before + 1, json!(rules));
        let new = escalation(actor, draft, decided, None, text);
        escalations::open(conn, &[new]).await?;
    }
    let details = json!({ "content": draft.content, "violations": violations, "rules": rules });
    note(conn, actor, ("decision", draft.decision_id), "reply_refused", details).await?;
    let regenerations_left = (REGENERATIONS_MAX - before).max(0);
    Ok(Refused::Broken(Broken { violations, regenerations_left, escalated }))
}

/// How many replies to the decision were refused because they break rules.
async fn refusals(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    draft: Draft<'_>,
) -> sqlx::Result<i64> {
    let of = (actor.workspace_id, "decision", draft.decision_id);
    audit::count(conn, of, "reply_refused").await
}

/// Store it, allowed or waiting for a person.
async fn stored(
    conn: &mut PgConnection,
    profile: &Profile,
    (actor, draft, decided, platform): (Actor<'_>, Draft<'_>, &Decided, Platform),
    id: &str,
    text: Text<'_>,
    (wanted, gate): (Wanted, Gate),
) -> sqlx::Result<Result<Written, Refused>> {
    let sent = places::sent(&mut *conn, actor.workspace_id).await?;
    let refused = refusals(conn, actor, draft).await?;
    let confidence = sure(decided.mode_confidence, draft.confidence);
    let review = approval::review(Candidate {
        id,
        confidence,
        sent: sent.ever,
        needs_review: decided.needs_review,
        escalated: decided.escalated || refused > REGENERATIONS_MAX,
    });
    let known = |name: &str| Archetype::ALL.iter().copied().find(|a| a.as_str() == name);
    let new = NewReply {
        workspace_id: actor.workspace_id,
        id,
        decision_id: draft.decision_id,
        content: draft.content,
        archetype: draft.archetype.or_else(|| decided.archetype.as_deref().and_then(known)),
        platform,
        reply_type: draft.reply_type,
        utm_code: text.utm_code,
        link: text.link,
        has_link: wanted.links,
        promotes: wanted.promotes,
        thread: &decided.thread,
        community: decided.community.as_deref(),
        help_count: sent.lately,
        confidence,
        review,
        idempotency_key: draft.idempotency_key,
    };
    store::insert(&mut *conn, &new).await?;
    if review == Some(Why::LowConfidence) {
        let text = format!("confidence {}", confidence.unwrap_or_default());
        let called = escalation(actor, draft, decided, Some(id), text);
        escalations::open(conn, &[called]).await?;
    }
    let details = json!({
        "decision_id": new.decision_id, "mode": decided.mode, "propensity": decided.propensity, "content": new.content,
        "link": new.link, "platform": platform, "archetype": new.archetype, "reply_type": new.reply_type,
        "confidence": confidence, "violations": [], "profile_sha256": profile.sha256,
        "approval": if review.is_none() { "AUTO_APPROVED" } else { "PENDING" }, "review_reason": review, "karma_gate": gate,
    });
    note(conn, actor, ("reply", id), "created", details).await?;
    let row = store::get(conn, actor.workspace_id, id).await?;
    Ok(row.map(|row| Written { row, known: false }).ok_or(Refused::NotFound("reply")))
}

fn escalation(
    actor: Actor<'_>,
    draft: Draft<'_>,
    decided: &Decided,
    reply_id: Option<&str>,
    text: String,
) -> NewEscalation {
    NewEscalation {
        workspace_id: actor.workspace_id.to_owned(),
        post_id: Some(decided.post_id.clone()),
        decision: Some((draft.decision_id.to_owned(), decided.created_at)),
        reply_id: reply_id.map(str::to_owned),
        reason: Reason::LowConfidence,
        reason_text: Some(text),
        priority: None,
    }
}

/// The less sure one; unknown counts for nothing beside a known one.
fn sure(decided: Option<f64>, written: Option<f64>) -> Option<f64> {
    match (decided, written) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

pub(super) fn platform(word: &str) -> Option<Platform> {
    Platform::ALL.into_iter().find(|known| known.as_str() == word)
}

pub(super) fn mode(word: &str) -> Option<Mode> {
    Mode::ALL.iter().copied().find(|known| known.as_str() == word)
}
