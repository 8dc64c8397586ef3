//! Escalations in hand: claimed, given back, ended; each act with its entry in the audit.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::escalation::{NewEscalation, Status};
use crate::store::social::{
    audit::{self, Act},
    escalations::{self as store, EscalationFilter, EscalationRow},
};

/// Who acts.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Tenant.
    pub workspace_id: &'a str,
    /// `key:<id of an API key>` or `cli:<user id of the process>`.
    pub id: &'a str,
    /// May end and give back what others have claimed.
    pub over: bool,
}

/// What became of an act.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Done; so it is now.
    Done(Box<EscalationRow>),
    /// The workspace has no such escalation, or none that is free.
    NotFound,
    /// It is not the actor's to end, or not free: so it is.
    Refused(Box<EscalationRow>),
}

/// How long a claim holds unless somebody says otherwise, minutes.
pub const CLAIM_MINUTES: i32 = 30;
/// And at most.
pub const CLAIM_MINUTES_MAX: i32 = 8 * 60;
/// The longest notes, in characters.
pub const NOTES_MAX: usize = 4000;

/// Open one by hand.
///
/// # Errors
/// Those of the database; also if it is about a post or a reply that the workspace does not have.
pub async fn open(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    new: NewEscalation,
) -> sqlx::Result<Answer> {
    let Some(id) = store::open(conn, std::slice::from_ref(&new)).await?.pop() else {
        return Ok(Answer::NotFound);
    };
    note(
        conn,
        actor,
        ("escalation", &id),
        "opened",
        json!({ "reason": new.reason, "text": new.reason_text }),
    )
    .await?;
    answer(conn, actor, &id, true).await
}

/// Take one, or prolong one's own claim; without an id the most urgent one that nobody has.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: Option<&str>,
    minutes: i32,
) -> sqlx::Result<Answer> {
    let taken = match id {
        None => store::claim_next(&mut *conn, actor.workspace_id, actor.id, minutes).await?,
        Some(id) => {
            let done = store::claim(&mut *conn, actor.workspace_id, id, actor.id, minutes).await?;
            if !done {
                return answer(conn, actor, id, false).await;
            }
            Some(id.to_owned())
        }
    };
    let Some(id) = taken else { return Ok(Answer::NotFound) };
    note(conn, actor, ("escalation", &id), "claimed", json!({ "minutes": minutes })).await?;
    answer(conn, actor, &id, true).await
}

/// Give one back.
///
/// # Errors
/// Those of the database.
pub async fn release(conn: &mut PgConnection, actor: Actor<'_>, id: &str) -> sqlx::Result<Answer> {
    let done = store::release(&mut *conn, actor.workspace_id, id, actor.id, actor.over).await?;
    if done {
        note(conn, actor, ("escalation", id), "released", json!({})).await?;
    }
    answer(conn, actor, id, done).await
}

/// End one as `RESOLVED` or `DISMISSED`.
///
/// # Errors
/// Those of the database.
pub async fn end(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    status: Status,
    notes: &str,
) -> sqlx::Result<Answer> {
    let at = (actor.workspace_id, id);
    let ended = store::end(&mut *conn, at, status, notes, actor.id, actor.over).await?;
    if let Some(ended) = &ended {
        let action = if status == Status::Dismissed { "dismissed" } else { "resolved" };
        note(
            conn,
            actor,
            ("escalation", id),
            action,
            json!({ "notes": notes, "late": ended.newly_late }),
        )
        .await?;
        if ended.newly_late {
            late(&ended.priority);
        }
    }
    answer(conn, actor, id, ended.is_some()).await
}

/// Count one that was not ended in time.
pub(super) fn late(priority: &str) {
    metrics::counter!("millrace_escalations_late_total", "priority" => priority.to_owned())
        .increment(1);
}

/// In the audit: what somebody did to an entity of a kind.
pub(super) async fn note(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    (entity_type, entity_id): (&str, &str),
    action: &str,
    details: Value,
) -> sqlx::Result<()> {
    let act =
        Act { workspace_id: actor.workspace_id, actor: actor.id, entity_type, entity_id, action };
    audit::note(conn, act, details).await
}

async fn answer(
    conn: &mut PgConnection,
    actor: Actor<'_>,
    id: &str,
    done: bool,
) -> sqlx::Result<Answer> {
    let filter = EscalationFilter {
        workspace_id: Some(actor.workspace_id.to_owned()),
        id: Some(id.to_owned()),
        ..EscalationFilter::default()
    };
    let Some(row) = store::list(conn, &filter, None, 1).await?.pop().map(Box::new) else {
        return Ok(Answer::NotFound);
    };
    Ok(if done { Answer::Done(row) } else { Answer::Refused(row) })
}
