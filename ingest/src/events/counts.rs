//! What became of every delivery, counted by source and reason: metrics at once, rows every few seconds.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use millrace_jobs::queue::fault::bounded;
use sqlx::PgPool;

/// How a delivery was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A new event row.
    Accepted,
    /// The event row was there already.
    Duplicate,
    /// No 2xx; the reason names why.
    Refused,
    /// A handshake was answered; nothing is stored.
    Replied,
}

impl Outcome {
    /// Column and label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Replied => "replied",
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    workspace_id: Arc<str>,
    source_id: Arc<str>,
    outcome: Outcome,
    reason: &'static str,
}

#[derive(Debug, Default)]
struct Pending {
    counts: HashMap<Key, i64>,
    secrets_used: HashSet<Arc<str>>,
}

/// Counts since the last flush. Bounded: sources times reasons.
#[derive(Debug, Default)]
pub struct Counts {
    pending: Mutex<Pending>,
}

impl Counts {
    /// Count one delivery. `source` is (workspace, source, kind); empty where none was found.
    pub fn add(
        &self,
        source: (&Arc<str>, &Arc<str>, &'static str),
        outcome: Outcome,
        reason: &'static str,
    ) {
        let (workspace_id, source_id, kind) = source;
        metrics::counter!("millrace_deliveries_total", "source" => kind, "outcome" => outcome.as_str(), "reason" => reason)
            .increment(1);
        let key = Key {
            workspace_id: workspace_id.clone(),
            source_id: source_id.clone(),
            outcome,
            reason,
        };
        *self.lock().counts.entry(key).or_default() += 1;
    }

    /// Note that a secret verified a delivery.
    pub fn secret_used(&self, id: &Arc<str>) {
        let mut pending = self.lock();
        if !pending.secrets_used.contains(id) {
            pending.secrets_used.insert(id.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Add what is pending to `ops.delivery_counts`; on failure it stays pending.
    ///
    /// # Errors
    /// If Postgres does not take it.
    pub async fn flush(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let pending = std::mem::take(&mut *self.lock());
        let result = bounded(write(pool, &pending)).await;
        if result.is_err() {
            let mut now = self.lock();
            for (key, count) in pending.counts {
                *now.counts.entry(key).or_default() += count;
            }
            now.secrets_used.extend(pending.secrets_used);
        }
        result
    }
}

async fn write(pool: &PgPool, pending: &Pending) -> Result<(), sqlx::Error> {
    if !pending.counts.is_empty() {
        let rows: Vec<_> = pending.counts.iter().collect();
        sqlx::query(
            "insert into ops.delivery_counts as c (workspace_id, source_id, outcome, reason, hour, count)
             select w, s, o, r, date_trunc('hour', now()), n
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as t(w, s, o, r, n)
             on conflict (workspace_id, source_id, outcome, reason, hour) do update set count = c.count + excluded.count",
        )
        .bind(rows.iter().map(|(k, _)| &*k.workspace_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(k, _)| &*k.source_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|(k, _)| k.outcome.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(k, _)| k.reason).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, n)| **n).collect::<Vec<_>>())
        .execute(pool)
        .await?;
    }
    if !pending.secrets_used.is_empty() {
        crate::registry::touch_secrets(pool, &pending.secrets_used).await?;
    }
    Ok(())
}
