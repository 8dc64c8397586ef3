//! More deliveries than the service can take: many connections, each sending at its times whether or not the service keeps
//! up with all of them.

use std::{fmt::Write, time::Duration};

use hdrhistogram::Histogram;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::Instant,
};

use crate::Sender;

/// What was offered, and what came of it.
#[derive(Debug)]
pub struct Flood {
    /// For so long.
    pub length: Duration,
    /// Answer times of what was accepted, microseconds.
    pub accepted: Histogram<u64>,
    /// Answer times of what was refused with 503 and a time to come again.
    pub refused: Histogram<u64>,
    /// Other answers and broken connections.
    pub other: u64,
}

impl Flood {
    fn new(length: Duration) -> Self {
        let times = || Histogram::new(3).unwrap();
        Self { length, accepted: times(), refused: times(), other: 0 }
    }

    /// Requests per second, answered in whatever way.
    #[must_use]
    pub fn offered(&self) -> f64 {
        self.per_s(self.accepted.len() + self.refused.len() + self.other)
    }

    /// Deliveries accepted per second.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        self.per_s(self.accepted.len())
    }

    fn per_s(&self, count: u64) -> f64 {
        f64::from(u32::try_from(count).unwrap()) / self.length.as_secs_f64()
    }

    fn add(&mut self, other: &Self) {
        self.accepted.add(&other.accepted).unwrap();
        self.refused.add(&other.refused).unwrap();
        self.other += other.other;
    }
}

/// 99th percentile in milliseconds.
#[must_use]
pub fn p99_ms(times: &Histogram<u64>) -> f64 {
    f64::from(u32::try_from(times.value_at_quantile(0.99)).unwrap_or(u32::MAX)) / 1000.0
}

/// Keep `connections` sending for `length`: `rate` requests per second in all, or as fast as answers come.
pub async fn flood(
    sender: &Sender,
    connections: u32,
    rate: Option<f64>,
    length: Duration,
) -> Flood {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for nth in 0..connections {
        let pace = rate.map(|rate| Duration::from_secs_f64(f64::from(connections) / rate));
        // The connections take turns.
        let offset = pace.map_or(Duration::ZERO, |pace| pace * nth / connections);
        tasks.spawn(connection(sender.clone(), started + offset, pace, started + length));
    }
    let mut flood = Flood::new(length);
    for part in tasks.join_all().await {
        flood.add(&part);
    }
    flood
}

async fn connection(
    sender: Sender,
    mut next: Instant,
    pace: Option<Duration>,
    until: Instant,
) -> Flood {
    let mut flood = Flood::new(until - next);
    let run = uuid::Uuid::new_v4().simple().to_string();
    let (host, path) = sender.url.split_once("//").unwrap().1.split_once('/').unwrap();
    let mut socket = None;
    for nth in 0.. {
        tokio::time::sleep_until(next.min(until)).await;
        if Instant::now() >= until {
            break;
        }
        // Who is late by then does not catch up: the others offer as much as they can.
        next = pace.map_or_else(Instant::now, |pace| (next + pace).max(Instant::now()));
        let request = request(&sender, path, &format!("{run}-{nth}"));
        let asked = Instant::now();
        let answer = exchange(&mut socket, host, &request).await;
        let took = u64::try_from(asked.elapsed().as_micros()).unwrap();
        match answer {
            Some((200, _)) => flood.accepted.record(took).unwrap(),
            Some((503, true)) => flood.refused.record(took).unwrap(),
            _ => {
                flood.other += 1;
                socket = None;
            }
        }
    }
    flood
}

fn request(sender: &Sender, path: &str, name: &str) -> Vec<u8> {
    let body = json!({ "verbatim": format!("The export of report {name} stops halfway"), "sourceRef": name });
    let signed =
        sender.sign("", &[("content-type", b"application/json")], body.to_string().into_bytes());
    let mut head =
        format!("POST /{path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", signed.body.len());
    for (name, value) in &signed.headers {
        write!(head, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    [head.as_bytes(), b"\r\n", &signed.body].concat()
}

/// Status of the answer, and whether it says when to come again.
async fn exchange(
    socket: &mut Option<TcpStream>,
    host: &str,
    request: &[u8],
) -> Option<(u16, bool)> {
    if socket.is_none() {
        let fresh = TcpStream::connect(host).await.ok()?;
        fresh.set_nodelay(true).ok()?;
        *socket = Some(fresh);
    }
    let open = socket.as_mut()?;
    open.write_all(request).await.ok()?;
    let mut answer = Vec::with_capacity(512);
    loop {
        if open.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        let text = std::str::from_utf8(&answer).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if body.len() >= length.parse().ok()? {
            let status = head.get(9..12)?.parse().ok()?;
            return Some((status, head.contains("\r\nretry-after: ")));
        }
    }
}
