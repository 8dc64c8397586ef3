//! X's compliance: what is to be removed here too (X, "Compliance streams", "Batch compliance").

use millrace_jobs::social::record::{Platform, Said};

use super::social::{Aside, Item, gone, id, when};
use crate::json::Object;

/// Events of the compliance streams, with what they make of a post or an account; `None` takes nothing away.
const EVENTS: [(&str, Option<&str>); 14] = [
    ("delete", Some("deleted")),
    ("drop", Some("dropped")),
    ("withheld", Some("withheld")),
    ("undrop", None),
    ("scrub_geo", None),
    ("tweet_edit", None),
    ("user_delete", Some("deleted")),
    ("user_suspend", Some("suspended")),
    ("user_protect", Some("protected")),
    ("user_withheld", Some("withheld")),
    ("user_undelete", None),
    ("user_unsuspend", None),
    ("user_unprotect", None),
    ("user_profile_modification", None),
];

/// Whether `data` holds an event of a compliance stream.
pub(super) fn is_compliance(data: &Object<'_>) -> bool {
    !data.has("text") && EVENTS.iter().any(|(name, _)| data.has(name))
}

/// One event of a compliance stream.
pub(super) fn of_stream(data: &Object<'_>) -> Item {
    let known =
        EVENTS.iter().find(|(name, _)| data.has(name)).ok_or(Aside::Odd("compliance_unknown"))?;
    let reason = known.1.ok_or(Aside::Left("compliance_of_no_use"))?;
    let event = data.object(known.0).ok_or(Aside::Odd("item_no_object"))?;
    let at = when(&event, "event_at");
    if known.0.starts_with("user_") {
        return Ok(account_gone(id(&event, "/user/id", "id_missing")?, at, reason));
    }
    Ok(gone(Platform::Twitter, id(&event, "/tweet/id", "id_missing")?, at, reason))
}

/// One line of the result of a compliance job.
pub(super) fn of_job(kind: &str, result: &Object<'_>) -> Item {
    let id = id(result, "id", "id_missing")?;
    let at = when(result, "redacted_at");
    if result.text("action").as_deref() != Some("delete") {
        return Err(Aside::Left("compliance_of_no_use"));
    }
    let reason = match result.text("reason").as_deref() {
        Some("suspended") => "suspended",
        Some("protected") => "protected",
        Some("scrub_geo") => return Err(Aside::Left("compliance_of_no_use")),
        _ => "deleted",
    };
    match kind {
        "compliance_users" => Ok(account_gone(id, at, reason)),
        _ => Ok(gone(Platform::Twitter, id, at, reason)),
    }
}

/// An error beside the data of a look-up by ids. Others are about what the posts refer to.
pub(super) fn missing(error: Object<'_>) -> Item {
    let asked = error.text("parameter").is_some_and(|p| matches!(p.as_str(), "ids" | "id"));
    if !asked || error.text("resource_type").as_deref() != Some("tweet") {
        return Err(Aside::Left("partial_error"));
    }
    let id = id(&error, "resource_id", "id_missing")?;
    let reason = match error.text("title").as_deref() {
        Some("Not Found Error") => "deleted",
        Some("Authorization Error") => "protected",
        _ => return Err(Aside::Left("partial_error")),
    };
    Ok(gone(Platform::Twitter, id, None, reason))
}

fn account_gone(id: String, at: Option<chrono::DateTime<chrono::Utc>>, reason: &str) -> Said {
    Said::AuthorGone { platform: Platform::Twitter, platform_id: id, at, reason: reason.to_owned() }
}
