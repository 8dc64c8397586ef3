//! Text that somebody pastes by hand: JSON of the canonical fields (also `rawInput`), or plain text.

use millrace_jobs::record::{Change, Content, Origin, Record};
use serde_json::Value;

use super::chunks::{self, Whole};
use super::fields::{Fields, Place};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use super::webhook::{is_json, plain};
use crate::json::{self, Object};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Paste;

impl Source for Paste {
    fn name(&self) -> &'static str {
        "paste"
    }

    fn about(&self) -> &'static str {
        "Pasted text: JSON {verbatim or rawInput, ...} or plain text"
    }

    fn default_scheme(&self) -> &'static str {
        "api-key"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        check(delivery, config, &["verbatim", "text", "rawInput"])?;
        Ok(identity::event(identity::key(delivery, None), Some("paste")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Signal received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let records = read(stored, config, Origin::Paste, &["verbatim", "text", "rawInput"])?;
        let records = records.into_iter().flat_map(spread).collect::<Vec<_>>();
        Ok(if records.is_empty() {
            Normalized::Ignored("empty")
        } else {
            Normalized::Records(records)
        })
    }
}

/// Refuse at the door what holds no words.
pub(super) fn check(
    delivery: &Delivery<'_>,
    config: &SourceConfig,
    words: &'static [&'static str],
) -> Result<(), Reject> {
    let body = json::decode(delivery.body);
    if body.trim().is_empty() {
        return Err(refuse("body_empty", "Empty request body"));
    }
    if !is_json(identity::content_type(delivery), &body) {
        return Ok(());
    }
    let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
    Fields::new(object, config).with_words(words).check()
}

/// The one record of a JSON or text body; none if it holds no words.
pub(super) fn read(
    stored: &Stored<'_>,
    config: &SourceConfig,
    origin: Origin,
    words: &'static [&'static str],
) -> Result<Option<Record>, Hold> {
    let body = json::decode(stored.body);
    let place = Place {
        origin,
        own_ref: identity::own_ref(origin.as_str(), stored),
        received_at: stored.received_at,
        event_time: None,
    };
    if !is_json(identity::stored_header(stored, "content-type").unwrap_or(""), &body) {
        return Ok(match plain(&body, place) {
            Normalized::Records(mut records) => records.pop(),
            Normalized::Codebases(_)
            | Normalized::Social(..)
            | Normalized::Outcomes(..)
            | Normalized::Ignored(_)
            | Normalized::Uninstalled(_) => None,
        });
    }
    let object = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
    Ok(Fields::new(object, config).with_words(words).record(place))
}

/// A long text becomes a parent and its chunks.
fn spread(record: Record) -> Vec<Record> {
    match record.change {
        Change::Signal(content) => {
            let whole = Whole {
                origin: record.origin,
                source_ref: record.source_ref,
                version: record.version,
            };
            let segments = chunks::prose(&content.verbatim);
            whole.text(*content, segments)
        }
        change @ (Change::Inbox(_) | Change::Delete) => vec![Record { change, ..record }],
    }
}

/// A text with times keeps them in its parts; any other is cut as prose.
pub(super) fn spread_spoken(record: Record) -> Vec<Record> {
    let cues = match &record.change {
        Change::Signal(content) => super::transcript::parse(&content.verbatim),
        Change::Inbox(_) | Change::Delete => None,
    };
    match (record.change, cues) {
        (Change::Signal(content), Some(cues)) => {
            let whole = Whole {
                origin: record.origin,
                source_ref: record.source_ref,
                version: record.version,
            };
            let base = Content { verbatim: String::new(), ..*content };
            super::upload::spoken(&whole, base, &cues)
        }
        (change, _) => spread(Record { change, ..record }),
    }
}
