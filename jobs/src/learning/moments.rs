//! Sums over rows from which means, covariances and a regression follow, whatever the order and the batches.

use super::rows::{Four, Row};

/// Weighted sums over rows. Shifted by a fixed 0.5, so that little is lost in differences of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// Rows.
    pub n: u32,
    /// Rows with a reward.
    pub successes: u32,
    weight: f64,
    weight2: f64,
    s: Four,
    ss: [Four; 4],
    sr: Four,
    r: f64,
    rr: f64,
}

const SHIFT: f64 = 0.5;
/// Added to the diagonal of the covariance: a signal that never varied has no say.
const RIDGE: f64 = 1e-6;

/// A least-squares fit of reward on signals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Gain in reward for each unit of a signal, the others staying.
    pub slope: Four,
    /// Their sampling variances.
    pub variance: Four,
}

impl Moments {
    /// One more row.
    pub fn add(&mut self, row: &Row) {
        let w = row.importance();
        let x = row.signals.map(|s| s - SHIFT);
        self.n += 1;
        self.successes += u32::from(row.reward > 0.0);
        self.weight += w;
        self.weight2 += w * w;
        self.r += w * row.reward;
        self.rr += w * row.reward * row.reward;
        for ((s, sr), x) in self.s.iter_mut().zip(&mut self.sr).zip(x) {
            *s += w * x;
            *sr += w * x * row.reward;
        }
        for (sums, a) in self.ss.iter_mut().zip(x) {
            sums.iter_mut().zip(x).for_each(|(sum, b)| *sum += w * a * b);
        }
    }

    /// What was is worth this share of what comes: 0..=1.
    pub fn fade(&mut self, share: f64) {
        for sum in [&mut self.weight, &mut self.r, &mut self.rr] {
            *sum *= share;
        }
        self.weight2 *= share * share;
        let fours = self.ss.iter_mut().chain([&mut self.s, &mut self.sr]);
        fours.flatten().for_each(|sum| *sum *= share);
    }

    /// Mean reward; 0 without rows.
    #[must_use]
    pub fn mean_reward(&self) -> f64 {
        if self.weight > 0.0 { self.r / self.weight } else { 0.0 }
    }

    /// Mean of each signal.
    #[must_use]
    pub fn mean_signals(&self) -> Four {
        self.s.map(|s| if self.weight > 0.0 { SHIFT + s / self.weight } else { SHIFT })
    }

    /// Rows that an unweighted sample as good would have: Kish's (sum w)^2 / sum w^2.
    #[must_use]
    pub fn effective_n(&self) -> f64 {
        if self.weight2 > 0.0 { self.weight * self.weight / self.weight2 } else { 0.0 }
    }

    /// Covariance matrix of the signals.
    fn covariance(&self) -> [Four; 4] {
        let mut all = self.ss;
        for (row, a) in all.iter_mut().zip(self.s) {
            for (cell, b) in row.iter_mut().zip(self.s) {
                *cell = *cell / self.weight - a / self.weight * (b / self.weight);
            }
        }
        all
    }

    /// Standard deviation of the composite with these weights.
    #[must_use]
    pub fn deviation(&self, weights: &Four) -> f64 {
        if self.weight <= 0.0 {
            return 0.0;
        }
        let covariance = self.covariance();
        let variance: f64 =
            covariance.iter().zip(weights).map(|(row, w)| w * dot(row, weights)).sum();
        variance.max(0.0).sqrt()
    }

    /// Weighted least squares of the reward on the four signals and a constant; none with fewer than 20 rows.
    /// Variances are the homoskedastic ones with Kish's n.
    #[must_use]
    pub fn fit(&self) -> Option<Fit> {
        if self.n < 20 {
            return None;
        }
        let mut covariance = self.covariance();
        for (i, row) in covariance.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(i) {
                *cell += RIDGE;
            }
        }
        let inverse = inverse(&covariance)?;
        let mean_r = self.mean_reward();
        let mut with_reward = [0.0; 4];
        for ((cell, sr), s) in with_reward.iter_mut().zip(self.sr).zip(self.s) {
            *cell = sr / self.weight - s / self.weight * mean_r;
        }
        let mut slope = [0.0; 4];
        slope.iter_mut().zip(&inverse).for_each(|(b, row)| *b = dot(row, &with_reward));
        let explained = dot(&slope, &with_reward);
        let total = self.rr / self.weight - mean_r * mean_r;
        let n = self.effective_n();
        let noise = (total - explained).max(0.0) / (n - 5.0).max(1.0);
        let mut variance = [0.0; 4];
        for (i, (v, row)) in variance.iter_mut().zip(&inverse).enumerate() {
            *v = noise * row.get(i).copied().unwrap_or_default();
        }
        Some(Fit { slope, variance })
    }
}

/// Sum of products.
#[must_use]
pub fn dot(a: &Four, b: &Four) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Of a symmetric positive matrix, by Gauss and Jordan; none if it is singular.
#[expect(clippy::indexing_slicing, reason = "all indices are below 4")]
fn inverse(matrix: &[Four; 4]) -> Option<[Four; 4]> {
    let mut left = *matrix;
    let mut right = [[0.0; 4]; 4];
    (0..4).for_each(|i| right[i][i] = 1.0);
    for i in 0..4 {
        let pivot = left[i][i];
        if !pivot.is_finite() || pivot.abs() < 1e-12 {
            return None;
        }
        for j in 0..4 {
            left[i][j] /= pivot;
            right[i][j] /= pivot;
        }
        for other in (0..4).filter(|other| *other != i) {
            let factor = left[other][i];
            for j in 0..4 {
                left[other][j] -= factor * left[i][j];
                right[other][j] -= factor * right[i][j];
            }
        }
    }
    Some(right)
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::DateTime;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::social::{record::Platform, temporal::Daypart};

    pub(crate) fn row(signals: Four, reward: f64) -> Row {
        Row {
            matured_at: DateTime::UNIX_EPOCH,
            platform: Platform::Twitter,
            daypart: Daypart::Night,
            weekday: 0,
            signals,
            engaged: 1.0,
            reward,
            removed: false,
        }
    }

    #[test]
    fn a_line_is_found_to_the_last_digits() {
        let mut random = StdRng::seed_from_u64(1);
        let mut all = Moments::default();
        for _ in 0..500 {
            let x: Four = std::array::from_fn(|_| random.random());
            all.add(&row(x, 0.1 + 0.4 * x[0] - 0.2 * x[1] + 0.05 * x[3]));
        }
        let fit = all.fit().unwrap();
        for (found, expected) in fit.slope.iter().zip([0.4, -0.2, 0.0, 0.05]) {
            assert!((found - expected).abs() < 1e-4, "{:?}", fit.slope);
        }
        assert!(fit.variance.iter().all(|v| *v < 1e-6));
    }

    #[test]
    fn nothing_is_found_in_noise_nor_in_a_constant() {
        let mut random = StdRng::seed_from_u64(2);
        let mut all = Moments::default();
        for _ in 0..2_000 {
            let x: Four = [random.random(), random.random(), random.random(), 0.5];
            all.add(&row(x, f64::from(u8::from(random.random_bool(0.3)))));
        }
        let fit = all.fit().unwrap();
        for (slope, variance) in fit.slope.iter().zip(fit.variance) {
            assert!(slope.abs() <= 4.0 * variance.sqrt(), "{fit:?}");
        }
    }
}
