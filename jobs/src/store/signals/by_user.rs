//! What people change about a signal: its status, and the fields on which their word is final.

use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    record::{Frequency, Severity},
    store::{activity_logs::Entries, signal_list::Status},
};

/// A change by a person; absent fields stay as they are.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Edit {
    /// `new`, `reviewed` or `archived`; `linked` comes and goes with links to projects
    pub status: Option<Status>,
    /// What it means
    pub interpretation: Option<String>,
    /// Severity
    pub severity: Option<Severity>,
    /// Frequency
    pub frequency: Option<Frequency>,
    /// Who says it
    pub user_segment: Option<String>,
}

/// What became of an [`Edit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// Done.
    Done,
    /// The workspace has no such living signal.
    NotFound,
    /// A signal in this status cannot take that one.
    Forbidden(Status, Status),
}

/// May a person move a signal so? Links own `linked`; anything can be put away, and taken out again.
#[must_use]
pub const fn may_move(from: Status, to: Status) -> bool {
    matches!(
        (from, to),
        (Status::New, Status::New | Status::Reviewed | Status::Archived)
            | (Status::Reviewed, Status::Reviewed | Status::New | Status::Archived)
            | (Status::Linked, Status::Linked | Status::Archived)
            | (Status::Archived, Status::Archived | Status::Reviewed)
    )
}

/// Apply `edit` in the name of `actor`, an API key's id; the fields it sets are the user's from now on, and no
/// model or sender replaces them.
///
/// # Errors
/// Those of the database.
pub async fn edit(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
    edit: &Edit,
    actor: &str,
) -> sqlx::Result<Edited> {
    let now: Option<String> = sqlx::query_scalar(
        "select status from signals.signals where workspace_id = $1 and id = $2 and deleted_at is null for update",
    )
    .bind(workspace_id)
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(from) = now.and_then(|s| Status::ALL.into_iter().find(|known| known.as_str() == s))
    else {
        return Ok(Edited::NotFound);
    };
    if let Some(to) = edit.status
        && !may_move(from, to)
    {
        return Ok(Edited::Forbidden(from, to));
    }
    sqlx::query(
        "update signals.signals set
           status = coalesce($3, status), interpretation = coalesce($4, interpretation),
           severity = coalesce($5, severity), frequency = coalesce($6, frequency),
           user_segment = coalesce($7, user_segment),
           provenance = provenance || coalesce((
             select jsonb_object_agg(f.name, jsonb_build_object('by', 'user'))
             from (values ('interpretation', $4), ('severity', $5), ('frequency', $6), ('user_segment', $7)) f (name, value)
             where f.value is not null), '{}'),
           updated_at = now() at time zone 'utc'
         where workspace_id = $1 and id = $2",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(edit.status.map(Status::as_str))
    .bind(&edit.interpretation)
    .bind(edit.severity.map(Severity::as_str))
    .bind(edit.frequency.map(Frequency::as_str))
    .bind(&edit.user_segment)
    .execute(&mut *conn)
    .await?;
    log(conn, workspace_id, id, edit, from, actor).await?;
    Ok(Edited::Done)
}

/// Which fields were set, never to what text.
async fn log(
    conn: &mut PgConnection,
    workspace_id: &str,
    id: &str,
    edit: &Edit,
    from: Status,
    actor: &str,
) -> sqlx::Result<()> {
    let set = [
        ("interpretation", edit.interpretation.is_some()),
        ("severity", edit.severity.is_some()),
        ("frequency", edit.frequency.is_some()),
        ("user_segment", edit.user_segment.is_some()),
        ("status", edit.status.is_some()),
    ];
    let fields: Vec<&str> = set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
    if fields.is_empty() {
        return Ok(());
    }
    let mut detail = json!({ "fields": fields });
    if let (Some(to), Some(detail)) = (edit.status, detail.as_object_mut()) {
        detail.insert("from".into(), from.as_str().into());
        detail.insert("to".into(), to.as_str().into());
    }
    // The source system's names, where it has some.
    let action = match (from, edit.status) {
        (Status::Archived, Some(Status::Reviewed)) => "signals.unarchived",
        (Status::New | Status::Reviewed | Status::Linked, Some(Status::Archived)) => {
            "signals.archived"
        }
        _ => "signal.edited",
    };
    let mut entries = Entries::default();
    entries.push_by("api_key", workspace_id, actor, action, id, detail);
    entries.insert(conn).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_own_the_status_linked() {
        for from in Status::ALL {
            assert!(may_move(from, from), "{from:?} stays");
            assert_eq!(may_move(from, Status::Linked), from == Status::Linked, "{from:?}");
            assert!(may_move(from, Status::Archived), "{from:?} can be put away");
        }
        assert!(!may_move(Status::Archived, Status::New));
        assert!(!may_move(Status::Linked, Status::Reviewed), "unlinking does that");
    }
}
