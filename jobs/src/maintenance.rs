//! Jobs that keep the house: they belong to no tenant.

use std::sync::Arc;

use millrace_config::point::{Point, may_fail};
use serde::{Deserialize, Serialize};

use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    social::outcomes::alerts::{Alert, Severity},
    store::{
        partitions,
        social::{alerts, retention},
    },
};

/// Days made ahead: a week without maintenance costs nothing.
const DAYS_AHEAD: i32 = 7;
/// Months made ahead, of decisions.
const MONTHS_AHEAD: i32 = 2;
/// Ticks of schedules are kept this long.
const TICK_DAYS: i32 = 90;

/// Make partitions ahead, drop those past their retention.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Partitions {}

impl Job for Partitions {
    const KIND: &'static str = "maintenance.partitions";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(match partitions_now(&ctx).await {
                Ok(()) => Verdict::Done,
                Err(error) => Verdict::Retry(error.into()),
            });
        }
        verdicts
    }
}

async fn partitions_now(ctx: &Ctx) -> sqlx::Result<()> {
    let keep = &ctx.settings.retention;
    strays(ctx).await?;
    let made = partitions::ensure(&ctx.pool, DAYS_AHEAD).await?
        + partitions::ensure_months(&ctx.pool, MONTHS_AHEAD).await?;
    may_fail(Point::PartitionsMade)?;
    let mut dropped = partitions::drop_old(&ctx.pool, "event_bodies", keep.body_days).await?;
    may_fail(Point::PartitionsDropped)?;
    dropped.extend(partitions::drop_old(&ctx.pool, "job_history", keep.job_history_days).await?);
    let ticks = ctx.queue.forget_ticks(TICK_DAYS).await?;
    tracing::info!(made, dropped = dropped.len(), ticks, "partitions kept");
    Ok(())
}

/// Decisions of a month that nobody made a partition for were caught by the default: they move out of it now, and
/// somebody should know that maintenance had not run, or that a clock is wrong.
async fn strays(ctx: &Ctx) -> sqlx::Result<()> {
    for (workspace, decisions) in retention::strays(&ctx.pool).await? {
        let alert = Alert {
            rule: "decisions_default".to_owned(),
            severity: Severity::Medium,
            value: f64::from(i32::try_from(decisions).unwrap_or(i32::MAX)),
            threshold: 0.0,
            message: format!("{decisions} decisions were of months without a partition"),
        };
        let mut tx = ctx.pool.begin().await?;
        let new = alerts::raise(&mut tx, &workspace, None, &alert, ctx.clock.now()).await?;
        tx.commit().await?;
        if new {
            tracing::warn!(workspace, decisions, "decisions of months without a partition");
        }
    }
    Ok(())
}
