//! Does each transition to the real queue and to the reference, and compares.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use metrics_exporter_prometheus::PrometheusHandle;
use millrace_jobs::{
    ctx::Ctx,
    jobs,
    queue::{
        Hand, Job as _, LeaseId, Leased, NewJob, Spec, Verdict, complete_in, dead::DeadFilter,
    },
    store::partitions,
};
use millrace_worker::telemetry;
use proptest::sample::Index;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::{
    Agreed, HANDS, KEYS, KINDS, TENANTS, Transition, Wanted,
    reference::{CRASHES_MAX, Reference},
    rows::{Does, Job, Letter, State, history_of, jobs_of, letters_of},
};
use crate::{Database, rig};

/// How the next delivery of a job ends.
static SCRIPT: Mutex<Option<HashMap<i64, Does>>> = Mutex::new(None);

macro_rules! kinds {
    ($($name:ident $kind:literal $attempts:literal)*) => {
        $(
            #[derive(Debug, Serialize, Deserialize)]
            struct $name {}

            impl millrace_jobs::queue::Job for $name {
                const KIND: &'static str = $kind;
                const ATTEMPTS_MAX: i32 = $attempts;

                async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
                    vec![act(&ctx, batch[0].id).await]
                }
            }
        )*
    };
}

kinds! {
    First "model.first" 3
    Second "model.second" 6
}

const SPECS: &[Spec] = jobs![First, Second];

async fn act(ctx: &Ctx, lease: LeaseId) -> Verdict {
    let does = SCRIPT.lock().unwrap().as_ref().unwrap()[&lease.job];
    match does {
        Does::Done => Verdict::Done,
        Does::Commit => {
            let mut tx = ctx.pool.begin().await.unwrap();
            complete_in(&mut tx, &[lease]).await.unwrap();
            tx.commit().await.unwrap();
            Verdict::Committed
        }
        Does::Retry => Verdict::Retry(anyhow::anyhow!("no luck")),
        Does::Snooze => Verdict::Snooze(Duration::from_hours(1)),
        Does::Cancel => Verdict::Cancel("not needed".into()),
        Does::Die => Verdict::Dead(anyhow::anyhow!("never")),
    }
}

/// One worker, and what it believes to hold.
struct Worker {
    hand: Hand,
    leases: Vec<LeaseId>,
    /// Those of them that it knows to be lost.
    lost: HashSet<LeaseId>,
}

/// Both queues.
pub(super) struct Driver {
    /// As the service.
    ctx: Arc<Ctx>,
    /// As the test: sees and changes what the service may not.
    tables: PgPool,
    workers: Vec<Worker>,
    reference: Reference,
    /// Highest position and id of a letter so far.
    position: i64,
    letter: i64,
    metrics: &'static PrometheusHandle,
    /// Refused and lost before this run.
    before: (u64, u64),
}

impl Driver {
    /// Both empty.
    pub(super) async fn new(db: &Database) -> Self {
        static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
        let metrics = METRICS.get_or_init(|| telemetry::init_metrics().unwrap());
        sqlx::query(
            "truncate ops.jobs, ops.job_history, ops.dead_letters, ops.queue_pauses, ops.queue_limits",
        )
        .execute(&db.pool)
        .await
        .unwrap();
        let mut settings = rig::settings();
        // Nothing runs out or comes due unless it is told to.
        settings.queue.lease_ms = 3_600_000;
        settings.queue.retry_base_ms = 3_600_000;
        settings.queue.crashes_max = CRASHES_MAX;
        settings.database.url = db.url.clone().into();
        let pool = millrace_worker::db::pool(&settings, "model", 0..=4).unwrap();
        let ctx = rig::ctx(&pool, settings);
        let workers = (0..HANDS).map(|_| Worker::new(&ctx)).collect();
        let (reference, before) = (Reference::default(), counted(metrics));
        let tables = db.pool.clone();
        Self { ctx, tables, workers, reference, position: 0, letter: 0, metrics, before }
    }

    /// What agreed so far.
    pub(super) fn count(&self, agreed: &mut Agreed) {
        agreed.jobs += u64::try_from(self.reference.enqueued).unwrap();
        agreed.refused += self.reference.refused;
        agreed.lost += self.reference.lost;
    }

    pub(super) async fn run(&mut self, steps: &[Transition]) -> Result<(), String> {
        for (nth, step) in steps.iter().enumerate() {
            let said = |why: String| format!("transition {nth}, {step:?}: {why}");
            self.step(step).await.map_err(said)?;
            self.compare().await.map_err(said)?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Transition) -> Result<(), String> {
        use Transition as T;
        match step {
            T::Enqueue(wanted) => self.enqueue(wanted).await?,
            T::Claim { hand, kind, want } => {
                let worker = &mut self.workers[*hand];
                let got = worker.hand.claim(KINDS[*kind], *want).await.unwrap();
                let wanted = self.reference.claim(worker.hand.name(), KINDS[*kind], *want);
                worker.took(got, wanted)?;
            }
            T::ClaimSuspect { hand } => {
                let worker = &mut self.workers[*hand];
                let got = worker.hand.claim_suspect().await.unwrap();
                let wanted = self.reference.claim_suspect(worker.hand.name());
                worker.took(got.into_iter().collect(), wanted.into_iter().collect())?;
            }
            T::End { hand, which, does } => self.end(*hand, which, *does).await,
            T::Beat { hand } => self.beat(*hand).await,
            T::Kill { hand } => self.workers[*hand] = Worker::new(&self.ctx),
            T::RunLate { which } => self.run_late(which).await,
            T::BecomeDue { which } => self.become_due(which).await,
            T::Tidy { hand } => {
                self.workers[*hand].hand.tidy().await.unwrap();
                self.reference.tidy();
            }
            T::Cancel { which } => {
                if let Some(id) = self.living(which, |_| true) {
                    let mut conn = self.ctx.pool.acquire().await.unwrap();
                    self.ctx.queue.cancel(&mut conn, None, id).await.unwrap();
                    self.reference.cancel(id);
                }
            }
            T::Retry { which } => {
                if let Some(id) = self.living(which, |_| true) {
                    self.ctx.queue.retry(&self.ctx.pool, None, id).await.unwrap();
                    self.reference.retry(id);
                }
            }
            T::Pause { tenant, kind, on } => self.pause(*tenant, *kind, *on).await,
            T::Limit { tenant, kind, max } => {
                let (tenant, kind) = (TENANTS[*tenant], KINDS[*kind]);
                self.ctx.queue.limit(tenant, kind, *max).await.unwrap();
                self.reference.limit(tenant, kind, max.map(i64::from));
            }
            T::Replay { kind, which } => self.replay(KINDS[*kind], which.as_ref()).await?,
            T::Prune => self.prune().await,
        }
        Ok(())
    }

    fn living(&self, which: &Index, filter: impl Fn(&Job) -> bool) -> Option<i64> {
        let ids: Vec<i64> =
            self.reference.jobs.values().filter(|j| filter(j)).map(|j| j.id).collect();
        (!ids.is_empty()).then(|| *which.get(&ids))
    }

    async fn enqueue(&mut self, wanted: &[Wanted]) -> Result<(), String> {
        let jobs: Vec<NewJob> = wanted.iter().map(new_job).collect();
        let mut tx = self.ctx.pool.begin().await.unwrap();
        let enqueued = self.ctx.queue.enqueue(&mut tx, &jobs).await.unwrap();
        tx.commit().await.unwrap();
        let got: Vec<(i64, bool)> = enqueued.iter().map(|e| (e.id, e.fresh)).collect();
        self.reference.enqueue(&jobs, &got)
    }

    async fn end(&mut self, hand: usize, which: &Index, does: Does) {
        let worker = &mut self.workers[hand];
        if worker.leases.is_empty() {
            return;
        }
        let lease = worker.leases.remove(which.index(worker.leases.len()));
        SCRIPT.lock().unwrap().get_or_insert_default().insert(lease.job, does);
        assert!(worker.hand.run(lease).await, "it was in hand");
        if worker.lost.remove(&lease) {
            self.reference.lost += 1;
        } else {
            self.reference.end(lease, does);
        }
    }

    async fn beat(&mut self, hand: usize) {
        let worker = &mut self.workers[hand];
        worker.hand.beat().await;
        let lost = self.reference.beat(&worker.believed());
        worker.lost.extend(lost);
    }

    async fn run_late(&mut self, which: &Index) {
        let Some(id) = self.living(which, Job::is_running) else { return };
        sqlx::query("update ops.jobs set lease_until = now() - interval '1 second' where id = $1")
            .bind(id)
            .execute(&self.tables)
            .await
            .unwrap();
        if let State::Running { late, .. } = &mut self.reference.jobs.get_mut(&id).unwrap().state {
            *late = true;
        }
    }

    async fn become_due(&mut self, which: &Index) {
        let waits = |j: &Job| matches!(j.state, State::Scheduled { .. });
        let Some(id) = self.living(which, waits) else { return };
        sqlx::query("update ops.jobs set run_at = now() - interval '1 second' where id = $1")
            .bind(id)
            .execute(&self.tables)
            .await
            .unwrap();
        self.reference.jobs.get_mut(&id).unwrap().state = State::Scheduled { due: true };
    }

    async fn pause(&mut self, tenant: Option<usize>, kind: Option<usize>, on: bool) {
        let (tenant, kind) = (tenant.map_or("", |t| TENANTS[t]), kind.map_or("", |k| KINDS[k]));
        let scope = (tenant.to_owned(), kind.to_owned());
        if on {
            self.ctx.queue.pause(tenant, kind, "model").await.unwrap();
            self.reference.pauses.insert(scope);
        } else {
            let was = self.ctx.queue.resume(tenant, kind).await.unwrap();
            assert_eq!(was, self.reference.pauses.remove(&scope));
        }
    }

    async fn replay(&mut self, kind: &str, which: Option<&Index>) -> Result<(), String> {
        let letters: Vec<i64> = self.reference.letters.values().map(|l| l.id).collect();
        let named = which.filter(|_| !letters.is_empty()).map(|w| vec![*w.get(&letters)]);
        let filter = DeadFilter {
            kind: Some(kind.to_owned()),
            ids: named.clone(),
            limit: 10_000,
            ..DeadFilter::default()
        };
        let (replayed, _) = self.ctx.queue.replay(&self.ctx.pool, &filter).await.unwrap();
        let got: Vec<(i64, i64)> = replayed.iter().map(|r| (r.letter, r.job)).collect();
        self.reference.replay(kind, named.as_deref(), &got)
    }

    /// The days of all that is finished are over.
    async fn prune(&mut self) {
        sqlx::query("update ops.job_history set finished_at = finished_at - interval '40 days'")
            .execute(&self.tables)
            .await
            .unwrap();
        partitions::drop_old(&self.ctx.pool, "job_history", 14).await.unwrap();
        self.reference.history.clear();
    }

    /// The tables hold what the reference holds.
    async fn compare(&mut self) -> Result<(), String> {
        let mut jobs = jobs_of(&self.tables).await;
        self.adopt(&mut jobs)?;
        same("living jobs", &self.reference.jobs, &jobs)?;
        same("finished jobs", &self.reference.history, &history_of(&self.tables).await)?;
        let letters = letters_of(&self.tables).await;
        for (job, letter) in &letters {
            let Some(known) = self.reference.letters.get_mut(job) else { continue };
            if known.id == 0 && letter.0 > self.letter {
                known.id = letter.0;
            }
        }
        self.letter = letters.values().map(|l| l.0).max().unwrap_or(0).max(self.letter);
        let told =
            |l: &Letter| (l.id, l.reason.clone(), l.job.attempt, l.job.crashes, l.replayed_as);
        let known = self.reference.letters.iter().map(|(job, l)| (*job, told(l))).collect();
        same("dead letters", &known, &letters)?;
        let (refused, lost) = counted(self.metrics);
        let got = (refused - self.before.0, lost - self.before.1);
        let wanted = (self.reference.refused, self.reference.lost);
        if got == wanted {
            Ok(())
        } else {
            Err(format!("(refused, lost): {got:?}, not {wanted:?}"))
        }
    }

    /// A position that is new to the reference is higher than all before.
    fn adopt(&mut self, jobs: &mut BTreeMap<i64, Job>) -> Result<(), String> {
        let mut highest = self.position;
        for (id, job) in jobs {
            let Some(known) = self.reference.jobs.get_mut(id) else { continue };
            if known.position == 0 {
                if job.position <= self.position {
                    return Err(format!("job {id} came back at position {}", job.position));
                }
                known.position = job.position;
            }
            highest = highest.max(job.position);
        }
        self.position = highest;
        Ok(())
    }
}

impl Worker {
    fn new(ctx: &Arc<Ctx>) -> Self {
        Self { hand: Hand::new(ctx, SPECS), leases: Vec::new(), lost: HashSet::new() }
    }

    fn took(&mut self, mut got: Vec<LeaseId>, mut wanted: Vec<LeaseId>) -> Result<(), String> {
        let order = |lease: &LeaseId| (lease.job, lease.attempt);
        got.sort_by_key(order);
        wanted.sort_by_key(order);
        if got != wanted {
            return Err(format!("claimed {got:?}, not {wanted:?}"));
        }
        // A later delivery of the same job says that the lease of the one before is lost.
        let before = self.leases.iter().filter(|l| got.iter().any(|new| new.job == l.job));
        self.lost.extend(before);
        self.leases.extend(got);
        Ok(())
    }

    /// What it keeps alive.
    fn believed(&self) -> Vec<LeaseId> {
        self.leases.iter().filter(|l| !self.lost.contains(l)).copied().collect()
    }
}

fn new_job(wanted: &Wanted) -> NewJob {
    let tenant = TENANTS[wanted.tenant];
    let job = if KINDS[wanted.kind] == First::KIND {
        NewJob::of(tenant, &First {}).unwrap()
    } else {
        NewJob::of(tenant, &Second {}).unwrap()
    };
    let job = job.priority(wanted.priority);
    let job = if wanted.later { job.delay(Duration::from_hours(1)) } else { job };
    match wanted.key {
        Some(key) => job.unique_key(KEYS[key]),
        None => job,
    }
}

fn same<K, V>(what: &str, known: &BTreeMap<K, V>, found: &BTreeMap<K, V>) -> Result<(), String>
where
    K: Ord + std::fmt::Debug,
    V: PartialEq + std::fmt::Debug,
{
    let keys = known.keys().chain(found.keys()).collect::<std::collections::BTreeSet<_>>();
    let other = |key: &&&K| known.get(**key) != found.get(**key);
    let Some(key) = keys.iter().find(other) else { return Ok(()) };
    Err(format!("{what}: {key:?} is {:?}, not {:?}", found.get(*key), known.get(*key)))
}

/// Refused and lost leases of this process so far.
fn counted(metrics: &PrometheusHandle) -> (u64, u64) {
    let text = metrics.render();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or(0)
    };
    (value("millrace_leases_refused_total "), value("millrace_leases_lost_total "))
}
