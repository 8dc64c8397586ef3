//! GitHub: webhooks of a repository, an organization or an App. They say which codebases have changed and which of them
//! we may still read; what changed is asked of git, for the lists in a push are neither complete nor a difference
//! (GitHub, "Webhook events and payloads", push).

use std::borrow::Cow;

use millrace_jobs::codebase::change::Change;
use serde_json::{Value, value::RawValue};

use super::identity::{self, common_reply, common_wire, header, hold, refuse, stored_header};
use crate::form;
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct GitHub;

/// GitHub cuts payloads off at 25 MB.
const BODY_BYTES_MAX: usize = 25 << 20;
/// Longest name that is looked at, bytes; git's own limit of refs is shorter.
const NAME_MAX: usize = 1024;
/// `after` of a branch that was deleted.
const NO_COMMIT: char = '0';

impl Source for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "GitHub repositories and Apps: pushes bring the code index up to date"
    }

    fn default_scheme(&self) -> &'static str {
        "github"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        // GitHub does not retry by itself; people and scripts do ("Handling failed webhook deliveries").
        Wire { ok: 202, ..common_wire(BODY_BYTES_MAX) }
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let event = header(delivery, "x-github-event")
            .ok_or_else(|| refuse("event_missing", "X-GitHub-Event is missing"))?;
        let body = payload(delivery.body, header(delivery, "content-type"));
        Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        Ok(identity::event(identity::key(delivery, None), Some(event)))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Stored")
    }

    fn normalize(&self, stored: &Stored<'_>, _: &SourceConfig) -> Result<Normalized, Hold> {
        let body = payload(stored.body, stored_header(stored, "content-type"));
        let object = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let said = Said(object);
        match stored_header(stored, "x-github-event").unwrap_or_default() {
            "push" => said.push(),
            "repository" => said.repository(),
            "installation" => said.installation(),
            "installation_repositories" => said.repositories(),
            "ping" => Ok(Normalized::Ignored("ping")),
            _ => Ok(Normalized::Ignored("event_of_no_use")),
        }
    }
}

/// A webhook may be set up to send a form with the JSON in it.
fn payload<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let content_type = content_type.unwrap_or_default();
    match form::is_form(content_type).then(|| form::field(content_type, body, "payload")).flatten()
    {
        Some(json) => json.into(),
        None => json::decode(body),
    }
}

/// A payload.
struct Said<'a>(Object<'a>);

impl Said<'_> {
    fn push(&self) -> Result<Normalized, Hold> {
        let name = self.line("/ref")?;
        // Tags are names of commits that a branch has, or of none that is indexed.
        let Some(branch) = name.strip_prefix("refs/heads/") else {
            return Ok(Normalized::Ignored("tag"));
        };
        let commit = self.line("/after")?;
        if self.0.flag("/deleted") || commit.trim_matches(NO_COMMIT).is_empty() {
            return Ok(Normalized::Ignored("branch_deleted"));
        }
        if !is_object_id(&commit) {
            return Err(hold("commit_invalid", "after: no id of a commit"));
        }
        let repository = self.line("/repository/full_name")?;
        changes([Change::Pushed { repository, branch: branch.to_owned(), commit }])
    }

    fn repository(&self) -> Result<Normalized, Hold> {
        let repository = self.line("/repository/full_name")?;
        let url = self.line("/repository/clone_url")?;
        let (owner, name) = repository.split_once('/').unwrap_or_default();
        let owner_before =
            |kind: &str| self.0.line(&format!("/changes/owner/from/{kind}/login"), NAME_MAX);
        let before = match self.line("/action")?.as_str() {
            "renamed" => format!("{owner}/{}", self.line("/changes/repository/name/from")?),
            "transferred" => {
                let owner = owner_before("user").or_else(|| owner_before("organization"));
                format!(
                    "{}/{name}",
                    owner.ok_or_else(|| hold("field_missing", "changes.owner.from"))?
                )
            }
            _ => return Ok(Normalized::Ignored("action_of_no_use")),
        };
        changes([Change::Moved { before, repository, url }])
    }

    fn installation(&self) -> Result<Normalized, Hold> {
        let installation = self.installation_id()?;
        match self.line("/action")?.as_str() {
            "suspend" => changes([Change::Suspended { installation, suspended: true }]),
            "unsuspend" => changes([Change::Suspended { installation, suspended: false }]),
            "deleted" => changes([Change::Removed { installation, repositories: None }]),
            _ => Ok(Normalized::Ignored("action_of_no_use")),
        }
    }

    fn repositories(&self) -> Result<Normalized, Hold> {
        let installation = self.installation_id()?;
        if self.line("/action")? != "removed" {
            return Ok(Normalized::Ignored("action_of_no_use"));
        }
        let name = |raw: &&RawValue| Object::parse(raw.get()).ok()?.line("/full_name", NAME_MAX);
        let repositories = self.0.array("/repositories_removed").iter().filter_map(name).collect();
        changes([Change::Removed { installation, repositories: Some(repositories) }])
    }

    fn installation_id(&self) -> Result<i64, Hold> {
        let id = self.line("/installation/id")?;
        id.parse().map_err(|_| hold("field_invalid", "installation.id: no whole number"))
    }

    fn line(&self, pointer: &str) -> Result<String, Hold> {
        self.0
            .line(pointer, NAME_MAX)
            .ok_or_else(|| hold("field_missing", pointer.trim_start_matches('/')))
    }
}

fn changes<const N: usize>(changes: [Change; N]) -> Result<Normalized, Hold> {
    Ok(Normalized::Codebases(changes.into()))
}

/// 40 hex digits, or 64 where the repository has SHA-256.
fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
