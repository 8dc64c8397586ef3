//! The canonical fields of a signal in somebody's JSON, under a per-source field map.

use chrono::{DateTime, Utc};
use millrace_jobs::record::{Change, Content, Frequency, Origin, Record, Severity};
use serde_json::{Map, Value, json};

use crate::json::{self, Object};
use crate::source::{Reject, SourceConfig};
use crate::sources::identity::refuse;
use crate::{limits, text, time};

/// Fields of one JSON object, found by their names or where the source's map says.
pub(super) struct Fields<'a, 'c> {
    object: Object<'a>,
    map: &'c Map<String, Value>,
    /// Names under which the user's words may stand.
    words: &'static [&'static str],
}

/// Where a record goes: what its source is called and what it is keyed by.
pub(super) struct Place {
    pub(super) origin: Origin,
    /// Key, if the payload has none.
    pub(super) own_ref: String,
    pub(super) received_at: DateTime<Utc>,
    /// Time of the event in its envelope, for payloads that state none.
    pub(super) event_time: Option<String>,
}

/// A record that still lacks what happened.
pub(super) struct Placed {
    origin: Origin,
    source_ref: String,
    version: i64,
}

impl Placed {
    pub(super) fn with(self, change: Change) -> Record {
        Record { origin: self.origin, source_ref: self.source_ref, version: self.version, change }
    }
}

impl<'a, 'c> Fields<'a, 'c> {
    pub(super) fn new(object: Object<'a>, config: &'c SourceConfig) -> Self {
        Self { object, map: &config.field_map, words: &["verbatim", "text"] }
    }

    /// With other names for the user's words.
    pub(super) fn with_words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    /// Pointers to a canonical field: the source's own (one or several), else the default names.
    fn places<'s>(&'s self, name: &str, defaults: &'s [&'s str]) -> Vec<&'s str> {
        match self.map.get(name) {
            Some(Value::String(pointer)) => vec![pointer.as_str()],
            Some(Value::Array(pointers)) => pointers.iter().filter_map(Value::as_str).collect(),
            _ => defaults.to_vec(),
        }
    }

    /// The first of a field's places that holds more than white space, trimmed and capped.
    pub(super) fn line(&self, name: &str, defaults: &[&str], bytes_max: usize) -> Option<String> {
        self.places(name, defaults)
            .into_iter()
            .find_map(|pointer| self.object.line(pointer, bytes_max))
    }

    fn raw(&self, name: &str, defaults: &[&str]) -> Option<&'a serde_json::value::RawValue> {
        self.places(name, defaults).into_iter().find_map(|pointer| self.object.at(pointer))
    }

    pub(super) fn deleted(&self) -> bool {
        self.raw("deleted", &["deleted"]).is_some_and(|raw| raw.get() == "true")
    }

    pub(super) fn source_ref(&self) -> Option<String> {
        self.line("sourceRef", &["sourceRef"], limits::WEBHOOK_BODY_BYTES_MAX)
    }

    /// The object's own change time, as written.
    pub(super) fn version(&self) -> Option<String> {
        self.line("updatedAt", &["updatedAt"], 64)
    }

    pub(super) fn verbatim(&self) -> Option<String> {
        self.line("verbatim", self.words, limits::VERBATIM_BYTES_MAX)
    }

    /// The source's map says where the words stand.
    pub(super) fn mapped(&self) -> bool {
        self.map.contains_key("verbatim")
    }

    /// Refuse at the door what could never become a signal. A source with a map is a platform: it sends events
    /// of many kinds, and is not wrong about those that hold no words.
    pub(super) fn check(&self) -> Result<(), Reject> {
        if self.mapped() {
            return Ok(());
        }
        if self.deleted() && self.source_ref().is_some() || self.verbatim().is_some() {
            return Ok(());
        }
        let stated = self.raw("verbatim", self.words);
        if stated.is_some_and(|raw| raw.get().starts_with('"')) {
            return Err(refuse("verbatim_empty", "verbatim cannot be empty"));
        }
        Err(refuse("verbatim_missing", "Missing required field: verbatim"))
    }

    /// The record that this object describes; `None` without any words in it.
    pub(super) fn record(&self, place: Place) -> Option<Record> {
        if self.deleted() && self.source_ref().is_some() {
            return Some(self.place(place).with(Change::Delete));
        }
        let mut content = self.content()?;
        let said = place.event_time.as_deref().and_then(time::parse);
        content.occurred_at = content.occurred_at.or(said);
        Some(self.place(place).with(Change::Signal(Box::new(content))))
    }

    /// Key and version of this object.
    pub(super) fn place(&self, place: Place) -> Placed {
        let stated = self.version().or(place.event_time).and_then(|text| time::parse_us(&text));
        Placed {
            origin: place.origin,
            source_ref: text::bounded_ref(&self.source_ref().unwrap_or(place.own_ref)),
            version: time::version(stated, place.received_at),
        }
    }

    /// Content of the signal; `None` if there are no words.
    pub(super) fn content(&self) -> Option<Content> {
        let (verbatim, sanitized) = words(&self.verbatim()?);
        let line = |name: &str| self.line(name, &[name], limits::FIELD_BYTES_MAX);
        let prose = |name: &str| self.line(name, &[name], limits::PROSE_BYTES_MAX);
        let mut metadata = self.metadata();
        let severity = line("severity");
        let frequency = line("frequency");
        let interview_date = line("interviewDate");
        note(&mut metadata, "severityStated", severity.as_deref(), severity_of);
        note(&mut metadata, "frequencyStated", frequency.as_deref(), frequency_of);
        for key in ["sourceUrl", "sourceName", "interviewDate", "interviewee", "webhookName"] {
            keep(&mut metadata, key, line(key));
        }
        Some(Content {
            verbatim,
            interpretation: cleaned(prose("interpretation")),
            severity: severity.as_deref().and_then(severity_of),
            frequency: frequency.as_deref().and_then(frequency_of),
            user_segment: cleaned(line("userSegment")),
            source_url: line("sourceUrl").as_deref().and_then(web_url),
            interview_date: interview_date.as_deref().and_then(time::parse),
            interviewee: cleaned(line("interviewee")),
            tags: self.list("tags", &["tags"]),
            metadata,
            occurred_at: self
                .line("createdAt", &["createdAt", "occurredAt"], 64)
                .as_deref()
                .and_then(time::parse),
            parent_ref: None,
            parts: None,
            sanitized,
        })
    }

    /// Tags as an array or as one comma-separated text.
    pub(super) fn list(&self, name: &str, places: &[&str]) -> Vec<String> {
        let Some(raw) = self.raw(name, places) else { return Vec::new() };
        let list: Vec<String> = if raw.get().starts_with('[') {
            json::array(raw).into_iter().take(limits::TAGS_MAX).filter_map(json::scalar).collect()
        } else {
            json::scalar(raw).iter().flat_map(|t| t.split(',')).map(str::to_owned).collect()
        };
        tidy_tags(list.iter().map(String::as_str))
    }

    fn metadata(&self) -> Map<String, Value> {
        let Some(raw) = self.raw("metadata", &["metadata", "sourceMetadata"]) else {
            return Map::new();
        };
        let (mut metadata, dropped) = json::metadata(raw);
        if dropped > 0 {
            metadata.insert("metadataDropped".into(), json!(dropped));
        }
        metadata
    }
}

/// Tags trimmed, capped, without repeats.
pub(super) fn tidy_tags<'t>(tags: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for tag in tags {
        let (tag, _) = text::clean(tag.trim());
        let tag = text::cap(&tag, limits::TAG_BYTES_MAX);
        if !tag.is_empty() && out.len() < limits::TAGS_MAX && !out.iter().any(|t| t == tag) {
            out.push(tag.to_owned());
        }
    }
    out
}

/// The user's words: trimmed, capped, storable; and whether anything had to be replaced.
pub(super) fn words(text: &str) -> (String, bool) {
    let (clean, sanitized) = text::clean(text.trim());
    (text::cap(&clean, limits::VERBATIM_BYTES_MAX).trim_end().to_owned(), sanitized)
}

pub(super) fn cleaned(text: Option<String>) -> Option<String> {
    text.map(|text| text::clean(&text).0.into_owned())
}

/// Put a line into the metadata, if there is one.
pub(super) fn keep(metadata: &mut Map<String, Value>, key: &str, line: Option<String>) {
    if let Some(line) = cleaned(line) {
        metadata.insert(key.to_owned(), Value::String(line));
    }
}

/// Keep what the sender wrote where it is none of our values: "unknown" is an answer, silence is not.
fn note<T>(
    metadata: &mut Map<String, Value>,
    key: &str,
    stated: Option<&str>,
    parse: fn(&str) -> Option<T>,
) {
    if let Some(stated) = stated.filter(|s| parse(s).is_none()) {
        keep(metadata, key, Some(text::cap(stated, 64).to_owned()));
    }
}

pub(super) fn severity_of(text: &str) -> Option<Severity> {
    Some(match text.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        _ => return None,
    })
}

pub(super) fn frequency_of(text: &str) -> Option<Frequency> {
    Some(match text.to_ascii_lowercase().as_str() {
        "common" => Frequency::Common,
        "occasional" => Frequency::Occasional,
        "rare" => Frequency::Rare,
        _ => return None,
    })
}

/// A link that a reader may follow: `http` or `https` only, no spaces or control characters.
pub(super) fn web_url(text: &str) -> Option<String> {
    let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let web = head.starts_with("https://") || head.starts_with("http://");
    let sound = !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\u{fffd}');
    (web && sound).then(|| text.to_owned())
}
