//! Filling, draining, timing.

use std::{
    process::Stdio,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use millrace_jobs::{
    jobs,
    queue::{NewJob, Queue, Runtime},
};
use millrace_tests::{rig, root};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::process::Command;

use super::jobs::{Measured, RAN, SENT, Timed, WAITED, lock};

/// Makes the queue's tables, and nothing else of the schema.
pub(crate) async fn schema(pool: &PgPool) -> Result<()> {
    let all = std::fs::read_to_string(root().join("migrations/0001_ops.sql"))?;
    let from =
        all.find("-- ---------------------------------------------------------------- queue");
    let to = all.find("-- ---------------------------------------------------------------- models");
    let (from, to) = (from.context("the queue's section")?, to.context("the models' section")?);
    let tables = all.get(from..to).context("sections in order")?;
    let history = "create table ops.job_history_default partition of ops.job_history default;";
    let sql = format!("create schema ops; {tables} {history}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
    Ok(())
}

pub(crate) struct Rig {
    pub(crate) pool: PgPool,
}

impl Rig {
    /// Fill, then time from the start of a runtime until every finished row is there.
    pub(crate) async fn round<J: Measured>(&self, jobs: usize) -> Result<f64> {
        let queue = Queue::new(&self.pool, &rig::settings().queue);
        for from in (0..jobs).step_by(1000) {
            let batch: Vec<NewJob> = (from..jobs.min(from + 1000))
                .map(|n| NewJob::of("w1", &J::number(n)))
                .collect::<Result<_, _>>()?;
            let mut tx = self.pool.begin().await?;
            queue.enqueue(&mut tx, &batch).await?;
            tx.commit().await?;
        }
        self.some::<J>(jobs).await
    }

    /// Time the first `jobs` of what is there already.
    pub(crate) async fn some<J: Measured>(&self, jobs: usize) -> Result<f64> {
        // Counting is part of the wait: it must not grow with the rounds before.
        sqlx::query("truncate ops.job_history").execute(&self.pool).await?;
        let ctx = rig::ctx(&self.pool, rig::settings());
        RAN.store(0, Ordering::Relaxed);
        let began = Instant::now();
        let runtime = Runtime::start(ctx, J::specs());
        while RAN.load(Ordering::Relaxed) < jobs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let want = i64::try_from(jobs)?;
        while self.finished().await? < want {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let rate = f64::from(u32::try_from(jobs)?) / began.elapsed().as_secs_f64();
        runtime.drain().await;
        Ok(rate)
    }

    async fn finished(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from ops.job_history").fetch_one(&self.pool).await?)
    }

    /// Ready jobs of other tenants.
    pub(crate) async fn fill(&self, jobs: usize, tenants: usize) -> Result<()> {
        sqlx::query(
            "insert into ops.jobs (workspace_id, kind, attempts_max, payload)
             select 'b' || n % $2, 'bench.noop', 25, jsonb_build_object('n', n) from generate_series(1, $1) n",
        )
        .bind(i64::try_from(jobs)?)
        .bind(i64::try_from(tenants)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ready jobs.
    pub(crate) async fn waiting(&self) -> Result<usize> {
        let count: i64 = sqlx::query_scalar("select count(*) from ops.jobs where state = 'ready'")
            .fetch_one(&self.pool)
            .await?;
        Ok(usize::try_from(count)?)
    }

    /// Pause the tenants of [`Self::fill`].
    pub(crate) async fn pause(&self, tenants: usize) -> Result<()> {
        sqlx::query("insert into ops.queue_pauses (workspace_id) select 'b' || n from generate_series(0, $1 - 1) n")
            .bind(i64::try_from(tenants)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(crate) async fn resume(&self) -> Result<()> {
        sqlx::query("delete from ops.queue_pauses").execute(&self.pool).await?;
        Ok(())
    }
}

/// Returns p50 and p99 in milliseconds. One job at a time into an idle runtime. `notify`: enqueued by a handle that shares nothing with the runtime, as
/// another process would.
pub(crate) async fn latency(
    rig: &Rig,
    jobs: usize,
    per_second: u32,
    notify: bool,
) -> Result<(f64, f64)> {
    let ctx = rig::ctx(&rig.pool, rig::settings());
    let queue =
        if notify { Queue::new(&rig.pool, &rig::settings().queue) } else { ctx.queue.clone() };
    *lock(&SENT) = vec![None; jobs];
    lock(&WAITED).clear();
    RAN.store(0, Ordering::Relaxed);
    let runtime = Runtime::start(ctx, jobs![Timed]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    for n in 0..jobs {
        tick.tick().await;
        let mut tx = rig.pool.begin().await?;
        let enqueued = queue.enqueue(&mut tx, &[NewJob::of("w1", &Timed { n })?]).await?;
        tx.commit().await?;
        if let Some(slot) = lock(&SENT).get_mut(n) {
            *slot = Some(Instant::now());
        }
        queue.wake(&enqueued);
    }
    let patience = Instant::now();
    while RAN.load(Ordering::Relaxed) < jobs {
        if patience.elapsed() > Duration::from_secs(30) {
            bail!("not all jobs were picked up");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runtime.drain().await;
    let mut waited = std::mem::take(&mut *lock(&WAITED));
    waited.sort();
    let at = |percent: usize| -> f64 {
        let index = (waited.len() * percent / 100).min(waited.len().saturating_sub(1));
        waited.get(index).map_or(0.0, |d| d.as_secs_f64() * 1000.0)
    };
    Ok((at(50), at(99)))
}

/// apalis-postgres, in a process of its own on the same database.
pub(crate) struct Peer {
    pub(crate) program: String,
    pub(crate) url: String,
}

/// Its best batch size and worker count here, found by trying 200 to 4000 and 1 to 4.
const TUNING: [&str; 2] = ["2000", "2"];
/// Its best way to hear of jobs, found by trying NOTIFY (0) and polls every 1 to 5 ms.
const POLL_MS: &str = "0";

impl Peer {
    pub(crate) async fn drain(&self, jobs: usize) -> Result<f64> {
        let [batch, workers] = TUNING;
        let out =
            self.output(&["drain", &self.url, &jobs.to_string(), "1", batch, workers]).await?;
        let value: serde_json::Value = serde_json::from_str(&out)?;
        value.pointer("/jobs_per_s/0").and_then(serde_json::Value::as_f64).context("a rate")
    }

    /// Returns p50 and p99 in milliseconds.
    pub(crate) async fn latency(&self, jobs: usize) -> Result<(f64, f64)> {
        let jobs = jobs.to_string();
        let out = self.output(&["latency", &self.url, &jobs, "50", POLL_MS]).await?;
        let value: serde_json::Value = serde_json::from_str(&out)?;
        let of = |name: &str| value.get(name).and_then(serde_json::Value::as_f64).context("a time");
        Ok((of("p50_ms")?, of("p99_ms")?))
    }

    async fn output(&self, args: &[&str]) -> Result<String> {
        let out = Command::new(&self.program).args(args).stderr(Stdio::inherit()).output().await?;
        if !out.status.success() {
            bail!("the peer failed");
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    }
}
