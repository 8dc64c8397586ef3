//! Bayesian linear regression whose posterior is sampled to choose: linear Thompson sampling
//! (Agrawal & Goyal 2013; Li et al. 2010 for the state).

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, count, draw, finite,
    matrix::{Cholesky, add_diagonal, add_outer, dot},
    not_negative, positive,
};

/// What was learned: sums only, so that the order of updates and how they are batched does not matter beyond
/// rounding. Kept as JSON or alike between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// λ of the prior N(0, v²/λ), above 0.
    pub lambda: f64,
    /// XᵀX.
    pub xtx: Vec<Vec<f64>>,
    /// Xᵀr.
    pub xtr: Vec<f64>,
    /// Observations.
    pub n: u64,
}

/// The posterior N(θ̂, v²Σ), Σ = (λI + XᵀX)⁻¹, ready for questions.
#[derive(Debug, Clone)]
pub struct Posterior {
    theta: Vec<f64>,
    factor: Cholesky,
}

impl State {
    /// Nothing seen, for this many features (the intercept is one of them, if wanted).
    pub fn new(features: usize, lambda: f64) -> Result<Self> {
        let xtx = vec![vec![0.0; features]; features];
        Ok(Self { lambda: positive(lambda, "lambda")?, xtx, xtr: vec![0.0; features], n: 0 })
    }

    /// Takes one outcome of the action with these features; `weight` >= 0 counts it more or less.
    pub fn update(&mut self, features: &[f64], reward: f64, weight: f64) -> Result<()> {
        if features.len() != self.xtr.len() {
            return Err(Error::Lengths { left: features.len(), right: self.xtr.len() });
        }
        let scale = finite(reward, "reward")? * not_negative(weight, "weight")?;
        for value in features {
            finite(value * value * weight, "feature")?;
            finite(value * scale, "feature")?;
        }
        add_outer(&mut self.xtx, features, weight);
        for (sum, value) in self.xtr.iter_mut().zip(features) {
            *sum += value * scale;
        }
        self.n = self.n.saturating_add(1);
        Ok(())
    }

    /// Adds what another one saw; the prior stays this one's.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if other.xtr.len() != self.xtr.len() {
            return Err(Error::Lengths { left: other.xtr.len(), right: self.xtr.len() });
        }
        let sums = self.xtx.iter_mut().flatten().chain(self.xtr.iter_mut());
        for (sum, more) in sums.zip(other.xtx.iter().flatten().chain(&other.xtr)) {
            *sum += more;
        }
        self.n = self.n.saturating_add(other.n);
        Ok(())
    }

    /// Fails on a state whose parts do not fit together or are not finite.
    pub fn posterior(&self) -> Result<Posterior> {
        let width = self.xtr.len();
        if self.xtx.len() != width || self.xtx.iter().any(|row| row.len() != width) {
            return Err(Error::Lengths { left: self.xtx.len(), right: width });
        }
        let mut precision = self.xtx.clone();
        add_diagonal(&mut precision, positive(self.lambda, "lambda")?, 0);
        let factor = Cholesky::of(&precision)?;
        let theta = factor.solve(&self.xtr);
        for value in &theta {
            finite(*value, "theta")?;
        }
        Ok(Posterior { theta, factor })
    }
}

impl Posterior {
    /// θ̂.
    #[must_use]
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// Expected reward of an action, and xᵀΣx, which times v² is its variance.
    pub fn predict(&self, features: &[f64]) -> Result<(f64, f64)> {
        if features.len() != self.theta.len() {
            return Err(Error::Lengths { left: features.len(), right: self.theta.len() });
        }
        let spread = dot(features, &self.factor.solve(features));
        Ok((
            finite(dot(features, &self.theta), "prediction")?,
            not_negative(spread, "variance of the prediction")?,
        ))
    }

    /// A draw θ̃ ~ N(θ̂, v²Σ); `v` >= 0 is in units of the reward.
    pub fn draw(&self, v: f64, rng: &mut impl Rng) -> Result<Vec<f64>> {
        let v = not_negative(v, "v")?;
        let noise = self.theta.iter().map(|_| draw::normal(rng)).collect();
        let off = self.factor.back(noise);
        Ok(self.theta.iter().zip(off).map(|(theta, off)| theta + v * off).collect())
    }

    /// With what probability each action is to be taken: ε + (1-Kε)·(share of `draws` in which it is the best), so that
    /// every one keeps at least `floor` = ε in 0..=1/K. The sum is 1 to rounding. Draw the action from these and log
    /// the one's own: that is its exact propensity, whatever the number of draws.
    pub fn propensities(
        &self,
        actions: &[Vec<f64>],
        v: f64,
        floor: f64,
        draws: u32,
        rng: &mut impl Rng,
    ) -> Result<Vec<f64>> {
        if actions.is_empty() || draws == 0 {
            return Err(Error::TooFew { needed: 1, got: 0 });
        }
        let k = count(actions.len());
        if !(0.0..=1.0 / k).contains(&floor) {
            return Err(Error::Range("floor"));
        }
        for action in actions {
            self.predict(action)?;
        }
        let mut wins = vec![0.0; actions.len()];
        for _ in 0..draws {
            let theta = self.draw(v, rng)?;
            let best = actions
                .iter()
                .map(|features| dot(features, &theta))
                .zip(wins.iter_mut())
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, won)) = best {
                *won += 1.0;
            }
        }
        let open = (1.0 - k * floor).max(0.0);
        let mut shares: Vec<f64> =
            wins.iter().map(|won| floor + open * (won / f64::from(draws))).collect();
        let rest = 1.0 - shares.iter().sum::<f64>();
        if let Some(largest) = shares.iter_mut().max_by(|a, b| a.total_cmp(b)) {
            *largest += rest;
        }
        Ok(shares)
    }
}
