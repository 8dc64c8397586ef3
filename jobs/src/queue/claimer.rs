//! One loop per kind: wait for room, wait for a hint, claim, hand over.

use std::{sync::Arc, time::Duration};

use millrace_config::point::{Point, may_die};
use tokio::time::Instant;

use super::{
    call,
    claim::{Claimed, Known},
    fault,
    runtime::{Kind, Shared},
};

/// Work taken in hand ahead of time, as time.
const AHEAD: Duration = Duration::from_millis(50);
/// Window of the rate.
const WINDOW: Duration = Duration::from_millis(20);

/// How many jobs to hold: what can run at once, or what the last windows' rate works off in [`AHEAD`]. Slow kinds take
/// nothing another process could start sooner; fast ones claim in large batches.
#[derive(Debug)]
struct Pace {
    base: usize,
    most: usize,
    ahead: usize,
    seen: usize,
    at: Instant,
}

impl Pace {
    fn target(&mut self, ended: usize) -> usize {
        let elapsed = self.at.elapsed();
        if elapsed >= WINDOW {
            let us = usize::try_from(elapsed.as_micros()).unwrap_or(usize::MAX);
            let ahead_us = usize::try_from(AHEAD.as_micros()).unwrap_or(0);
            let now = ended.wrapping_sub(self.seen).saturating_mul(ahead_us) / us;
            self.ahead = (self.ahead + now) / 2;
            (self.seen, self.at) = (ended, Instant::now());
        }
        self.ahead.clamp(self.base, self.most)
    }
}

/// Runs until `stop`; claimed jobs that come too late are given back.
pub(crate) async fn run(shared: Arc<Shared>, kind: Arc<Kind>) {
    let settings = shared.queue.settings();
    let claim_max = usize::try_from(settings.claim_jobs_max).unwrap_or(1);
    let base = kind.spec.concurrency.saturating_mul(kind.spec.batch_max);
    let mut pace =
        Pace { base, most: base.max(claim_max * 2), ahead: 0, seen: 0, at: Instant::now() };
    let mut known = Known::default();
    let mut wait = Duration::ZERO;
    while !shared.stop.is_cancelled() {
        let target = pace.target(kind.total_ended());
        let room = target.saturating_sub(kind.in_hand());
        let least = if target > base { target / 2 } else { 1 };
        if room < least {
            tokio::select! {
                () = kind.room.notified() => continue,
                () = shared.stop.cancelled() => return,
            }
        }
        for ((tenant, class), position) in kind.inbox.take() {
            known.hint(&tenant, class, position);
        }
        if known.is_empty() || !wait.is_zero() {
            tokio::select! {
                () = kind.inbox.signal.notified(), if wait.is_zero() => continue,
                () = tokio::time::sleep(wait), if !wait.is_zero() => {}
                () = shared.stop.cancelled() => return,
            }
        }
        let asked_at = Instant::now();
        let claim =
            shared.queue.claim(kind.spec.kind, &shared.worker, &mut known, room.min(claim_max));
        match fault::bounded(claim).await {
            Ok(jobs) => {
                wait = Duration::ZERO;
                hand_over(&shared, &kind, jobs, asked_at).await;
            }
            Err(error) => {
                wait = (wait * 2).clamp(Duration::from_millis(100), Duration::from_secs(5));
                tracing::warn!(kind = kind.spec.kind, %error, "cannot claim; trying again");
            }
        }
    }
}

async fn hand_over(shared: &Shared, kind: &Arc<Kind>, jobs: Vec<Claimed>, asked_at: Instant) {
    if jobs.is_empty() {
        return;
    }
    may_die(Point::JobsTaken);
    let until = asked_at + Duration::from_millis(shared.queue.settings().lease_ms);
    let calls = shared.held.take(kind, jobs, until);
    if shared.stop.is_cancelled() {
        for call in calls {
            call::release(shared, call).await;
        }
    } else {
        kind.buffer.push(calls);
    }
}
