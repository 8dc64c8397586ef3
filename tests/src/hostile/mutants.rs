//! Recorded deliveries, altered at random and sent to the real binary.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use super::headers;
use crate::{
    App, Sender,
    fixture::{self, Fixture},
};

const AT_ONCE: usize = 16;
/// Pieces that mean something to one parser or another.
const PIECES: [&[u8]; 24] = [
    b"\0",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"[[[[[[[[",
    b"}",
    b",",
    b":null",
    b"1e131000",
    b"-0",
    b"99999999999999999999",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\r\n\r\n",
    b"--xYzZY\r\n",
    b"%00",
    b"&",
    b"=",
    b"<!--",
    b"&#x110000;",
    b"+999999-01-01",
];

/// What came of a run.
#[derive(Debug, Default)]
pub struct Mutants {
    /// Answers by status; 0 where the connection broke.
    pub statuses: BTreeMap<u16, u64>,
    /// Sent once more, because the connection ended before an answer: the service may close an idle one in the moment in
    /// which it is used again.
    pub repeated: u64,
    /// What was answered 5xx, or not at all twice: the number of the mutant, which gives it again.
    pub bad: Vec<String>,
}

/// Send `count` mutants drawn from `seed`.
pub async fn mutants(app: &App, seed: u64, count: u32) -> Mutants {
    let fixtures: Vec<Fixture> = fixture::all().into_values().collect();
    let mut senders = Vec::new();
    for fixture in &fixtures {
        senders.push(sender(app, fixture, &senders).await);
    }
    let (mut found, mut sent) = (Mutants::default(), JoinSet::new());
    for nth in 0..count {
        if sent.len() >= AT_ONCE {
            found.note(sent.join_next().await.unwrap().unwrap());
        }
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(u64::from(nth)));
        let chosen = random.random_range(0..fixtures.len());
        let other = fixtures[random.random_range(0..fixtures.len())].body();
        let mutant = mutate(&fixtures[chosen], &other, &mut random);
        let (sender, forged) = (senders[chosen].1.clone(), random.random_ratio(1, 10));
        sent.spawn(async move {
            match send(&sender, nth, mutant.clone(), forged).await {
                0 => (nth, send(&sender, nth, mutant, forged).await, true),
                status => (nth, status, false),
            }
        });
    }
    for ended in sent.join_all().await {
        found.note(ended);
    }
    found
}

impl Mutants {
    fn note(&mut self, (nth, status, repeated): (u32, u16, bool)) {
        self.repeated += u64::from(repeated);
        *self.statuses.entry(status).or_default() += 1;
        if status == 0 || status >= 500 {
            self.bad.push(format!("mutant {nth}: {status}"));
        }
    }
}

/// The fixture's source; one for all that are configured alike, but for those that end it.
async fn sender(app: &App, fixture: &Fixture, known: &[(usize, Sender)]) -> (usize, Sender) {
    let config = &fixture.config;
    let ends = fixture.expect.uninstalled.is_some();
    let name = format!("{} {config:?}{}", fixture.kind, if ends { " for a while" } else { "" });
    if let Some((_, sender)) = known.iter().find(|(_, s)| s.source["name"] == name) {
        return (known.len(), sender.clone());
    }
    let map = |map| serde_json::to_string(map).unwrap();
    let (fields, options) = (map(&config.field_map), map(&config.options));
    let mut extra = vec!["--name", &name, "--field-map", &fields, "--options", &options];
    extra.extend(["--scheme", fixture.scheme()]);
    extra.extend(config.external_id.iter().flat_map(|id| ["--external-id", id]));
    (known.len(), Sender::add(app, "mutants", &fixture.kind, &extra).await)
}

type Mutant = (Vec<(String, Vec<u8>)>, Vec<u8>);

fn mutate(fixture: &Fixture, other: &[u8], random: &mut StdRng) -> Mutant {
    let mut body = fixture.body();
    for _ in 0..random.random_range(0..6) {
        alter(&mut body, other, random);
    }
    let given = fixture.headers.iter();
    let mut headers: Vec<(String, Vec<u8>)> =
        given.map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    match random.random_range(0..6) {
        0 if !headers.is_empty() => {
            let at = random.random_range(0..headers.len());
            alter(&mut headers[at].1, other, random);
        }
        1 if !headers.is_empty() => drop(headers.remove(random.random_range(0..headers.len()))),
        2 => {
            let hostile = headers::headers();
            let (_, more) = &hostile[random.random_range(0..hostile.len())];
            headers.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
            headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        _ => {}
    }
    // What no HTTP library sends is tried byte by byte in `wire`.
    headers.retain(|(_, value)| http::HeaderValue::from_bytes(value).is_ok());
    (headers, body)
}

/// One alteration.
fn alter(bytes: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
    let mut place = |length: usize| random.random_range(0..=length);
    let (at, from) = (place(bytes.len()), place(other.len()));
    let to = (at + place(64)).min(bytes.len());
    match random.random_range(0..8) {
        0 => drop(bytes.drain(at..to)),
        1 => drop(bytes.splice(at..at, other[from..].iter().copied().take(256))),
        2 => {
            drop(bytes.splice(at..to, PIECES[random.random_range(0..PIECES.len())].iter().copied()))
        }
        3 => drop(bytes.splice(at..at, bytes[at..to].repeat(random.random_range(1..40)))),
        4 => bytes.truncate(at),
        5 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
        6 if at < bytes.len() => bytes[at] = random.random(),
        _ => {
            let piece = PIECES[random.random_range(0..PIECES.len())];
            drop(bytes.splice(at..at, piece.iter().copied()));
        }
    }
}

async fn send(sender: &Sender, nth: u32, (headers, body): Mutant, forged: bool) -> u16 {
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let mut signed = sender.sign(&format!("mutant-{nth}"), &headers, body);
    if forged {
        signed.body.push(b' ');
    }
    match sender.deliver(signed).await {
        Ok(answer) => answer.status,
        Err(e) => {
            println!("mutant {nth}: {e:?}");
            0
        }
    }
}
