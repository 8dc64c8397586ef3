//! What the fuzzer runs: the pure functions that strangers' bytes reach, by name. Every source is a target without code
//! of its own here. An input is written as a request is: lines of `name: value`, an empty line, the body.

mod figure;
mod seeds;
mod storable;

use std::path::Path;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use millrace_config::Settings;
use millrace_ingest::{
    form, json,
    source::{self, Accepted, Delivery, Normalized, Source, SourceConfig, Stored},
    sources, text, time,
    verify::{self, Scheme},
};
use millrace_worker::api::read_cursor;
use serde_json::{Map, Value};

pub use figure::figure;
pub use seeds::{input, seeds};
pub use storable::check_storable;

/// Names that are not a source's.
const OTHERS: [&str; 6] = ["signature", "scheme", "cursor", "configuration", "form", "json"];

/// Every target.
#[must_use]
pub fn targets() -> Vec<&'static str> {
    sources::ALL.iter().map(|s| s.name()).chain(OTHERS).collect()
}

/// Run one input.
///
/// # Panics
/// If there is no such target, or something is wrong with the code under test.
pub fn run(target: &str, input: &[u8]) {
    let request = Request::read(input);
    match (sources::by_name(target), target) {
        (Some(source), _) => deliver(source, &request),
        (_, "signature") => signature(&request),
        (_, "scheme") => drop(custom(input)),
        (_, "cursor") => cursor(input),
        (_, "configuration") => configuration(&request),
        (_, "form") => forms(&request),
        (_, "json") => documents(input),
        _ => panic!("no target {target}"),
    }
}

/// An input.
struct Request<'i> {
    /// Lines that are no header, such as the name of a scheme.
    words: Vec<&'i str>,
    headers: HeaderMap,
    body: &'i [u8],
}

impl<'i> Request<'i> {
    fn read(input: &'i [u8]) -> Self {
        let end = input.windows(2).position(|w| w == b"\n\n");
        let (head, body) = end.map_or((input, &[][..]), |at| (&input[..at], &input[at + 2..]));
        let (mut words, mut headers) = (Vec::new(), HeaderMap::new());
        for line in head.split(|b| *b == b'\n').take(100) {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let pair = line.split_once(": ").and_then(|(name, value)| {
                Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
            });
            match pair {
                Some((name, value)) => drop(headers.append(name, value)),
                None => words.push(line),
            }
        }
        Self { words, headers, body }
    }

    /// The configuration of a source that the input brings along.
    fn config(&self) -> SourceConfig {
        let object = |at: usize| match self.words.get(at).map(|text| serde_json::from_str(text)) {
            Some(Ok(Value::Object(map))) => map,
            _ => Map::new(),
        };
        SourceConfig { external_id: None, field_map: object(0), options: object(1) }
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_768_478_400, 0).unwrap()
}

/// Accept and normalise, as `receive` and the job do; what comes out can be stored, and comes out again.
fn deliver(source: &'static dyn Source, request: &Request<'_>) {
    let config = request.config();
    let delivery = Delivery {
        method: &Method::POST,
        query: request.words.get(2).copied(),
        headers: &request.headers,
        body: request.body,
        received_at: now(),
        delivery_id: request.headers.get("webhook-id").and_then(|id| id.to_str().ok()),
    };
    let accepted = source.accept(&delivery, &config);
    if let Ok(Accepted::Event { event_type: Some(kind), .. }) = &accepted {
        assert!(kind.len() <= millrace_ingest::limits::EVENT_TYPE_BYTES_MAX);
    }
    // Also what the door refuses: a replay may meet bytes that an older door let in.
    match normalize(source, &delivery, &config) {
        Ok(Normalized::Records(records)) => {
            assert!(!records.is_empty(), "records, but none");
            assert!(records.len() <= millrace_ingest::limits::RECORDS_MAX + 1);
            records.iter().for_each(check_storable);
        }
        Ok(Normalized::Codebases(changes)) => assert!(!changes.is_empty(), "changes, but none"),
        Ok(Normalized::Social(said, _)) => {
            assert!(!said.is_empty(), "something said, but nothing");
            said.iter().for_each(|said| storable::check_value(&serde_json::json!(said)));
        }
        Ok(Normalized::Outcomes(outcomes, _)) => {
            assert!(!outcomes.is_empty(), "something came of it, but nothing");
            outcomes.iter().for_each(|one| storable::check_value(&serde_json::json!(one)));
        }
        Ok(Normalized::Ignored(reason) | Normalized::Uninstalled(reason)) => {
            assert!(!reason.is_empty());
        }
        Err(hold) => assert_ne!(hold.reason, ""),
    }
}

/// Normalise a delivery from what would have been stored of it.
///
/// # Errors
/// The source's.
pub fn normalize(
    source: &dyn Source,
    delivery: &Delivery<'_>,
    config: &SourceConfig,
) -> Result<Normalized, source::Hold> {
    // Pages are stored with their header by whoever fetched them.
    let kept = |name: &str| source::is_stored_header(name) || name == source::PAGE_HEADER;
    let headers = delivery.headers.iter().filter(|(name, _)| kept(name.as_str()));
    let headers: Map<String, Value> = headers
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into())
        })
        .collect();
    let stored = Stored {
        headers: &headers,
        body: delivery.body,
        received_at: delivery.received_at,
        delivery_key: &verify::hash_key(delivery.body),
    };
    source.normalize(&stored, config)
}

/// Every scheme of the table, or one that the input describes, over a request that did not sign with our secret.
fn signature(request: &Request<'_>) {
    let scheme = match request.words.first() {
        Some(name) => verify::scheme(name).cloned().or_else(|| custom(name.as_bytes())),
        None => None,
    };
    let Some(scheme) = scheme else { return };
    let parts = verify::Parts {
        method: "POST",
        uri: request.words.get(1).copied().unwrap_or("https://in.test/hooks/p"),
        headers: &request.headers,
        path_key: request.words.get(2).copied(),
        body: request.body,
    };
    let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "0102030405060708090a0b0c0d0e0f10"]
        .map(verify::Secret::text);
    let verified = verify::verify(&scheme, &parts, &secrets, now());
    if let Err(reject) = verified {
        assert!(!reject.code.is_empty() && !reject.message.is_empty());
    }
}

fn custom(spec: &[u8]) -> Option<Scheme> {
    let spec: Value = serde_json::from_slice(spec).ok()?;
    let scheme = Scheme::custom(&spec).ok()?;
    let written = serde_json::to_value(&scheme).unwrap();
    assert_eq!(Scheme::custom(&written).as_ref(), Ok(&scheme), "read back as it was written");
    Some(scheme)
}

fn cursor(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some((_, id)) = read_cursor(text) {
        assert!(!id.is_empty() && !id.contains('\0'));
    }
    check_time(text);
}

fn check_time(text: &str) {
    let (earliest, latest) =
        (millrace_ingest::limits::TIME_MIN_US, millrace_ingest::limits::TIME_MAX_US);
    assert!(time::parse_us(text).is_none_or(|us| (earliest..=latest).contains(&us)));
}

/// The lines are environment variables, the body a file.
fn configuration(request: &Request<'_>) {
    let pairs = request.words.iter().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let Ok(file) = std::str::from_utf8(request.body) else { return };
    match Settings::from_text(Path::new("home"), Some(file), pairs) {
        Ok(settings) => assert!(settings.queue.lease_ms > 0),
        Err(problems) => assert!(!problems.0.is_empty()),
    }
}

fn forms(request: &Request<'_>) {
    let content_type = request.words.first().copied().unwrap_or("");
    if let Ok(parts) = form::parts(content_type, request.body) {
        assert!(parts.len() <= millrace_ingest::limits::PARTS_MAX);
    }
    let once = form::unescape(request.body, true);
    assert!(once.len() <= request.body.len());
}

fn documents(input: &[u8]) {
    let body = json::decode(input);
    if let Ok(object) = json::Object::parse(&body) {
        for (key, raw) in object.entries() {
            drop(json::scalar(raw));
            assert!(object.has(key));
            let (metadata, _) = json::metadata(raw);
            storable::check_value(&Value::Object(metadata));
        }
    }
    drop(json::items(&body));
    let plain = text::strip_html(&body);
    assert!(plain.len() <= body.len() * 3, "stripping makes it longer");
    drop(text::entities(&body));
    assert!(text::bounded_ref(&body).len() <= millrace_ingest::limits::REF_BYTES_MAX);
    check_time(&body);
}
