//! The one normalised shape that every source is turned into.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Where a signal came from: the CHECK list of `signals.signals.source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Origin {
    Webhook,
    Upload,
    Paste,
    Video,
    Slack,
    Pylon,
    Email,
    Interview,
    Other,
}

impl Origin {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Upload => "upload",
            Self::Paste => "paste",
            Self::Video => "video",
            Self::Slack => "slack",
            Self::Pylon => "pylon",
            Self::Email => "email",
            Self::Interview => "interview",
            Self::Other => "other",
        }
    }
}

/// Severity of a signal, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

impl Severity {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// How often the reported thing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Frequency {
    Common,
    Occasional,
    Rare,
}

impl Frequency {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Occasional => "occasional",
            Self::Rare => "rare",
        }
    }
}

/// Version of an object that never changes at its source: whoever repeats its key overwrites nothing.
pub const UNCHANGING: i64 = 0;

/// One thing that a delivery says: a signal or an inbox item was written, edited or deleted.
///
/// (`origin`, `source_ref`) is the object's key within the workspace; `version` orders its changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Column `source`.
    pub origin: Origin,
    /// The object's key at its source, at most 1,024 bytes (see `bounded_ref`).
    pub source_ref: String,
    /// Event time in microseconds since 1970 (the highest wins, a delete wins a tie), or [`UNCHANGING`].
    pub version: i64,
    /// What happened to the object.
    pub change: Change,
}

/// What a record does to its object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The signal has this content now (created or edited).
    Signal(Box<Content>),
    /// The inbox item has this content now.
    Inbox(Box<InboxContent>),
    /// The object was deleted at its source: tombstone it.
    Delete,
}

/// The content of a signal. Absent fields are unknown and never overwrite a known value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The user's own words; never blank, no NUL.
    pub verbatim: String,
    /// What the sender says it means.
    pub interpretation: Option<String>,
    /// Severity as the sender stated it; outranks the model's.
    pub severity: Option<Severity>,
    /// Frequency as the sender stated it.
    pub frequency: Option<Frequency>,
    /// User segment as the sender stated it.
    pub user_segment: Option<String>,
    /// Link back to the original.
    pub source_url: Option<String>,
    /// When the interview took place.
    pub interview_date: Option<DateTime<Utc>>,
    /// Who was interviewed.
    pub interviewee: Option<String>,
    /// Free tags.
    pub tags: Vec<String>,
    /// Column `source_metadata`, the seed's camelCase keys; every value passed our own parser.
    pub metadata: Map<String, Value>,
    /// When it was said, if the source knows (column `created_at` of a new signal).
    pub occurred_at: Option<DateTime<Utc>>,
    /// `source_ref` of the record this one is a part of (a CSV row, a chunk); same origin.
    pub parent_ref: Option<String>,
    /// Records that the text was cut into, of which this one is but the beginning: it is kept to hold them
    /// together, and neither embedded nor classified.
    pub parts: Option<usize>,
    /// NUL bytes, lone surrogates or invalid UTF-8 were replaced by U+FFFD.
    pub sanitized: bool,
}

/// The content of an inbox item (table `signals.inbox_items`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboxContent {
    /// `transcript`, `document`, `signal` or `feedback`.
    pub kind: String,
    /// `webhook`, `upload`, `email`, `api` or `sync`.
    pub source: String,
    /// Title.
    pub title: String,
    /// Body text.
    pub raw_content: String,
    /// Column `metadata`.
    pub metadata: Map<String, Value>,
}
