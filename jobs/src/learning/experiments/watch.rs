//! `social.experiments`: the experiments that run are looked at, split anew, and ended; in one transaction for each
//! workspace, so that a look that is taken twice is one.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use millrace_config::{
    Learning,
    point::{Point, may_fail},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::{
    contract::{Over, settle},
    finding::{Finding, Observation, find},
    metric::Metric,
    race::RESPLIT_EVERY,
};
use crate::{
    ctx::Ctx,
    queue::{Job, Leased, Verdict},
    social::{
        brand::Brand,
        outcomes::{daily::sentiment, jobs::everywhere},
        profile::{Profile, Sentiment},
        trials::Change,
    },
    store::social::{
        audit::{self, Act},
        experiments::{self as store, AnswerRow, End, ExperimentRow, Look, ObservationRow},
    },
};

/// Who does what nobody tells it to.
const ACTOR: &str = "millrace";

/// Look at all experiments that run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Watch {}

impl Job for Watch {
    const KIND: &'static str = "social.experiments";
    const CONCURRENCY: usize = 1;

    async fn run(ctx: Arc<Ctx>, batch: Vec<Leased<Self>>) -> Vec<Verdict> {
        everywhere(&ctx, batch, |ctx, workspace| looked(ctx, workspace).boxed()).await
    }
}

async fn looked(ctx: &Ctx, workspace: &str) -> anyhow::Result<()> {
    let brand = ctx.social.brands.of(&ctx.settings, workspace)?;
    let plan = Plan { workspace, brand, as_of: ctx.clock.now() };
    let told = look(&ctx.pool, &ctx.settings.learning, plan).await.context("experiments")?;
    for (id, over) in told.iter().filter_map(|(id, one)| Some((id, one.over?))) {
        let reason = over.as_str();
        metrics::counter!("millrace_experiments_ended_total", "reason" => reason).increment(1);
        tracing::info!(workspace, experiment = id, reason, "an experiment is over");
    }
    Ok(())
}

/// Whose experiments are looked at, and when.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Whose.
    pub workspace: &'a str,
    /// By whose words answers are read.
    pub brand: Arc<Brand>,
    /// What was known then.
    pub as_of: DateTime<Utc>,
}

/// Look at the experiments of a workspace that run: what was found, by id.
///
/// # Errors
/// Those of the database; nothing is written then.
pub async fn look(
    pool: &PgPool,
    settings: &Learning,
    plan: Plan<'_>,
) -> anyhow::Result<Vec<(String, Finding)>> {
    let Plan { workspace, brand, as_of } = plan;
    let mut tx = pool.begin().await.context("begin")?;
    let running = store::running(&mut tx, workspace).await.context("experiments")?;
    if running.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = Vec::with_capacity(running.len());
    for row in &running {
        let of = (workspace, row.id.as_str());
        let observed = store::observations(&mut tx, of, as_of).await.context("observations")?;
        let answers = store::answers(&mut tx, of).await.context("answers")?;
        known.push((Metric::of(&row.metric), row.end_date, observed, answers));
    }
    let work = move || {
        let find = |(metric, end, observed, answers): (Metric, _, Vec<_>, Vec<_>)| {
            let all = observations(observed, &answers, metric, &brand.profile);
            (find(metric.as_str(), &all, as_of), end)
        };
        let mut found: Vec<(Finding, _)> = known.into_iter().map(find).collect();
        settle(&mut found, as_of);
        found
    };
    let found = tokio::task::spawn_blocking(work).await.context("looking")?;
    may_fail(Point::ExperimentsJudged)?;
    let mut told = Vec::with_capacity(running.len());
    for (row, (finding, _)) in running.into_iter().zip(found) {
        write(&mut tx, settings, (workspace, &row), &finding, as_of).await?;
        told.push((row.id, finding));
    }
    may_fail(Point::ExperimentsWritten)?;
    tx.commit().await.context("commit")?;
    may_fail(Point::ExperimentsCommitted)?;
    Ok(told)
}

fn observations(
    rows: Vec<ObservationRow>,
    answers: &[AnswerRow],
    metric: Metric,
    profile: &Profile,
) -> Vec<Observation> {
    let mut praise: BTreeMap<&str, i32> = BTreeMap::new();
    for answer in answers {
        *praise.entry(&answer.unit_id).or_default() += match sentiment(&answer.content, profile) {
            Sentiment::Positive => 1,
            Sentiment::Neutral => 0,
            Sentiment::Negative => -1,
        };
    }
    let observation = |row: ObservationRow| Observation {
        in_b: row.in_b,
        propensity_b: row.propensity_b,
        at: row.assigned_at,
        mature: row.mature,
        reward: metric.is_reached(row.clicked, row.loved),
        removed: row.removed,
        escalated: row.escalated,
        praised: praise.get(row.unit_id.as_str()).filter(|sum| **sum != 0).map(|sum| *sum > 0),
    };
    rows.into_iter().map(observation).collect()
}

async fn write(
    conn: &mut PgConnection,
    settings: &Learning,
    (workspace, row): (&str, &ExperimentRow),
    found: &Finding,
    as_of: DateTime<Utc>,
) -> anyhow::Result<()> {
    let of = (workspace, row.id.as_str());
    let look = Look {
        n: found.n.into(),
        log_e: found.log_e,
        interval: found.interval.map(|within| (within.low, within.high)),
        sample_ratio_p: found.sample_ratio_p,
        at: as_of,
    };
    store::look(conn, of, look).await.context("the look")?;
    let hundred = i64::from(found.n / RESPLIT_EVERY);
    let is_due = hundred > row.looked.unwrap_or(0) / i64::from(RESPLIT_EVERY);
    let split = if row.adaptive && is_due { found.share_of_a } else { row.traffic_split };
    let end = found.over.map(|over| End {
        status: over.status(),
        reason: over.as_str(),
        winner: over.winner(),
        at: as_of,
    });
    let results = serde_json::to_value(found)?;
    store::noted(conn, of, &results, split, end).await.context("results")?;
    match found.over {
        Some(over) => ended(conn, settings, (workspace, row), found, over, as_of).await,
        None => Ok(()),
    }
}

async fn ended(
    conn: &mut PgConnection,
    settings: &Learning,
    (workspace, row): (&str, &ExperimentRow),
    found: &Finding,
    over: Over,
    as_of: DateTime<Utc>,
) -> anyhow::Result<()> {
    let of = (workspace, row.id.as_str());
    let note = |action| Act {
        workspace_id: workspace,
        actor: ACTOR,
        entity_type: "experiment",
        entity_id: &row.id,
        action,
    };
    let why = json!({ "reason": over.as_str(), "n": found.n, "p": found.p, "q": found.q,
                      "lift": found.lift, "sample_ratio_p": found.sample_ratio_p });
    audit::note(&mut *conn, note("ended"), why).await.context("the audit")?;
    let change = match over.winner() {
        Some("A") => Change::read(&row.variant_a).ok(),
        Some(_) => Change::read(&row.variant_b).ok(),
        None => None,
    };
    let change = change.filter(|change| !change.is_empty());
    if let Some(change) = &change {
        let who = settings.auto_approve.then_some("learning");
        let thresholds = change.to_value();
        let version = store::propose(conn, of, &thresholds, who, as_of).await;
        let version = version.context("the promotion")?;
        let action = if who.is_some() { "promoted" } else { "proposed" };
        let what = json!({ "version": version, "thresholds": thresholds });
        audit::note(&mut *conn, note(action), what).await.context("the audit")?;
    }
    let reason = format!("EXPERIMENT {} {}", row.name, over.as_str());
    let sizes = json!({ "A": found.variant_a.n, "B": found.variant_b.n });
    let predicted = change.as_ref().and(found.lift);
    let log = (change.is_some(), reason.as_str());
    store::log(conn, workspace, log, &sizes, predicted, as_of).await.context("the log")
}
