//! Two variants beside each other: what each gathered, how sure the difference is at any time, and who goes where next.

use millrace_stats::{Interval, means::Moments, policy::Assignment, rates::Beta, sequential};

use crate::learning::run::{ALPHA, SUCCESSES_MIN};

/// Least share of a variant while it runs.
pub const FLOOR: f64 = 0.2;
/// Observations between two splits.
pub const RESPLIT_EVERY: u32 = 100;
/// Tuned so that the interval is narrowest about there.
const TUNED_FOR: f64 = 3_000.0;

/// What a variant gathered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Observations.
    pub n: u32,
    /// Of them with a reward.
    pub successes: u32,
}

impl Gathered {
    /// What is known of its rate, from a flat prior.
    #[must_use]
    pub fn posterior(&self) -> Beta {
        let failures = self.n.saturating_sub(self.successes);
        Beta { a: 1.0 + f64::from(self.successes), b: 1.0 + f64::from(failures) }
    }

    /// What its next one is expected to bring.
    fn expected(&self) -> f64 {
        (f64::from(self.successes) + 0.5) / (f64::from(self.n) + 1.0)
    }
}

/// Observations in the order in which they were assigned.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Race {
    /// Variant A.
    pub a: Gathered,
    /// Variant B.
    pub b: Gathered,
    scores: Moments,
    ln_e_max: f64,
}

impl Race {
    /// One more observation: whether it is of B, with what probability it was to be, and whether it has a reward.
    pub fn add(&mut self, in_b: bool, propensity_b: f64, reward: bool) {
        let scored = Assignment {
            treated: in_b,
            propensity: propensity_b,
            reward: f64::from(u8::from(reward)),
            m1: self.b.expected(),
            m0: self.a.expected(),
        };
        if let Ok(scores) = scored.score().and_then(|score| self.scores.with(score)) {
            self.scores = scores;
        }
        let variant = if in_b { &mut self.b } else { &mut self.a };
        variant.n += 1;
        variant.successes += u32::from(reward);
        self.ln_e_max = self.ln_e_max.max(self.ln_e());
    }

    /// All observations.
    #[must_use]
    pub const fn n(&self) -> u32 {
        self.a.n + self.b.n
    }

    /// There are rewards enough in each variant: before, the normal approximation is of no use.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.a.successes >= SUCCESSES_MIN && self.b.successes >= SUCCESSES_MIN
    }

    /// Rate of B less that of A.
    #[must_use]
    pub const fn difference(&self) -> f64 {
        self.scores.mean
    }

    /// Deviation of a score.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        self.scores.variance().map_or(0.0, f64::sqrt)
    }

    /// What holds that difference at all times at once with 95 %; none before it counts.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let found = sequential::confidence_sequence(&self.scores, rho(), ALPHA).ok();
        found.filter(|_| self.counts())
    }

    /// ln of the e-value against "no difference"; 0 before it counts.
    #[must_use]
    pub fn ln_e(&self) -> f64 {
        let found = sequential::ln_mixture(&self.scores, rho()).unwrap_or(0.0);
        if self.counts() { found } else { 0.0 }
    }

    /// Always-valid: one over the greatest e-value so far, at most 1.
    #[must_use]
    pub fn p(&self) -> f64 {
        (-self.ln_e_max).exp().min(1.0)
    }

    /// Observations that the interval would need to leave out 0, if the difference stays what it is; none if it is none.
    #[must_use]
    pub fn needed(&self) -> Option<f64> {
        let excludes = |n: f64| {
            let half = sequential::half_width(n, self.deviation(), rho(), ALPHA);
            half.is_ok_and(|half| half < self.difference().abs())
        };
        let mut high = 100.0;
        while !excludes(high) {
            high *= 2.0;
            if high > 1e9 {
                return None;
            }
        }
        let mut low = high / 2.0;
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if excludes(middle) { high = middle } else { low = middle }
        }
        Some(high.ceil())
    }

    /// Probability that B is better, in closed form.
    #[must_use]
    pub fn b_is_better(&self) -> f64 {
        self.b.posterior().beats(&self.a.posterior()).unwrap_or(0.5)
    }

    /// The share of A from now on: even until it counts, for rare rewards of a variant that hardly gets any are long in
    /// coming; then by how probable it is that A is better, the square root of it (Thall and Wathen 2007), which
    /// concentrates later, and never below the floor.
    #[must_use]
    pub fn share_of_a(&self) -> f64 {
        if !self.counts() {
            return 0.5;
        }
        let b = self.b_is_better();
        let (to_a, to_b) = ((1.0 - b).sqrt(), b.sqrt());
        (to_a / (to_a + to_b)).clamp(FLOOR, 1.0 - FLOOR)
    }
}

fn rho() -> f64 {
    sequential::rho_for(TUNED_FOR, ALPHA).unwrap_or(f64::MIN_POSITIVE)
}
