//! Weights of decisions, for people: held, let in, put back.

use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::{nightly, rows::Segment, run::weights_of},
    store::social::learning::{self, Adoption},
};
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};

use super::{explain, thresholds};
use crate::{
    cli::{NotFound, Usage},
    cmd::audit,
    out::Out,
};

/// Leave them as they are, or not.
pub(super) async fn lock(
    pool: &PgPool,
    workspace: &str,
    key: &str,
    locked: bool,
    out: Out,
) -> anyhow::Result<()> {
    let segment = named(key)?;
    let who = audit::me();
    let verb = if locked { "weights.lock" } else { "weights.unlock" };
    audit::note(pool, workspace, verb, &segment.key(), json!({})).await?;
    let mut tx = pool.begin().await?;
    let current = learning::current(&mut tx, workspace, Clock::system().now()).await?;
    let weights = weights_of(&current, segment);
    learning::lock(&mut tx, workspace, segment, weights, locked.then_some(who.as_str())).await?;
    tx.commit().await?;
    let word = if locked { "locked" } else { "open to learning" };
    out.answer(&json!({ "segment": segment, "locked": locked }), || {
        out.say(format!("{segment} is {word}"))
    })
}

/// Put a proposed version, or a proposed threshold, into force.
pub(super) async fn approve(
    pool: &PgPool,
    settings: &Settings,
    (workspace, id): (&str, &str),
    out: Out,
) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    if let Some(row) = thresholds::proposed(&mut tx, workspace, id).await? {
        return thresholds::approve(tx, pool, settings, (workspace, &row), out).await;
    }
    let versions = learning::versions(&mut tx, workspace, false).await?;
    let found = versions.into_iter().find(|row| row.id == id && row.approved_by.is_none());
    let Some(row) = found else {
        return Err(NotFound(format!(
            "nothing called {id} is proposed: see `millrace learn status`"
        ))
        .into());
    };
    let segment = named(&row.segment_key)?;
    let to = row.weights.try_into().map_err(|_| Usage("those are not four weights".into()))?;
    put(tx, pool, (workspace, segment, "weights.approve"), to, out).await
}

/// The version before the one in force.
pub(super) async fn rollback(
    pool: &PgPool,
    workspace: &str,
    key: &str,
    out: Out,
) -> anyhow::Result<()> {
    let segment = named(key)?;
    let mut tx = pool.begin().await?;
    let mut all = learning::versions(&mut tx, workspace, true).await?;
    all.retain(|row| row.segment_key == segment.key() && row.approved_by.is_some());
    let before = all.iter().rev().nth(1).and_then(|row| row.weights.clone().try_into().ok());
    let Some(to) = before else {
        return Err(NotFound(format!(
            "{segment} has no version before: see `millrace learn status`"
        ))
        .into());
    };
    put(tx, pool, (workspace, segment, "weights.rollback"), to, out).await
}

/// Into force, by a person, now.
async fn put(
    mut tx: Transaction<'_, Postgres>,
    pool: &PgPool,
    (workspace, segment, verb): (&str, Segment, &str),
    to: [f64; 4],
    out: Out,
) -> anyhow::Result<()> {
    let at = Clock::system().now();
    let current = learning::current(&mut tx, workspace, at).await?;
    audit::note(pool, workspace, verb, &segment.key(), json!({ "weights": to })).await?;
    let who = audit::me();
    let adoption = Adoption {
        workspace_id: workspace,
        segment,
        from: weights_of(&current, segment),
        to,
        sample_size: learning::PERSONS_WORD,
        performance: None,
        run_id: None,
        at,
        approved_by: Some(&who),
    };
    let version = adoption.write(&mut tx).await?;
    tx.commit().await?;
    let answer = json!({ "segment": segment, "version": version, "weights": to });
    out.answer(&answer, || out.say(format!("{segment} has {} now", explain::four(&to))))
}

fn named(key: &str) -> anyhow::Result<Segment> {
    nightly::segment(key).map_err(|error| Usage(error.to_string()).into())
}
