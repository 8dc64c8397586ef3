//! Senders that behave as platforms do: what gets no 2xx is sent again, and now and then something that got one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::house::House;
use crate::{Sender, oracle::Oracle};

/// Before a refused delivery is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Every so many deliveries is sent once more after its 2xx.
const REPEAT_EVERY: usize = 10;
/// What is under way may go on for so long when no more is offered.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct Seen {
    oracle: Oracle,
    refusals: BTreeMap<u16, u64>,
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
        let sender = house.sender.clone();
        let offering = offer(sender, house.urls(), rate, stop.clone(), seen.clone());
        Self { stop, offering: tokio::spawn(offering), seen }
    }

    /// No new deliveries; those under way go on until they are promised. Returns what was promised, how many different
    /// deliveries there were, and the answers that were no promise.
    pub(super) async fn finish(self) -> (Oracle, usize, BTreeMap<u16, u64>) {
        self.stop.cancel();
        let deliveries = self.offering.await.unwrap();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        (seen.oracle, deliveries, seen.refusals)
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
    for attempt in nth.. {
        sender.url.clone_from(&urls[attempt % urls.len()]);
        let answer = sender.try_send("", &body).await;
        let status = answer.as_ref().map_or(0, |a| a.status);
        {
            let mut seen = seen.lock().unwrap();
            if let (200, Ok(answer)) = (status, answer) {
                seen.oracle.promised(&format!("chaos-{nth}"), answer.event_id());
                promises += 1;
            } else {
                *seen.refusals.entry(status).or_default() += 1;
            }
        }
        if promises == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "delivery {nth} is refused for ever");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
