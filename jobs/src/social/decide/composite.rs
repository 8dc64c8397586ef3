//! One number of four signals, and how far off it may be.

use super::{inputs::Signals, weights::Effective};
use crate::social::score::unit;

/// Standard deviation of a signal of full confidence, and what is added as confidence falls to 0: then it is that
/// of about one missed cue. An assumption, until outcomes say better.
const SIGMA_SURE: f64 = 0.02;
const SIGMA_UNSURE: f64 = 0.08;
/// Standard deviation that unlearned weights bring.
const SIGMA_WEIGHTS: f64 = 0.03;
/// Standard normal quantile of a 90 % interval.
const Z90: f64 = 1.645;

/// The composite score.
pub(super) struct Composite {
    /// 0..=1.
    pub(super) value: f64,
    /// Its standard deviation, > 0.
    pub(super) sigma: f64,
    /// The 90 % interval, within 0..=1.
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Standard deviation of a signal's score: 0.02 + 0.08 (1 - confidence).
pub(super) fn sigma(confidence: f64) -> f64 {
    SIGMA_SURE + SIGMA_UNSURE * (1.0 - unit(confidence))
}

/// `clamp(sum w s + w_sss_ars sss ars + w_evs_trs e trs)`, e the logarithmic form of EVS (spec 3.2).
///
/// Its variance is that of the signals carried through the formula (first order), plus that of the weights,
/// 0.03^2 / (1 + n / `min_sample`): the interval narrows with every signal's confidence and with the observations.
pub(super) fn composite(signals: &Signals, weights: &Effective, min_sample: f64) -> Composite {
    let w = &weights.values;
    let (sss, ars) = (&signals.sss, &signals.ars);
    let (evs, trs) = (&signals.evs.signal, &signals.trs.signal);
    let value = w.sss * sss.score
        + w.ars * ars.score
        + w.evs * evs.score
        + w.trs * trs.score
        + w.sss_ars * sss.score * ars.score
        + w.evs_trs * evs.score * trs.score;
    let slopes = [
        (w.sss + w.sss_ars * ars.score, sss.confidence),
        (w.ars + w.sss_ars * sss.score, ars.confidence),
        (w.evs + w.evs_trs * trs.score, evs.confidence),
        (w.trs + w.evs_trs * evs.score, trs.confidence),
    ];
    let noise: f64 =
        slopes.iter().map(|(slope, confidence)| (slope * sigma(*confidence)).powi(2)).sum();
    let n = f64::from(u32::try_from(weights.sample_size.max(0)).unwrap_or(u32::MAX));
    let sigma = (noise + SIGMA_WEIGHTS.powi(2) / (1.0 + n / min_sample)).sqrt();
    let value = unit(value);
    Composite { value, sigma, lower: unit(value - Z90 * sigma), upper: unit(value + Z90 * sigma) }
}
