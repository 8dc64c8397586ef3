//! Every source against recorded deliveries: signed as the platform signs, verified, accepted and
//! normalised, and compared with what the fixture expects.
//!
//! A fixture is `tests/fixtures/<source>/<case>.json`; adding one needs no code here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use millrace_ingest::source::{Accepted, Delivery, Normalized, SourceConfig, Stored};
use millrace_ingest::{source, sources, verify};
use millrace_tests::root;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Shared by signer and verifier; base64, so that every scheme can read it.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    description: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A JSON body may be written as JSON; it is sent compact.
    #[serde(default)]
    body: Value,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    body_file: Option<String>,
    #[serde(default)]
    config: Config,
    expect: Expect,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    scheme: Option<String>,
    external_id: Option<String>,
    field_map: Map<String, Value>,
    options: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// `event`, `reply` or `reject:<code>`.
    accept: String,
    #[serde(default)]
    event_type: Option<String>,
    #[serde(default)]
    reply: Option<Value>,
    /// Another case of this source that is the same delivery.
    #[serde(default)]
    same_key_as: Option<String>,
    /// What each record holds at least; a text ending in `*` is a beginning, null means absent.
    #[serde(default)]
    records: Option<Vec<Map<String, Value>>>,
    #[serde(default)]
    ignored: Option<String>,
    #[serde(default)]
    uninstalled: Option<String>,
    #[serde(default)]
    hold: Option<String>,
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-15T12:00:00Z").unwrap().to_utc()
}

/// What one delivery came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    accept: String,
    event_type: Option<String>,
    reply: Option<Value>,
    key: Vec<Vec<u8>>,
    pub(crate) normalized: Option<Result<Normalized, source::Hold>>,
}

impl Fixture {
    fn body(&self, folder: &Path) -> Vec<u8> {
        match (&self.body_base64, &self.body_file, &self.body) {
            (Some(encoded), _, _) => STANDARD.decode(encoded).unwrap(),
            (_, Some(name), _) => fs::read(folder.join(name)).unwrap(),
            (_, _, Value::String(text)) => text.clone().into_bytes(),
            (_, _, Value::Null) => Vec::new(),
            (_, _, json) => serde_json::to_vec(json).unwrap(),
        }
    }

    fn run(&self, kind: &str, folder: &Path) -> Outcome {
        let source = sources::by_name(kind).unwrap();
        let scheme_name = self.config.scheme.as_deref().unwrap_or(source.default_scheme());
        let scheme = verify::scheme(scheme_name).unwrap();
        let method = Method::try_from(self.method.as_deref().unwrap_or("POST")).unwrap();
        let mut body = self.body(folder);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(
                HeaderName::try_from(name).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let id = self.headers.get("webhook-id").map_or("msg_fixture", String::as_str);
        let unsigned = verify::Unsigned {
            method: method.as_str(),
            uri: "https://in.test/in/p",
            body: &body,
            id,
            timestamp: now(),
        };
        let mut path_key = None;
        let signed = verify::sign(scheme, SECRET, &unsigned).unwrap();
        for (name, value) in &signed {
            if name == ":path" {
                path_key = Some(value.clone());
            } else if scheme.signature.form.is_some() {
                body.extend(format!("&{name}={value}").bytes());
            } else {
                headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
        }
        let parts = verify::Parts {
            method: method.as_str(),
            uri: "https://in.test/in/p",
            headers: &headers,
            path_key: path_key.as_deref(),
            body: &body,
        };
        let verified =
            verify::verify(scheme, &parts, &[verify::Secret::text(SECRET)], now()).unwrap();
        let forged = verify::verify(
            scheme,
            &parts,
            &[verify::Secret::text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
            now(),
        );
        assert!(forged.is_err(), "another secret verifies it too");
        let config = SourceConfig {
            external_id: self.config.external_id.clone(),
            field_map: self.config.field_map.clone(),
            options: self.config.options.clone(),
        };
        let delivery = Delivery {
            method: &method,
            query: self.query.as_deref(),
            headers: &headers,
            body: &body,
            received_at: now(),
            delivery_id: verified.delivery_id.as_deref(),
        };
        let outcome = deliver(source, &delivery, &config);
        if let Some(normalized) = &outcome.normalized {
            let again = normalize(source, &delivery, &config);
            assert_eq!(&again, normalized, "a replay gives something else");
        }
        outcome
    }
}

/// Accept a delivery and, if it is an event, normalise it from what would have been stored.
pub(crate) fn deliver(
    source: &dyn source::Source,
    delivery: &Delivery<'_>,
    config: &SourceConfig,
) -> Outcome {
    let mut outcome = Outcome {
        accept: String::new(),
        event_type: None,
        reply: None,
        key: Vec::new(),
        normalized: None,
    };
    match source.accept(delivery, config) {
        Err(reject) => outcome.accept = format!("reject:{}", reject.code),
        Ok(Accepted::Reply { body, .. }) => {
            outcome.accept = "reply".into();
            outcome.reply = serde_json::from_slice(&body).ok();
        }
        Ok(Accepted::Event { key, event_type }) => {
            outcome.accept = "event".into();
            outcome.event_type = event_type;
            outcome.normalized = Some(normalize(source, delivery, config));
            outcome.key = key;
        }
    }
    outcome
}

/// Normalise a delivery from what would have been stored of it.
pub(crate) fn normalize(
    source: &dyn source::Source,
    delivery: &Delivery<'_>,
    config: &SourceConfig,
) -> Result<Normalized, source::Hold> {
    let headers =
        delivery.headers.iter().filter(|(name, _)| source::is_stored_header(name.as_str()));
    let headers: Map<String, Value> = headers
        .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
        .collect();
    let stored = Stored {
        headers: &headers,
        body: delivery.body,
        received_at: delivery.received_at,
        delivery_key: &verify::hash_key(delivery.body),
    };
    source.normalize(&stored, config)
}

/// What is wrong with an outcome, in words.
fn problems(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut out = Vec::new();
    let mut differ = |what: &str, got: Value, want: Value| {
        if got != want {
            out.push(format!("{what} is {got}, expected {want}"));
        }
    };
    differ("accept", json!(outcome.accept), json!(expect.accept));
    if expect.event_type.is_some() {
        differ("event type", json!(outcome.event_type), json!(expect.event_type));
    }
    differ("reply", json!(outcome.reply), json!(expect.reply));
    let (mut records, mut ignored, mut uninstalled, mut hold) = (None, None, None, None);
    match &outcome.normalized {
        Some(Ok(Normalized::Records(found))) => records = Some(found),
        Some(Ok(Normalized::Ignored(reason))) => ignored = Some(*reason),
        Some(Ok(Normalized::Uninstalled(reason))) => uninstalled = Some(*reason),
        Some(Err(held)) => hold = Some(held.reason),
        None => {}
    }
    differ("ignored", json!(ignored), json!(expect.ignored));
    differ("uninstalled", json!(uninstalled), json!(expect.uninstalled));
    differ("hold", json!(hold), json!(expect.hold));
    differ(
        "number of records",
        json!(records.map(Vec::len)),
        json!(expect.records.as_ref().map(Vec::len)),
    );
    for (number, (record, wanted)) in
        records.into_iter().flatten().zip(expect.records.iter().flatten()).enumerate()
    {
        let got = serde_json::to_value(record).unwrap();
        for (pointer, want) in wanted {
            let got = field(&got, pointer);
            if !fits(got, want) {
                out.push(format!("record {number}: {pointer} is {got}, expected {want}"));
            }
        }
    }
    out
}

/// A field of a record or of its content; a name with a slash is a JSON pointer below the content.
fn field<'v>(record: &'v Value, name: &str) -> &'v Value {
    let direct = record.get(name).filter(|v| !v.is_object());
    let content = &record["change"];
    let below = content.pointer(&format!("/{name}"));
    direct.or(below).unwrap_or(&Value::Null)
}

fn fits(got: &Value, want: &Value) -> bool {
    match (got, want) {
        (Value::String(got), Value::String(want)) => match want.strip_suffix('*') {
            Some(beginning) => got.starts_with(beginning),
            None => got == want,
        },
        _ => got == want,
    }
}

fn fixtures() -> BTreeMap<(String, String), Fixture> {
    let mut out = BTreeMap::new();
    for folder in fs::read_dir(root().join("tests/fixtures")).unwrap() {
        let folder = folder.unwrap().path();
        let kind = folder.file_name().unwrap().to_string_lossy().into_owned();
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let text = fs::read_to_string(&path).unwrap();
                let fixture = serde_json::from_str(&text)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let case = path.file_stem().unwrap().to_string_lossy().into_owned();
                out.insert((kind.clone(), case), fixture);
            }
        }
    }
    out
}

#[test]
fn every_fixture_becomes_what_it_says() {
    let fixtures = fixtures();
    let folder = root().join("tests/fixtures");
    let outcomes: BTreeMap<_, _> = fixtures
        .iter()
        .map(|(name, fixture)| (name, fixture.run(&name.0, &folder.join(&name.0))))
        .collect();
    let mut wrong = Vec::new();
    for (name @ (kind, case), fixture) in &fixtures {
        let outcome = &outcomes[name];
        for problem in problems(&fixture.expect, outcome) {
            wrong.push(format!("{kind}/{case} ({}): {problem}", fixture.description));
        }
        if let Some(other) = &fixture.expect.same_key_as
            && outcomes[&(kind.clone(), other.clone())].key != outcome.key
        {
            wrong.push(format!("{kind}/{case}: not the same delivery as {other}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn different_cases_are_different_deliveries() {
    let folder = root().join("tests/fixtures");
    let mut seen: BTreeMap<(String, Vec<Vec<u8>>), String> = BTreeMap::new();
    for ((kind, case), fixture) in fixtures() {
        let outcome = fixture.run(&kind, &folder.join(&kind));
        if outcome.accept == "event" && fixture.expect.same_key_as.is_none() {
            let earlier = seen.insert((kind.clone(), outcome.key), case.clone());
            assert_eq!(earlier, None, "{kind}/{case} has the key of another case");
        }
    }
}

#[test]
fn every_source_has_fixtures_and_a_scheme() {
    let kinds: BTreeSet<String> = fixtures().into_keys().map(|(kind, _)| kind).collect();
    let registered: BTreeSet<String> = sources::ALL.iter().map(|s| s.name().to_owned()).collect();
    assert_eq!(kinds, registered);
    for source in sources::ALL {
        assert!(verify::scheme(source.default_scheme()).is_some(), "{}", source.name());
        assert_ne!(source.default_scheme(), "none");
    }
}
