//! Escalations that became late, each counted once, whichever process looks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::desk;
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    store::social::escalations,
};

/// Look for escalations whose time has run out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Overdue {}

impl Job for Overdue {
    const KIND: &'static str = "social.overdue";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(match escalations::mark_late(&ctx.pool).await {
                Ok(late) => {
                    late.iter().for_each(|priority| desk::late(priority));
                    if !late.is_empty() {
                        tracing::warn!(late = late.len(), "escalations were not ended in time");
                    }
                    Verdict::Done
                }
                Err(error) => Verdict::Retry(error.into()),
            });
        }
        verdicts
    }
}
