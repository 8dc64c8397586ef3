//! Statistics that a few extreme values cannot move.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Interval, Result, count, dist, finite, inverse, open_share, positive, sample, whole,
};

/// Percentile by linear interpolation between order statistics; `share` in 0..=1.
///
/// Hyndman & Fan 1996, definition 7: position (n-1)·share.
pub fn percentile(values: &[f64], share: f64) -> Result<f64> {
    let sorted = sorted(values, 1)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::Range("percentile"));
    }
    Ok(interpolate(&sorted, share))
}

/// The 50th percentile.
pub fn median(values: &[f64]) -> Result<f64> {
    percentile(values, 0.5)
}

/// Mean after values beyond two percentiles are moved onto them (Dixon 1960, with interpolated percentiles).
/// `low < high`, both in 0..=1; the seed's learner uses .05 and .95. Of 0/1 outcomes rarer than `1 - high` it
/// is 0: no evidence about rates.
pub fn winsorised_mean(values: &[f64], low: f64, high: f64) -> Result<f64> {
    let sorted = sorted(values, 1)?;
    if !(0.0 <= low && low < high && high <= 1.0) {
        return Err(Error::Range("winsor percentiles"));
    }
    let floor = interpolate(&sorted, low);
    let cap = interpolate(&sorted, high).max(floor);
    mean(sorted.iter().map(|v| v.clamp(floor, cap)), sorted.len())
}

/// Mean after the ⌊n·share⌋ smallest and largest values take the value of their nearest kept neighbour
/// (Dixon 1960, by order statistics); `share` in 0..0.5; the seed's baselines use .10.
pub fn winsorised_mean_ordered(values: &[f64], share: f64) -> Result<f64> {
    let sorted = sorted(values, 1)?;
    let cut = cut(sorted.len(), share)?;
    mean(winsorised(&sorted, cut).into_iter(), sorted.len())
}

/// Mean of what is left when ⌊n·share⌋ values are dropped at each end; `share` in 0..0.5 (Tukey 1962).
pub fn trimmed_mean(values: &[f64], share: f64) -> Result<f64> {
    let sorted = sorted(values, 1)?;
    let kept = kept(&sorted, cut(sorted.len(), share)?);
    mean(kept.iter().copied(), kept.len())
}

/// Tukey's fences (1977): quartiles less and plus `reach` (1.5) times their distance. `None` when the quartiles
/// coincide: half of the values being equal is no reason to call the others outliers.
pub fn tukey_fences(values: &[f64], reach: f64) -> Result<Option<Interval>> {
    let sorted = sorted(values, 1)?;
    positive(reach, "reach of the fences")?;
    let (q1, q3) = (interpolate(&sorted, 0.25), interpolate(&sorted, 0.75));
    let spread = q3 - q1;
    if spread == 0.0 {
        return Ok(None);
    }
    Interval::new(q1 - reach * spread, q3 + reach * spread).map(Some)
}

/// A trimmed mean with what its interval rests on. It estimates the trimmed mean of the population, not the mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trimmed {
    /// The trimmed mean.
    pub estimate: f64,
    /// s_w / ((1-2γ)√n), s_w the Winsorised standard deviation.
    pub standard_error: f64,
    /// Values left less one.
    pub df: f64,
    /// At the asked level.
    pub interval: Interval,
}

/// Interval for a trimmed mean (Tukey & McLaughlin 1963). `share` in 0..0.5 at each end.
pub fn trimmed_interval(values: &[f64], share: f64, alpha: f64) -> Result<Trimmed> {
    let sorted = sorted(values, 2)?;
    open_share(alpha, "alpha")?;
    let cut = cut(sorted.len(), share)?;
    let kept = kept(&sorted, cut);
    if kept.len() < 2 {
        return Err(Error::TooFew { needed: 2, got: kept.len() });
    }
    let n = count(sorted.len());
    let estimate = mean(kept.iter().copied(), kept.len())?;
    let deviation = finite(variance(&winsorised(&sorted, cut)), "variance")?.sqrt();
    let standard_error = deviation / ((1.0 - 2.0 * share) * n.sqrt());
    let df = count(kept.len() - 1);
    let half = inverse::student_two_sided(alpha, df) * standard_error;
    Ok(Trimmed { estimate, standard_error, df, interval: Interval::around(estimate, half)? })
}

/// A test on two trimmed means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Yuen {
    /// First trimmed mean less second.
    pub difference: f64,
    /// Yuen's statistic.
    pub t: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// Two-sided, never 0.
    pub p: f64,
    /// Of the difference, at the asked level.
    pub interval: Interval,
}

/// Two trimmed means without equal variances (Yuen 1974): d = (n-1)s_w²/(h(h-1)) per sample.
pub fn yuen(a: &[f64], b: &[f64], share: f64, alpha: f64) -> Result<Yuen> {
    open_share(alpha, "alpha")?;
    let ((mean_a, d_a, df_a), (mean_b, d_b, df_b)) = (yuen_part(a, share)?, yuen_part(b, share)?);
    let square = d_a + d_b;
    if square == 0.0 {
        return Err(Error::Degenerate("no variance between the trimmed values"));
    }
    let (share_a, share_b) = (d_a / square, d_b / square);
    let df = 1.0 / (share_a * share_a / df_a + share_b * share_b / df_b);
    let difference = finite(mean_a - mean_b, "difference")?;
    let t = finite(difference / square.sqrt(), "statistic")?;
    let p = dist::p_of(dist::ln_student_two_sided(t, df));
    let half = inverse::student_two_sided(alpha, df) * square.sqrt();
    Ok(Yuen { difference, t, df, p, interval: Interval::around(difference, half)? })
}

/// Trimmed mean, d and degrees of freedom of one sample.
fn yuen_part(values: &[f64], share: f64) -> Result<(f64, f64, f64)> {
    let sorted = sorted(values, 2)?;
    let cut = cut(sorted.len(), share)?;
    let kept = kept(&sorted, cut);
    if kept.len() < 2 {
        return Err(Error::TooFew { needed: 2, got: kept.len() });
    }
    let h = count(kept.len());
    let square = (count(sorted.len()) - 1.0) * variance(&winsorised(&sorted, cut));
    let d = finite(square / (h * (h - 1.0)), "variance")?;
    Ok((mean(kept.iter().copied(), kept.len())?, d, h - 1.0))
}

fn sorted(values: &[f64], needed: usize) -> Result<Vec<f64>> {
    let mut sorted = sample(values, needed)?.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(sorted)
}

/// At a share of the way through sorted values, of which there is one at least.
fn interpolate(sorted: &[f64], share: f64) -> f64 {
    let position = count(sorted.len().saturating_sub(1)) * share;
    let below = position.floor();
    let at = |index: f64| sorted.get(whole(index)).or(sorted.last()).copied().unwrap_or(0.0);
    let (low, high) = (at(below), at(below + 1.0));
    // In this form no difference overflows.
    let part = position - below;
    (low * (1.0 - part) + high * part).clamp(low, high)
}

fn cut(n: usize, share: f64) -> Result<usize> {
    if !(0.0..0.5).contains(&share) {
        return Err(Error::Range("share trimmed"));
    }
    Ok(whole((count(n) * share).floor()))
}

fn kept(sorted: &[f64], cut: usize) -> &[f64] {
    sorted.get(cut..sorted.len().saturating_sub(cut)).unwrap_or_default()
}

fn winsorised(sorted: &[f64], cut: usize) -> Vec<f64> {
    let kept = kept(sorted, cut);
    let low = kept.first().copied().unwrap_or(0.0);
    let high = kept.last().copied().unwrap_or(0.0);
    sorted.iter().map(|v| v.clamp(low, high)).collect()
}

fn mean(values: impl Iterator<Item = f64>, n: usize) -> Result<f64> {
    finite(values.sum::<f64>() / count(n), "mean")
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / count(values.len());
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    squares / count(values.len().saturating_sub(1).max(1))
}
