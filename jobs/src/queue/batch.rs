//! How jobs go through a batch in one transaction.

use futures_util::future::BoxFuture;

use super::{Leased, Verdict};
use crate::ctx::Ctx;

/// Works on jobs in one transaction, which completes their leases.
pub type RunBatch<J> = for<'a> fn(&'a Ctx, &'a [Leased<J>]) -> BoxFuture<'a, anyhow::Result<()>>;

/// All at once. A row that the database refuses must not fail its neighbours: then
/// each gets a transaction of its own. Anything else fails them all.
pub async fn together<J>(ctx: &Ctx, batch: &[Leased<J>], run: RunBatch<J>) -> Vec<Verdict> {
    let error = match run(ctx, batch).await {
        Ok(()) => return batch.iter().map(|_| Verdict::Committed).collect(),
        Err(e) => e,
    };
    let refused = error.chain().any(|e| matches!(e.downcast_ref(), Some(sqlx::Error::Database(_))));
    if batch.len() == 1 || !refused {
        let again = |_| Verdict::Retry(anyhow::anyhow!("{error:#}"));
        return batch.iter().map(again).collect();
    }
    let mut verdicts = Vec::with_capacity(batch.len());
    for one in batch {
        let done = run(ctx, std::slice::from_ref(one)).await;
        verdicts.push(done.map_or_else(Verdict::Retry, |()| Verdict::Committed));
    }
    verdicts
}
