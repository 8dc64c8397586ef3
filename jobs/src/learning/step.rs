//! From what the signals were worth to other weights: a small step on the simplex.

use millrace_stats::{
    Interval,
    shrink::{self, Estimate},
    simplex::{self, Limits},
};

use super::{
    moments::{Fit, dot},
    rows::Four,
};

/// The documented weights (spec 10): those of a workspace that has learned nothing.
pub const DEFAULT: Four = [0.40, 0.25, 0.20, 0.15];
/// A variance below this is taken for it.
const VARIANCE_MIN: f64 = 1e-12;
/// No weight is below or above.
pub const WEIGHT_MIN: f64 = 0.05;
/// See [`WEIGHT_MIN`].
pub const WEIGHT_MAX: f64 = 0.95;
/// The seed's outer bounds of a learning rate.
pub const RATE_MIN: f64 = 0.05;
/// See [`RATE_MIN`].
pub const RATE_MAX: f64 = 0.30;

/// What a segment's slopes are thought to be: its own and its parent's, each by how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Means.
    pub slope: Four,
    /// Variances.
    pub variance: Four,
}

impl From<Fit> for Belief {
    fn from(fit: Fit) -> Self {
        Self { slope: fit.slope, variance: fit.variance }
    }
}

/// Siblings drawn towards their parent, slope by slope, as far as they differ from each other no more than their noise
/// explains (`shrink`). A sibling without a fit is its parent, less certain.
#[must_use]
pub fn pooled(parent: &Belief, siblings: &[Option<Fit>]) -> Vec<Belief> {
    let of = |four: &Four, i: usize| four.get(i).copied().unwrap_or_default();
    let estimate = |fit: &Fit, i| Estimate {
        mean: of(&fit.slope, i),
        variance: of(&fit.variance, i).max(VARIANCE_MIN),
    };
    let mut beliefs = vec![*parent; siblings.len()];
    for i in 0..4 {
        let known: Vec<Estimate> = siblings.iter().flatten().map(|fit| estimate(fit, i)).collect();
        let between = shrink::population(&known).map_or(0.0, |all| all.tau_squared);
        let above = Estimate { mean: of(&parent.slope, i), variance: of(&parent.variance, i) };
        for (belief, fit) in beliefs.iter_mut().zip(siblings) {
            let own = fit.as_ref().map(|fit| estimate(fit, i));
            let Ok(found) = shrink::under(above, own, between) else { continue };
            belief.slope.iter_mut().skip(i).take(1).for_each(|slope| *slope = found.mean);
            belief.variance.iter_mut().skip(i).take(1).for_each(|v| *v = found.variance);
        }
    }
    beliefs
}

/// A step that might be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Where to: within the bounds, adding up to 1.
    pub weights: Four,
    /// Where the slopes alone point to.
    pub target: Four,
    /// Share of the way, `RATE_MIN..=RATE_MAX`.
    pub rate: f64,
}

/// The step from `now` towards the weights that are proportional to the slopes: an exponentiated-gradient step (Kivinen
/// and Warmuth 1997) along ln(target / now), so that w' is proportional to w^(1 - rate) target^rate.
///
/// The rate is the positive-part James-Stein share of what the slopes say beyond their noise, 1 - noise / distance,
/// within the seed's bounds. No weight moves further than `change_max`.
#[must_use]
pub fn step(now: &Four, belief: &Belief, change_max: f64) -> Step {
    let stay = Step { weights: *now, target: *now, rate: RATE_MIN };
    let bounds = Interval { low: WEIGHT_MIN, high: WEIGHT_MAX };
    let positive = belief.slope.map(|slope| slope.max(0.0));
    let target = simplex::project(&positive, &[bounds; 4]).ok().and_then(four);
    let Some(target) = target.filter(|_| positive.iter().sum::<f64>() > 0.0) else { return stay };
    // The slopes that the weights of today would have, at the scale that fits best.
    let scale = dot(&belief.slope, now) / dot(now, now);
    let distance: f64 = belief.slope.iter().zip(now).map(|(b, w)| (b - scale * w).powi(2)).sum();
    let noise: f64 = belief.variance.iter().sum();
    let sure = if distance > 0.0 { (1.0 - noise / distance).max(0.0) } else { 0.0 };
    let rate = sure.clamp(RATE_MIN, RATE_MAX);
    let gradient: Vec<f64> = target.iter().zip(now).map(|(to, from)| (to / from).ln()).collect();
    let moved = simplex::update(now, &gradient, rate, &Limits { bounds, change_max });
    match moved.ok().and_then(four) {
        Some(weights) => Step { weights, target, rate },
        None => stay,
    }
}

fn four(weights: Vec<f64>) -> Option<Four> {
    weights.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums_to_one(weights: &Four) -> bool {
        (weights.iter().sum::<f64>() - 1.0).abs() < 1e-12
            && weights.iter().all(|w| (WEIGHT_MIN - 1e-12..=WEIGHT_MAX + 1e-12).contains(w))
    }

    #[test]
    fn a_hundred_thousand_steps_stay_on_the_simplex() {
        use rand::{RngExt, SeedableRng, rngs::StdRng};
        let mut random = StdRng::seed_from_u64(3);
        let mut now = DEFAULT;
        for nth in 0..100_000 {
            let slope = std::array::from_fn(|_| random.random_range(-1.0..1.0));
            let variance = std::array::from_fn(|_| random.random_range(0.0..0.1));
            let next = step(&now, &Belief { slope, variance }, 0.10).weights;
            assert!(sums_to_one(&next), "{nth}: {next:?}");
            let furthest = now.iter().zip(next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(furthest <= 0.10 + 1e-12, "{nth}: {furthest}");
            now = next;
        }
    }

    #[test]
    fn it_goes_where_the_slopes_point_and_further_the_surer_they_are() {
        let slope = [0.1, 0.1, 0.1, 0.7];
        let at = |variance: f64| step(&DEFAULT, &Belief { slope, variance: [variance; 4] }, 0.2);
        let (sure, unsure) = (at(1e-6), at(1.0));
        assert!(sure.weights[3] > unsure.weights[3] && unsure.weights[3] > DEFAULT[3]);
        assert_eq!((sure.rate, unsure.rate), (RATE_MAX, RATE_MIN));
        let lost = step(&DEFAULT, &Belief { slope: [-1.0; 4], variance: [0.1; 4] }, 0.2);
        assert_eq!(lost.weights, DEFAULT, "no signal is worth anything");
    }

    #[test]
    fn siblings_that_do_not_differ_are_their_parent_and_others_stay_themselves() {
        let parent = Belief { slope: [0.2; 4], variance: [0.0; 4] };
        let fit = |slope: f64| Some(Fit { slope: [slope; 4], variance: [0.01; 4] });
        let same = pooled(&parent, &[fit(0.25), fit(0.15), None]);
        assert!(same.iter().all(|belief| (belief.slope[0] - 0.2).abs() < 1e-9), "{same:?}");
        let far = pooled(&parent, &[fit(2.2), fit(-1.8), None]);
        assert!((far[0].slope[0] - 2.2).abs() < 0.02 && (far[1].slope[0] + 1.8).abs() < 0.02);
        assert!(far[2].slope == parent.slope && far[2].variance[0] > 1.0, "nobody knows");
    }
}
