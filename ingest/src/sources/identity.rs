//! The identity of a delivery, and the answers most sources share.
//!
//! The first of these that is there counts: the vendor's delivery id, the sender's
//! `Idempotency-Key`, the object's key and version, the SHA-256 of the bytes. By the last rule two
//! deliveries of identical bytes to one source are one delivery.

use chrono::SecondsFormat;
use ring::digest;
use serde_json::{Value, json};

use crate::limits;
use crate::source::{Accepted, Delivery, Hold, Receipt, Reject, Stored, Wire};
use crate::text;

/// Key of a delivery; `object` is the object's key with its version, if the payload states both.
pub(super) fn key(delivery: &Delivery<'_>, object: Option<(&str, &str)>) -> Vec<Vec<u8>> {
    if let Some(id) = delivery.delivery_id {
        return parts(&["id", id]);
    }
    if let Some(id) = header(delivery, "idempotency-key").filter(|id| !id.trim().is_empty()) {
        return parts(&["idempotency-key", id]);
    }
    match object {
        Some((object, version)) => parts(&["object", object, version]),
        None => hash_key(delivery.body),
    }
}

/// Key made of the content itself.
pub(super) fn hash_key(content: &[u8]) -> Vec<Vec<u8>> {
    vec![b"sha256".to_vec(), digest::digest(&digest::SHA256, content).as_ref().to_vec()]
}

/// Key made of texts.
pub(super) fn parts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A header's value, if it is text.
pub(super) fn header<'a>(delivery: &Delivery<'a>, name: &str) -> Option<&'a str> {
    delivery.headers.get(name)?.to_str().ok()
}

/// Content type of a request, or nothing.
pub(super) fn content_type<'a>(delivery: &Delivery<'a>) -> &'a str {
    header(delivery, "content-type").unwrap_or("")
}

/// A stored header's value.
pub(super) fn stored_header<'a>(stored: &Stored<'a>, name: &str) -> Option<&'a str> {
    stored.headers.get(name)?.as_str()
}

/// `<prefix>-<32 hex digits>`, the same whenever this delivery is normalised again.
pub(super) fn own_ref(prefix: &str, stored: &Stored<'_>) -> String {
    short_ref(prefix, stored.delivery_key)
}

/// `<prefix>-<32 hex digits>` of a hash.
pub(super) fn short_ref(prefix: &str, hash: &[u8]) -> String {
    let digits: String = hex::encode(hash).chars().take(32).collect();
    format!("{prefix}-{digits}")
}

/// An event under its key.
pub(super) fn event(key: Vec<Vec<u8>>, event_type: Option<&str>) -> Accepted {
    let event_type =
        event_type.map(|t| text::cap(&text::clean(t).0, limits::EVENT_TYPE_BYTES_MAX).to_owned());
    Accepted::Event { key, event_type }
}

pub(super) const fn refuse(code: &'static str, message: &'static str) -> Reject {
    Reject { code, message }
}

pub(super) fn hold(reason: &'static str, detail: &str) -> Hold {
    Hold { reason, detail: detail.to_owned() }
}

/// Senders without a documented policy: 503 with `Retry-After`, 400 for what will never pass.
pub(super) const fn common_wire(body_bytes_max: usize) -> Wire {
    Wire { ok: 200, retry: 503, retry_after: true, refuse: 400, no_retry: None, body_bytes_max }
}

/// The signals webhook's answer, with our event id.
pub(super) fn common_reply(receipt: &Receipt, message: &str) -> Value {
    json!({
        "success": true,
        "message": message,
        "receivedAt": receipt.received_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "eventId": receipt.event_id,
        "duplicate": receipt.duplicate,
    })
}
