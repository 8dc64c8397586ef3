//! The job queue: living jobs in `ops.jobs`, run by apalis workers through a backend of our own.
//!
//! Semantics (DESIGN section 5): at least once, completion fenced by (job, attempt), lease on the
//! database clock, durable back-off, process death counts as an attempt.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sqlx::{PgConnection, PgPool, postgres::PgPoolOptions};

use crate::ctx::Ctx;

pub mod admin;
mod backend;
mod batch;
mod call;
mod claim;
mod claimer;
mod complete;
mod completer;
pub mod dead;
pub mod depth;
mod enqueue;
pub mod fault;
mod hand;
mod held;
mod janitor;
mod keeper;
mod lone;
mod metrics;
pub mod retry;
mod runtime;
mod schedule;
mod spec;
mod wake;

pub use batch::{RunBatch, together};
pub use complete::complete_in;
pub use enqueue::{Enqueued, Ready};
pub use hand::{Hand, step};
pub use runtime::{Runtime, RuntimeHandle};
pub use spec::{Spec, assert_unique, spec};
use wake::Wakes;

/// The fence: completing, failing or extending needs both to match the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseId {
    /// `ops.jobs.id`.
    pub job: i64,
    /// Delivery number this lease belongs to, from 1.
    pub attempt: i32,
}

/// A claimed job with its decoded payload.
#[derive(Debug, Clone)]
pub struct Leased<J> {
    /// The fence.
    pub id: LeaseId,
    /// Tenant; empty for maintenance.
    pub workspace_id: String,
    /// Trace of the delivery this work descends from, 32 hex digits.
    pub trace_id: Option<String>,
    /// Earlier deliveries of this job that failed or died.
    pub attempts_before: i32,
    /// The payload.
    pub job: J,
}

/// How one job of a batch ended.
#[derive(Debug)]
pub enum Verdict {
    /// Done, nothing written: the runtime completes the lease.
    Done,
    /// Done, and the lease was completed in the transaction of the effect.
    Committed,
    /// Try again after back-off.
    Retry(anyhow::Error),
    /// Not now; does not count as an attempt (rate limits, budgets).
    Snooze(Duration),
    /// Not needed any more.
    Cancel(String),
    /// Will never succeed: dead letter at once.
    Dead(anyhow::Error),
}

/// A kind of work. The struct is the payload. Adding one: one file, one line in the list of jobs.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stable wire name, `ops.jobs.kind`.
    const KIND: &'static str;
    /// Deliveries before the dead letter.
    const ATTEMPTS_MAX: i32 = 25;
    /// Per delivery of a batch.
    const TIMEOUT: Duration = Duration::from_secs(120);
    /// Jobs handed to one call of [`Job::run`].
    const BATCH_MAX: usize = 1;
    /// Calls running at once in one process.
    const CONCURRENCY: usize = 4;

    /// Work on a batch of leased jobs (of any tenants). Returns one verdict per job, in order.
    fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> impl Future<Output = Vec<Verdict>> + Send;
}

/// A job to be enqueued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// `Job::KIND`.
    pub kind: &'static str,
    /// Tenant; empty for maintenance.
    pub workspace_id: String,
    /// Serialised payload.
    pub payload: Box<RawValue>,
    /// 0 (first) to 3 (last); 2 is normal.
    pub priority: i16,
    /// `Job::ATTEMPTS_MAX`.
    pub attempts_max: i32,
    /// At most one waiting (ready or scheduled) job per (workspace, kind, key); a running one does not count.
    pub unique_key: Option<String>,
    /// Delay before it may run; zero is now.
    pub delay: Duration,
    /// Trace to carry on.
    pub trace_id: Option<String>,
}

impl NewJob {
    /// A job of kind `J`, ready at once, of normal priority.
    ///
    /// # Errors
    /// The payload does not serialise.
    pub fn of<J: Job>(workspace_id: impl Into<String>, job: &J) -> serde_json::Result<Self> {
        Ok(Self {
            kind: J::KIND,
            workspace_id: workspace_id.into(),
            payload: serde_json::value::to_raw_value(job)?,
            priority: 2,
            attempts_max: J::ATTEMPTS_MAX,
            unique_key: None,
            delay: Duration::ZERO,
            trace_id: None,
        })
    }

    /// At most one waiting job per (workspace, kind, `key`): a job that has yet to start stands for this one.
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Not before `delay` has passed on the database's clock.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// 0 (first) to 3 (last).
    #[must_use]
    pub const fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Trace of the delivery it descends from.
    #[must_use]
    pub fn trace(mut self, trace_id: Option<String>) -> Self {
        self.trace_id = trace_id;
        self
    }
}

/// Handle of the queue: enqueue, wake, complete, look, intervene. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    settings: millrace_config::Queue,
    wakes: Wakes,
    /// Some tenant has a concurrency cap. Read by the sweep; the claim statement checks for itself.
    caps: AtomicBool,
}

impl Queue {
    /// The queue in the database of `pool`. It opens connections of its own, lazily: heartbeats must not wait behind
    /// jobs, and its sessions leave the planner no choice but the indexes, because the statistics of a table that is
    /// empty now and holds a million rows a minute later are always wrong.
    ///
    /// Call it inside a tokio runtime.
    #[must_use]
    pub fn new(pool: &PgPool, settings: &millrace_config::Queue) -> Self {
        let own = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|conn, _| Box::pin(pin_plans(conn)))
            .connect_lazy_with(pool.connect_options().as_ref().clone());
        let wakes = Wakes::new(own.clone());
        Self {
            inner: Arc::new(Inner {
                pool: own,
                settings: settings.clone(),
                wakes,
                caps: AtomicBool::new(true),
            }),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    pub(crate) fn settings(&self) -> &millrace_config::Queue {
        &self.inner.settings
    }

    pub(crate) fn wakes(&self) -> &Wakes {
        &self.inner.wakes
    }
}

/// Connections of the queue's own pool: two completers, heartbeat, janitor, promoter, sweep, listener, notifier, and
/// the claims.
const CONNECTIONS: u32 = 12;

async fn pin_plans(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query(
        "select set_config(name, 'off', false)
         from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) name",
    )
    .execute(conn)
    .await
    .map(drop)
}
