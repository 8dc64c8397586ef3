//! Clients that open connections and then do as little as they can, beside one that behaves.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, interval, timeout},
};

use crate::{App, Sender};

/// Between two bytes of a slow client.
const PACE: Duration = Duration::from_millis(500);
/// A connection that is open after this is open for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Deliveries per second of the client that behaves.
const RATE: u32 = 50;

/// What a slow client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// Says nothing at all.
    Idle,
    /// A byte of a header now and then.
    Header,
    /// A byte of a body now and then.
    Body,
    /// Asks much, and reads nothing.
    Reader,
}

impl Slow {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Header, Self::Body, Self::Reader];
}

/// What a run measured.
#[derive(Debug)]
pub struct Outcome {
    /// Slow connections that were open at once.
    pub open: usize,
    /// Answer times of the behaving client alone, and beside the slow ones; microseconds.
    pub alone: Histogram<u64>,
    /// See `alone`.
    pub beside: Histogram<u64>,
    /// Deliveries of the behaving client that were not taken.
    pub refused: u64,
    /// Longest life of a slow connection.
    pub life_max: Duration,
    /// Slow connections that outlived all patience, by what they did.
    pub immortal: Vec<Slow>,
}

/// Open `connections`, a share of each kind of slow client, and keep delivering for `length` before and meanwhile.
pub async fn run(app: &App, sender: &Sender, connections: usize, length: Duration) -> Outcome {
    let (alone, mut refused) = behave(sender, length).await;
    let path = sender.url.rsplit_once("/hooks/").map(|(_, id)| format!("/hooks/{id}")).unwrap();
    let address = app.url("").trim_start_matches("http://").to_owned();
    let mut slow = JoinSet::new();
    for what in Slow::ALL.into_iter().cycle().take(connections) {
        slow.spawn(hold(what, TcpStream::connect(&address).await.unwrap(), path.clone()));
    }
    let (beside, more) = behave(sender, length).await;
    refused += more;
    let (mut life_max, mut immortal) = (Duration::ZERO, Vec::new());
    while let Some(ended) = slow.join_next().await {
        match ended.unwrap() {
            (_, Some(life)) => life_max = life_max.max(life),
            (what, None) => immortal.push(what),
        }
    }
    Outcome { open: connections, alone, beside, refused, life_max, immortal }
}

/// Deliver at a steady pace; answer times and what was refused.
async fn behave(sender: &Sender, length: Duration) -> (Histogram<u64>, u64) {
    let (mut times, mut refused) = (Histogram::new(3).unwrap(), 0);
    let (mut pace, started) = (interval(Duration::from_secs(1) / RATE), Instant::now());
    let mut sent = JoinSet::new();
    while started.elapsed() < length {
        pace.tick().await;
        let sender = sender.clone();
        sent.spawn(async move {
            let asked = Instant::now();
            let body = json!({ "verbatim": format!("beside the slow ones, {:?}", asked) });
            let answer = sender.try_send("", &body).await;
            (asked.elapsed(), answer.is_ok_and(|a| a.status == 200))
        });
    }
    for (took, taken) in sent.join_all().await {
        times.record(u64::try_from(took.as_micros()).unwrap()).unwrap();
        refused += u64::from(!taken);
    }
    (times, refused)
}

/// Be slow until the service hangs up; for how long it did not.
async fn hold(what: Slow, socket: TcpStream, path: String) -> (Slow, Option<Duration>) {
    let opened = Instant::now();
    let ended = timeout(PATIENCE, until_dropped(what, socket, &path)).await;
    (what, ended.ok().map(|()| opened.elapsed()))
}

async fn until_dropped(what: Slow, mut socket: TcpStream, path: &str) {
    let post = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    let head = match what {
        Slow::Idle => String::new(),
        Slow::Header => format!("{post}X-Slow: "),
        Slow::Body => format!("{post}Content-Length: 100000\r\n\r\n"),
        Slow::Reader => "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000),
    };
    let (mut reader, mut writer) = socket.split();
    let write = async {
        // A write that does not pass ends with the connection.
        if writer.write_all(head.as_bytes()).await.is_err() || what == Slow::Idle {
            return;
        }
        let mut pace = interval(PACE);
        while matches!(what, Slow::Header | Slow::Body) && writer.write_all(b"a").await.is_ok() {
            pace.tick().await;
        }
    };
    let read = async {
        if what == Slow::Reader {
            let mut pace = interval(PACE);
            while !hung_up(&reader).await {
                pace.tick().await;
            }
            return;
        }
        let mut buffer = [0; 1024];
        while reader.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    };
    tokio::select! {
        () = read => {}
        () = async { write.await; std::future::pending::<()>().await } => {}
    }
}

/// The service has closed or reset this connection; asked without taking anything of what it wrote.
async fn hung_up(reader: &tokio::net::tcp::ReadHalf<'_>) -> bool {
    reader.ready(Interest::READABLE).await.is_ok_and(|ready| ready.is_read_closed())
}
