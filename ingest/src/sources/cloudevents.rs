//! CloudEvents 1.0 over HTTP: structured, binary and batched.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use millrace_jobs::record::{Change, Origin, Record};
use serde_json::{Map, Value};

use super::fields::{Fields, Place, keep};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use super::webhook::plain;
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{form, limits, verify};

/// See the module.
#[derive(Debug)]
pub(super) struct CloudEvents;

/// The context attributes that we read.
struct Event<'a> {
    id: String,
    source: String,
    kind: String,
    subject: Option<String>,
    time: Option<String>,
    data: Data<'a>,
}

enum Data<'a> {
    Object(Object<'a>),
    Text(String),
    Nothing,
}

#[derive(PartialEq)]
enum Mode {
    Structured,
    Batched,
    Binary,
}

impl Source for CloudEvents {
    fn name(&self) -> &'static str {
        "cloudevents"
    }

    fn about(&self) -> &'static str {
        "CloudEvents 1.0: structured, binary or batched, the signal's fields in data"
    }

    fn default_scheme(&self) -> &'static str {
        "millrace"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        // The HTTP webhook binding names 429 with Retry-After and 410; 503 is retried by all brokers.
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let attribute = |name: &str| match delivery.headers.get(name) {
            Some(value) if delivery.headers.get_all(name).iter().count() == 1 => {
                Some(value.to_str().unwrap_or("%FF"))
            }
            Some(_) => Some("%FF"),
            None => None,
        };
        let mode = mode(identity::content_type(delivery));
        let events = match mode {
            Mode::Binary => {
                let plain = json::decode(delivery.body);
                let event = binary(attribute, &plain, identity::content_type(delivery))?;
                return Ok(identity::event(event.key(), Some(&event.kind)));
            }
            Mode::Structured | Mode::Batched => delivery.body,
        };
        let body = json::decode(events);
        if mode == Mode::Structured {
            let event = structured(&body)?;
            return Ok(identity::event(event.key(), Some(&event.kind)));
        }
        for item in batch(&body)? {
            structured(item)?;
        }
        Ok(identity::event(identity::key(delivery, None), Some("batch")))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Event received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let content_type = identity::stored_header(stored, "content-type").unwrap_or("");
        let body = json::decode(stored.body);
        let lift = |reject: Reject| hold(reject.code, reject.message);
        let events = match mode(content_type) {
            Mode::Binary => {
                let attribute = |name: &str| identity::stored_header(stored, name);
                vec![binary(attribute, &body, content_type).map_err(lift)?]
            }
            Mode::Structured => vec![structured(&body).map_err(lift)?],
            Mode::Batched => batch(&body)
                .and_then(|items| items.into_iter().map(structured).collect())
                .map_err(lift)?,
        };
        let records: Vec<Record> =
            events.into_iter().filter_map(|event| event.record(stored, config)).collect();
        if records.is_empty() {
            return Ok(Normalized::Ignored("event_type"));
        }
        Ok(Normalized::Records(records))
    }
}

/// By the content type's head, without regard to case (HTTP binding, 3).
fn mode(content_type: &str) -> Mode {
    let kind = content_type.trim_start().to_ascii_lowercase();
    if kind.starts_with("application/cloudevents-batch") {
        Mode::Batched
    } else if kind.starts_with("application/cloudevents") {
        Mode::Structured
    } else {
        Mode::Binary
    }
}

fn batch(body: &str) -> Result<Vec<&str>, Reject> {
    let items = json::items(body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
    if items.len() > limits::RECORDS_MAX {
        return Err(refuse("batch_too_long", "Too many events in one batch"));
    }
    Ok(items.into_iter().map(serde_json::value::RawValue::get).collect())
}

fn structured(json: &str) -> Result<Event<'_>, Reject> {
    let event = Object::parse(json).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
    let attribute = |name: &str| Ok::<_, Reject>(event.line(name, limits::FIELD_BYTES_MAX));
    let data = match (event.get("data"), event.text("data_base64")) {
        (Some(raw), _) => match Object::parse(raw.get()) {
            Ok(object) => Data::Object(object),
            Err(_) => json::scalar(raw).map_or(Data::Nothing, Data::Text),
        },
        (None, Some(encoded)) => {
            let bytes = STANDARD.decode(encoded);
            let bytes = bytes.map_err(|_| refuse("data_malformed", "data_base64 is not base64"))?;
            Data::Text(json::decode(&bytes).into_owned())
        }
        (None, None) => Data::Nothing,
    };
    Event::new(attribute, data)
}

fn binary<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &'a str,
    content_type: &str,
) -> Result<Event<'a>, Reject> {
    let attribute = |name: &str| header(&format!("ce-{name}")).map(decoded).transpose();
    let data = if body.trim().is_empty() {
        Data::Nothing
    } else if super::webhook::is_json(content_type, body) {
        Object::parse(body).map_or_else(|_| Data::Text(body.to_owned()), Data::Object)
    } else {
        Data::Text(body.to_owned())
    };
    Event::new(attribute, data)
}

/// An attribute in a header: quotes off, then one percent-decoding; what is not UTF-8 after that is
/// refused (HTTP binding, 3.1.3.2), among it overlong forms such as `%C0%AF`.
fn decoded(value: &str) -> Result<String, Reject> {
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let value =
        inner.map_or_else(|| value.to_owned(), |v| v.replace("\\\"", "\"").replace("\\\\", "\\"));
    String::from_utf8(form::unescape(value.as_bytes(), false))
        .map_err(|_| refuse("attribute_malformed", "A ce- header is not percent-encoded UTF-8"))
}

impl<'a> Event<'a> {
    fn new(
        attribute: impl Fn(&str) -> Result<Option<String>, Reject>,
        data: Data<'a>,
    ) -> Result<Self, Reject> {
        const MISSING: Reject =
            refuse("attribute_missing", "id, source, type and specversion are required");
        let required = |name: &str| attribute(name)?.filter(|v| !v.is_empty()).ok_or(MISSING);
        if !required("specversion")?.starts_with("1.") {
            return Err(refuse("specversion_unknown", "Only CloudEvents 1.x is taken"));
        }
        Ok(Self {
            id: required("id")?,
            source: required("source")?,
            kind: required("type")?,
            subject: attribute("subject")?,
            time: attribute("time")?,
            data,
        })
    }

    /// `source` and `id` together identify an event (CloudEvents, 3.1.1).
    fn key(&self) -> Vec<Vec<u8>> {
        identity::parts(&["cloudevent", &self.source, &self.id])
    }

    fn record(self, stored: &Stored<'_>, config: &SourceConfig) -> Option<Record> {
        let identity = verify::hash_key(format!("{}\0{}", self.source, self.id).as_bytes());
        let place = Place {
            origin: Origin::Webhook,
            own_ref: identity::short_ref("cloudevent", &identity),
            received_at: stored.received_at,
            event_time: self.time,
        };
        let mut record = match self.data {
            Data::Object(object) => {
                let fields = Fields::new(object, config);
                if self.kind.ends_with(".deleted") && fields.source_ref().is_some() {
                    fields.place(place).with(Change::Delete)
                } else {
                    fields.record(place)?
                }
            }
            Data::Text(text) => match plain(&text, place) {
                Normalized::Records(mut records) => records.pop()?,
                Normalized::Codebases(_)
                | Normalized::Social(..)
                | Normalized::Outcomes(..)
                | Normalized::Ignored(_)
                | Normalized::Uninstalled(_) => {
                    return None;
                }
            },
            Data::Nothing => return None,
        };
        if let Change::Signal(content) = &mut record.change {
            let about: &mut Map<String, Value> = &mut content.metadata;
            keep(about, "eventId", Some(self.id));
            keep(about, "eventSource", Some(self.source));
            keep(about, "eventType", Some(self.kind));
            keep(about, "eventSubject", self.subject);
        }
        Some(record)
    }
}
