//! Whether an experiment was run as planned, and how good a forecast was.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Interval, Result, count, dist, finite, matrix::dot, means::Moments, not_negative,
    positive, sample,
};

/// The sample-ratio check.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleRatio {
    /// Pearson's statistic.
    pub chi_square: f64,
    /// Arms less one.
    pub df: f64,
    /// Stop the analysis below .001.
    pub p: f64,
}

/// Whether counts per arm fit the planned shares (each > 0; they are scaled to sum 1): Pearson 1900, as a check of
/// assignment Fabijan et al. 2019. Two arms and one observation at least.
pub fn sample_ratio(observed: &[u64], planned: &[f64]) -> Result<SampleRatio> {
    if observed.len() != planned.len() {
        return Err(Error::Lengths { left: observed.len(), right: planned.len() });
    }
    if observed.len() < 2 {
        return Err(Error::TooFew { needed: 2, got: observed.len() });
    }
    let sizes: Vec<f64> =
        observed.iter().map(|n| Moments { n: *n, ..Moments::default() }.size()).collect();
    let total = positive(sizes.iter().sum(), "observations")?;
    let mut shares = 0.0;
    for share in planned {
        shares += positive(*share, "planned share")?;
    }
    let parts = sizes.iter().zip(planned).map(|(seen, share)| {
        let expected = total * (share / shares);
        (seen - expected).powi(2) / expected
    });
    let chi_square = finite(parts.sum(), "statistic")?;
    let df = count(observed.len() - 1);
    Ok(SampleRatio { chi_square, df, p: dist::chi_square_sf(chi_square, df) })
}

/// The same of a count whose units had probabilities of their own: how probable it is to be as far `off` the sum of those,
/// when `variance` is the sum of theirs. Nothing left to chance is as planned: 1.
#[must_use]
pub fn count_p(off: f64, variance: f64) -> f64 {
    if variance > 0.0 { dist::chi_square_sf(off * off / variance, 1.0) } else { 1.0 }
}

/// A covariate's part in an outcome (Deng, Xu, Kohavi & Walker 2013): fit it over all arms together, on a covariate
/// from before the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cuped {
    /// cov(x, y) / var(x).
    pub theta: f64,
    /// Of the covariate.
    pub x_mean: f64,
    /// Share of the outcome's variance that goes, the squared correlation; 0..=1.
    pub reduction: f64,
}

impl Cuped {
    /// From pairs; two at least, and the covariate must vary.
    pub fn fit(y: &[f64], x: &[f64]) -> Result<Self> {
        if y.len() != x.len() {
            return Err(Error::Lengths { left: y.len(), right: x.len() });
        }
        let (of_y, of_x) = (Moments::of(sample(y, 2)?)?, Moments::of(sample(x, 2)?)?);
        if of_x.squares == 0.0 {
            return Err(Error::Degenerate("the covariate does not vary"));
        }
        let off: Vec<f64> = x.iter().map(|x| x - of_x.mean).collect();
        let joint = dot(&off, y) - of_y.mean * off.iter().sum::<f64>();
        let theta = finite(joint / of_x.squares, "theta")?;
        let explained = if of_y.squares > 0.0 { theta * (joint / of_y.squares) } else { 0.0 };
        Ok(Self {
            theta,
            x_mean: of_x.mean,
            reduction: finite(explained, "reduction")?.clamp(0.0, 1.0),
        })
    }

    /// Moments of y - θ(x - x̄), for one arm.
    pub fn adjusted(&self, y: &[f64], x: &[f64]) -> Result<Moments> {
        if y.len() != x.len() {
            return Err(Error::Lengths { left: y.len(), right: x.len() });
        }
        let values: Vec<f64> =
            y.iter().zip(x).map(|(y, x)| y - self.theta * (x - self.x_mean)).collect();
        Moments::of(&values)
    }
}

/// Continuous ranked probability score of a normal forecast, in units of the outcome; smaller is better:
/// σ(z(2Φ(z)-1) + 2φ(z) - 1/√π) (Gneiting & Raftery 2007, equation 21). σ = 0 gives the absolute error.
pub fn crps_normal(mean: f64, sigma: f64, outcome: f64) -> Result<f64> {
    let distance = finite(outcome - mean, "error")?;
    if not_negative(sigma, "sigma")? == 0.0 {
        return Ok(distance.abs());
    }
    let z = (distance / sigma).abs();
    // 2Φ(z)-1 = 1-erfc(z/√2), and the rest in σ so that a large z does not overflow.
    let within = libm::erf(z / std::f64::consts::SQRT_2);
    let rest = 2.0 * dist::normal_pdf(z) - std::f64::consts::PI.sqrt().recip();
    finite(distance.abs() * within + sigma * rest, "score")
}

/// Share of outcomes inside their intervals.
pub fn coverage(forecasts: &[(Interval, f64)]) -> Result<f64> {
    if forecasts.is_empty() {
        return Err(Error::TooFew { needed: 1, got: 0 });
    }
    let inside = forecasts.iter().filter(|(interval, outcome)| interval.contains(*outcome)).count();
    Ok(count(inside) / count(forecasts.len()))
}

/// 1 - S/S₀: how much better a mean score is than that of the null forecast; 1 is perfect, below 0 is worse than
/// nothing (Gneiting & Raftery 2007, section 2.3). Scores >= 0, the null's above 0.
pub fn skill(score: f64, null: f64) -> Result<f64> {
    finite(1.0 - not_negative(score, "score")? / positive(null, "null score")?, "skill")
}
