//! Evidence that a step is worth something, from rows that it was not made from, and that may be looked at every night.

use millrace_stats::{Interval, means::Moments, sequential};

/// Share by which answering the better half gains, for each standard deviation of a normal score: the mean of a normal
/// above its median, sqrt(2 / pi).
pub const BETTER_HALF: f64 = 0.797_884_560_802_865_4;
/// Tuned so that the interval is narrowest about there.
const TUNED_FOR: f64 = 2_000.0;

/// Differences whose mean is 0 or less if a step is worth nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Differences with a reward.
    pub successes: u32,
    moments: Moments,
}

impl Evidence {
    /// One more; what is no number is none.
    pub fn add(&mut self, difference: f64, success: bool) {
        if let Ok(moments) = self.moments.with(difference) {
            self.moments = moments;
            self.successes += u32::from(success);
        }
    }

    /// How many.
    #[must_use]
    pub fn n(&self) -> u32 {
        u32::try_from(self.moments.n).unwrap_or(u32::MAX)
    }

    /// Of the differences; 0 without any.
    #[must_use]
    pub const fn mean(&self) -> f64 {
        self.moments.mean
    }

    /// The interval that holds the mean at all times at once with probability 1 - `alpha` (asymptotically); none before
    /// there are two differences.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Option<Interval> {
        let rho = sequential::rho_for(TUNED_FOR, alpha).ok()?;
        sequential::confidence_sequence(&self.moments, rho, alpha).ok()
    }

    /// Logarithm of the e-value against "worth nothing or less", of the mixture that the interval is of: it excludes 0
    /// where this is above ln(1 / alpha). 0 is no evidence.
    #[must_use]
    pub fn log_e(&self, alpha: f64) -> f64 {
        let Ok(rho) = sequential::rho_for(TUNED_FOR, alpha) else { return 0.0 };
        // A mean on the wrong side is as one of 0.
        let moments = Moments { mean: self.moments.mean.max(0.0), ..self.moments };
        sequential::ln_mixture(&moments, rho).unwrap_or(0.0)
    }
}

/// Which hypotheses are rejected so that of those at most `alpha` are so wrongly, in expectation, whatever depends on what
/// (Wang and Ramdas 2022, e-BH).
#[must_use]
pub fn promoted(log_e: &[f64], alpha: f64) -> Vec<bool> {
    let e: Vec<f64> = log_e.iter().map(|log_e| log_e.clamp(-700.0, 700.0).exp()).collect();
    let adjusted = sequential::e_benjamini_hochberg(&e);
    adjusted.map_or_else(|_| vec![false; e.len()], |all| all.iter().map(|q| *q <= alpha).collect())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn looked_at_all_the_time_noise_wins_seldom_and_an_effect_mostly() {
        let mut random = StdRng::seed_from_u64(4);
        let mut won = |shift: f64| {
            let mut wins = 0;
            for _ in 0..400 {
                let mut evidence = Evidence::default();
                for n in 0..3_000 {
                    // Rewards of 5 % times a score.
                    let reward = f64::from(u8::from(random.random_bool(0.05)));
                    let score: f64 = random.random_range(-1.7..1.7);
                    evidence.add((reward - 0.05) * score + shift, reward > 0.0);
                    if n > 100 && evidence.successes >= 20 && evidence.log_e(0.05) >= 20_f64.ln() {
                        wins += 1;
                        break;
                    }
                }
            }
            wins
        };
        let (noise, effect) = (won(0.0), won(0.02));
        assert!(noise <= 20, "{noise} of 400");
        assert!(effect >= 360, "{effect} of 400");
    }

    #[test]
    fn the_interval_excludes_zero_when_the_e_value_says_so() {
        let mut evidence = Evidence::default();
        for nth in 0..5_000_u32 {
            evidence.add(0.1 + f64::from(nth % 2) - 0.5, nth % 9 == 0);
            if nth > 2 {
                let low = evidence.interval(0.05).unwrap().low;
                assert_eq!(low > 0.0, evidence.log_e(0.05) > 20_f64.ln(), "{nth}");
            }
        }
    }
}
