//! Scores become probabilities: a softmax with one temperature over the classes' scores and a fixed
//! score that stands for "none of these".
//!
//! Both numbers are fitted on leave-one-out scores; an example with its own class struck out stands
//! for a text of no class. Few examples pull weakly: the start values are the optimum over many random
//! small sets (2 to 20 classes, 0 to 20 examples each), where they depend on little but the number of
//! examples per class.

/// Share of texts that belong to no class, before anything is known.
const NONE_PRIOR: f64 = 0.04;
/// Examples whose evidence weighs as much as the start values.
const PRIOR_EXAMPLES: f64 = 20.0;
/// Examples used for the fit; more add time, not precision.
const JUDGED_MAX: usize = 600;
/// Halvings of the search step.
const REFINEMENTS: u32 = 6;

/// The fitted numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    sharpness: f64,
    none_score: f64,
}

impl Calibration {
    /// Fits to leave-one-out scores with their true classes.
    pub(super) fn fit(judged: &[(Vec<f32>, usize)], start: Self) -> Self {
        let step = judged.len().div_ceil(JUDGED_MAX).max(1);
        let sample: Vec<&(Vec<f32>, usize)> = judged.iter().step_by(step).collect();
        if sample.is_empty() {
            return start;
        }
        let (mut best, mut lowest) = (start, start.loss(&sample, start));
        for n in 0..=REFINEMENTS {
            let (factor, shift) = (1.0 + 0.5_f64.powi(n_i32(n)), 0.1 * 0.5_f64.powi(n_i32(n)));
            // Walk on the grid of this step until no neighbour is better.
            loop {
                let tried = best.neighbours(factor, shift).map(|c| (c.loss(&sample, start), c));
                let Some((loss, next)) = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))
                else {
                    break;
                };
                if loss >= lowest - 1e-7 {
                    break;
                }
                (best, lowest) = (next, loss);
            }
        }
        best
    }

    /// Start for classes that are known by a text each. `level` is each text's cosine to its nearest other:
    /// where projects are alike, so is everything said about them, and a higher score means less.
    ///
    /// Fitted on two sets (12 projects with descriptions, 77 with names only; 0 to 16 examples each): the
    /// sharpness hardly moves, the score of "none" follows the level and the logarithm of the examples.
    pub(super) fn start_of_texts(level: &[f32], judged: usize, classes: usize) -> Self {
        let level = if level.is_empty() {
            0.44
        } else {
            level.iter().copied().map(f64::from).sum::<f64>() / to_f64(level.len())
        };
        let per_class = to_f64(judged) / to_f64(classes.max(1));
        Self {
            sharpness: 12.0,
            none_score: (1.7 * level - 0.47).clamp(0.2, 0.7) + 0.14 * per_class.ln_1p(),
        }
    }

    /// Start for classes that are known by their examples only.
    pub(super) fn start(judged: usize, classes: usize) -> Self {
        let per_class = to_f64(judged) / to_f64(classes.max(1));
        Self {
            sharpness: 12.0 + 10.0 / (1.0 + per_class),
            none_score: 0.165 + 0.085 * per_class.ln_1p(),
        }
    }

    fn neighbours(self, factor: f64, shift: f64) -> [Self; 4] {
        let Self { sharpness, none_score } = self;
        [
            Self { sharpness: sharpness * factor, none_score },
            Self { sharpness: sharpness / factor, none_score },
            Self { sharpness, none_score: none_score + shift },
            Self { sharpness, none_score: none_score - shift },
        ]
    }

    /// Mean negative log-likelihood, and the pull towards the start values.
    fn loss(self, sample: &[&(Vec<f32>, usize)], start: Self) -> f64 {
        let mut sum = 0.0;
        for (scores, class) in sample {
            let all: f64 = scores.iter().map(|s| self.mass(*s)).sum();
            let own = scores.get(*class).map_or(0.0, |s| self.mass(*s));
            let none = (self.sharpness * self.none_score).exp();
            sum -= (1.0 - NONE_PRIOR) * (own / (all + none)).max(1e-12).ln();
            sum -= NONE_PRIOR * (none / (all - own + none)).max(1e-12).ln();
        }
        let stray = (self.sharpness / start.sharpness).ln().powi(2) / 0.5
            + (self.none_score - start.none_score).powi(2) / 0.02;
        let n = to_f64(sample.len());
        (sum + PRIOR_EXAMPLES * 0.2 * stray) / n
    }

    fn mass(self, score: f32) -> f64 {
        (self.sharpness * f64::from(score)).exp()
    }

    /// Probability of each class, and of none; together 1.
    pub(super) fn probabilities(self, scores: &[f32]) -> (Vec<f32>, f32) {
        let none = (self.sharpness * self.none_score).exp();
        let masses: Vec<f64> = scores.iter().map(|s| self.mass(*s)).collect();
        let all = none + masses.iter().sum::<f64>();
        (masses.iter().map(|m| to_f32(m / all)).collect(), to_f32(none / all))
    }
}

fn n_i32(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn to_f64(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a probability needs no more than seven digits"
)]
fn to_f32(x: f64) -> f32 {
    x as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_follow_the_evidence() {
        let start = Calibration::fit(&[], Calibration::start(0, 3));
        let (p, none) = start.probabilities(&[0.9, 0.1, 0.0]);
        assert!((p.iter().sum::<f32>() + none - 1.0).abs() < 1e-6);
        assert!(p[0] > 0.9 && none < 0.05);
        assert!(start.probabilities(&[0.01, 0.0, 0.02]).1 > 0.7, "nothing fits: none of these");
        // Where the top score is right only half the time, confidence comes down.
        let noisy: Vec<_> = (0..400).map(|n| (vec![0.8, 0.6], n % 2)).collect();
        let fitted = Calibration::fit(&noisy, Calibration::start(400, 2));
        assert!(fitted.probabilities(&[0.8, 0.6]).0[0] < 0.65);
    }
}
