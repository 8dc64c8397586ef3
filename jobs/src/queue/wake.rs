//! Waking claimers. A hint says where ready work may be found; it is never the only way to find it (the sweep is), so
//! it may be lost, doubled or wrong.
//!
//! `NOTIFY` takes a database-wide lock at commit and would serialise every enqueueing transaction, so it is sent after
//! the commit, coalesced, from a connection of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{PgPool, Row, postgres::PgRow};
use tokio::sync::Notify;

/// Channel of `NOTIFY`.
pub(crate) const CHANNEL: &str = "millrace_jobs";
/// Shortest time between two notifications of one process.
const GAP: Duration = Duration::from_millis(2);
/// Postgres refuses payloads from 8,000 bytes on.
const PAYLOAD_BYTES_MAX: usize = 7_900;

/// Something of this tenant and priority became ready at `position` or later.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Job kind.
    pub(crate) kind: String,
    /// Tenant.
    pub(crate) workspace_id: String,
    /// Class.
    pub(crate) priority: i16,
}

impl Place {
    /// From columns `kind`, `workspace_id`, `priority`, `position`.
    pub(crate) fn from_row(row: &PgRow) -> sqlx::Result<(Self, i64)> {
        let place = Self {
            kind: row.try_get("kind")?,
            workspace_id: row.try_get("workspace_id")?,
            priority: row.try_get("priority")?,
        };
        Ok((place, row.try_get("position")?))
    }
}

/// What a kind's claimer has been told and not yet looked at.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    hints: Mutex<HashMap<(String, i16), i64>>,
    /// Keeps one permit: a hint between looking and waiting is not lost.
    pub(crate) signal: Notify,
}

impl Inbox {
    pub(crate) fn take(&self) -> HashMap<(String, i16), i64> {
        std::mem::take(&mut *lock(&self.hints))
    }

    fn put(&self, workspace_id: &str, priority: i16, position: i64) {
        let mut hints = lock(&self.hints);
        hints
            .entry((workspace_id.to_owned(), priority))
            .and_modify(|p| *p = position.min(*p))
            .or_insert(position);
        drop(hints);
        self.signal.notify_one();
    }
}

#[derive(Debug, Default)]
struct Outbox {
    hints: HashMap<Place, i64>,
    cancels: bool,
    sending: bool,
}

/// In-process waking and the notifier.
#[derive(Debug)]
pub(crate) struct Wakes {
    pool: PgPool,
    /// Names this process in its own notifications, so that it ignores them.
    process: String,
    inboxes: Mutex<HashMap<String, Arc<Inbox>>>,
    outbox: Arc<Mutex<Outbox>>,
    /// Somebody asked for a running job to be cancelled.
    pub(crate) cancels: Notify,
}

impl Wakes {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            process: format!("{:x}", rand::random::<u64>()),
            inboxes: Mutex::default(),
            outbox: Arc::default(),
            cancels: Notify::new(),
        }
    }

    /// The inbox of a kind; its first call subscribes this process.
    pub(crate) fn inbox(&self, kind: &str) -> Arc<Inbox> {
        lock(&self.inboxes).entry(kind.to_owned()).or_default().clone()
    }

    /// The kinds this process works on.
    pub(crate) fn kinds(&self) -> Vec<String> {
        lock(&self.inboxes).keys().cloned().collect()
    }

    /// Tell this process.
    pub(crate) fn tell(&self, place: &Place, position: i64) {
        let inbox = lock(&self.inboxes).get(&place.kind).cloned();
        if let Some(inbox) = inbox {
            inbox.put(&place.workspace_id, place.priority, position);
        }
    }

    /// Tell this process and, soon, all others.
    pub(crate) fn spread(&self, places: impl IntoIterator<Item = (Place, i64)>) {
        let mut least: HashMap<Place, i64> = HashMap::new();
        for (place, position) in places {
            least.entry(place).and_modify(|p| *p = position.min(*p)).or_insert(position);
        }
        for (place, position) in &least {
            self.tell(place, *position);
        }
        self.post(|out| {
            for (place, position) in least {
                out.hints.entry(place).and_modify(|p| *p = position.min(*p)).or_insert(position);
            }
        });
    }

    /// Tell every process that a running job is to be cancelled.
    pub(crate) fn spread_cancel(&self) {
        self.cancels.notify_one();
        self.post(|out| out.cancels = true);
    }

    /// A payload of another process.
    pub(crate) fn receive(&self, payload: &str) {
        for line in payload.lines() {
            let mut parts = line.splitn(5, ' ');
            let (Some(process), Some(priority)) = (parts.next(), parts.next()) else { continue };
            if process == self.process {
                continue;
            }
            if priority == "cancel" {
                self.cancels.notify_one();
                continue;
            }
            let (Some(position), Some(kind), Some(workspace_id)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if let (Ok(priority), Ok(position)) = (priority.parse(), position.parse()) {
                let (kind, workspace_id) = (kind.to_owned(), workspace_id.to_owned());
                self.tell(&Place { kind, workspace_id, priority }, position);
            }
        }
    }

    fn post(&self, add: impl FnOnce(&mut Outbox)) {
        let mut out = lock(&self.outbox);
        add(&mut out);
        if out.sending {
            return;
        }
        out.sending = true;
        drop(out);
        let (pool, process, outbox) =
            (self.pool.clone(), self.process.clone(), self.outbox.clone());
        tokio::spawn(async move {
            while let Some(payloads) = next_payloads(&outbox, &process) {
                if let Err(error) = notify(&pool, &payloads).await {
                    tracing::debug!(%error, "notification not sent; the poll finds the jobs");
                }
                tokio::time::sleep(GAP).await;
            }
        });
    }
}

/// What is to be sent, or `None` (and the sender ends).
fn next_payloads(outbox: &Mutex<Outbox>, process: &str) -> Option<Vec<String>> {
    let mut out = lock(outbox);
    let (hints, cancels) = (std::mem::take(&mut out.hints), std::mem::take(&mut out.cancels));
    if hints.is_empty() && !cancels {
        out.sending = false;
        return None;
    }
    drop(out);
    let lines = hints
        .iter()
        .map(|(p, position)| {
            format!("{process} {} {position} {} {}\n", p.priority, p.kind, p.workspace_id)
        })
        .chain(cancels.then(|| format!("{process} cancel\n")));
    let mut payloads = vec![String::new()];
    for line in lines.filter(|l| l.len() <= PAYLOAD_BYTES_MAX) {
        match payloads.last_mut() {
            Some(last) if last.len() + line.len() <= PAYLOAD_BYTES_MAX => last.push_str(&line),
            _ => payloads.push(line),
        }
    }
    Some(payloads)
}

/// A notification carries no promise, so its commit need not wait for the disk.
async fn notify(pool: &PgPool, payloads: &[String]) -> sqlx::Result<()> {
    sqlx::query(
        "select pg_notify('millrace_jobs', payload)
         from (select set_config('synchronous_commit', 'off', true)) s, unnest($1::text[]) payload",
    )
    .bind(payloads)
    .execute(pool)
    .await
    .map(drop)
}

/// The data under these locks is whole after any panic: each critical section is one map operation.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
