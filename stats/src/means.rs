//! Means of continuous outcomes: running moments, t intervals and tests, effect sizes.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Interval, Result, dist, finite, inverse, not_negative, open_share, positive, sample,
};

/// Count, mean and sum of squares, updated value by value (Welford 1962) and mergeable (Chan, Golub & LeVeque
/// 1979), so that batches may come in any order and size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Observations.
    pub n: u64,
    /// Their mean; 0 without any.
    pub mean: f64,
    /// Sum of squared distances from the mean.
    pub squares: f64,
}

impl Moments {
    /// Of all values, which must be finite.
    pub fn of(values: &[f64]) -> Result<Self> {
        sample(values, 0)?.iter().try_fold(Self::default(), |moments, v| moments.with(*v))
    }

    /// Of zeros and ones: `hits` ones among `n`, at most all of them.
    #[must_use]
    pub fn of_hits(hits: u32, n: u32) -> Self {
        let mean = if n > 0 { f64::from(hits) / f64::from(n) } else { 0.0 };
        Self { n: n.into(), mean, squares: f64::from(n) * mean * (1.0 - mean) }
    }

    /// With one more value, which must be finite.
    pub fn with(self, value: f64) -> Result<Self> {
        self.merge(Self { n: 1, mean: value, squares: 0.0 })
    }

    /// Both together.
    pub fn merge(self, other: Self) -> Result<Self> {
        let (a, b) = (self.size(), other.size());
        if other.n == 0 {
            return Ok(self);
        }
        let share = b / (a + b);
        let step = other.mean - self.mean;
        let mean = finite(self.mean + step * share, "mean")?;
        let squares = self.squares + other.squares + step * step * a * share;
        Ok(Self { n: self.n.saturating_add(other.n), mean, squares: finite(squares, "variance")? })
    }

    /// Unbiased variance; needs two observations.
    pub fn variance(&self) -> Result<f64> {
        if self.n < 2 {
            return Err(Error::TooFew { needed: 2, got: usize::try_from(self.n).unwrap_or(0) });
        }
        not_negative(self.squares / (self.size() - 1.0), "variance")
    }

    /// Of the mean; needs two observations.
    pub fn standard_error(&self) -> Result<f64> {
        Ok((self.variance()? / self.size()).sqrt())
    }

    /// The count as a number.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "counts are far below 2^53")]
    pub fn size(&self) -> f64 {
        self.n as f64
    }
}

/// A t test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// What is tested against 0: a mean, or the first mean less the second.
    pub estimate: f64,
    /// Its standard error, above 0.
    pub standard_error: f64,
    /// The statistic.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// Two-sided; exact down to the smallest `f64`, where it stays instead of becoming 0.
    pub p: f64,
    /// Its logarithm, exact below that too.
    pub ln_p: f64,
    /// For the estimate.
    pub interval: Interval,
}

impl Test {
    fn new(estimate: f64, standard_error: f64, df: f64, alpha: f64) -> Result<Self> {
        if standard_error == 0.0 {
            return Err(Error::Degenerate("no variance"));
        }
        let t = finite(estimate / standard_error, "statistic")?;
        let ln_p = dist::ln_student_two_sided(t, df);
        let half = inverse::student_two_sided(alpha, df) * standard_error;
        let interval = Interval::around(finite(estimate, "estimate")?, half)?;
        Ok(Self { estimate, standard_error, t, df, p: dist::p_of(ln_p), ln_p, interval })
    }
}

/// Interval for a mean (Student 1908).
pub fn t_interval(moments: &Moments, alpha: f64) -> Result<Interval> {
    open_share(alpha, "alpha")?;
    let half =
        inverse::student_two_sided(alpha, moments.size() - 1.0) * moments.standard_error()?;
    Interval::around(moments.mean, half)
}

/// One mean against `expected` (Student 1908); `estimate` is the distance.
pub fn one_sample(moments: &Moments, expected: f64, alpha: f64) -> Result<Test> {
    open_share(alpha, "alpha")?;
    finite(expected, "expected mean")?;
    let se = moments.standard_error()?;
    Test::new(moments.mean - expected, se, moments.size() - 1.0, alpha)
}

/// Pairs, by their differences first - second.
pub fn paired(first: &[f64], second: &[f64], alpha: f64) -> Result<Test> {
    if first.len() != second.len() {
        return Err(Error::Lengths { left: first.len(), right: second.len() });
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    one_sample(&Moments::of(&differences)?, 0.0, alpha)
}

/// Two means without equal variances (Welch 1947, degrees of freedom by Satterthwaite 1946).
pub fn welch(a: &Moments, b: &Moments, alpha: f64) -> Result<Test> {
    open_share(alpha, "alpha")?;
    let (part_a, part_b) = (a.variance()? / a.size(), b.variance()? / b.size());
    let square = part_a + part_b;
    let (share_a, share_b) = (part_a / square, part_b / square);
    let df = 1.0 / (share_a * share_a / (a.size() - 1.0) + share_b * share_b / (b.size() - 1.0));
    Test::new(a.mean - b.mean, square.sqrt(), df, alpha)
}

/// Cohen's d with the pooled deviation (Cohen 1988, equation 2.5.1), first less second.
pub fn cohens_d(a: &Moments, b: &Moments) -> Result<f64> {
    let df = a.size() + b.size() - 2.0;
    let pooled = ((a.size() - 1.0) * a.variance()? + (b.size() - 1.0) * b.variance()?) / df;
    if pooled == 0.0 {
        return Err(Error::Degenerate("no variance"));
    }
    finite((a.mean - b.mean) / pooled.sqrt(), "effect")
}

/// Hedges' g: d without its bias in small samples, J = Γ(m/2)/(√(m/2)·Γ((m-1)/2)) exact (Hedges 1981, eq. 6e).
pub fn hedges_g(a: &Moments, b: &Moments) -> Result<f64> {
    let d = cohens_d(a, b)?;
    let half = (a.size() + b.size() - 2.0) / 2.0;
    // Γ(x)/Γ(x-½) through B(x-½, ½) = Γ(x-½)√π/Γ(x).
    let ratio = 0.5 * std::f64::consts::PI.ln() - dist::ln_beta(half - 0.5, 0.5);
    Ok(d * (ratio - 0.5 * half.ln()).exp())
}

/// Cohen's h of two rates in 0..=1: 2 asin √p₁ - 2 asin √p₂ (Cohen 1988, equation 6.2.1).
pub fn cohens_h(p1: f64, p2: f64) -> Result<f64> {
    if !((0.0..=1.0).contains(&p1) && (0.0..=1.0).contains(&p2)) {
        return Err(Error::Range("rate"));
    }
    Ok(2.0 * p1.sqrt().asin() - 2.0 * p2.sqrt().asin())
}

/// Values per arm with which a two-sided test finds a difference of `effect` (in standard deviations, not 0)
/// with probability `power`: 2((z₁₋α/₂+z_power)/d)² (Cohen 1988, section 2.4, normal form).
pub fn sample_size(effect: f64, alpha: f64, power: f64) -> Result<f64> {
    let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0)
        + inverse::normal(open_share(power, "power")?);
    let effect = positive(effect.abs(), "effect")?;
    finite((2.0 * (z / effect).powi(2)).ceil(), "sample size")
}
