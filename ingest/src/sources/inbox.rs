//! The inbox webhook: `{workspaceId, source, sourceRef, payload{type, title, content, ...}}`.
//!
//! The tenant is the source's; `workspaceId` is read by nobody and only kept for old senders.

use millrace_jobs::record::{Change, InboxContent, Origin, Record};
use serde_json::{Map, Value, json};

use super::fields::{keep, tidy_tags, words};
use super::identity::{self, common_reply, common_wire, hold, refuse};
use crate::json::{self, Object};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{limits, text, time};

/// See the module.
#[derive(Debug)]
pub(super) struct Inbox;

const KINDS: [&str; 4] = ["transcript", "document", "signal", "feedback"];
const SOURCES: [&str; 5] = ["webhook", "upload", "email", "api", "sync"];

impl Source for Inbox {
    fn name(&self) -> &'static str {
        "inbox"
    }

    fn about(&self) -> &'static str {
        "Inbox webhook: transcripts and documents for somebody to sort"
    }

    fn default_scheme(&self) -> &'static str {
        "millrace"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::WEBHOOK_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let body = json::decode(delivery.body);
        let item = Object::parse(&body).map_err(|_| refuse("json_invalid", "Invalid JSON"))?;
        let payload = item.object("payload");
        let there = |key: &str| payload.as_ref().and_then(|p| p.line(key, 64)).is_some();
        if !there("title") || !there("content") {
            return Err(refuse(
                "payload_missing",
                "Missing required fields: workspaceId, payload.title, payload.content",
            ));
        }
        let kind = payload.as_ref().and_then(|p| p.line("type", limits::EVENT_TYPE_BYTES_MAX));
        Ok(identity::event(identity::key(delivery, None), kind.as_deref()))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "Item received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, _: &SourceConfig) -> Result<Normalized, Hold> {
        let body = json::decode(stored.body);
        let item = Object::parse(&body).map_err(|why| hold("json_invalid", why))?;
        let payload = item.object("payload").ok_or_else(|| hold("field_missing", "payload"))?;
        let title = payload.line("title", limits::FIELD_BYTES_MAX);
        let content = payload.line("content", limits::INBOX_BYTES_MAX);
        let (Some(title), Some(content)) = (title, content) else {
            return Err(hold("field_missing", "payload.title, payload.content"));
        };
        let mut metadata = Map::new();
        let kind =
            one_of(&KINDS, payload.line("type", 64), "document", &mut metadata, "typeStated");
        let source =
            one_of(&SOURCES, item.line("source", 64), "webhook", &mut metadata, "sourceStated");
        for key in ["sourceUrl", "fileType", "sourceName", "duration"] {
            keep(&mut metadata, key, payload.line(key, limits::FIELD_BYTES_MAX));
        }
        for key in ["participants", "tags"] {
            let list: Vec<String> =
                payload.array(key).into_iter().filter_map(json::scalar).collect();
            let list = tidy_tags(list.iter().map(String::as_str));
            if !list.is_empty() {
                metadata.insert(key.to_owned(), json!(list));
            }
        }
        let source_ref = item.line("sourceRef", limits::PROSE_BYTES_MAX);
        let stated = item.text("updatedAt").and_then(|t| time::parse_us(&t));
        Ok(Normalized::Records(vec![Record {
            origin: Origin::Webhook,
            source_ref: text::bounded_ref(
                &source_ref.unwrap_or_else(|| identity::own_ref("inbox", stored)),
            ),
            version: time::version(stated, stored.received_at),
            change: Change::Inbox(Box::new(InboxContent {
                kind,
                source,
                title: words(&title).0,
                raw_content: text::clean(&content).0.into_owned(),
                metadata,
            })),
        }]))
    }
}

/// The stated value if it is one of the column's, else the default with a note of what was said.
fn one_of(
    known: &[&str],
    stated: Option<String>,
    default: &str,
    metadata: &mut Map<String, Value>,
    note: &str,
) -> String {
    match stated {
        Some(stated) if known.contains(&stated.as_str()) => stated,
        other => {
            keep(metadata, note, other);
            default.to_owned()
        }
    }
}
