//! Distribution functions that keep their relative accuracy in both tails.
//!
//! `erfc` and `lgamma` are libm's (musl's, below 1 ulp). The incomplete beta and gamma functions are
//! continued fractions (Lentz 1976) behind a leading factor in Loader's saddle-point
//! form (2000, "Fast and accurate computation of binomial probabilities"), because statrs 0.19 loses seven
//! digits at a = b = 5000 and more beyond. All are computed as logarithms and exponentiated last.

use std::f64::consts::{LN_2, SQRT_2};

use crate::{Result, finite, inverse, open_share, positive};

/// More terms than any argument up to 1e10 needs.
const TERMS_MAX: u32 = 200_000;
/// From here on Student's t and the normal differ by less than 1e-9 of ln P as far as |t| = 40.
pub const NORMAL_DF: f64 = 1e12;
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// P(Z <= z) of the standard normal. NaN in, NaN out, as for all of this module.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// Density of the standard normal.
#[must_use]
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z - HALF_LN_TAU).exp()
}

/// ln P(Z > z); exact where the probability itself is below the smallest `f64`.
#[must_use]
pub fn ln_normal_sf(z: f64) -> f64 {
    if z < 30.0 {
        return (0.5 * libm::erfc(z / SQRT_2)).ln();
    }
    // Mills' ratio as Laplace's continued fraction (DLMF 7.9.2), backwards.
    let ratio = (1..=40).rev().fold(z, |tail, k| z + f64::from(k) / tail);
    -0.5 * z * z - HALF_LN_TAU - ratio.ln()
}

/// ln P(|T| > |t|) of Student's t with `df` > 0 degrees of freedom; beyond [`NORMAL_DF`] it is the normal.
///
/// I_x(df/2, 1/2) at x = df/(df+t²) (DLMF 8.17; Abramowitz-Stegun 26.5.27).
#[must_use]
pub fn ln_student_two_sided(t: f64, df: f64) -> f64 {
    let t = t.abs();
    if df > NORMAL_DF {
        return (LN_2 + ln_normal_sf(t)).min(0.0);
    }
    // In this form neither square overflows.
    let ratio = t / df.sqrt();
    let (x, y) = if ratio < 1.0 {
        let square = ratio * ratio;
        (1.0 / (1.0 + square), square / (1.0 + square))
    } else {
        let square = (1.0 / ratio).powi(2);
        (square / (1.0 + square), 1.0 / (1.0 + square))
    };
    ln_beta_tails(df / 2.0, 0.5, x.max(f64::MIN_POSITIVE), y).0
}

/// P(X > x) of chi-square with `df` > 0 degrees of freedom.
#[must_use]
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    ln_gamma_tails(df / 2.0, x / 2.0).1.exp()
}

/// P(X <= x) of Beta(a, b), that is I_x(a, b), for a, b > 0.
#[must_use]
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    ln_beta_tails(a, b, x, 1.0 - x).0.exp()
}

/// P(X <= x) of a gamma distribution with `shape` > 0 and `rate` > 0.
#[must_use]
pub fn gamma_cdf(x: f64, shape: f64, rate: f64) -> f64 {
    ln_gamma_tails(shape, x * rate).0.exp()
}

/// P(X > x) of the same.
#[must_use]
pub fn gamma_sf(x: f64, shape: f64, rate: f64) -> f64 {
    ln_gamma_tails(shape, x * rate).1.exp()
}

/// The z that a standard normal stays below with probability `p`, 0 < p < 1.
pub fn normal_quantile(p: f64) -> Result<f64> {
    Ok(inverse::normal(open_share(p, "p")?))
}

/// The |t| that Student's t with `df` > 0 exceeds on both sides together with probability `alpha`.
pub fn student_quantile(alpha: f64, df: f64) -> Result<f64> {
    finite(inverse::student_two_sided(open_share(alpha, "alpha")?, positive(df, "df")?), "quantile")
}

/// The value that Beta(a, b) stays below with probability `p`.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> Result<f64> {
    let (a, b) = (positive(a, "beta parameter")?, positive(b, "beta parameter")?);
    Ok(inverse::beta(open_share(p, "p")?, a, b))
}

/// The value that a gamma variable of `shape` and `rate` stays below with probability `p`.
pub fn gamma_quantile(p: f64, shape: f64, rate: f64) -> Result<f64> {
    let (shape, rate) = (positive(shape, "shape")?, positive(rate, "rate")?);
    finite(inverse::gamma(open_share(p, "p")?, shape) / rate, "quantile")
}

/// A p-value of its logarithm: never 0, since no finite evidence is certain.
#[must_use]
pub fn p_of(ln_p: f64) -> f64 {
    ln_p.exp().clamp(f64::MIN_POSITIVE, 1.0)
}

/// ln I_x(a,b) and ln (1 - I_x(a,b)); `y` is 1 - x, given apart so that neither end is lost to rounding.
pub(crate) fn ln_beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if [x, y, a, b].iter().any(|v| v.is_nan()) || a <= 0.0 || b <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (f64::NEG_INFINITY, 0.0);
    }
    if y <= 0.0 {
        return (0.0, f64::NEG_INFINITY);
    }
    let ln_lead = ln_beta_lead(a, b, x, y);
    if x < (a + 1.0) / (a + b + 2.0) {
        let low = (ln_lead + beta_fraction(a, b, x, y).ln()).min(0.0);
        (low, ln_one_minus(low))
    } else {
        let high = (ln_lead + beta_fraction(b, a, y, x).ln()).min(0.0);
        (ln_one_minus(high), high)
    }
}

/// ln P(a,x) and ln Q(a,x), the regularised incomplete gamma functions, for a > 0.
pub(crate) fn ln_gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if x.is_nan() || a.is_nan() || a <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (f64::NEG_INFINITY, 0.0);
    }
    if x.is_infinite() {
        return (0.0, f64::NEG_INFINITY);
    }
    let ln_lead = ln_gamma_lead(a, x);
    if x < a + 1.0 {
        // DLMF 8.7.1: the series for the lower tail.
        let (mut term, mut sum) = (1.0, 1.0);
        for n in 1..TERMS_MAX {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * f64::EPSILON / 4.0 {
                break;
            }
        }
        let low = (ln_lead - a.ln() + sum.ln()).min(0.0);
        (low, ln_one_minus(low))
    } else {
        let high = (ln_lead + gamma_fraction(a, x).ln()).min(0.0);
        (ln_one_minus(high), high)
    }
}

/// ln x^a y^b / B(a,b): the leading factor, and the density of a beta variable's logit.
pub(crate) fn ln_beta_lead(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let scale = 0.5 * ((a / n).ln() + b.ln()) - HALF_LN_TAU;
    scale + stirling(n) - stirling(a) - stirling(b) - deviance(a, n * x) - deviance(b, n * y)
}

/// ln x^a e^-x / Γ(a): the same for gamma, and the density of a gamma variable's logarithm.
pub(crate) fn ln_gamma_lead(a: f64, x: f64) -> f64 {
    0.5 * a.ln() - HALF_LN_TAU - stirling(a) - deviance(a, x)
}

/// ln B(a,b) without the cancellation of three large logarithms.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    let n = a + b;
    let (x, y) = (a / n, b / n);
    a * x.ln() + b * y.ln() - ln_beta_lead(a, b, x, y)
}

/// ln Γ(z) less Stirling's formula (z-½)ln z - z + ½ln 2π.
fn stirling(z: f64) -> f64 {
    if z < 10.0 {
        return libm::lgamma(z) - (z - 0.5) * z.ln() + z - HALF_LN_TAU;
    }
    let s = 1.0 / (z * z);
    let tail = 1.0 / 1188.0 - s * (691.0 / 360_360.0 - s / 156.0);
    (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s * tail)))) / z
}

/// a ln(a/m) + m - a (Loader's bd0), by its series where the terms cancel.
fn deviance(a: f64, m: f64) -> f64 {
    if (a - m).abs() >= 0.1 * (a + m) {
        return a * (a.ln() - m.ln()) + m - a;
    }
    let v = (a - m) / (a + m);
    let mut sum = (a - m) * v;
    let mut term = 2.0 * a * v;
    for j in 1..100 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// ln(1 - e^l) for l <= 0 (Mächler 2012).
fn ln_one_minus(l: f64) -> f64 {
    if l > -LN_2 { (-l.exp_m1()).ln() } else { (-l.exp()).ln_1p() }
}

/// The even part of DLMF 8.17.22 (DiDonato & Morris 1992, equation 9), which needs `y` and so stays exact where
/// x rounds to 1.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let plain = |m: f64| (a + m) * (a * y - b * x + 1.0 + m * (1.0 + y)) / (a + 2.0 * m + 1.0);
    let mut fraction = Lentz::new(plain(0.0));
    for m in 1..TERMS_MAX {
        let m = f64::from(m);
        let odd = a + 2.0 * m - 1.0;
        let step = m * (b - m) * x / odd;
        let above = (a + m - 1.0) / odd * (a + b + m - 1.0) * x * step;
        if fraction.push(above, m + step + plain(m)) {
            break;
        }
    }
    fraction.value
}

/// DLMF 8.9.2 in its even part: 1/(x+1-a- 1(1-a)/(x+3-a- ...)).
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut fraction = Lentz::new(b);
    for n in 1..TERMS_MAX {
        let n = f64::from(n);
        b += 2.0;
        if fraction.push(-n * (n - a), b) {
            break;
        }
    }
    fraction.value
}

/// Evaluates 1/(b0 + a1/(b1 + ...)) forwards.
struct Lentz {
    c: f64,
    d: f64,
    value: f64,
}

impl Lentz {
    fn new(b0: f64) -> Self {
        let d = 1.0 / apart(b0);
        Self { c: 1e290, d, value: d }
    }

    /// Takes the next step; true when it no longer changes the value.
    fn push(&mut self, a: f64, b: f64) -> bool {
        self.d = 1.0 / apart(b + a * self.d);
        self.c = apart(b + a / self.c);
        let factor = self.c * self.d;
        self.value *= factor;
        (factor - 1.0).abs() < f64::EPSILON
    }
}

/// Away from 0, by which is divided.
fn apart(value: f64) -> f64 {
    if value.abs() < 1e-290 { 1e-290 } else { value }
}
