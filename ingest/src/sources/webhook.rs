//! The generic signals webhook: JSON of the canonical fields, or plain text.

use millrace_jobs::record::{Change, Content, Origin, Record};
use serde_json::Value;

use super::fields::{Fields, Place, words};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use crate::json::{self, Object};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Webhook;

impl Source for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn about(&self) -> &'static str {
        "Generic signals webhook: JSON {verbatim, ...} or plain text"
    }

    fn default_scheme(&self) -> &'static str {
        "millrace"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        if body.trim().is_empty() {
            return Err(refuse("body_empty", "Empty request body"));
        }
        if !is_json(identity::content_type(delivery), &body) {
            return Ok(identity::event(identity::key(delivery, None), Some("text")));
        }
        let object = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let fields = Fields::new(object, config);
        // Who numbers deliveries is a platform with events of many kinds: what is not understood is held.
        if delivery.delivery_id.is_none() {
            fields.check()?;
        }
        let (object, version) = (fields.source_ref(), fields.version());
        let key = identity::key(delivery, object.as_deref().zip(version.as_deref()));
        Ok(identity::event(key, Some("signal")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Signal received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let place = Place {
            origin: Origin::Webhook,
            own_ref: identity::own_ref("webhook", stored),
            received_at: stored.received_at,
            event_time: None,
        };
        if !is_json(identity::stored_header(stored, "content-type").unwrap_or(""), &body) {
            return Ok(plain(&body, place));
        }
        let object = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let fields = Fields::new(object, config);
        match fields.record(place) {
            Some(record) => Ok(Normalized::Records(vec![record])),
            None if fields.mapped() => Ok(Normalized::Ignored("empty")),
            None => Err(hold("field_missing", "verbatim: the source needs a field map")),
        }
    }
}

/// JSON by its type, or by its first character where the sender's tool set a type of its own
/// (`curl -d` says it sends a form).
pub(super) fn is_json(content_type: &str, body: &str) -> bool {
    let kind = content_type.to_ascii_lowercase();
    kind.contains("json") || (!kind.starts_with("text/") && body.trim_start().starts_with('{'))
}

/// A plain text is the user's words, whole.
pub(super) fn plain(body: &str, place: Place) -> Normalized {
    let (verbatim, sanitized) = words(body);
    if verbatim.is_empty() {
        return Normalized::Ignored("empty");
    }
    let content = Content { verbatim, sanitized, ..Content::default() };
    Normalized::Records(vec![Record {
        origin: place.origin,
        source_ref: place.own_ref,
        version: place.received_at.timestamp_micros(),
        change: Change::Signal(Box::new(content)),
    }])
}
