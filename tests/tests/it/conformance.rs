//! Every source against recorded deliveries: signed as the platform signs, verified, accepted and
//! normalised, and compared with what the fixture expects.
//!
//! A fixture is `tests/fixtures/<source>/<case>.json`; adding one needs no code here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use http::Method;
use millrace_ingest::source::{Accepted, Delivery, Normalized, PAGE_HEADER, SourceConfig};
use millrace_ingest::{source, sources, verify};
use millrace_tests::{
    fixture::{self, Expect, Fixture},
    fuzz::normalize,
};
use serde_json::{Value, json};

/// Shared by signer and verifier; base64, so that every scheme can read it.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

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

/// Sign it, verify it, and see what it becomes.
fn run(fixture: &Fixture) -> Outcome {
    let source = sources::by_name(&fixture.kind).unwrap();
    let scheme = verify::scheme(fixture.scheme()).unwrap();
    let method = Method::try_from(fixture.method.as_deref().unwrap_or("POST")).unwrap();
    let uri = "https://in.test/in/p";
    let headers = fixture.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let stamp = (uri, fixture.id(), now());
    let signed = fixture::sign(fixture.scheme(), SECRET, stamp, headers, fixture.body());
    let parts = verify::Parts {
        method: method.as_str(),
        uri,
        headers: &signed.headers,
        path_key: signed.path_key.as_deref(),
        body: &signed.body,
    };
    let verified = verify::verify(scheme, &parts, &[verify::Secret::text(SECRET)], now()).unwrap();
    let forged = verify::verify(
        scheme,
        &parts,
        &[verify::Secret::text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
        now(),
    );
    assert!(forged.is_err(), "another secret verifies it too");
    let config = SourceConfig {
        external_id: fixture.config.external_id.clone(),
        field_map: fixture.config.field_map.clone(),
        options: fixture.config.options.clone(),
    };
    let delivery = Delivery {
        method: &method,
        query: fixture.query.as_deref(),
        headers: &signed.headers,
        body: &signed.body,
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
    if delivery.headers.contains_key(PAGE_HEADER) {
        outcome.accept = "page".into();
        outcome.normalized = Some(normalize(source, delivery, config));
        return outcome;
    }
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
    let mut odd = None;
    let values = |found: Value| found.as_array().cloned();
    match &outcome.normalized {
        Some(Ok(Normalized::Records(found))) => records = values(json!(found)),
        Some(Ok(Normalized::Codebases(changes))) => records = values(json!(changes)),
        Some(Ok(Normalized::Social(said, found))) => {
            records = values(json!(said));
            odd = Some(json!(found));
        }
        Some(Ok(Normalized::Outcomes(outcomes, found))) => {
            records = values(json!(outcomes));
            odd = Some(json!(found));
        }
        Some(Ok(Normalized::Ignored(reason))) => ignored = Some(*reason),
        Some(Ok(Normalized::Uninstalled(reason))) => uninstalled = Some(*reason),
        Some(Err(held)) => hold = Some(held.reason),
        None => {}
    }
    differ("ignored", json!(ignored), json!(expect.ignored));
    differ("uninstalled", json!(uninstalled), json!(expect.uninstalled));
    let wanted = |odd: &Value| {
        expect.odd.clone().unwrap_or_else(|| if odd.is_null() { Value::Null } else { json!({}) })
    };
    let odd = json!(odd);
    differ("odd", odd.clone(), wanted(&odd));
    differ("hold", json!(hold), json!(expect.hold));
    differ(
        "number of records",
        json!(records.as_ref().map(Vec::len)),
        json!(expect.records.as_ref().map(Vec::len)),
    );
    for (number, (got, wanted)) in
        records.into_iter().flatten().zip(expect.records.iter().flatten()).enumerate()
    {
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
    let below =
        content.pointer(&format!("/{name}")).or_else(|| record.pointer(&format!("/{name}")));
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

#[test]
fn every_fixture_becomes_what_it_says() {
    let fixtures = fixture::all();
    let outcomes: BTreeMap<_, _> =
        fixtures.iter().map(|(name, fixture)| (name, run(fixture))).collect();
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
    let mut seen: BTreeMap<(String, Vec<Vec<u8>>), String> = BTreeMap::new();
    for ((kind, case), fixture) in fixture::all() {
        let outcome = run(&fixture);
        if outcome.accept == "event" && fixture.expect.same_key_as.is_none() {
            let earlier = seen.insert((kind.clone(), outcome.key), case.clone());
            assert_eq!(earlier, None, "{kind}/{case} has the key of another case");
        }
    }
}

#[test]
fn every_source_has_fixtures_and_a_scheme() {
    let kinds: BTreeSet<String> = fixture::all().into_keys().map(|(kind, _)| kind).collect();
    let registered: BTreeSet<String> = sources::ALL.iter().map(|s| s.name().to_owned()).collect();
    assert_eq!(kinds, registered);
    for source in sources::ALL {
        assert!(verify::scheme(source.default_scheme()).is_some(), "{}", source.name());
        assert_ne!(source.default_scheme(), "none");
    }
}
