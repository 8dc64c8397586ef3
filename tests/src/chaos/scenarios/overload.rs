use std::time::Duration;

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    App, Database, Pg, Sender,
    flood::{Flood, flood, p99_ms},
    oracle,
    reliability::Figure,
};

/// More connections than `http.in_flight_max` lets in at once.
const CONNECTIONS: u32 = 1500;
/// Of the closed loop that finds the capacity.
const CLOSED: u32 = 128;
/// `http.queue_age_shed_s` of the second part.
const WAIT_MAX_S: f64 = 10.0;

/// R19: twice of what the receiver takes, then much more than the workers can do.
pub(super) async fn run(seconds: u32) -> Vec<Figure> {
    let length = Duration::from_secs(seconds.into());
    let db = Pg::database().await;
    let app = App::new(&db, &["serve"]).ready().await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let peak = flood(&sender, CLOSED, None, length).await;
    let twice = flood(&sender, CONNECTIONS, Some(2.0 * peak.goodput()), length).await;
    let stored = oracle::events(&db.pool).await;
    let accepted = peak.accepted.len() + twice.accepted.len();
    drop(app);
    let (age_max, late) = shed(length).await;
    let figure = format!(
        "peak {:.0}/s; {:.0}/s offered: {:.0}/s accepted with p99 {:.0} ms, {} refused with p99 {:.0} ms, {} other; {accepted} \
         accepted, {stored} stored; with workers and a wait of {WAIT_MAX_S:.0} s allowed: the oldest job at most {age_max:.0} s \
         old, {late}",
        peak.goodput(),
        twice.offered(),
        twice.goodput(),
        p99_ms(&twice.accepted),
        twice.refused.len(),
        p99_ms(&twice.refused),
        twice.other,
    );
    let kept = twice.other == 0 && i64::try_from(accepted) == Ok(stored);
    let fast = twice.goodput() >= 0.9 * peak.goodput()
        && p99_ms(&twice.refused) <= 50.0
        && p99_ms(&twice.accepted) <= 250.0
        && age_max <= 3.0 * WAIT_MAX_S;
    vec![Figure::new("R19", kept, figure).within(fast)]
}

/// Age of the oldest job while far more comes than can be worked off.
async fn shed(length: Duration) -> (f64, String) {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"])
        .env("MILLRACE__HTTP__QUEUE_AGE_SHED_S", &format!("{WAIT_MAX_S:.0}"))
        .env("MILLRACE__TELEMETRY__LEVEL", "error")
        .ready()
        .await;
    let sender = Sender::add(&app, "acme", "webhook", &[]).await;
    let stop = CancellationToken::new();
    let watching: JoinHandle<f64> = tokio::spawn(watch(db, stop.clone()));
    let flood: Flood = flood(&sender, CLOSED, None, length * 2).await;
    // What was let in is still to be worked off.
    tokio::time::sleep(length).await;
    stop.cancel();
    let said = format!("{} accepted, {} refused", flood.accepted.len(), flood.refused.len());
    (watching.await.unwrap(), said)
}

async fn watch(db: Database, stop: CancellationToken) -> f64 {
    let mut oldest = 0.0_f64;
    let started = Instant::now();
    while !stop.is_cancelled() && started.elapsed() < Duration::from_secs(600) {
        oldest = oldest.max(oracle::oldest_ready_s(&db.pool).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    oldest
}
