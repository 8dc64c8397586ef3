//! Running one call and judging how each of its jobs ended.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use millrace_config::point::{Point, may_die};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};

use super::{
    LeaseId, Verdict,
    claim::Claimed,
    complete::error_text,
    held::Call,
    retry,
    runtime::{Kind, Shared},
    spec::Ended,
    wake::Place,
};
use crate::trace;

/// The end of one delivery, on its way to the database.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) lease: LeaseId,
    pub(crate) kind: &'static str,
    pub(crate) how: How,
    /// Set if its tenant is at a cap: a place came free.
    pub(crate) frees: Option<Place>,
}

/// What to do with a job.
#[derive(Debug)]
pub(crate) enum How {
    Done,
    /// Already completed in the transaction of its effect.
    Committed,
    Cancelled(String),
    Again {
        outcome: &'static str,
        delay_ms: i64,
        spare: bool,
        error: Option<String>,
    },
    Dead {
        reason: &'static str,
        error: String,
    },
    /// The lease is somebody else's.
    Lost,
}

impl How {
    /// As metrics and spans name it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Done | Self::Committed => "done",
            Self::Cancelled(_) => "cancelled",
            Self::Again { outcome, .. } => outcome,
            Self::Dead { .. } => "dead",
            Self::Lost => "lost",
        }
    }
}

/// What is left of a job when its payload has been handed over.
struct Delivery {
    lease: LeaseId,
    counted: i32,
    attempts_max: i32,
    frees: Option<Place>,
    trace_id: Option<String>,
}

impl Delivery {
    fn of(kind: &'static str, job: &Claimed) -> Self {
        let place = || Place {
            kind: kind.to_owned(),
            workspace_id: job.workspace_id.clone(),
            priority: job.priority,
        };
        Self {
            lease: job.id,
            counted: job.counted(),
            attempts_max: job.attempts_max,
            frees: job.capped.then(place),
            trace_id: job.trace_id.clone(),
        }
    }

    fn span(&self, kind: &'static str) -> Span {
        trace::job(kind, self.lease.job, self.lease.attempt, self.trace_id.as_deref())
    }
}

enum Stopped {
    /// None of its leases is held any more.
    Lost,
    /// The process stops and its time to drain is over.
    Halted,
    TimedOut,
    Panicked,
}

/// As [`run`]; a panic of our own ends this call only. Its leases run out.
pub(crate) async fn contained(shared: Arc<Shared>, call: Call) {
    if AssertUnwindSafe(run(shared, call)).catch_unwind().await.is_err() {
        tracing::error!("a call panicked outside of its job; its jobs run again");
    }
}

/// Run a call to its end, which is always in the completer's hands when this returns.
pub(crate) async fn run(shared: Arc<Shared>, call: Call) {
    let Call { jobs, lost, grip } = call;
    let kind = grip.kind.clone();
    let deliveries: Vec<Delivery> =
        jobs.iter().map(|job| Delivery::of(kind.spec.kind, job)).collect();
    let spans: Vec<Span> = deliveries.iter().map(|d| d.span(kind.spec.kind)).collect();
    let count = deliveries.len();
    may_die(Point::CallBegins);
    kind.started(count);
    let work = (kind.spec.run)(shared.ctx.clone(), jobs);
    // What is done for several jobs at once belongs to no single trace.
    let span = if let [one] = spans.as_slice() { one.clone() } else { Span::none() };
    let mut task = AbortOnDropHandle::new(tokio::spawn(work.instrument(span)));
    let ended = tokio::select! {
        biased;
        ended = timeout(kind.spec.timeout, &mut task) => match ended {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(_)) => Err(Stopped::Panicked),
            Err(_) => Err(Stopped::TimedOut),
        },
        () = lost.token.cancelled() => Err(Stopped::Lost),
        () = shared.halt.cancelled() => Err(Stopped::Halted),
    };
    drop(task);
    let ends = judge(&shared, &kind, deliveries, ended);
    for (span, end) in spans.iter().zip(&ends) {
        span.record("outcome", end.how.name());
    }
    kind.ended(count);
    shared.end(ends).await;
    grip.hand_on();
}

fn judge(
    shared: &Shared,
    kind: &Kind,
    deliveries: Vec<Delivery>,
    ended: Result<Vec<Ended>, Stopped>,
) -> Vec<End> {
    let name = kind.spec.kind;
    let end = |delivery: Delivery, how| End {
        lease: delivery.lease,
        kind: name,
        how,
        frees: delivery.frees,
    };
    let stopped = match ended {
        Ok(ended) => {
            return deliveries
                .into_iter()
                .zip(ended)
                .map(|(delivery, ended)| {
                    let how = how(shared, name, &delivery, ended);
                    end(delivery, how)
                })
                .collect();
        }
        Err(stopped) => stopped,
    };
    let error = match &stopped {
        // Its text may quote what the job worked on.
        Stopped::Panicked => anyhow::anyhow!("the job panicked; the log says where"),
        Stopped::TimedOut => anyhow::anyhow!("no end after {:?}", kind.spec.timeout),
        Stopped::Lost | Stopped::Halted => anyhow::anyhow!("stopped"),
    };
    deliveries
        .into_iter()
        .map(|delivery| {
            let how = match &stopped {
                Stopped::Lost => How::Lost,
                Stopped::Halted => RELEASE,
                Stopped::Panicked | Stopped::TimedOut => failed(shared, name, &delivery, &error),
            };
            end(delivery, how)
        })
        .collect()
}

/// Back at once, as if never delivered.
const RELEASE: How = How::Again { outcome: "released", delay_ms: 0, spare: true, error: None };

/// Give back a call that has not started.
pub(crate) async fn release(shared: &Shared, call: Call) {
    let kind = &call.grip.kind;
    let ends = call.jobs.iter().map(|job| {
        let delivery = Delivery::of(kind.spec.kind, job);
        End { lease: delivery.lease, kind: kind.spec.kind, how: RELEASE, frees: delivery.frees }
    });
    let ends: Vec<End> = ends.collect();
    shared.end(ends).await;
    call.grip.hand_on();
}

fn how(shared: &Shared, kind: &'static str, delivery: &Delivery, ended: Ended) -> How {
    let LeaseId { job, attempt } = delivery.lease;
    let trace_id = delivery.trace_id.as_deref();
    match ended {
        Ended::Verdict(Verdict::Done) => How::Done,
        Ended::Verdict(Verdict::Committed) => How::Committed,
        Ended::Verdict(Verdict::Cancel(why)) => How::Cancelled(error_text(&anyhow::anyhow!(why))),
        Ended::Verdict(Verdict::Snooze(delay)) => {
            let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 1_000_000).max(1);
            How::Again { outcome: "snoozed", delay_ms, spare: true, error: None }
        }
        Ended::Verdict(Verdict::Retry(error)) => failed(shared, kind, delivery, &error),
        Ended::Verdict(Verdict::Dead(error)) => {
            let error = error_text(&error);
            tracing::error!(
                job,
                attempt,
                kind,
                trace_id,
                error,
                "job can never succeed: dead letter"
            );
            How::Dead { reason: "permanent", error }
        }
        Ended::Undecodable(error) => {
            // serde's message may quote the payload; its position and category do not.
            let error = format!(
                "{:?} at line {} column {}",
                error.classify(),
                error.line(),
                error.column()
            );
            tracing::error!(
                job,
                attempt,
                kind,
                trace_id,
                error,
                "payload does not decode: dead letter"
            );
            How::Dead { reason: "undecodable", error }
        }
    }
}

fn failed(shared: &Shared, kind: &'static str, delivery: &Delivery, error: &anyhow::Error) -> How {
    let LeaseId { job, attempt } = delivery.lease;
    let trace_id = delivery.trace_id.as_deref();
    let error = error_text(error);
    if delivery.counted >= delivery.attempts_max {
        tracing::error!(job, attempt, kind, trace_id, error, "last attempt failed: dead letter");
        return How::Dead { reason: "attempts_exhausted", error };
    }
    let settings = shared.queue.settings();
    let wait = retry::delay(
        u32::try_from(delivery.counted).unwrap_or(1),
        Duration::from_millis(settings.retry_base_ms),
        Duration::from_secs(settings.retry_cap_s),
        rand::random(),
    );
    let delay_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 1_000_000).max(1);
    tracing::warn!(job, attempt, kind, trace_id, delay_ms, error, "job failed: will be retried");
    How::Again { outcome: "retried", delay_ms, spare: false, error: Some(error) }
}
