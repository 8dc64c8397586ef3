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

    /// Ready jobs of another tenant.
    pub(crate) async fn fill(&self, jobs: usize) -> Result<()> {
        sqlx::query(
            "insert into ops.jobs (workspace_id, kind, attempts_max, payload)
             select 'w0', 'bench.noop', 25, jsonb_build_object('n', n) from generate_series(1, $1) n",
        )
        .bind(i64::try_from(jobs)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    pub(crate) async fn pause(&self, on: bool) -> Result<()> {
        let queue = Queue::new(&self.pool, &rig::settings().queue);
        if on {
            queue.pause("w0", "", "bench").await?;
        } else {
            queue.resume("w0", "").await?;
        }
        Ok(())
    }
}

/// One job at a time into an idle runtime. `notify`: enqueued by a handle that shares nothing with the runtime, as
/// another process would.
pub(crate) async fn latency(
    rig: &Rig,
    jobs: usize,
    per_second: u32,
    notify: bool,
) -> Result<Vec<Duration>> {
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
    Ok(std::mem::take(&mut *lock(&WAITED)))
}

/// apalis-postgres, in a process of its own on the same database.
pub(crate) struct Peer {
    pub(crate) program: String,
    pub(crate) url: String,
}

/// Its best batch size and worker count here, found by trying 200 to 2000 and 1 to 4.
const TUNING: [&str; 2] = ["1000", "2"];

impl Peer {
    pub(crate) async fn drain(&self, jobs: usize) -> Result<f64> {
        let [batch, workers] = TUNING;
        let out =
            self.output(&["drain", &self.url, &jobs.to_string(), "1", batch, workers]).await?;
        let value: serde_json::Value = serde_json::from_str(&out)?;
        value.pointer("/jobs_per_s/0").and_then(serde_json::Value::as_f64).context("a rate")
    }

    pub(crate) async fn latency(&self, jobs: usize) -> Result<String> {
        let out = self.output(&["latency", &self.url, &jobs.to_string(), "50"]).await?;
        let value: serde_json::Value = serde_json::from_str(&out)?;
        let of = |name: &str| value.get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        Ok(format!("p50 {:.2} p99 {:.2} ms", of("p50_ms"), of("p99_ms")))
    }

    async fn output(&self, args: &[&str]) -> Result<String> {
        let out = Command::new(&self.program).args(args).stderr(Stdio::inherit()).output().await?;
        if !out.status.success() {
            bail!("the peer failed");
        }
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    }
}
