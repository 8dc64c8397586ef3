//! Weights that sum to 1 within bounds, and steps that keep them so.

use crate::{Error, Interval, Result, count, finite, positive};

/// How far a sum may be from 1.
pub const SUM_TOLERANCE: f64 = 1e-12;

/// The exponentiated-gradient step w' ∝ w·exp(ηg) (Kivinen & Warmuth 1997), before any bound. Weights >= 0 and
/// not all 0; η and the gradient are finite. A weight of 0 stays 0.
pub fn exponentiated(weights: &[f64], gradient: &[f64], eta: f64) -> Result<Vec<f64>> {
    if weights.len() != gradient.len() {
        return Err(Error::Lengths { left: weights.len(), right: gradient.len() });
    }
    let mut logs = Vec::with_capacity(weights.len());
    for (w, g) in weights.iter().zip(gradient) {
        logs.push(crate::not_negative(*w, "weight")?.ln() + finite(eta * g, "gradient")?);
    }
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return Err(Error::Degenerate("no weight above 0"));
    }
    let raised: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
    let sum: f64 = raised.iter().sum();
    Ok(raised.iter().map(|r| r / sum).collect())
}

/// The point of {Σ = 1, bounds} nearest to `values` in Kullback-Leibler divergence: every value times one
/// factor, clipped to its bounds. That is the projection which belongs to the exponentiated gradient (Herbster &
/// Warmuth 2001), and the factor is found exactly: the sum is piecewise linear in it.
///
/// Values >= 0, one bound each with 0 <= low <= high; the bounds must leave room for 1 (low ends <= 1 <= high ends).
/// The sum is 1 ± [`SUM_TOLERANCE`] and every bound holds exactly.
pub fn project(values: &[f64], bounds: &[Interval]) -> Result<Vec<f64>> {
    if values.len() != bounds.len() {
        return Err(Error::Lengths { left: values.len(), right: bounds.len() });
    }
    let lows: f64 = bounds.iter().map(|b| b.low).sum();
    let highs: f64 = bounds.iter().map(|b| b.high).sum();
    let valid = bounds.iter().all(|b| 0.0 <= b.low && b.low <= b.high && b.high.is_finite());
    if !valid || lows > 1.0 + SUM_TOLERANCE || highs < 1.0 - SUM_TOLERANCE {
        return Err(Error::Range("bounds"));
    }
    let largest = values.iter().copied().fold(0.0, f64::max);
    let mut masses = Vec::with_capacity(values.len());
    for value in values {
        // Relative to the largest, so that no factor overflows; a 0 can still be lifted.
        let value = crate::not_negative(*value, "value")?;
        masses.push(if largest > 0.0 { (value / largest).max(1e-100) } else { 1.0 });
    }
    let factor = factor(&masses, bounds);
    let clipped = masses.iter().zip(bounds).map(|(m, b)| (m * factor).clamp(b.low, b.high));
    let mut weights: Vec<f64> = clipped.collect();
    settle(&mut weights, bounds);
    let off = (weights.iter().sum::<f64>() - 1.0).abs();
    if off <= SUM_TOLERANCE { Ok(weights) } else { Err(Error::NotFinite("projection")) }
}

/// The c for which Σ clip(c·m) is 1, between the two breakpoints that enclose it.
fn factor(masses: &[f64], bounds: &[Interval]) -> f64 {
    let sum_at = |c: f64| -> f64 {
        masses.iter().zip(bounds).map(|(m, b)| (m * c).clamp(b.low, b.high)).sum()
    };
    let ends = masses.iter().zip(bounds).flat_map(|(m, b)| [b.low / m, b.high / m]);
    let mut points: Vec<f64> = ends.collect();
    points.sort_by(f64::total_cmp);
    let after = points.partition_point(|c| sum_at(*c) < 1.0);
    let high = points.get(after).or(points.last()).copied().unwrap_or(1.0);
    let low = after.checked_sub(1).and_then(|i| points.get(i)).copied().unwrap_or(high);
    let (sum_low, sum_high) = (sum_at(low), sum_at(high));
    if sum_high <= sum_low {
        return high;
    }
    low + (high - low) * ((1.0 - sum_low) / (sum_high - sum_low)).clamp(0.0, 1.0)
}

/// Gives what rounding left of the sum to weights with room.
fn settle(weights: &mut [f64], bounds: &[Interval]) {
    for _ in 0..3 {
        for index in 0..weights.len() {
            let rest = 1.0 - weights.iter().sum::<f64>();
            if rest == 0.0 {
                return;
            }
            if let (Some(weight), Some(bound)) = (weights.get_mut(index), bounds.get(index)) {
                *weight = (*weight + rest).clamp(bound.low, bound.high);
            }
        }
    }
}

/// The limits of one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Of every weight; the seed's are .05 and .95.
    pub bounds: Interval,
    /// Largest change of one weight in one update, above 0; the seed's is .2.
    pub change_max: f64,
}

/// One update: exponentiated gradient, then the projection onto what bounds and the largest change leave of the
/// simplex. Old weights must sum to 1 and keep the bounds, each within 1e-9; the new ones do, and lie within `change_max` of the
/// old ones, to the last bits.
pub fn update(weights: &[f64], gradient: &[f64], eta: f64, limits: &Limits) -> Result<Vec<f64>> {
    let change = positive(limits.change_max, "largest change")?;
    let Interval { low, high } = Interval::new(limits.bounds.low, limits.bounds.high)?;
    let sum: f64 = weights.iter().sum();
    let within = weights.iter().all(|w| low - 1e-9 <= *w && *w <= high + 1e-9);
    if !within || (sum - 1.0).abs() > 1e-9 * count(weights.len()).max(1.0) {
        return Err(Error::Range("old weights"));
    }
    // Into the bounds first: the box around an old weight must touch them.
    let around = |w: &f64| {
        let w = w.clamp(low, high);
        Interval::new((w - change).max(low), (w + change).min(high))
    };
    let bounds: Vec<Interval> = weights.iter().map(around).collect::<Result<_>>()?;
    project(&exponentiated(weights, gradient, eta)?, &bounds)
}
