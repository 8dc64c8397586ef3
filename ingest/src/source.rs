//! The contract of a source: pure functions from bytes to a delivery key and to records.
//!
//! A source does no I/O, reads no clock and never awaits, so it can be fuzzed, snapshot-tested and
//! replayed over all stored history.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::{HeaderMap, Method};
use millrace_jobs::{codebase, record::Record, social};
use serde_json::{Map, Value};

use crate::verify::Secret;

/// A request as it came from the wire, already verified by the source's signature scheme.
#[derive(Debug)]
pub struct Delivery<'a> {
    /// Request method (`POST`, or `GET` for vendor handshakes).
    pub method: &'a Method,
    /// Query string, undecoded.
    pub query: Option<&'a str>,
    /// All request headers.
    pub headers: &'a HeaderMap,
    /// The body exactly as received, under the source's cap.
    pub body: &'a [u8],
    /// Arrival on the service's clock.
    pub received_at: DateTime<Utc>,
    /// The vendor's delivery id as the verifier found it ([`crate::verify::Verified`]).
    pub delivery_id: Option<&'a str>,
}

/// Whether a header is stored with the delivery (lower-case name): normalisers read these, and none
/// carries a credential.
#[must_use]
pub fn is_stored_header(name: &str) -> bool {
    const KEPT: [&str; 17] = [
        "content-disposition",
        "content-encoding",
        "content-type",
        "idempotency-key",
        "svix-id",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-file-name",
        "x-github-delivery",
        "x-github-event",
        "x-shopify-event-id",
        "x-shopify-topic",
        "x-slack-request-timestamp",
        "x-slack-retry-num",
        "x-slack-retry-reason",
        "x-webhook-timestamp",
    ];
    name.starts_with("ce-") || KEPT.contains(&name)
}

/// The stored header that says what a polled page is (`search`, `listing`, ...). No delivery can set it: it is none of
/// [`is_stored_header`].
pub const PAGE_HEADER: &str = "x-millrace-page";

/// Beside [`PAGE_HEADER`]: ids of the things that a page was to show, joined by commas.
pub const ASKED_HEADER: &str = "x-millrace-asked";

/// A `GET` by which a platform asks whose address this is, before it signs anything.
#[derive(Debug)]
pub struct Handshake<'a> {
    /// Query string, undecoded.
    pub query: &'a str,
    /// Active secrets of the source, the newest first.
    pub secrets: &'a [Secret],
}

/// The stored form of a delivery, as the normalise job sees it.
#[derive(Debug)]
pub struct Stored<'a> {
    /// Allow-listed headers, lower-case names.
    pub headers: &'a Map<String, Value>,
    /// The body exactly as received.
    pub body: &'a [u8],
    /// Arrival, from the database.
    pub received_at: DateTime<Utc>,
    /// SHA-256 of the delivery's identity, for sources without object ids of their own.
    pub delivery_key: &'a [u8],
}

/// Per-source configuration (a row of `ops.sources`), without secrets.
#[derive(Debug, Clone, Default)]
pub struct SourceConfig {
    /// Vendor account this source belongs to (Slack team, Pylon integration), if it is bound to one.
    pub external_id: Option<String>,
    /// Canonical field -> JSON pointer, for user-templated bodies.
    pub field_map: Map<String, Value>,
    /// Free options of the source kind.
    pub options: Map<String, Value>,
}

/// What a verified delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Store it, once per key.
    Event {
        /// Parts of the delivery's identity; hashed with their lengths, so `ab`+`c` is not `a`+`bc`.
        key: Vec<Vec<u8>>,
        /// The vendor's event type, at most 128 bytes, for filters and counts.
        event_type: Option<String>,
    },
    /// A handshake: answer it, store nothing.
    Reply {
        /// Content type of the answer.
        content_type: &'static str,
        /// The answer.
        body: Vec<u8>,
    },
}

/// A delivery that is not accepted; the HTTP edge maps it to a status of the platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Reject {
    /// Stable snake_case name: metric label and `ops.delivery_counts.reason`.
    pub code: &'static str,
    /// What the sender is told; never a part of the payload.
    pub message: &'static str,
}

/// What kind of refusal it is; decides the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectKind {
    /// The sender did not prove who it is: 401, the same for every reason.
    Auth,
    /// A handshake of somebody who does not know our token: 403.
    Forbidden,
    /// The source has no usable secret: 503.
    Unready,
    /// The payload will never be taken: [`Wire::refuse`].
    Payload,
}

impl Reject {
    /// What kind of refusal it is.
    #[must_use]
    pub fn kind(&self) -> RejectKind {
        match self.code {
            "secret_missing" | "secret_unusable" => RejectKind::Unready,
            "verify_token_wrong" => RejectKind::Forbidden,
            "unsigned_refused" | "id_missing" | "header_duplicated" | "unknown_account" => {
                RejectKind::Auth
            }
            code if ["signature_", "timestamp_", "key_"].iter().any(|p| code.starts_with(p)) => {
                RejectKind::Auth
            }
            _ => RejectKind::Payload,
        }
    }

    /// The upper-case `code` of the answer's body, as the signals webhook has them.
    #[must_use]
    pub fn wire_code(&self) -> &'static str {
        match (self.kind(), self.code) {
            (RejectKind::Auth, _) => "UNAUTHORIZED",
            (RejectKind::Forbidden, _) => "FORBIDDEN",
            (RejectKind::Unready, _) => "UNAVAILABLE",
            (RejectKind::Payload, "json_invalid") => "INVALID_PAYLOAD",
            (RejectKind::Payload, _) => "VALIDATION_ERROR",
        }
    }
}

/// What a stored delivery became.
#[derive(Debug, Clone, PartialEq)]
pub enum Normalized {
    /// These records, in order.
    Records(Vec<Record>),
    /// This happened to repositories.
    Codebases(Vec<codebase::change::Change>),
    /// Social platforms say this, in order; and how many things beside it nobody could read, by reason.
    Social(Vec<social::record::Said>, Odd),
    /// This came of replies; and how many things beside it nobody could read, by reason.
    Outcomes(Vec<social::outcomes::told::Outcome>, Odd),
    /// Understood and meant to be nothing (a join message, our own bot); counted by name.
    Ignored(&'static str),
    /// The vendor says that this account took us out: as `Ignored`, and the source's state becomes
    /// `uninstalled`.
    Uninstalled(&'static str),
}

/// Counts of what could not be read, by its stable snake_case reason.
pub type Odd = BTreeMap<&'static str, u32>;

/// A stored delivery that cannot be understood: quarantined with its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Hold {
    /// Stable snake_case name.
    pub reason: &'static str,
    /// Where and what, never a part of the payload.
    pub detail: String,
}

/// What the platform expects on the wire; per platform because their retry rules differ.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    /// Status of an accepted or duplicate delivery.
    pub ok: u16,
    /// Status that makes this platform try again (store unavailable, overload).
    pub retry: u16,
    /// Send `Retry-After` with it.
    pub retry_after: bool,
    /// Status for a payload we will never take (bad shape); must stop retries.
    pub refuse: u16,
    /// Header that stops this platform's retries of a refused delivery.
    pub no_retry: Option<(&'static str, &'static str)>,
    /// Body cap in bytes unless the source row says otherwise.
    pub body_bytes_max: usize,
}

/// How an accepted delivery is answered.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// `ops.events.id` (of the first delivery, if this one is a duplicate).
    pub event_id: uuid::Uuid,
    /// This delivery had been stored before.
    pub duplicate: bool,
    /// Arrival time.
    pub received_at: DateTime<Utc>,
}

/// One kind of source. Adding one: this file's sibling in `sources/`, its lines in `sources/mod.rs`,
/// its folder in `tests/fixtures/`.
pub trait Source: Sync {
    /// Stable name: `ops.sources.kind` and metric label.
    fn name(&self) -> &'static str;
    /// One line for `millrace source kinds` and the docs.
    fn about(&self) -> &'static str;
    /// It tells of posts, which a brand profile sorts.
    fn is_social(&self) -> bool {
        false
    }
    /// Name of the signature scheme used unless the source row chooses another.
    fn default_scheme(&self) -> &'static str;
    /// Statuses and caps (mail providers differ, so by configuration).
    fn wire(&self, config: &SourceConfig) -> Wire;
    /// The answer to a `GET` of the platform's that is not signed; `None` if it is no handshake.
    ///
    /// # Errors
    /// A [`Reject`] if it does not prove what the platform would.
    fn handshake(&self, _: &Handshake<'_>) -> Result<Option<Accepted>, Reject> {
        Ok(None)
    }
    /// Identity of a verified delivery, or a handshake's answer.
    ///
    /// # Errors
    /// A [`Reject`] if the delivery is of a shape that will never be taken.
    fn accept(&self, delivery: &Delivery<'_>, config: &SourceConfig) -> Result<Accepted, Reject>;
    /// Body of the success answer.
    fn reply(&self, receipt: &Receipt) -> Value;
    /// Turn a stored delivery into records.
    ///
    /// # Errors
    /// A [`Hold`] if it cannot be understood; the event is quarantined and can be replayed.
    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold>;
}

impl std::fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
