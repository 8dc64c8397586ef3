//! Which side wins: rules of one record against one stored row, without a database.

use serde_json::{Map, Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::apply::Outcome;
use crate::record::{Content, UNCHANGING};

/// The stored row as far as a later record needs it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Stored {
    /// Place of the record in the statement's arrays, from 1.
    pub(super) ord: i64,
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) deleted: bool,
    pub(super) content_hash: Option<Vec<u8>>,
    pub(super) event_id: Option<Uuid>,
    pub(super) interpretation: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) frequency: Option<String>,
    pub(super) user_segment: Option<String>,
    pub(super) provenance: Json<Map<String, Value>>,
}

/// What becomes of a record that meets `stored`. The highest version wins, a delete wins a tie; two
/// texts of one version are ordered by their hash, so that any order of arrival ends the same, but the
/// first text of what never changes stays. The delivery that wrote the row may always write it again:
/// that is a replay.
pub(super) fn decide(
    stored: &Stored,
    version: i64,
    hash: Option<&[u8; 32]>,
    event_id: Uuid,
) -> Outcome {
    let Some(hash) = hash else {
        return match (version >= stored.version, stored.deleted) {
            (false, _) => Outcome::Stale,
            (true, true) if version == stored.version => Outcome::Unchanged,
            (true, _) => Outcome::Deleted,
        };
    };
    if stored.deleted && version <= stored.version {
        return Outcome::TombstoneWins;
    }
    if version < stored.version {
        return Outcome::Stale;
    }
    let old = stored.content_hash.as_deref().unwrap_or_default();
    if version > stored.version || stored.event_id == Some(event_id) {
        return Outcome::Edited;
    }
    if version == UNCHANGING {
        return Outcome::Unchanged;
    }
    match old.cmp(hash.as_slice()) {
        std::cmp::Ordering::Less => Outcome::Edited,
        std::cmp::Ordering::Equal => Outcome::Unchanged,
        std::cmp::Ordering::Greater => Outcome::Stale,
    }
}

/// The extracted fields with who said them: user > caller > endpoint > model.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) interpretation: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) frequency: Option<String>,
    pub(super) user_segment: Option<String>,
    pub(super) provenance: Map<String, Value>,
}

/// Fields of a row that did not exist before.
pub(super) fn fresh(content: &Content) -> Fields {
    let mut fields = Fields::default();
    fields.put("interpretation", content.interpretation.clone(), None, false);
    fields.put("severity", content.severity.map(|s| s.as_str().into()), None, false);
    fields.put("frequency", content.frequency.map(|f| f.as_str().into()), None, false);
    fields.put("user_segment", content.user_segment.clone(), None, false);
    fields
}

/// Fields after `content` met `stored`: what a user set stays, what the sender states replaces the
/// rest, and what a model derived from a text falls with that text.
pub(super) fn merged(stored: &Stored, content: &Content, text_changed: bool) -> Fields {
    let mut fields = Fields::default();
    let old = |name: &str, value: &Option<String>| {
        value.clone().map(|v| (v, stored.provenance.get(name).cloned()))
    };
    let severity = content.severity.map(|s| s.as_str().to_owned());
    let frequency = content.frequency.map(|f| f.as_str().to_owned());
    for (name, new, kept) in [
        ("interpretation", content.interpretation.clone(), &stored.interpretation),
        ("severity", severity, &stored.severity),
        ("frequency", frequency, &stored.frequency),
        ("user_segment", content.user_segment.clone(), &stored.user_segment),
    ] {
        fields.put(name, new, old(name, kept), text_changed);
    }
    fields
}

impl Fields {
    fn put(
        &mut self,
        name: &str,
        new: Option<String>,
        old: Option<(String, Option<Value>)>,
        text_changed: bool,
    ) {
        let by = |p: &Option<Value>| {
            p.as_ref()
                .and_then(|p| p.get("by"))
                .and_then(Value::as_str)
                .unwrap_or("user")
                .to_owned()
        };
        let keep = old.filter(|(_, p)| match by(p).as_str() {
            "user" => true,
            "caller" => new.is_none(),
            _ => new.is_none() && !text_changed,
        });
        let (value, source) = match (keep, new) {
            (Some((value, source)), _) => (Some(value), source),
            (None, Some(value)) => (Some(value), Some(json!({ "by": "caller" }))),
            (None, None) => (None, None),
        };
        if let Some(source) = source {
            self.provenance.insert(name.into(), source);
        }
        match name {
            "interpretation" => self.interpretation = value,
            "severity" => self.severity = value,
            "frequency" => self.frequency = value,
            _ => self.user_segment = value,
        }
    }
}
