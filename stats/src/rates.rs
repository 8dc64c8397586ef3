//! Rates of 0/1 outcomes and of counts: intervals, sizes, posteriors and how two of them compare.

use serde::{Deserialize, Serialize};

use crate::{Error, Interval, Result, dist, finite, inverse, not_negative, open_share, positive};

/// More terms than this and the sum gives way to the integral.
const TERMS_MAX: f64 = 1e6;

/// Wilson's score interval (1927) of `successes` among `trials`, `trials` > 0; fractions are allowed.
pub fn wilson(successes: f64, trials: f64, alpha: f64) -> Result<Interval> {
    let p = rate(successes, trials)?;
    let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0);
    let square = z * z;
    let scale = 1.0 / (1.0 + square / trials);
    let middle = scale * (p + square / (2.0 * trials));
    let half = scale * z * (p * (1.0 - p) / trials + square / (4.0 * trials * trials)).sqrt();
    // At the ends the two halves are equal; what rounding leaves must not exclude the estimate.
    let low = if successes == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if successes == trials { 1.0 } else { (middle + half).min(1.0) };
    Interval::new(low, high)
}

/// Jeffreys' equal-tailed interval, of Beta(s+½, f+½), with the end at 0 or 1 where all outcomes are alike
/// (Brown, Cai & DasGupta 2001, section 4.1.2).
pub fn jeffreys(successes: f64, trials: f64, alpha: f64) -> Result<Interval> {
    rate(successes, trials)?;
    open_share(alpha, "alpha")?;
    let (a, b) = (successes + 0.5, trials - successes + 0.5);
    let low = if successes == 0.0 { 0.0 } else { inverse::beta(alpha / 2.0, a, b) };
    let high = if successes == trials { 1.0 } else { upper(alpha / 2.0, a, b) };
    Interval::new(low, high)
}

/// Trials per arm to tell `p1` from `p2` (both in 0..1, not equal) with probability `power`:
/// (z₁₋α/₂+z_power)²(p₁q₁+p₂q₂)/(p₁-p₂)² (Fleiss 1981, equation 3.14 without pooling), rounded up.
pub fn sample_size(p1: f64, p2: f64, alpha: f64, power: f64) -> Result<f64> {
    let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0)
        + inverse::normal(open_share(power, "power")?);
    let (p1, p2) = (open_share(p1, "rate")?, open_share(p2, "rate")?);
    finite((z * z * spread(p1, p2) / (p1 - p2).powi(2)).ceil(), "sample size")
}

/// The least rise above `p` that `trials` per arm find with probability `power`: the inverse of
/// [`sample_size`]. `None` when not even a rise to 1 would be found.
pub fn detectable_rise(p: f64, trials: f64, alpha: f64, power: f64) -> Result<Option<f64>> {
    let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0)
        + inverse::normal(open_share(power, "power")?);
    let (p, n) = (open_share(p, "rate")?, positive(trials, "trials")?);
    // n d² = z²(pq + (p+d)(q-d)) is quadratic in d; its positive root.
    let square = z * z / n;
    let (a, b, c) = (1.0 + square, -square * (1.0 - 2.0 * p), -2.0 * square * p * (1.0 - p));
    let root = (-b + (b * b - 4.0 * a * c).sqrt()) / (2.0 * a);
    Ok((root < 1.0 - p).then_some(root))
}

/// A beta distribution: what is known of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beta {
    /// Successes, with the prior's; > 0.
    pub a: f64,
    /// Failures, with the prior's; > 0.
    pub b: f64,
}

impl Beta {
    /// Jeffreys' prior, Beta(½, ½).
    pub const JEFFREYS: Self = Self { a: 0.5, b: 0.5 };
    /// The seed's prior, Beta(1, 1).
    pub const FLAT: Self = Self { a: 1.0, b: 1.0 };

    /// Both parameters finite and above 0.
    pub fn new(a: f64, b: f64) -> Result<Self> {
        Ok(Self { a: positive(a, "beta parameter")?, b: positive(b, "beta parameter")? })
    }

    /// After more outcomes (both >= 0).
    pub fn updated(self, successes: f64, failures: f64) -> Result<Self> {
        let (s, f) = (not_negative(successes, "successes")?, not_negative(failures, "failures")?);
        Self::new(self.a + s, self.b + f)
    }

    /// a/(a+b).
    #[must_use]
    pub fn mean(&self) -> f64 {
        1.0 / (1.0 + self.b / self.a)
    }

    /// ab/((a+b)²(a+b+1)).
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.mean() * (self.b / (self.a + self.b)) / (self.a + self.b + 1.0)
    }

    /// Equal-tailed, with probability `1 - alpha`.
    pub fn interval(&self, alpha: f64) -> Result<Interval> {
        let (tail, Self { a, b }) = (open_share(alpha, "alpha")? / 2.0, Self::new(self.a, self.b)?);
        Interval::new(inverse::beta(tail, a, b), upper(tail, a, b))
    }

    /// P(rate > x).
    pub fn above(&self, x: f64) -> Result<f64> {
        let Self { a, b } = Self::new(self.a, self.b)?;
        let x = finite(x, "rate")?.clamp(0.0, 1.0);
        Ok(dist::ln_beta_tails(a, b, x, 1.0 - x).1.exp())
    }

    /// P(this rate > `other`'s), both independent.
    ///
    /// With an integer parameter the finite sum of Miller (2013, "Formulas for Bayesian A/B testing", eq. 6),
    /// else the integral of density times distribution function over the logit by the trapezoidal rule, whose
    /// error falls exponentially there (Trefethen & Weideman 2014). Both to about 1e-12 for parameters up to 1e6 or so, in the tails too.
    pub fn beats(&self, other: &Self) -> Result<f64> {
        let (winner, loser) = (Self::new(self.a, self.b)?, Self::new(other.a, other.b)?);
        let whole = |v: f64| v.fract() == 0.0 && v <= TERMS_MAX;
        // Mirrored, a rate is above the other where its complement is below.
        let (mirrored_winner, mirrored_loser) = (loser.mirrored(), winner.mirrored());
        let sum = match (whole(winner.a), whole(loser.b)) {
            (true, true) if winner.a <= loser.b => beats_sum(&winner, &loser),
            (true, false) => beats_sum(&winner, &loser),
            (_, true) => beats_sum(&mirrored_winner, &mirrored_loser),
            (false, false) => beats_integral(&winner, &loser),
        };
        Ok(sum.clamp(0.0, 1.0))
    }

    /// E[max(`other`'s rate - this rate, 0)]: what choosing this one is expected to cost (Stucchi 2015:
    /// E[θ'·1(θ'>θ)] raises the first parameter by one). For reports, never a rule that bounds errors.
    pub fn expected_loss(&self, other: &Self) -> Result<f64> {
        let (this, raised) = (Self::new(self.a, self.b)?, Self::new(self.a + 1.0, self.b)?);
        let other_raised = Self::new(other.a + 1.0, other.b)?;
        let gain = other.mean() * other_raised.beats(&this)?;
        Ok((gain - this.mean() * other.beats(&raised)?).max(0.0))
    }

    /// Logarithm of an e-value against "the rate is at least `bound`", a share: this distribution, cut to the rates below
    /// `bound`, mixes the likelihood ratios against `bound`. Each of those is a supermartingale at any rate from `bound`
    /// on, so the value may be looked at after every outcome (Robbins 1970; Ramdas et al. 2023, section 4.2). The order
    /// of the outcomes is of no matter; both numbers are >= 0.
    pub fn ln_e_below(&self, bound: f64, successes: f64, failures: f64) -> Result<f64> {
        let bound = open_share(bound, "rate")?;
        let (before, after) = (Self::new(self.a, self.b)?, self.updated(successes, failures)?);
        let mass = |of: &Self| {
            dist::ln_beta(of.a, of.b) + dist::ln_beta_tails(of.a, of.b, bound, 1.0 - bound).0
        };
        let at_bound = successes * bound.ln() + failures * (-bound).ln_1p();
        finite(mass(&after) - mass(&before) - at_bound, "e-value")
    }

    /// As [`Self::ln_e_below`], against "the rate is at most `bound`".
    pub fn ln_e_above(&self, bound: f64, successes: f64, failures: f64) -> Result<f64> {
        self.mirrored().ln_e_below(1.0 - bound, failures, successes)
    }

    fn mirrored(&self) -> Self {
        Self { a: self.b, b: self.a }
    }
}

/// Σ_{i<a} B(α+i, β+b) / ((b+i)·B(1+i,b)·B(α,β)) for the winner (a, b) over the loser (α, β), `a` an integer.
fn beats_sum(winner: &Beta, loser: &Beta) -> f64 {
    let both = loser.b + winner.b;
    let mut ln_scale = dist::ln_beta(loser.a, both) - dist::ln_beta(loser.a, loser.b);
    let (mut term, mut sum, mut i) = (1.0, 1.0, 1.0);
    while i < winner.a {
        let before = i - 1.0;
        term *= (loser.a + before) / (loser.a + both + before) * ((winner.b + before) / i);
        sum += term;
        if sum > 1e250 {
            (term, sum) = (term * 1e-250, sum * 1e-250);
            ln_scale += 250.0 * std::f64::consts::LN_10;
        }
        i += 1.0;
    }
    (ln_scale + sum.ln()).exp()
}

/// Over the narrower of the two, beside which the other's distribution function is smooth.
fn beats_integral(winner: &Beta, loser: &Beta) -> f64 {
    let deviation = |d: &Beta| (1.0 / d.a + 1.0 / d.b).sqrt();
    let over_winner = deviation(winner) <= deviation(loser);
    let (narrow, wide) = if over_winner { (winner, loser) } else { (loser, winner) };
    let low = inverse::beta_logit(f64::MIN_POSITIVE, narrow.a, narrow.b);
    let high = -inverse::beta_logit(f64::MIN_POSITIVE, narrow.b, narrow.a);
    let step = (0.4 * deviation(narrow)).min(0.25);
    let (mut sum, mut u) = (0.0, low);
    // A step too small to move `u` belongs to parameters near 1e30.
    while u <= high && u + step > u {
        let (x, y) = inverse::logistic(u);
        let (below, above) = dist::ln_beta_tails(wide.a, wide.b, x, y);
        let density = dist::ln_beta_lead(narrow.a, narrow.b, x, y);
        sum += (density + if over_winner { below } else { above }).exp();
        u += step;
    }
    sum * step
}

/// A gamma distribution: what is known of a rate of counts per unit of exposure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gamma {
    /// Events, with the prior's; > 0.
    pub shape: f64,
    /// Exposure, with the prior's; > 0.
    pub rate: f64,
}

impl Gamma {
    /// Both parameters finite and above 0.
    pub fn new(shape: f64, rate: f64) -> Result<Self> {
        Ok(Self { shape: positive(shape, "shape")?, rate: positive(rate, "rate")? })
    }

    /// After `events` in `exposure`, both >= 0 (Gelman et al. 2013, section 2.6).
    pub fn updated(self, events: f64, exposure: f64) -> Result<Self> {
        let (events, exposure) =
            (not_negative(events, "events")?, not_negative(exposure, "exposure")?);
        Self::new(self.shape + events, self.rate + exposure)
    }

    /// Events per unit of exposure.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.shape / self.rate
    }

    /// Of that rate.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.shape / self.rate / self.rate
    }

    /// Equal-tailed, with probability `1 - alpha`.
    pub fn interval(&self, alpha: f64) -> Result<Interval> {
        let tail = open_share(alpha, "alpha")? / 2.0;
        let Self { shape, rate } = Self::new(self.shape, self.rate)?;
        Interval::new(inverse::gamma(tail, shape) / rate, inverse::gamma(1.0 - tail, shape) / rate)
    }

    /// P(this rate > `other`'s): the share of one of two gamma variables is a beta variable
    /// (Johnson, Kotz & Balakrishnan 1995, section 25.2).
    pub fn beats(&self, other: &Self) -> Result<f64> {
        let (this, other) =
            (Self::new(self.shape, self.rate)?, Self::new(other.shape, other.rate)?);
        let (x, y) = inverse::logistic(other.rate.ln() - this.rate.ln());
        Ok(dist::ln_beta_tails(other.shape, this.shape, x, y).0.exp())
    }
}

/// The value exceeded with probability `tail`; its complement is solved for, which keeps the tail's digits.
fn upper(tail: f64, a: f64, b: f64) -> f64 {
    inverse::logistic(-inverse::beta_logit(tail, b, a)).0
}

fn rate(successes: f64, trials: f64) -> Result<f64> {
    let (successes, trials) = (not_negative(successes, "successes")?, positive(trials, "trials")?);
    if successes > trials { Err(Error::Range("successes")) } else { Ok(successes / trials) }
}

/// p₁q₁+p₂q₂.
fn spread(p1: f64, p2: f64) -> f64 {
    p1 * (1.0 - p1) + p2 * (1.0 - p2)
}
