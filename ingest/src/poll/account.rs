//! `poll.accounts`: who we are to platforms that ask for it before we answer (Reddit: karma and age).
//!
//! The process that takes replies calls no platform: it reads what is noted here, each minute, and believes it for an hour.

use std::sync::Arc;

use anyhow::Context;
use futures_util::future::try_join_all;
use millrace_jobs::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    social::record,
    store::social::own_accounts::{self, Standing},
};
use serde::{Deserialize, Serialize};

use super::{
    fetch::{self, Failure},
    platform::{Of, Platform},
    reddit::{self, Reddit},
};
use crate::{
    registry::credentials::{self, Kept, Polled},
    secrets::KeyRing,
};

/// The only platform that asks.
const KIND: &str = "reddit";
/// Accounts that are asked for at once.
const AT_ONCE: usize = 8;

/// Ask for all accounts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Accounts {}

impl Job for Accounts {
    const KIND: &'static str = "poll.accounts";
    const ATTEMPTS_MAX: i32 = 3;
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for _ in batch {
            verdicts.push(accounts(&ctx).await.map_or_else(Verdict::Retry, |()| Verdict::Done));
        }
        verdicts
    }
}

async fn accounts(ctx: &Ctx) -> anyhow::Result<()> {
    let mut sources = credentials::polled(&ctx.pool, None).await.context("sources")?;
    sources.retain(|source| source.kind == KIND);
    let ring = KeyRing::load(&ctx.settings.secrets).context("key ring")?;
    let mut known = Vec::new();
    for source in sources {
        let kept = credentials::load(&ctx.pool, &ring, &source.id).await.context("credentials")?;
        let Some(kept) = kept else { continue };
        let of = Of { options: &source.options, credentials: &kept.credentials };
        if reddit::has_account(of) {
            known.push((source, kept));
        }
    }
    let of = |(source, _): &(Polled, Kept)| (source.workspace_id.clone(), source.id.clone());
    let keys: Vec<_> = known.iter().map(of).collect();
    own_accounts::keep(&ctx.pool, record::Platform::Reddit, &keys).await.context("accounts")?;
    for some in known.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|of| asked(ctx, &ring, of))).await?;
    }
    Ok(())
}

/// What the platform says of one account; without a call to spare, what it said last stays.
async fn asked(ctx: &Ctx, ring: &KeyRing, (source, kept): &(Polled, Kept)) -> anyhow::Result<()> {
    let (quota, kept) = (Reddit.look_quota(), kept.clone());
    let answer = fetch::ask(ctx, (&Reddit, source), (ring, kept), quota, reddit::account).await?;
    let said: Result<Standing, Failure> = answer.and_then(|answer| {
        fetch::accepted(answer.status)?;
        let none = || Failure::Wrong("it says neither karma nor age".into());
        reddit::standing(&answer.body).ok_or_else(none)
    });
    let said = match &said {
        Ok(standing) => Ok(*standing),
        Err(Failure::NotNow(_)) => return Ok(()),
        Err(Failure::Away(why) | Failure::Wrong(why)) => {
            tracing::warn!(source_id = source.id, why, "our standing on the platform is not known");
            Err(why.as_str())
        }
    };
    let of = (&*source.workspace_id, &*source.id);
    own_accounts::told(&ctx.pool, of, said).await.context("account")
}
