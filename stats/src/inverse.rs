//! Quantiles: the distribution functions of [`crate::dist`] solved by Newton's method on the logarithm of the
//! nearer tail, within a bracket that halves where a step leaves it.

use crate::dist::{
    NORMAL_DF, ln_beta_lead, ln_beta_tails, ln_gamma_lead, ln_gamma_tails, ln_normal_sf,
};

/// Where logits and logarithms end: e^-700 is the smallest number that is safe to multiply.
const EDGE: f64 = 700.0;

/// The z that a standard normal stays below with probability `p`; NaN unless 0 < p < 1.
#[must_use]
pub(crate) fn normal(p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    if p == 0.5 {
        return 0.0;
    }
    if p > 0.5 { normal_upper(1.0 - p) } else { -normal_upper(p) }
}

/// The z exceeded with probability `p` <= 1/2.
pub(crate) fn normal_upper(p: f64) -> f64 {
    let target = p.ln();
    solve((-1.0, 40.0), (-2.0 * target).sqrt() - 1.0, |z| {
        let tail = ln_normal_sf(z);
        let hazard = (-0.5 * z * z - 0.918_938_533_204_672_8 - tail).exp();
        (target - tail, hazard)
    })
}

/// The logit of the value that Beta(a, b) stays below with probability `p`.
pub(crate) fn beta_logit(p: f64, a: f64, b: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    solve((-EDGE, EDGE), (a / b).ln(), |u| {
        let (x, y) = logistic(u);
        let (low, high) = ln_beta_tails(a, b, x, y);
        nearer(p, low, high, ln_beta_lead(a, b, x, y))
    })
}

/// The value that Beta(a, b) stays below with probability `p`.
pub(crate) fn beta(p: f64, a: f64, b: f64) -> f64 {
    logistic(beta_logit(p, a, b)).0
}

/// The same for a gamma distribution of this shape and rate 1.
pub(crate) fn gamma(p: f64, shape: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    solve((-EDGE, EDGE), shape.ln(), |u| {
        let x = u.exp();
        let (low, high) = ln_gamma_tails(shape, x);
        nearer(p, low, high, ln_gamma_lead(shape, x))
    })
    .exp()
}

/// The |t| that Student's t with `df` exceeds on both sides together with probability `alpha`.
pub(crate) fn student_two_sided(alpha: f64, df: f64) -> f64 {
    if df > NORMAL_DF {
        return normal_upper(alpha / 2.0);
    }
    // x = df/(df+t²) is Beta(df/2, 1/2), so t² = df (1-x)/x.
    (0.5 * (df.ln() - beta_logit(alpha, df / 2.0, 0.5))).exp()
}

/// (x, 1 - x) of a logit, each to its own relative accuracy.
pub(crate) fn logistic(u: f64) -> (f64, f64) {
    let e = (-u.abs()).exp();
    let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
    if u < 0.0 { (small, large) } else { (large, small) }
}

/// Distance to `p` and slope, on the logarithm of whichever tail is below one half.
fn nearer(p: f64, ln_low: f64, ln_high: f64, ln_density: f64) -> (f64, f64) {
    if p <= 0.5 {
        (ln_low - p.ln(), (ln_density - ln_low).exp())
    } else {
        ((-p).ln_1p() - ln_high, (ln_density - ln_high).exp())
    }
}

/// The root of an increasing function given with its slope.
fn solve((mut low, mut high): (f64, f64), start: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut at = if start > low && start < high { start } else { f64::midpoint(low, high) };
    for _ in 0..200 {
        let (value, slope) = f(at);
        if value == 0.0 {
            break;
        }
        if value < 0.0 {
            low = at;
        } else {
            high = at;
        }
        let newton = at - value / slope;
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        let done = (next - at).abs() <= 2.0 * f64::EPSILON * at.abs().max(f64::MIN_POSITIVE);
        at = next;
        if done {
            break;
        }
    }
    at
}
