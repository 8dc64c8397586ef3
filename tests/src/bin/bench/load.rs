//! A closed-loop sender: connections that each send the next signed delivery when the last is answered.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use millrace_ingest::verify::{self, Unsigned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::Instant,
};

/// A burst of load.
#[derive(Debug)]
pub(crate) struct Load {
    /// 200s per second.
    pub(crate) rate: f64,
    /// Answers other than 200.
    pub(crate) others: u64,
    /// Answer times, microseconds.
    pub(crate) times: Histogram<u64>,
}

/// Keep `connections` busy for `length`, each with distinct Slack messages of about 970 bytes.
pub(crate) async fn slack(
    port: u16,
    path_id: &str,
    secret: &str,
    connections: usize,
    length: Duration,
) -> Load {
    let until = Instant::now() + length;
    let nth = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (path_id, secret, nth) = (path_id.to_owned(), secret.to_owned(), nth.clone());
        tasks.spawn(async move { connection(port, &path_id, &secret, &nth, until).await });
    }
    let mut load = Load { rate: 0.0, others: 0, times: histogram() };
    for (times, others) in tasks.join_all().await {
        load.times.add(&times).unwrap();
        load.others += others;
    }
    load.rate = load.times.len() as f64 / length.as_secs_f64();
    load
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap()
}

async fn connection(
    port: u16,
    path_id: &str,
    secret: &str,
    nth: &AtomicU64,
    until: Instant,
) -> (Histogram<u64>, u64) {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let run = uuid::Uuid::new_v4().simple().to_string();
    let scheme = verify::scheme("slack").unwrap();
    let (mut times, mut others) = (histogram(), 0);
    let mut answer = vec![0; 4096];
    // The sender shares the machine with what it measures: all but the id, the time and the signature is made once.
    let mut body = slack_body(&format!("Ev{run}{:010}", 0));
    let digits = body.find(&run).unwrap() + run.len();
    let head = format!(
        "POST /hooks/{path_id} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    let mut request = String::with_capacity(2048);
    while Instant::now() < until {
        let id = format!("{:010}", nth.fetch_add(1, Ordering::Relaxed));
        body.replace_range(digits..digits + id.len(), &id);
        let now = chrono::Utc::now();
        let unsigned =
            Unsigned { method: "POST", uri: "", body: body.as_bytes(), id: "", timestamp: now };
        request.clone_from(&head);
        for (name, value) in verify::sign(scheme, secret, &unsigned).unwrap() {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        request.push_str("\r\n");
        request.push_str(&body);
        let started = Instant::now();
        socket.write_all(request.as_bytes()).await.unwrap();
        if read_answer(&mut socket, &mut answer).await == 200 {
            times.record(u64::try_from(started.elapsed().as_micros()).unwrap()).unwrap();
        } else {
            others += 1;
        }
    }
    (times, others)
}

/// Status of one small answer with a content length.
pub(crate) async fn read_answer(socket: &mut TcpStream, buffer: &mut [u8]) -> u16 {
    let mut filled = 0;
    loop {
        let read = socket.read(buffer.get_mut(filled..).unwrap()).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let text = std::str::from_utf8(buffer.get(..filled).unwrap()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
            if body.len() >= length.parse::<usize>().unwrap() {
                return head.get(9..12).unwrap().parse().unwrap();
            }
        }
    }
}

/// A Slack message event in the vendor's shape, about 970 bytes.
pub(crate) fn slack_body(event_id: &str) -> String {
    let text = "The weekly digest arrives twice on Mondays since the last release, and the second copy lacks the \
                attachments that our finance team needs to close the books. It started after we enabled single sign-on \
                for the whole organisation and happens for about a third of the recipients, mostly in the Lisbon office.";
    serde_json::json!({
        "token": "unused", "team_id": "T0BENCH", "context_team_id": "T0BENCH", "api_app_id": "A0BENCH",
        "event": {
            "user": "U0BENCH", "type": "message", "ts": "1719211546.331399",
            "client_msg_id": "b763525d-9211-4333-936c-b1c02ff0105e", "text": text, "team": "T0BENCH",
            "channel": "C0BENCH", "event_ts": "1719211546.331399", "channel_type": "channel"
        },
        "type": "event_callback", "event_id": event_id, "event_time": 1719211546,
        "authorizations": [{ "enterprise_id": null, "team_id": "T0BENCH", "user_id": "U1BENCH", "is_bot": true, "is_enterprise_install": false }],
        "is_ext_shared_channel": false, "event_context": "4-bench"
    })
    .to_string()
}
