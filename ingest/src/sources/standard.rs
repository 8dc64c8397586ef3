//! Standard Webhooks: `{type, timestamp, data}`, the canonical fields in `data`.

use millrace_jobs::record::{Change, Origin};
use serde_json::Value;

use super::fields::{Fields, Place};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use crate::json::{self, Object};
use crate::limits;
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Standard;

impl Source for Standard {
    fn name(&self) -> &'static str {
        "standard"
    }

    fn about(&self) -> &'static str {
        "Standard Webhooks: {type, timestamp, data} with the signal's fields in data"
    }

    fn default_scheme(&self) -> &'static str {
        "standard"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        // Senders are told to honour 429 and 503 with Retry-After, and to stop at 410.
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let envelope = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let kind = envelope.line("type", limits::EVENT_TYPE_BYTES_MAX);
        Ok(identity::event(identity::key(delivery, None), kind.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Event received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let envelope = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let kind = envelope.line("type", limits::EVENT_TYPE_BYTES_MAX).unwrap_or_default();
        let data = envelope.object("data").ok_or_else(|| hold("field_missing", "data"))?;
        let place = Place {
            origin: Origin::Webhook,
            own_ref: identity::own_ref("webhook", stored),
            received_at: stored.received_at,
            event_time: envelope.line("timestamp", 64),
        };
        let fields = Fields::new(data, config);
        if kind.ends_with(".deleted") && fields.source_ref().is_some() {
            return Ok(Normalized::Records(vec![fields.place(place).with(Change::Delete)]));
        }
        // A type of the sender's that carries no words is none of ours; it stays stored.
        let record = fields.record(place);
        Ok(record.map_or(Normalized::Ignored("event_type"), |r| Normalized::Records(vec![r])))
    }
}
