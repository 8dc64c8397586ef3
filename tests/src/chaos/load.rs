//! Senders that behave as platforms do: what gets no 2xx is sent again, and now and then something that got one.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::house::House;
use crate::{Sender, oracle::Oracle};

/// Before a refused delivery is sent again; doubled each time up to five times, for platforms back off, too.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
const DOUBLINGS_MAX: u32 = 5;
/// Every so many deliveries is sent once more after its 2xx.
const REPEAT_EVERY: usize = 10;
/// What is under way may go on for so long when no more is offered.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answer(u16),
    /// Nobody took the connection: a balancer would have asked somebody else.
    NotConnected,
    /// It was taken, and broke.
    Broken,
}

impl End {
    pub(super) fn is_promise(self) -> bool {
        self == Self::Answer(200)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(status) => write!(f, "answer {status}"),
            Self::NotConnected => f.write_str("no connection"),
            Self::Broken => f.write_str("connection broke"),
        }
    }
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) sent: Instant,
    pub(super) took: Duration,
    pub(super) end: End,
}

impl Sample {
    pub(super) fn ended(&self) -> Instant {
        self.sent + self.took
    }
}

#[derive(Debug, Default)]
struct Seen {
    oracle: Oracle,
    samples: Vec<Sample>,
}

/// Offered load.
#[derive(Debug)]
pub(super) struct Load {
    stop: CancellationToken,
    offering: tokio::task::JoinHandle<usize>,
    seen: Arc<Mutex<Seen>>,
}

impl Load {
    /// `rate` deliveries per second, to the receivers in turn, whether they answer or not.
    pub(super) fn start(house: &House, rate: u32) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = CancellationToken::new();
        let mut sender = house.sender.clone();
        // A request on an idle connection that is being closed breaks at any server; that is not what is tried here.
        sender.without_keep_alive();
        let offering = offer(sender, house.urls(), rate, stop.clone(), seen.clone());
        Self { stop, offering: tokio::spawn(offering), seen }
    }

    /// No new deliveries; those under way go on until they are promised. Returns what was promised, how many different
    /// deliveries there were, and all requests.
    pub(super) async fn finish(self) -> (Oracle, usize, Vec<Sample>) {
        self.stop.cancel();
        let deliveries = self.offering.await.unwrap();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        (seen.oracle, deliveries, seen.samples)
    }
}

async fn offer(
    sender: Sender,
    urls: Vec<String>,
    rate: u32,
    stop: CancellationToken,
    seen: Arc<Mutex<Seen>>,
) -> usize {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut deliveries = JoinSet::new();
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => break,
        }
        deliveries.spawn(deliver(sender.clone(), urls.clone(), sent, seen.clone()));
        sent += 1;
    }
    let all = async { while deliveries.join_next().await.is_some_and(|d| d.is_ok()) {} };
    let done = tokio::time::timeout(PATIENCE, all).await;
    assert!(done.is_ok(), "some deliveries are refused for ever");
    sent
}

/// Until it is promised.
async fn deliver(mut sender: Sender, urls: Vec<String>, nth: usize, seen: Arc<Mutex<Seen>>) {
    let body = json!({
        "verbatim": format!("Report {nth} stops halfway when it is exported to a file"),
        "sourceRef": format!("chaos-{nth}"),
    });
    let deadline = Instant::now() + PATIENCE;
    let mut promises = 0;
    let wanted = if nth.is_multiple_of(REPEAT_EVERY) { 2 } else { 1 };
    let mut refused = 0;
    for attempt in nth.. {
        sender.url.clone_from(&urls[attempt % urls.len()]);
        let sent = Instant::now();
        let answer = sender.try_send("", &body).await;
        let end = match &answer {
            Ok(answer) => End::Answer(answer.status),
            Err(e) if e.is_connect() => End::NotConnected,
            Err(_) => End::Broken,
        };
        {
            let mut seen = seen.lock().unwrap();
            seen.samples.push(Sample { sent, took: sent.elapsed(), end });
            if let (true, Ok(answer)) = (end.is_promise(), answer) {
                seen.oracle.promised(&format!("chaos-{nth}"), answer.event_id());
                promises += 1;
            }
        }
        if promises == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "delivery {nth} is refused for ever");
        tokio::time::sleep(AGAIN_AFTER * (1 << refused)).await;
        refused = (refused + 1).min(DOUBLINGS_MAX);
    }
}
