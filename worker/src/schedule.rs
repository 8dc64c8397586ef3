//! The scheduler: one process leads, by a lease on the database's clock; a tick is taken and its job enqueued in one
//! transaction, so that it happens once however often leadership changes. After a pause, the last missed tick is made
//! up for, and only that one.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use croner::Cron;
use millrace_config::Schedule;
use millrace_jobs::queue::{Queue, Spec, fault::bounded};
use tokio_util::sync::CancellationToken;

const LEASE: &str = "scheduler";
const LEASE_TIME: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_secs(1);

/// A schedule that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The `cron` of a schedule.
    #[error("schedule {name}: {source}")]
    Cron {
        /// `schedule.name`.
        name: String,
        /// What is wrong with it.
        source: croner::errors::CronError,
    },
    /// The `kind` of a schedule.
    #[error("schedule {name}: no job of kind {kind}")]
    Kind {
        /// `schedule.name`.
        name: String,
        /// `schedule.kind`.
        kind: String,
    },
}

#[derive(Debug, Clone)]
struct Entry {
    schedule: Schedule,
    cron: Cron,
    spec: &'static Spec,
}

/// The schedules of the settings, ready to run.
#[derive(Debug, Clone)]
pub struct Scheduler {
    queue: Queue,
    holder: String,
    entries: Vec<Entry>,
    /// Last tick taken, as far as this process knows.
    taken: HashMap<String, DateTime<Utc>>,
}

impl Scheduler {
    /// Check the schedules against the list of jobs.
    ///
    /// # Errors
    /// The first schedule that cannot be kept.
    pub fn new(
        queue: Queue,
        schedules: &[Schedule],
        specs: &'static [Spec],
    ) -> Result<Self, ScheduleError> {
        let entry = |schedule: &Schedule| {
            let name = || schedule.name.clone();
            let cron = schedule
                .cron
                .parse::<Cron>()
                .map_err(|source| ScheduleError::Cron { name: name(), source })?;
            let spec = specs
                .iter()
                .find(|spec| spec.kind == schedule.kind)
                .ok_or_else(|| ScheduleError::Kind { name: name(), kind: schedule.kind.clone() })?;
            Ok(Entry { schedule: schedule.clone(), cron, spec })
        };
        Ok(Self {
            queue,
            holder: format!("{:016x}", rand::random::<u64>()),
            entries: schedules.iter().map(entry).collect::<Result<_, _>>()?,
            taken: HashMap::new(),
        })
    }

    /// Tick until `stop`, then give up the lead.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            if let Err(error) = bounded(self.step()).await {
                tracing::warn!(%error, "the scheduler's step failed; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(STEP) => {}
                () = stop.cancelled() => break,
            }
        }
        if let Err(error) = self.queue.resign(LEASE, &self.holder).await {
            tracing::warn!(%error, "cannot give up the lead; it runs out by itself");
        }
    }

    /// One look at the clock: take what is due, if this process leads. Returns how many jobs were enqueued.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn step(&mut self) -> sqlx::Result<usize> {
        match self.queue.lead(LEASE, &self.holder, LEASE_TIME).await? {
            Some(now) => self.step_at(now).await,
            None => {
                self.taken.clear();
                Ok(0)
            }
        }
    }

    /// As [`Scheduler::step`], as the leader, at a given time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn step_at(&mut self, now: DateTime<Utc>) -> sqlx::Result<usize> {
        let mut enqueued = 0;
        for entry in &self.entries {
            let name = &entry.schedule.name;
            let Some(tick) = entry.last_before(now) else { continue };
            let known = match self.taken.get(name) {
                Some(known) => Some(*known),
                None => self.queue.last_tick(name).await?,
            };
            match known {
                Some(last) if tick <= last => {}
                Some(_) => {
                    let job = entry.spec.periodic(name);
                    if self.queue.tick(name, tick, job).await?.is_some() {
                        tracing::info!(schedule = name, %tick, "tick");
                        enqueued += 1;
                    }
                }
                None => self.queue.begin(name, tick).await?,
            }
            self.taken.insert(name.clone(), tick.max(known.unwrap_or(tick)));
        }
        Ok(enqueued)
    }
}

impl Entry {
    /// The last tick at or before `now`, in the schedule's own time zone.
    fn last_before(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = now.with_timezone(&self.schedule.timezone);
        let tick = self.cron.find_previous_occurrence(&local, true).ok()?;
        Some(tick.with_timezone(&Utc))
    }
}
