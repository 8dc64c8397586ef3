//! What is over is archived as files and deleted: posts, decisions by whole months, figures by whole quarters, the audit
//! by whole years. Replies, authors, experiments and exposures stay.
//!
//! Rows are deleted only while they are what a file says, line by line; what a file of their period has already is not
//! written again. So a run may end anywhere, and the next one goes on.

pub mod archive;
pub mod erase;
mod period;
pub mod restore;

use std::{collections::HashSet, io, sync::Arc};

use anyhow::Context;
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use futures_util::TryStreamExt;
use millrace_config::{
    SocialRetention,
    point::{Point, may_fail},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use tokio::sync::mpsc;

use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict, fault::is_transient},
    store::{
        migrate, partitions,
        social::retention::{self as rows, Lines},
    },
};
use archive::{Archive, Key, Label, Manifest, Total};
use period::midnight;
pub use period::{Period, Relation};

/// Posts of a file at most.
const POSTS_MAX: i64 = 5000;
/// Lines on their way to a file.
const LINES_WAITING: usize = 256;
/// Months of decisions made ahead.
const MONTHS_AHEAD: i32 = 2;

/// Archive and delete what is over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Retain {}

impl Job for Retain {
    const KIND: &'static str = "social.retention";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let keep = &ctx.settings.social.retention;
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(if keep.folder.as_os_str().is_empty() {
                Verdict::Done
            } else {
                match run(&ctx.pool, keep, ctx.clock.now(), "job:social.retention").await {
                    Ok(done) => {
                        tracing::info!(files = done.len(), "retention");
                        Verdict::Done
                    }
                    Err(error) => Verdict::Retry(error),
                }
            });
        }
        verdicts
    }
}

/// Somebody else has the archive.
#[derive(Debug, thiserror::Error)]
#[error("another run, restore or erasure has the archive: try again when it is done")]
pub struct Busy;

/// What became of a stretch of time.
#[derive(Debug, Clone, Serialize)]
pub struct Done {
    /// Of what.
    pub relation: Relation,
    /// Which.
    pub period: Period,
    /// Rows that are over.
    pub rows: i64,
    /// The file with those that no file had yet; absent if there were none.
    pub file: Option<String>,
    /// They are deleted.
    pub gone: bool,
    /// Why they are not; they will be at a later run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
}

/// What a run would do.
#[derive(Debug, Clone, Serialize)]
pub struct Due {
    /// Of what.
    pub relation: Relation,
    /// Which.
    pub period: Period,
    /// Rows that are over.
    pub rows: i64,
    /// Others that are old enough, but wait: for their decisions to go, or for a person.
    pub held: i64,
}

/// Until when each kind of row is over.
struct Limits {
    posts: DateTime<Utc>,
    quarter: NaiveDate,
    year: NaiveDate,
}

impl Limits {
    fn of(keep: &SocialRetention, as_of: DateTime<Utc>) -> anyhow::Result<Self> {
        let ago = |years: u32| {
            let then = as_of.checked_sub_months(Months::new(years.saturating_mul(12)));
            then.map(|then| then.date_naive()).context("the calendar ends")
        };
        Ok(Self {
            posts: as_of - TimeDelta::days(keep.days.into()),
            quarter: Period::quarter(ago(keep.kpi_years)?).from,
            year: Period::year(ago(keep.audit_years)?).from,
        })
    }

    fn month(&self, month: NaiveDate) -> Option<Period> {
        let period = Period::month(month);
        (midnight(period.until()) <= self.posts).then_some(period)
    }
}

/// What [`run`] would do at `as_of`. Decisions of months without a partition are not counted: a run makes it first.
///
/// # Errors
/// Those of the database.
pub async fn plan(
    pool: &PgPool,
    keep: &SocialRetention,
    as_of: DateTime<Utc>,
) -> anyhow::Result<Vec<Due>> {
    let limits = Limits::of(keep, as_of)?;
    let mut due = Vec::new();
    for period in rows::months(pool).await?.into_iter().filter_map(|m| limits.month(m)) {
        let (from, until) = (midnight(period.from), midnight(period.until()));
        let count = rows::decisions(pool, from, until).await?;
        due.push(Due { relation: Relation::Decisions, period, rows: count, held: 0 });
    }
    for (month, rows, held) in rows::count_posts(pool, limits.posts).await? {
        let period = Period::month(month);
        due.push(Due { relation: Relation::Posts, period, rows, held });
    }
    for (quarter, rows) in rows::quarters(pool, limits.quarter).await? {
        let period = Period::quarter(quarter);
        due.push(Due { relation: Relation::KpiMetrics, period, rows, held: 0 });
    }
    for (year, rows) in rows::audit_years(pool, midnight(limits.year)).await? {
        let period = Period::year(year);
        due.push(Due { relation: Relation::AuditLogs, period, rows, held: 0 });
    }
    Ok(due)
}

/// Archive and delete what is over at `as_of`, which must not be in the future. `actor` is for the audit.
///
/// # Errors
/// [`Busy`]; those of the database and the disk. What was done stays done.
pub async fn run(
    pool: &PgPool,
    keep: &SocialRetention,
    as_of: DateTime<Utc>,
    actor: &str,
) -> anyhow::Result<Vec<Done>> {
    let limits = Limits::of(keep, as_of)?;
    let mut house = House::enter(pool, keep, as_of).await?;
    partitions::ensure_months(pool, MONTHS_AHEAD).await.context("partitions")?;
    house.decisions(&limits).await.context("decisions")?;
    house.posts(&limits).await.context("posts")?;
    house.kpis(&limits).await.context("figures")?;
    house.audit(&limits, actor).await.context("audit")?;
    Ok(house.done)
}

/// Who has the archive alone, while this lives.
struct House {
    pool: PgPool,
    archive: Archive,
    schema_version: i64,
    now: DateTime<Utc>,
    done: Vec<Done>,
    _alone: PoolConnection<Postgres>,
}

/// Rows that are in files.
struct Exported {
    total: Total,
    /// Of the file that is new.
    manifest: Option<Manifest>,
}

impl House {
    async fn enter(
        pool: &PgPool,
        keep: &SocialRetention,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let mut alone = pool.acquire().await?;
        alone.close_on_drop();
        if !rows::alone(&mut alone).await? {
            return Err(Busy.into());
        }
        let schema_version = migrate::version(pool).await?;
        let folder = keep.folder.clone();
        let archive = on_disk(move || {
            let archive = Archive::open(&folder)?;
            archive.mend(schema_version, now)?;
            Ok(archive)
        });
        let archive = archive.await.with_context(|| format!("{}", keep.folder.display()))?;
        let (pool, done) = (pool.clone(), Vec::new());
        Ok(Self { pool, archive, schema_version, now, done, _alone: alone })
    }

    /// Write those lines to a file that no file of the period has.
    async fn export(
        &self,
        relation: Relation,
        period: Period,
        mut lines: Lines<'_>,
    ) -> anyhow::Result<Exported> {
        let mut known = self.known(relation, period).await?;
        let label = Label {
            relation,
            period,
            schema_version: self.schema_version,
            made_at: self.now,
            replaces: None,
        };
        let (to, mut from) = mpsc::channel::<Option<String>>(LINES_WAITING);
        let archive = self.archive.clone();
        let written = on_disk(move || {
            // Without its end, it is no file.
            let cut = || Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            let next = || from.blocking_recv().map_or_else(|| Some(cut()), |line| line.map(Ok));
            archive.write(label, std::iter::from_fn(next))
        });
        let written = tokio::spawn(written);
        let mut total = Total::default();
        while let Some(line) = lines.try_next().await? {
            if known.insert(total.add(&line)) && to.send(Some(line)).await.is_err() {
                break;
            }
        }
        to.send(None).await.ok();
        let manifest = written.await.context("the writer")??;
        may_fail(Point::ArchiveSettled)?;
        Ok(Exported { total, manifest })
    }

    /// The lines that files of the period have.
    async fn known(&self, relation: Relation, period: Period) -> anyhow::Result<HashSet<Key>> {
        let archive = self.archive.clone();
        on_disk(move || {
            let (mut known, mut total) = (HashSet::new(), Total::default());
            for one in archive.manifests()? {
                if (one.relation, one.period) == (relation, period) {
                    archive.check(&one).map_err(|e| {
                        io::Error::other(format!("{} is not to be trusted: {e}", one.file))
                    })?;
                    for line in archive.lines(&one)? {
                        known.insert(total.add(&line?));
                    }
                }
            }
            Ok(known)
        })
        .await
    }

    /// Notes what became of exported rows; `deleted` is whether they were what the files say. Whether they are gone.
    async fn left(
        &mut self,
        (relation, period): (Relation, Period),
        exported: Exported,
        deleted: sqlx::Result<bool>,
    ) -> anyhow::Result<bool> {
        let why = match deleted {
            Ok(true) => None,
            Ok(false) => Some("they changed meanwhile"),
            Err(e) if is_transient(&e) => Some("they are in use"),
            Err(e) => return Err(e.into()),
        };
        let mut file = exported.manifest.map(|manifest| manifest.file);
        if let (Some("they changed meanwhile"), Some(name)) = (why, file.take()) {
            let archive = self.archive.clone();
            on_disk(move || archive.remove(&name)).await?;
        }
        may_fail(Point::ArchiveLeft)?;
        let (rows, gone) = (exported.total.rows, why.is_none());
        if gone {
            metrics::counter!("millrace_retention_rows_total", "relation" => relation.as_str())
                .increment(u64::try_from(rows).unwrap_or(0));
        } else {
            tracing::warn!(%period, relation = relation.as_str(), why, "not deleted yet");
        }
        self.done.push(Done { relation, period, rows, file, gone, why });
        Ok(gone)
    }

    async fn decisions(&mut self, limits: &Limits) -> anyhow::Result<()> {
        let months = rows::months(&self.pool).await?;
        for period in months.into_iter().filter_map(|month| limits.month(month)) {
            let mut tx = self.pool.begin().await?;
            rows::unhurried(&mut tx).await?;
            let (from, until) = (midnight(period.from), midnight(period.until()));
            let lines = rows::decision_lines(&mut tx, from, until);
            let exported = self.export(Relation::Decisions, period, lines).await?;
            tx.rollback().await?;
            let mut tx = self.pool.begin().await?;
            rows::unhurried(&mut tx).await?;
            let dropped = rows::drop_decisions(&mut *tx, period.from, &exported.total).await;
            let dropped = ended(tx, dropped).await;
            self.left((Relation::Decisions, period), exported, dropped).await?;
        }
        Ok(())
    }

    async fn posts(&mut self, limits: &Limits) -> anyhow::Result<()> {
        loop {
            let batch = rows::due_posts(&self.pool, limits.posts, POSTS_MAX).await?;
            let Some(&(_, month)) = batch.first() else { return Ok(()) };
            let ids: Vec<String> =
                batch.into_iter().filter(|(_, m)| *m == month).map(|(id, _)| id).collect();
            let period = Period::month(month);
            let mut conn = self.pool.acquire().await?;
            let lines = rows::post_lines(&mut conn, &ids);
            let exported = self.export(Relation::Posts, period, lines).await?;
            drop(conn);
            let mut tx = self.pool.begin().await?;
            rows::unhurried(&mut tx).await?;
            let gone = rows::forget_posts(&mut tx, &ids, &exported.total).await;
            let gone = ended(tx, gone).await;
            if !self.left((Relation::Posts, period), exported, gone).await? {
                return Ok(());
            }
        }
    }

    async fn kpis(&mut self, limits: &Limits) -> anyhow::Result<()> {
        for (quarter, _) in rows::quarters(&self.pool, limits.quarter).await? {
            let period = Period::quarter(quarter);
            let mut tx = self.pool.begin().await?;
            rows::unhurried(&mut tx).await?;
            let lines = rows::kpi_lines(&mut tx, period.from, period.until());
            let exported = self.export(Relation::KpiMetrics, period, lines).await?;
            let gone =
                rows::forget_kpis(&mut tx, period.from, period.until(), &exported.total).await;
            let gone = ended(tx, gone).await;
            self.left((Relation::KpiMetrics, period), exported, gone).await?;
        }
        Ok(())
    }

    async fn audit(&mut self, limits: &Limits, actor: &str) -> anyhow::Result<()> {
        for (year, _) in rows::audit_years(&self.pool, midnight(limits.year)).await? {
            let period = Period::year(year);
            let before = midnight(period.until());
            let mut tx = self.pool.begin().await?;
            rows::unhurried(&mut tx).await?;
            let lines = rows::audit_lines(&mut tx, before);
            let exported = self.export(Relation::AuditLogs, period, lines).await?;
            if exported.total.rows > 0 {
                let gone = rows::forget_audit(&mut *tx, before, &exported.total, actor).await;
                let gone = ended(tx, gone).await;
                self.left((Relation::AuditLogs, period), exported, gone).await?;
            }
        }
        Ok(())
    }
}

/// What was deleted stays so only if it was what the files say.
async fn ended(
    tx: sqlx::Transaction<'_, Postgres>,
    deleted: sqlx::Result<bool>,
) -> sqlx::Result<bool> {
    match deleted {
        Ok(true) => tx.commit().await.map(|()| true),
        other => tx.rollback().await.and(other),
    }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    Ok(tokio::task::spawn_blocking(work).await.context("the disk")??)
}
