//! The tasks that make nothing depend on luck: the sweep finds ready jobs no hint told of, promotion makes due jobs
//! ready, expiry takes jobs back from dead workers, the listener hears other processes.
//!
//! Each walks an index whose front may be full of dead rows that an old snapshot keeps. So each looks behind a mark
//! most of the time, and from the start only as often as that stays cheap.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use millrace_config::point::{Point, may_fail};
use sqlx::{Row, postgres::PgListener};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Queue, fault, metrics,
    runtime::Shared,
    wake::{CHANNEL, Place},
};

/// Rows per promotion or expiry.
const ROWS_MAX: i64 = 1000;
/// (kind, tenant, class) places per sweep; the next goes on where it stopped.
pub(super) const PLACES_MAX: i64 = 5000;
/// A look from the start may take one part in this of the time.
const SHARE: u32 = 30;
/// How far a mark stays behind the database's clock. Rows committed later than this after their stamp wait for the next
/// look from the start.
const BEHIND: TimeDelta = TimeDelta::seconds(2);
/// Ready jobs counted per kind for the gauge, and how often.
const COUNTED_MAX: i64 = 100_000;
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// When to look from the start again.
#[derive(Debug)]
struct Turn {
    every: Duration,
    due: Instant,
    /// What the last look took.
    took: Duration,
}

impl Turn {
    fn new(every: Duration) -> Self {
        Self { every, due: Instant::now(), took: Duration::ZERO }
    }

    fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// One slow look is a busy machine, two are a long way: only that is worth going less often.
    fn done(&mut self, began: Instant) {
        let took = began.elapsed();
        let least = took.min(std::mem::replace(&mut self.took, took));
        self.due = Instant::now() + self.every.max(least * SHARE);
    }
}

/// The safety net: tells this process's claimers the true first position of everything that is ready.
pub(crate) async fn sweep(shared: Arc<Shared>) {
    let poll = Duration::from_millis(shared.queue.settings().poll_ms);
    let (mut turn, mut counting) = (Turn::new(poll), Turn::new(COUNT_EVERY));
    let mut from = None;
    loop {
        let began = Instant::now();
        match fault::bounded(shared.queue.sweep(from.take())).await {
            Ok(stopped_at) => from = stopped_at,
            Err(error) => tracing::warn!(%error, "sweep failed; trying again"),
        }
        turn.done(began);
        if counting.is_due() {
            let began = Instant::now();
            for kind in &shared.kinds {
                if let Err(error) = fault::bounded(shared.queue.count_ready(kind.spec.kind)).await {
                    tracing::warn!(%error, "cannot count ready jobs");
                }
            }
            counting.done(began);
        }
        tokio::select! {
            () = tokio::time::sleep_until(turn.due) => {}
            () = shared.over.cancelled() => return,
        }
    }
}

/// Takes back jobs whose lease ran out.
pub(crate) async fn expire(shared: Arc<Shared>) {
    let mut from = Mark::new();
    while !shared.over.is_cancelled() {
        let mark = from.next();
        let more = from.looked(fault::bounded(shared.queue.expire(mark)).await);
        let wait = if more { Duration::ZERO } else { Duration::from_millis(500) };
        drop(timeout(wait, shared.over.cancelled()).await);
    }
}

/// Makes due jobs ready.
pub(crate) async fn promote(shared: Arc<Shared>) {
    let mut from = Mark::new();
    while !shared.over.is_cancelled() {
        let mark = from.next();
        let more = from.looked(fault::bounded(shared.queue.promote(mark)).await);
        let wait = if more {
            Duration::ZERO
        } else {
            let due = fault::bounded(shared.queue.next_due(from.at)).await;
            due.ok().flatten().unwrap_or(IDLE).clamp(Duration::from_millis(2), IDLE)
        };
        drop(timeout(wait, shared.over.cancelled()).await);
    }
}

/// Longest sleep of the promoter.
const IDLE: Duration = Duration::from_millis(200);

/// Hears the other processes. After a break everything is looked at again, because what was said meanwhile is lost.
pub(crate) async fn listen(shared: Arc<Shared>) {
    while !shared.over.is_cancelled() {
        tokio::select! {
            end = hear(&shared) => {
                if let Err(error) = end {
                    tracing::warn!(%error, "listener lost its connection; the sweep stands in");
                }
                sleep(Duration::from_millis(500)).await;
            }
            () = shared.over.cancelled() => return,
        }
    }
}

async fn hear(shared: &Shared) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(shared.queue.pool()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        match listener.try_recv().await? {
            Some(notification) => shared.queue.wakes().receive(notification.payload()),
            None => drop(shared.queue.sweep(None).await?),
        }
    }
}

/// A low-water mark in time, on the database's clock.
#[derive(Debug)]
struct Mark {
    at: DateTime<Utc>,
    turn: Turn,
    began: Instant,
    whole: bool,
}

impl Mark {
    fn new() -> Self {
        Self {
            at: DateTime::UNIX_EPOCH,
            turn: Turn::new(Duration::from_secs(5)),
            began: Instant::now(),
            whole: true,
        }
    }

    /// Where the next look begins: mostly the mark, now and then the start.
    fn next(&mut self) -> DateTime<Utc> {
        self.began = Instant::now();
        self.whole = self.turn.is_due();
        if self.whole { DateTime::UNIX_EPOCH } else { self.at }
    }

    /// The look's outcome. True if there is more to do at once.
    fn looked(&mut self, outcome: sqlx::Result<(i64, DateTime<Utc>)>) -> bool {
        match outcome {
            Ok((rows, _)) if rows == ROWS_MAX => true,
            Ok((_, now)) => {
                self.at = now - BEHIND;
                if self.whole {
                    self.turn.done(self.began);
                }
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the janitor's look failed; trying again");
                false
            }
        }
    }
}

type PlaceKey = (String, String, i16);

impl Queue {
    /// Tell claimers of this process where ready jobs are, beginning behind `from`. Returns where it stopped, if it did
    /// not get to the end.
    pub(crate) async fn sweep(&self, from: Option<PlaceKey>) -> sqlx::Result<Option<PlaceKey>> {
        let (kind, tenant, class) = from.unwrap_or((String::new(), String::new(), -1));
        let caps: bool = sqlx::query_scalar("select exists (select from ops.queue_limits)")
            .fetch_one(self.pool())
            .await?;
        self.inner.caps.store(caps, std::sync::atomic::Ordering::Relaxed);
        let rows = sqlx::query(include_str!("sweep.sql"))
            .bind(kind)
            .bind(tenant)
            .bind(class)
            .bind(PLACES_MAX)
            .fetch_all(self.pool())
            .await?;
        let mut last = None;
        let mut oldest: HashMap<String, f64> = HashMap::new();
        for row in &rows {
            let (place, position) = Place::from_row(row)?;
            // Looking there again and again would delay those that may run.
            if !row.try_get::<bool, _>("paused")? {
                self.wakes().tell(&place, position);
            }
            let age: f64 = row.try_get("age_s")?;
            let kind_age = oldest.entry(place.kind.clone()).or_default();
            *kind_age = kind_age.max(age);
            last = Some((place.kind, place.workspace_id, place.priority));
        }
        for kind in self.wakes().kinds() {
            metrics::oldest_ready(&kind, oldest.get(&kind).copied().unwrap_or(0.0));
        }
        let full = i64::try_from(rows.len()).is_ok_and(|n| n == PLACES_MAX);
        Ok(last.filter(|_| full))
    }

    async fn count_ready(&self, kind: &str) -> sqlx::Result<()> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from (
               select from ops.jobs where kind = $1 and state = 'ready' and crashes < 2 limit $2) j",
        )
        .bind(kind)
        .bind(COUNTED_MAX)
        .fetch_one(self.pool())
        .await?;
        metrics::ready(kind, f64::from(i32::try_from(count).unwrap_or(i32::MAX)));
        Ok(())
    }

    /// Promote due jobs stamped behind `mark`. Returns how many and the database's clock.
    pub(crate) async fn promote(&self, mark: DateTime<Utc>) -> sqlx::Result<(i64, DateTime<Utc>)> {
        let now = self.now().await?;
        let rows = sqlx::query(include_str!("promote.sql"))
            .bind(mark)
            .bind(ROWS_MAX)
            .fetch_all(self.pool())
            .await?;
        if !rows.is_empty() {
            may_fail(Point::JobsPromoted)?;
        }
        let places: sqlx::Result<Vec<_>> = rows.iter().map(Place::from_row).collect();
        self.wakes().spread(places?);
        Ok((i64::try_from(rows.len()).unwrap_or(0), now))
    }

    async fn next_due(&self, mark: DateTime<Utc>) -> sqlx::Result<Option<Duration>> {
        let seconds: Option<f64> = sqlx::query_scalar(
            "select extract(epoch from run_at - clock_timestamp())::float8 from ops.jobs
             where state = 'scheduled' and run_at > $1 order by run_at limit 1",
        )
        .bind(mark)
        .fetch_optional(self.pool())
        .await?;
        Ok(seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()))
    }

    /// Take back jobs whose lease, later than `mark`, ran out. Returns how many and the database's clock.
    pub(crate) async fn expire(&self, mark: DateTime<Utc>) -> sqlx::Result<(i64, DateTime<Utc>)> {
        let now = self.now().await?;
        let rows = sqlx::query(include_str!("expire.sql"))
            .bind(mark)
            .bind(ROWS_MAX)
            .bind(self.settings().crashes_max)
            .fetch_all(self.pool())
            .await?;
        if !rows.is_empty() {
            may_fail(Point::JobsExpired)?;
            tracing::warn!(jobs = rows.len(), "leases ran out; their workers died or were cut off");
        }
        let mut places = Vec::new();
        for row in &rows {
            places.push(Place::from_row(row)?);
            if row.try_get("dead")? {
                let kind: String = row.try_get("kind")?;
                tracing::error!(kind, "job crashed its worker too often: dead letter");
            }
        }
        metrics::expired(rows.len());
        self.wakes().spread(places);
        Ok((i64::try_from(rows.len()).unwrap_or(0), now))
    }

    async fn now(&self) -> sqlx::Result<DateTime<Utc>> {
        sqlx::query_scalar("select clock_timestamp()").fetch_one(self.pool()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_rarer_when_two_in_a_row_were_slow() {
        let slow = || Instant::now() - Duration::from_secs(10);
        let mut turn = Turn::new(Duration::from_secs(1));
        turn.done(slow());
        assert!(turn.due <= Instant::now() + Duration::from_secs(1), "one says nothing");
        turn.done(slow());
        assert!(turn.due > Instant::now() + Duration::from_secs(100));
        turn.done(Instant::now());
        assert!(turn.due <= Instant::now() + Duration::from_secs(1));
    }
}
