//! Guardrails: events that must not become more frequent, and shares that must not be lower. Exact at any number of them,
//! and whenever they are looked at.

use serde::{Deserialize, Serialize};

use crate::{Result, finite, not_negative, open_share, positive};

/// How many times as frequent an event might be: what the tests are strong against.
const RATIOS: [f64; 4] = [1.5, 2.0, 4.0, 8.0];
/// What might be left of a share.
const SHARES: [f64; 3] = [0.9, 0.75, 0.5];
/// Ratios between which bounds are looked for, as logarithms.
const LN_RATIO_MAX: f64 = 12.0;

/// Something happened to somebody who had been drawn into one of two arms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Whether that was arm 1.
    pub treated: bool,
    /// The probability with which arm 1 was drawn, known beforehand; in (0, 1).
    pub propensity: f64,
}

/// ln of the e-value against "in arm 1 at most `ratio` times as frequent as in arm 0": given an event, it is in arm 1 with
/// probability rp/(1-p+rp) at most, whatever else is true of the one that it happened to. The mixture over [`RATIOS`] of
/// likelihood ratios is a test martingale (Wald 1945; for events of two groups Kulldorff et al. 2011). Its order does not
/// matter. Without events 0.
pub fn ln_e_more(events: &[Event], ratio: f64) -> Result<f64> {
    let null = positive(ratio, "ratio")?;
    let mut sums = [0.0; RATIOS.len()];
    for event in events {
        let p = open_share(event.propensity, "propensity")?;
        for (sum, times) in sums.iter_mut().zip(RATIOS) {
            let more = if event.treated { times } else { 1.0 };
            *sum += (more * (1.0 - p + null * p) / (1.0 - p + null * times * p)).ln();
        }
    }
    finite(ln_mean(&sums), "ln e")
}

/// The lower end of the confidence sequence of that ratio: at least so many times as frequent, at all times at once with
/// probability 1 - `alpha`. 0 while nothing is known.
pub fn ratio_low(events: &[Event], alpha: f64) -> Result<f64> {
    let needed = -open_share(alpha, "alpha")?.ln();
    let (mut low, mut high) = (-LN_RATIO_MAX, LN_RATIO_MAX);
    if ln_e_more(events, low.exp())? < needed {
        return Ok(0.0);
    }
    // The e-value falls as the ratio rises.
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if ln_e_more(events, middle.exp())? >= needed {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low.exp())
}

/// ln of the e-value against "the share of successes is `share` (in (0, 1)) or more", as a mixture over [`SHARES`] of it.
pub fn ln_e_below(successes: f64, failures: f64, share: f64) -> Result<f64> {
    let (s, f) = (not_negative(successes, "successes")?, not_negative(failures, "failures")?);
    let null = open_share(share, "share")?;
    let ln = SHARES.map(|left| s * left.ln() + f * ((1.0 - left * null) / (1.0 - null)).ln());
    finite(ln_mean(&ln), "ln e")
}

/// ln of the mean of what these are the logarithms of.
fn ln_mean(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
    largest + (sum / crate::count(logs.len())).ln()
}
