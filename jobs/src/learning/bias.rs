//! Whom do we ignore because of who they are? One in twenty of the decisions of a week to say nothing is made again without
//! the author's score (ARS): how many would have been otherwise.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use millrace_stats::{Interval, rates::Beta};
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::{
    night::{Lesson, Outline, Plan, identity},
    run::ALPHA,
};
use crate::{
    social::{
        decide::{Inputs, Segment, Values, decide},
        mode::Mode,
        outcomes::alerts::{Alert, Severity},
    },
    store::social::{alerts, ignored, kpis, learning::Log},
};

/// The seed's: from this share of flips on people look.
const FLIPS_MAX: f64 = 0.10;
/// It is looked at so much, and told as seldom.
const WEEK: Duration = Duration::days(7);
/// Decisions at most.
const ROWS_MAX: i64 = 10_000;
/// Name of the alerts' rule.
const RULE: &str = "bias";

/// Decisions to say nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All that were made again.
    pub n: u32,
    /// Those to say something, if it were not for the author.
    pub flips: u32,
}

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Bias {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// Decisions until then.
    pub as_of: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// Made again.
    pub ignored: Count,
    /// By tier of the author.
    pub tiers: BTreeMap<String, Count>,
    /// Share of flips: posterior mean of a flat prior, and 95 % interval.
    pub share: f64,
    /// See `share`.
    pub interval: Option<Interval>,
    /// Posterior probability that it is more than a tenth: from .95 on people are told.
    pub above_limit: f64,
}

impl Lesson for Bias {
    const KIND: &'static str = "bias";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        _settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let window = (plan.as_of - WEEK, plan.as_of);
        let rows = ignored::ignored(conn, plan.workspace, window, ROWS_MAX).await;
        let rows = rows.context("decisions")?;
        let work = move || count(&rows);
        let (ignored, tiers) = tokio::task::spawn_blocking(work).await.context("deciding")?;
        let posterior = Beta::FLAT
            .updated(ignored.flips.into(), (ignored.n - ignored.flips).into())
            .context("posterior")?;
        Ok(Self {
            run_id: identity(Self::KIND, plan).0,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            method_version: Self::CODE_VERSION,
            ignored,
            tiers,
            share: posterior.mean(),
            interval: posterior.interval(ALPHA).ok(),
            above_limit: posterior.above(FLIPS_MAX).unwrap_or(0.5),
        })
    }

    fn outline(&self) -> Outline {
        let Count { n, flips } = self.ignored;
        let log = Log {
            adjusted: false,
            reason: format!("bias: {flips} of {n} ignored posts would be answered without ARS"),
            valid: usize::from(n > 0),
            total: 1,
            sample_sizes: json!({ "ignored": n }),
            old: json!({}),
            new: json!({}),
            predicted_improvement: None,
        };
        Outline {
            since: self.as_of - WEEK,
            rows: usize::try_from(n).unwrap_or(usize::MAX),
            skipped: (n == 0).then_some("INSUFFICIENT_SAMPLE_SIZE"),
            log: Some(log),
        }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        _settings: &Settings,
        _run_id: &str,
    ) -> anyhow::Result<()> {
        if self.above_limit <= 1.0 - ALPHA {
            return Ok(());
        }
        let told = alerts::list(&mut *conn, &self.workspace, None, self.as_of - WEEK).await?;
        if told.iter().any(|row| row.rule == RULE) {
            return Ok(());
        }
        let Count { n, flips } = self.ignored;
        let alert = Alert {
            rule: RULE.into(),
            severity: Severity::Medium,
            value: self.share,
            threshold: FLIPS_MAX,
            message: format!(
                "{flips} of {n} ignored posts would be answered if it were not for their authors' scores; a person should look"
            ),
        };
        alerts::raise(conn, &self.workspace, None, &alert, self.as_of).await?;
        Ok(())
    }
}

/// Of what the rules said nothing to; lots and what cannot be read are left out.
fn count(rows: &[Inputs]) -> (Count, BTreeMap<String, Count>) {
    let (mut all, mut tiers) = (Count::default(), BTreeMap::<String, Count>::new());
    for inputs in rows {
        let inputs = Inputs { learned: None, ..inputs.clone() };
        if decide(&inputs).predicted_mode != Mode::Disengaged {
            continue;
        }
        let tier = serde_json::to_value(inputs.author.tier).unwrap_or_default();
        let tier = tiers.entry(tier.as_str().unwrap_or_default().to_owned()).or_default();
        let flips = decide(&without_ars(inputs)).predicted_mode != Mode::Disengaged;
        for count in [&mut all, tier] {
            count.n += 1;
            count.flips += u32::from(flips);
        }
    }
    (all, tiers)
}

/// As if nothing were known of the author: neither a weight nor a score.
fn without_ars(mut inputs: Inputs) -> Inputs {
    let global = Segment { key: "GLOBAL".into(), values: Values::default(), sample_size: 0 };
    let weights = &mut inputs.weights;
    weights.global.get_or_insert(global);
    for of in [&mut weights.global, &mut weights.platform, &mut weights.combined] {
        let Some(Segment { values, .. }) = of else { continue };
        let rest = values.sss + values.evs + values.trs;
        (values.ars, values.sss_ars) = (0.0, 0.0);
        for weight in [&mut values.sss, &mut values.evs, &mut values.trs] {
            *weight /= rest.max(f64::MIN_POSITIVE);
        }
    }
    inputs.signals.ars.score = 0.5;
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::decide::{Safety, fixture::scored};

    #[test]
    fn who_is_ignored_for_the_author_alone_is_counted_and_nobody_else() {
        let grid = || (0..=20).map(|n| f64::from(n) / 20.0);
        let unknown: Vec<Inputs> = grid().map(|sss| scored(sss, 0.0, 1.0, 0.9)).collect();
        let (all, tiers) = count(&unknown);
        assert!(all.flips > 0 && all.flips < all.n, "{all:?}");
        assert_eq!(tiers.values().map(|of| of.n).sum::<u32>(), all.n);
        // What is stopped for other reasons stays so, whoever said it.
        let stopped = |sss| Inputs { safety: Safety::default(), ..scored(sss, 0.0, 1.0, 0.9) };
        let (all, _) = count(&grid().map(stopped).collect::<Vec<_>>());
        assert_eq!(all, Count { n: 21, flips: 0 });
        let off_topic: Vec<Inputs> = grid().map(|sss| scored(sss, 0.0, 1.0, 0.05)).collect();
        assert_eq!(count(&off_topic).0.flips, 0);
    }
}
