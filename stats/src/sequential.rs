//! Tests that may be looked at after every observation, and false discoveries among many.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Interval, Result, count, finite, means::Moments, not_negative, open_share, positive,
};

/// Outcomes of one arm so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Of 0/1 outcomes.
    pub successes: f64,
    /// > 0.
    pub trials: f64,
}

/// ln Λ of the mixture sequential probability ratio test for a difference with the estimated `variance` of
/// that difference and a N(0, `tau`²) mixture: ½ln(s/(s+τ²)) + τ²Δ²/(2s(s+τ²)), s = V/n
/// (Robbins 1970; Johari, Koomen, Pekelis & Walsh 2022, equation 9). Stop when Λ >= 1/α.
pub fn ln_lambda(difference: f64, variance: f64, tau: f64) -> Result<f64> {
    let s = positive(variance, "variance of the difference")?;
    let mixture = positive(tau, "tau")?.powi(2);
    let square = finite(difference, "difference")?.powi(2);
    let evidence = 0.5 * (mixture / (s + mixture)) * (square / s);
    finite(0.5 * (s / (s + mixture)).ln() + evidence, "ln lambda")
}

/// The same for two rates, s = p̂q̂/n + p̂q̂/n. While neither arm has seen both outcomes there is no evidence: 0.
pub fn ln_lambda_rates(a: &Arm, b: &Arm, tau: f64) -> Result<f64> {
    let ((p_a, s_a), (p_b, s_b)) = (rate(a)?, rate(b)?);
    positive(tau, "tau")?;
    if s_a + s_b == 0.0 { Ok(0.0) } else { ln_lambda(p_a - p_b, s_a + s_b, tau) }
}

/// The same for two means with estimated variances. Needs two values per arm; begin after some dozens, as the
/// guarantee is asymptotic.
pub fn ln_lambda_means(a: &Moments, b: &Moments, tau: f64) -> Result<f64> {
    let s = a.standard_error()?.powi(2) + b.standard_error()?.powi(2);
    ln_lambda(a.mean - b.mean, s, tau)
}

/// An always-valid p-value: the least 1/Λ so far (Johari et al. 2022, section 4). It only falls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AlwaysValid {
    /// Greatest ln Λ so far, at least 0.
    pub ln_lambda: f64,
}

impl Default for AlwaysValid {
    fn default() -> Self {
        Self { ln_lambda: 0.0 }
    }
}

impl AlwaysValid {
    /// Takes the next look; NaN changes nothing.
    #[must_use]
    pub fn look(self, ln_lambda: f64) -> Self {
        Self { ln_lambda: self.ln_lambda.max(ln_lambda) }
    }

    /// In 0..=1; never 0.
    #[must_use]
    pub fn p(&self) -> f64 {
        crate::dist::p_of(-self.ln_lambda)
    }
}

/// Half-width of the asymptotic confidence sequence for a mean of `n` scores with standard deviation `sigma`:
/// σ√(2(nρ²+1)/(n²ρ²)·ln(√(nρ²+1)/α)) (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2021, theorem 2.2).
/// Valid at all n together, once there are some dozens of scores.
pub fn half_width(n: f64, sigma: f64, rho: f64, alpha: f64) -> Result<f64> {
    let (n, sigma) = (positive(n, "n")?, not_negative(sigma, "sigma")?);
    let (rho, alpha) = (positive(rho, "rho")?, open_share(alpha, "alpha")?);
    let scaled = n * rho * rho;
    let log = 0.5 * scaled.ln_1p() - alpha.ln();
    finite(sigma * (2.0 * (1.0 + 1.0 / scaled) / n * log).sqrt(), "half-width")
}

/// The confidence sequence of a mean at its current n. Needs two scores that differ: equal ones say nothing of the
/// deviation, and would make a point of the interval. With rare outcomes begin after some 20 successes per arm.
pub fn confidence_sequence(scores: &Moments, rho: f64, alpha: f64) -> Result<Interval> {
    let sigma = scores.variance()?.sqrt();
    if sigma == 0.0 {
        return Err(Error::Degenerate("no variance"));
    }
    Interval::around(scores.mean, half_width(scores.size(), sigma, rho, alpha)?)
}

/// Logarithm of the e-value against a mean of 0, of the mixture that [`confidence_sequence`] is of: the sequence leaves 0
/// out where this is above ln(1/α). 0 while the scores do not differ.
pub fn ln_mixture(scores: &Moments, rho: f64) -> Result<f64> {
    let variance = scores.variance()?;
    let scaled = scores.size() * positive(rho, "rho")?.powi(2);
    if variance == 0.0 {
        return Ok(0.0);
    }
    let z2 = scores.size() * (scores.mean * (scores.mean / variance));
    finite(0.5 * (z2 * (scaled / (scaled + 1.0)) - scaled.ln_1p()), "ln e")
}

/// The ρ that makes the sequence about narrowest at `n`: √((-2ln α + ln(1-2ln α))/n)
/// (Waudby-Smith et al. 2021, appendix B.2).
pub fn rho_for(n: f64, alpha: f64) -> Result<f64> {
    let log = -2.0 * open_share(alpha, "alpha")?.ln();
    Ok(((log + log.ln_1p()) / positive(n, "n")?).sqrt())
}

/// An e-value of a p-value in 0..=1 (0 counts as the smallest `f64`): κp^(κ-1) with κ = ½ (Vovk & Wang 2021).
pub fn e_of_p(p: f64) -> Result<f64> {
    let p = not_negative(p, "p")?;
    if p > 1.0 { Err(Error::Range("p")) } else { Ok(0.5 / p.max(f64::MIN_POSITIVE).sqrt()) }
}

/// Mean of e-values, which is one however they depend (Vovk & Wang 2021).
pub fn e_mean(values: &[f64]) -> Result<f64> {
    if values.is_empty() {
        return Err(Error::TooFew { needed: 1, got: 0 });
    }
    let n = count(values.len());
    values.iter().try_fold(0.0, |sum, e| Ok(sum + not_negative(*e, "e-value")? / n))
}

/// Benjamini-Hochberg adjusted p-values, in the order given: reject where <= q (Benjamini & Hochberg 1995;
/// adjusted as Yekutieli & Benjamini 1999). For independent or positively dependent tests.
pub fn benjamini_hochberg(p: &[f64]) -> Result<Vec<f64>> {
    for p in p {
        if not_negative(*p, "p")? > 1.0 {
            return Err(Error::Range("p"));
        }
    }
    Ok(step_up(p))
}

/// The same from e-values, whatever their dependence: K/(k·e₍ₖ₎), least over ranks from k on. Reject where <= q
/// (Wang & Ramdas 2022). An e-value of 0 gives 1.
pub fn e_benjamini_hochberg(e: &[f64]) -> Result<Vec<f64>> {
    for e in e {
        not_negative(*e, "e-value")?;
    }
    let inverse: Vec<f64> = e.iter().map(|e| 1.0 / e.max(f64::MIN_POSITIVE)).collect();
    Ok(step_up(&inverse))
}

/// K·v₍ₖ₎/k, the least from rank k on, at most 1.
fn step_up(values: &[f64]) -> Vec<f64> {
    let mut ranked: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let total = count(values.len());
    let mut least = 1.0_f64;
    let mut adjusted: Vec<(usize, f64)> = Vec::with_capacity(values.len());
    for (rank, (index, value)) in ranked.iter().enumerate().rev() {
        least = least.min(value * (total / count(rank + 1)));
        adjusted.push((*index, least));
    }
    adjusted.sort_by_key(|(index, _)| *index);
    adjusted.into_iter().map(|(_, value)| value).collect()
}

/// Rate, and variance of it.
fn rate(arm: &Arm) -> Result<(f64, f64)> {
    let n = positive(arm.trials, "trials")?;
    let p = not_negative(arm.successes, "successes")? / n;
    if p > 1.0 { Err(Error::Range("successes")) } else { Ok((p, p * (1.0 - p) / n)) }
}
