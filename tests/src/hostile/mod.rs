//! Deliveries that were made to hurt, signed as they should be, through the real binary over HTTP; then everything that
//! was stored is read back.

mod bodies;
mod headers;
pub mod json;
mod meta;
mod mutants;
mod read;
mod wire;

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use self::{bodies::bodies, headers::headers, wire::requests};
pub use self::{
    meta::round_trips,
    mutants::{Mutants, mutants},
    read::Reading,
};
use millrace_ingest::source::PAGE_HEADER;

use crate::{
    App, Database, Sender,
    fixture::{self, Fixture},
};

/// One delivery.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it tries, at which source.
    pub name: String,
    /// Kind of source.
    pub kind: String,
    /// Beside the signature's.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// As sent.
    pub body: Vec<u8>,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Different things that were tried.
    pub cases: usize,
    /// Requests sent.
    pub sent: usize,
    /// Answers by status; 0 where the connection ended without one.
    pub statuses: BTreeMap<u16, usize>,
    /// Longest time to an answer.
    pub answer_max: (Duration, String),
    /// What was answered otherwise than 2xx or 4xx, or not at all.
    pub unanswered: Vec<String>,
    /// What came back.
    pub reading: Reading,
}

/// A delivery of each kind of source that becomes records: the one with the most to it.
#[must_use]
pub fn models() -> BTreeMap<String, Fixture> {
    let mut models: BTreeMap<String, Fixture> = BTreeMap::new();
    for ((kind, _), fixture) in fixture::all() {
        let plain = fixture.config == fixture::Config::default()
            && fixture.method.is_none()
            && !fixture.headers.contains_key(PAGE_HEADER);
        if !plain || fixture.expect.records.is_none() {
            continue;
        }
        let weight = |f: &Fixture| f.json().map_or(0, |json| json::places(json).len());
        if models.get(&kind).is_none_or(|known| weight(known) < weight(&fixture)) {
            models.insert(kind, fixture);
        }
    }
    models
}

/// Every `one_in`-th combination of a hostile value and a place, and everything else, with the count of different things
/// tried. Only if every combination is asked for is everything sent to every kind of source, and as large as it can be.
#[must_use]
pub fn corpus(one_in: usize) -> (usize, Vec<Case>) {
    let models = models();
    let large = if one_in == 1 { 1_000_000 } else { 8_000 };
    let (values, bodies, headers) = (json::values(), bodies(large), headers());
    let shapes = models.values().find_map(|m| Some(json::shapes(m.json()?).len())).unwrap_or(0);
    let tried = values.len() + bodies.len() + headers.len() + shapes;
    let mut all = Vec::new();
    for (turn, (kind, model)) in models.iter().enumerate() {
        let chosen = |nth: usize| one_in == 1 || (nth + turn).is_multiple_of(5);
        let mut push = |name: String, headers, body| {
            all.push(Case { name: format!("{kind}: {name}"), kind: kind.clone(), headers, body });
        };
        let own: Vec<(&'static str, Vec<u8>)> = vec![("content-type", content_type(model))];
        if let Some(document) = model.json() {
            let mut nth = 0_usize;
            for (place, template) in json::places(document) {
                for (name, value) in &values {
                    nth += 1;
                    if nth.is_multiple_of(one_in) {
                        let body = fresh(&json::fill(&template, value), nth);
                        push(format!("{name} at {place:?}"), own.clone(), body.into_bytes());
                    }
                }
                // So that the next place does not begin with the value this one began with.
                nth += 1;
            }
            for (name, body) in json::shapes(document) {
                push(name, own.clone(), body);
            }
        }
        for (nth, (name, given, body)) in bodies.iter().enumerate() {
            if !chosen(nth) && !is_read_by(kind, given) {
                continue;
            }
            let given = given.iter().map(|(name, value)| (*name, value.clone().into_bytes()));
            push((*name).to_owned(), given.collect(), body.clone());
        }
        for (nth, (name, given)) in headers.iter().enumerate().filter(|(nth, _)| chosen(*nth)) {
            let mut sent = own.clone();
            sent.retain(|(name, _)| !given.iter().any(|(other, _)| other == name));
            sent.extend(given.iter().cloned());
            let body = model.json().map(|json| fresh(&json.to_string(), nth).into_bytes());
            push((*name).to_owned(), sent, body.unwrap_or_else(|| model.body()));
        }
    }
    (tried, all)
}

/// The kind of source whose parsers such a body is made for.
fn is_read_by(kind: &str, headers: &[(&'static str, String)]) -> bool {
    let is = |name: &str, start: &str| {
        headers.iter().any(|(n, value)| *n == name && value.starts_with(start))
    };
    match kind {
        "upload" => is("x-file-name", "") || is("content-type", "multipart/"),
        "email" => {
            ["message/", "multipart/", "application/x-www"].iter().any(|t| is("content-type", t))
        }
        "webhook" => ["application/json", "text/"].iter().any(|t| is("content-type", t)),
        _ => false,
    }
}

fn content_type(model: &Fixture) -> Vec<u8> {
    model.headers.get("content-type").cloned().unwrap_or_default().into_bytes()
}

/// The same delivery under another identity: ids and references get a number.
fn fresh(json: &str, nth: usize) -> String {
    let mut out = json.to_owned();
    for name in ["event_id", "client_msg_id", "id", "ts", "MessageID", "sourceRef", "subject"] {
        let mark = format!("\"{name}\":\"");
        out = out.replace(&mark, &format!("{mark}{nth}"));
    }
    out
}

/// Send `cases` and the hostile requests to a running app, `at_once` at a time, and read everything back.
pub async fn run(
    app: &App,
    db: &Database,
    (tried, cases): (usize, Vec<Case>),
    at_once: usize,
) -> Outcome {
    let mut senders = BTreeMap::new();
    for (kind, model) in models() {
        let sender =
            Sender::add(app, "hostile", &kind, &["--name", &format!("hostile {kind}")]).await;
        assert_eq!(sender.source["scheme"], model.scheme(), "{kind}");
        senders.insert(kind, sender);
    }
    let wires = requests(&senders["webhook"]);
    let mut outcome = Outcome { cases: tried + wires.len(), ..Outcome::default() };
    let address = app.url("").trim_start_matches("http://").to_owned();
    for wire in &wires {
        let started = Instant::now();
        let status = wire.send(&address).await;
        outcome.note(wire.name, status, started.elapsed(), wire.is_answered(status));
    }
    let mut stored: Vec<(String, Uuid, Vec<u8>)> = Vec::new();
    let mut waiting = JoinSet::new();
    let mut cases = cases.into_iter();
    loop {
        while waiting.len() < at_once
            && let Some(case) = cases.next()
        {
            waiting.spawn(deliver(senders[&case.kind].clone(), case));
        }
        let Some(sent) = waiting.join_next().await else { break };
        let (case, status, took, event, body) = sent.unwrap();
        let good = (200..300).contains(&status) || (400..500).contains(&status);
        outcome.note(&case.name, status, took, good);
        stored.extend(event.map(|event| (case.name, event, body)));
    }
    outcome.reading = read::everything(app, db, "hostile", stored, at_once).await;
    outcome
}

impl Outcome {
    fn note(&mut self, name: &str, status: u16, took: Duration, good: bool) {
        self.sent += 1;
        *self.statuses.entry(status).or_default() += 1;
        if !good {
            self.unanswered.push(format!("{name}: {status}"));
        }
        if took > self.answer_max.0 {
            self.answer_max = (took, name.to_owned());
        }
    }
}

/// Status, time, the event if there is a new one, and the body as it was sent.
async fn deliver(sender: Sender, case: Case) -> (Case, u16, Duration, Option<Uuid>, Vec<u8>) {
    let headers: Vec<_> = case.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
    let signed = sender.sign(&unique(), &headers, case.body.clone());
    let body = signed.body.clone();
    let started = Instant::now();
    let answer = sender.deliver(signed).await;
    let took = started.elapsed();
    match answer {
        Ok(answer) => {
            let event = answer.body["eventId"].as_str().and_then(|id| id.parse().ok());
            let new = answer.body["duplicate"] != true;
            (case, answer.status, took, event.filter(|_| new), body)
        }
        Err(_) => (case, 0, took, None, body),
    }
}

/// A delivery id that was never used.
fn unique() -> String {
    STANDARD.encode(Uuid::new_v4().as_bytes())
}
