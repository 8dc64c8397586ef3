//! Was the predicted mode better than another one? Of decisions whose mode was drawn by lot, what came of those where the
//! lot fell on the predicted one, against the others.
//!
//! Among the m modes that were tried each was as likely, so scores with these probabilities (AIPW) are unbiased whatever the
//! model says; that is a logistic one of mode, signals and their products, fitted on other rows (Chernozhukov et al. 2018). The
//! products are half as large: a priori, modes differ less in what signals mean than signals do.

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use millrace_stats::{
    Interval,
    policy::fold,
    regression::{Link, Model, Observation, cross_fit},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, PgPool};

use super::{
    evidence::Evidence,
    night::{Lesson, Outline, Plan, identity},
    run::{ALPHA, SUCCESSES_MIN},
};
use crate::{
    social::mode::{ENGAGING, Mode},
    store::social::{causal as store, kpis, learning::Log},
};

/// The seed's: randomised decisions without which nothing is said.
const ROWS_MIN: usize = 200;
/// The seed's: an effect is causal if what came is as near to what was predicted.
const SEED_NEAR: f64 = 0.05;
/// Parts for cross-fitting, and what the penalty of the model is.
const FOLDS: u64 = 5;
const RIDGE: f64 = 1.0;

/// A decision whose mode was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `randomized_experiments.id`.
    pub id: String,
    /// What the rules would have taken.
    pub predicted: Mode,
    /// What the lot fell on.
    pub actual: Mode,
    /// All that it might have fallen on, with the same probability.
    pub tried: Vec<Mode>,
    /// SSS, ARS, EVS, TRS.
    pub signals: [f64; 4],
    /// The composite score: what the seed predicts.
    pub predicted_outcome: f64,
    /// A reward within eight days, and nothing was taken down.
    pub rewarded: bool,
}

/// What is known of an uplift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The interval is above 0: the prediction is worth something.
    Validated,
    /// It is below 0: another mode is better.
    Refuted,
    /// It holds 0, or rewards are too few.
    Inconclusive,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Validated => "VALIDATED",
            Self::Refuted => "REFUTED",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// What is found of the predictions of a mode, or of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The predicted mode; `ALL` of them.
    pub predicted: &'static str,
    /// Decisions, and those where the lot fell on it.
    pub n: usize,
    /// See `n`.
    pub followed: usize,
    /// Rewards of either.
    pub rewarded: usize,
    /// Gain in the chance of a reward over another mode.
    pub uplift: f64,
    /// That is in it at all times at once with 95 % (asymptotically).
    pub interval: Option<Interval>,
    /// What follows.
    pub verdict: Verdict,
    /// The seed's: the mean outcome of those that followed is within .05 of what was predicted.
    pub seed_causal: bool,
}

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Causal {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// Decisions since then.
    pub since: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// Randomised decisions.
    pub rows: usize,
    /// Why nothing can be said.
    pub skipped: Option<&'static str>,
    /// Of all, and of each mode.
    pub uplifts: Vec<Finding>,
    /// Outcomes to be filled in.
    #[serde(skip)]
    outcomes: Vec<(String, f64)>,
}

impl Lesson for Causal {
    const KIND: &'static str = "causal";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let since = plan.as_of - Duration::days(settings.learning.window_days.into());
        let rows = store::randomised(conn, plan.workspace, since, plan.as_of).await;
        let rows = rows.context("randomised decisions")?;
        let (run_id, seed) = identity(Self::KIND, plan);
        let outcomes =
            rows.iter().map(|row| (row.id.clone(), f64::from(u8::from(row.rewarded)))).collect();
        let (n, short) = (rows.len(), rows.len() < ROWS_MIN);
        let work = move || learn(&rows, seed.unsigned_abs());
        let uplifts = tokio::task::spawn_blocking(work).await.context("learning")?;
        Ok(Self {
            run_id,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            since,
            method_version: Self::CODE_VERSION,
            rows: n,
            skipped: short.then_some("INSUFFICIENT_SAMPLE_SIZE"),
            uplifts: if short { Vec::new() } else { uplifts },
            outcomes,
        })
    }

    fn outline(&self) -> Outline {
        let sizes = self.uplifts.iter().map(|one| (one.predicted.to_owned(), json!(one.n)));
        let parts: Vec<String> = self
            .uplifts
            .iter()
            .map(|one| format!("{} {}", one.predicted, one.verdict.as_str()))
            .collect();
        let why = self.skipped.map_or_else(|| parts.join(", "), ToOwned::to_owned);
        let log = Log {
            // It is told, and adjusts nothing.
            adjusted: false,
            reason: format!("causal: {why}"),
            valid: usize::from(self.skipped.is_none()),
            total: 1,
            sample_sizes: Value::from(sizes.collect::<Map<_, _>>()),
            old: json!({}),
            new: json!({}),
            predicted_improvement: None,
        };
        Outline { since: self.since, rows: self.rows, skipped: self.skipped, log: Some(log) }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        _settings: &Settings,
        _run_id: &str,
    ) -> anyhow::Result<()> {
        store::fill(conn, &self.workspace, &self.outcomes).await.context("outcomes")
    }
}

/// Learn; the same rows and seed give the same.
#[must_use]
pub fn learn(rows: &[Row], seed: u64) -> Vec<Finding> {
    let models = cross_fit(
        &rows.iter().map(observation).collect::<Vec<_>>(),
        Link::Logit,
        RIDGE,
        FOLDS,
        seed,
    );
    let models = models.unwrap_or_default();
    let score = |row: &Row| {
        let nth = usize::try_from(fold(&row.id, FOLDS, seed)).unwrap_or_default();
        score(row, models.get(nth))
    };
    let scored: Vec<(&Row, f64)> = rows.iter().filter_map(|row| Some((row, score(row)?))).collect();
    let each = ENGAGING.into_iter().map(|mode| {
        let of: Vec<_> = scored.iter().filter(|(row, _)| row.predicted == mode).copied().collect();
        finding(mode.as_str(), &of)
    });
    std::iter::once(finding("ALL", &scored)).chain(each).collect()
}

fn finding(predicted: &'static str, scored: &[(&Row, f64)]) -> Finding {
    let mut evidence = Evidence::default();
    for (row, score) in scored {
        evidence.add(*score, row.rewarded);
    }
    let interval = evidence.interval(ALPHA).filter(|_| evidence.successes >= SUCCESSES_MIN);
    let verdict = match interval {
        Some(interval) if interval.low > 0.0 => Verdict::Validated,
        Some(interval) if interval.high < 0.0 => Verdict::Refuted,
        _ => Verdict::Inconclusive,
    };
    let followed: Vec<&Row> =
        scored.iter().map(|(row, _)| *row).filter(|row| row.actual == row.predicted).collect();
    let n = followed.iter().map(|_| 1.0).sum::<f64>().max(1.0);
    let off: f64 = followed.iter().map(|row| reward(row) - row.predicted_outcome).sum();
    Finding {
        predicted,
        n: scored.len(),
        followed: followed.len(),
        rewarded: scored.iter().filter(|(row, _)| row.rewarded).count(),
        uplift: evidence.mean(),
        interval,
        verdict,
        seed_causal: !followed.is_empty() && (off / n).abs() < SEED_NEAR,
    }
}

fn reward(row: &Row) -> f64 {
    f64::from(u8::from(row.rewarded))
}

/// Of a row: what the predicted mode gains over the mean of the others; none if there was no other.
fn score(row: &Row, model: Option<&Model>) -> Option<f64> {
    let m = row.tried.iter().map(|_| 1.0).sum::<f64>();
    if m < 2.0 || !row.tried.contains(&row.predicted) || !row.tried.contains(&row.actual) {
        return None;
    }
    let value = |mode: Mode| {
        let expected = model.map_or(0.0, |model| model.predict(&features(mode, row.signals)));
        let came = if row.actual == mode { m * (reward(row) - expected) } else { 0.0 };
        expected + came
    };
    let others = row.tried.iter().filter(|mode| **mode != row.predicted);
    Some(value(row.predicted) - others.map(|mode| value(*mode)).sum::<f64>() / (m - 1.0))
}

fn observation(row: &Row) -> Observation {
    Observation {
        id: row.id.clone(),
        features: features(row.actual, row.signals),
        outcome: reward(row),
    }
}

/// Modes but the first, signals, and their products.
fn features(mode: Mode, signals: [f64; 4]) -> Vec<f64> {
    let signals = signals.map(|signal| signal - 0.5);
    let is = ENGAGING.into_iter().skip(1).map(|known| f64::from(u8::from(known == mode)));
    let modes: Vec<f64> = is.collect();
    let products = modes.iter().flat_map(|mode| signals.map(|signal| 0.5 * mode * signal));
    modes.iter().copied().chain(signals).chain(products).collect()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    fn rows(random: &mut StdRng, n: u32, uplift: f64) -> Vec<Row> {
        let row = |nth: u32| {
            let predicted = ENGAGING[random.random_range(0..3)];
            let tried = ENGAGING.to_vec();
            let actual = ENGAGING[random.random_range(0..3)];
            let signals = std::array::from_fn(|_| random.random());
            let gain = if actual == predicted { uplift } else { 0.0 };
            let chance = 0.05 + 0.1 * signals[0] + gain;
            Row {
                id: format!("{nth:06}"),
                predicted,
                actual,
                tried,
                signals,
                predicted_outcome: 0.5,
                rewarded: random.random_bool(chance),
            }
        };
        (0..n).map(row).collect()
    }

    #[test]
    fn where_the_mode_is_of_no_matter_it_is_seldom_said_to_be_and_where_it_is_mostly() {
        let mut random = StdRng::seed_from_u64(9);
        let mut said = |uplift: f64| {
            let (mut verdicts, mut means) = ([0; 3], 0.0);
            for _ in 0..60 {
                let found = learn(&rows(&mut random, 1_500, uplift), 1).remove(0);
                verdicts[match found.verdict {
                    Verdict::Validated => 0,
                    Verdict::Refuted => 1,
                    Verdict::Inconclusive => 2,
                }] += 1;
                means += found.uplift / 60.0;
            }
            (verdicts, means)
        };
        let (none, mean) = said(0.0);
        assert!(none[2] >= 56 && mean.abs() < 0.01, "{none:?} {mean}");
        let (some, mean) = said(0.15);
        assert!(some[0] >= 55 && (mean - 0.15).abs() < 0.02, "{some:?} {mean}");
    }

    #[test]
    fn the_same_rows_give_the_same_and_too_few_rewards_are_none() {
        let rows = rows(&mut StdRng::seed_from_u64(3), 400, 0.1);
        let found = learn(&rows, 7);
        assert_eq!(found, learn(&rows, 7));
        assert_eq!((found.len(), found[0].predicted, found[0].n), (4, "ALL", 400));
        let few = learn(&rows[..40], 7);
        assert!(few.iter().all(|one| one.verdict == Verdict::Inconclusive));
        let one = Row { tried: vec![rows[0].predicted], ..rows[0].clone() };
        assert_eq!(score(&one, None), None, "there was no other");
    }
}
