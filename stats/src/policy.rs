//! What a policy would have earned on decisions that another one made, from logged propensities.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Interval, Result, count, finite, inverse, means::Moments, not_negative, open_share,
    positive,
};

/// One logged decision with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// R of the action taken.
    pub reward: f64,
    /// μ: with what probability the logging policy took it; in (0, 1].
    pub propensity: f64,
    /// π: with what probability the judged policy takes the same action; 0..=1.
    pub target: f64,
    /// q(x, a): the predicted reward of the action taken, from a model that has not seen this outcome.
    pub predicted: f64,
    /// Σₐ π(a|x)·q(x, a): the predicted reward of the judged policy.
    pub predicted_target: f64,
}

/// The value of a policy per decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Mean reward.
    pub estimate: f64,
    /// Of the estimate, by the central limit theorem.
    pub standard_error: f64,
    /// Effective sample size (Σw)²/Σw² (Kish 1965); 0 when no logged action fits the policy.
    pub ess: f64,
    /// Greatest weight, after clipping.
    pub weight_max: f64,
    /// Share of decisions whose weight was clipped. Clipping biases towards 0 (IPS) or the model (DR).
    pub clipped: f64,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// The sample carries the interval.
    Sound(Interval),
    /// It does not; the interval would cover too rarely.
    Refused {
        /// What there is.
        ess: f64,
        /// What is asked for.
        needed: f64,
    },
}

impl Value {
    /// The normal interval, if the effective sample size is at least `ess_min`. Measured on 3 % rates, intervals of
    /// DR covered 69-72 % at 2 000 decisions and 97 % at 20 000. Scores that are all equal are an error, not a certainty.
    pub fn gate(&self, ess_min: f64, alpha: f64) -> Result<Verdict> {
        let half = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0) * self.standard_error;
        if self.ess < positive(ess_min, "least ESS")? || self.ess.is_nan() {
            return Ok(Verdict::Refused { ess: self.ess, needed: ess_min });
        }
        if self.standard_error == 0.0 {
            return Err(Error::Degenerate("no variance"));
        }
        Interval::around(self.estimate, half).map(Verdict::Sound)
    }
}

/// Inverse propensity score, mean(wR), w = min(π/μ, `clip`) (Horvitz & Thompson 1952; clipping: Ionides 2008).
/// Two decisions at least.
pub fn ips(decisions: &[Decision], clip: f64) -> Result<Value> {
    let weights = weights(decisions, clip)?;
    let scores: Vec<f64> = decisions.iter().zip(&weights).map(|(d, w)| w * d.reward).collect();
    of_scores(&scores, &weights, decisions, clip)
}

/// Self-normalised: Σ wR/Σ w (Swaminathan & Joachims 2015), standard error by the delta method.
pub fn snips(decisions: &[Decision], clip: f64) -> Result<Value> {
    let weights = weights(decisions, clip)?;
    let total: f64 = weights.iter().sum();
    if total == 0.0 {
        return Err(Error::Degenerate("no logged action fits the policy"));
    }
    let sum: f64 = decisions.iter().zip(&weights).map(|(d, w)| w * d.reward).sum();
    let estimate = sum / total;
    let share = count(weights.len()) / total;
    let scores: Vec<f64> = decisions
        .iter()
        .zip(&weights)
        .map(|(d, w)| estimate + share * w * (d.reward - estimate))
        .collect();
    Ok(Value {
        estimate: finite(estimate, "value")?,
        ..of_scores(&scores, &weights, decisions, clip)?
    })
}

/// Doubly robust: mean(q(x,π) + w(R - q(x,a))) (Dudík, Langford & Li 2011).
pub fn doubly_robust(decisions: &[Decision], clip: f64) -> Result<Value> {
    let weights = weights(decisions, clip)?;
    let scored = decisions.iter().zip(&weights);
    let scores: Vec<f64> =
        scored.map(|(d, w)| d.predicted_target + w * (d.reward - d.predicted)).collect();
    of_scores(&scores, &weights, decisions, clip)
}

/// One outcome of a two-armed experiment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Whether it got arm 1.
    pub treated: bool,
    /// The probability with which arm 1 was drawn, known beforehand; in (0, 1).
    pub propensity: f64,
    /// r.
    pub reward: f64,
    /// Predicted reward under arm 1, from earlier outcomes only.
    pub m1: f64,
    /// Predicted reward under arm 0, likewise.
    pub m0: f64,
}

impl Assignment {
    /// The AIPW score of the difference between the arms, (m₁-m₀) + 1[a](r-m₁)/p - 1[¬a](r-m₀)/(1-p)
    /// (Robins, Rotnitzky & Zhao 1994; under adaptive allocation Hadad et al. 2021). Its mean is the difference,
    /// whatever the predictions; feed it to [`crate::sequential::confidence_sequence`].
    pub fn score(&self) -> Result<f64> {
        let p = open_share(self.propensity, "propensity")?;
        let correction = if self.treated {
            (self.reward - self.m1) / p
        } else {
            -(self.reward - self.m0) / (1.0 - p)
        };
        finite(self.m1 - self.m0 + correction, "score")
    }
}

/// Mean of the AIPW scores and its standard error, as moments: mergeable, so batches may come in any order.
pub fn difference(assignments: &[Assignment]) -> Result<Moments> {
    assignments.iter().try_fold(Moments::default(), |moments, a| moments.with(a.score()?))
}

/// The fold (0..folds) of an id: a hash, so that neither order nor batch matters, and the same id is always
/// kept out of the same model. FNV-1a (Fowler, Noll & Vo 1991) with the finaliser of SplitMix64 (Steele et al. 2014).
/// No folds is fold 0.
#[must_use]
pub fn fold(id: &str, folds: u64, seed: u64) -> u64 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)).checked_rem(folds).unwrap_or(0)
}

fn weights(decisions: &[Decision], clip: f64) -> Result<Vec<f64>> {
    if clip.is_nan() || clip <= 0.0 {
        return Err(Error::Range("clip"));
    }
    decisions.iter().map(|d| Ok(weight(d)?.min(clip))).collect()
}

fn weight(decision: &Decision) -> Result<f64> {
    let propensity = positive(decision.propensity, "propensity")?;
    let target = not_negative(decision.target, "target probability")?;
    if propensity > 1.0 || target > 1.0 {
        return Err(Error::Range("propensity"));
    }
    finite(target / propensity, "weight")
}

fn of_scores(scores: &[f64], weights: &[f64], decisions: &[Decision], clip: f64) -> Result<Value> {
    let moments = Moments::of(scores)?;
    let (sum, squares) = weights.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    let clipped = decisions.iter().filter(|d| weight(d).is_ok_and(|w| w > clip)).count();
    Ok(Value {
        estimate: moments.mean,
        standard_error: moments.standard_error()?,
        ess: if squares > 0.0 { finite(sum * sum / squares, "ESS")? } else { 0.0 },
        weight_max: weights.iter().copied().fold(0.0, f64::max),
        clipped: count(clipped) / count(decisions.len()),
    })
}
