//! The seed's own rule, for its logs and to be compared with: robust means where a signal is high against where it is not.

use millrace_stats::{means, robust};
use serde::Serialize;

use super::rows::{Four, Row};

/// A signal is high from here on: SSS, ARS, TRS as documented; EVS in its logarithmic form, log(1 + 5) / log(101).
const HIGH: Four = [0.82, 0.70, 0.388_231_8, 0.90];
/// Rows of a range that count, and ranges that must have as many.
pub const RANGE_MIN: u32 = 100;
/// See [`RANGE_MIN`].
pub const RANGES_MIN: usize = 3;

/// What the seed looks at.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SeedStatistics {
    /// Rows where each signal is high.
    pub sizes: [u32; 4],
    /// Winsorised mean reward there, 5 and 95 percent.
    pub winsorised: Four,
    /// Difference of mean rewards, there and elsewhere.
    pub difference: Four,
    /// Cohen's d of it, pooled.
    pub d: Four,
    /// Two-sided p by Welch's test; 1 where there is none.
    pub p: Four,
}

impl SeedStatistics {
    /// Of rows.
    #[must_use]
    pub fn of(rows: &[&Row]) -> Self {
        let mut found = Self::default();
        for (i, high) in HIGH.iter().enumerate() {
            let is_high = |row: &&&Row| row.signals.get(i).is_some_and(|s| s >= high);
            let (here, there): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(is_high);
            let (here, there) = (rewards(&here), rewards(&there));
            let (a, b) = (moments(&here), moments(&there));
            let set =
                |to: &mut Four, value: f64| to.iter_mut().skip(i).take(1).for_each(|x| *x = value);
            let n = u32::try_from(here.len()).unwrap_or(u32::MAX);
            found.sizes.iter_mut().skip(i).take(1).for_each(|size| *size = n);
            let mean = robust::winsorised_mean(&here, 0.05, 0.95).unwrap_or_default();
            set(&mut found.winsorised, mean);
            set(&mut found.difference, a.mean - b.mean);
            set(&mut found.d, means::cohens_d(&a, &b).unwrap_or_default());
            set(&mut found.p, means::welch(&a, &b, 0.05).map_or(1.0, |test| test.p));
        }
        found
    }

    /// Ranges with enough rows.
    #[must_use]
    pub fn valid(&self) -> usize {
        self.sizes.iter().filter(|n| **n >= RANGE_MIN).count()
    }

    /// Whether the seed would adjust: enough ranges, and one of them differs significantly and visibly.
    #[must_use]
    pub fn adjusts(&self) -> bool {
        self.valid() >= RANGES_MIN
            && self
                .p
                .iter()
                .zip(self.d)
                .zip(self.sizes)
                .any(|((p, d), n)| n >= RANGE_MIN && *p < 0.05 && d.abs() >= 0.2)
    }
}

fn rewards(rows: &[&Row]) -> Vec<f64> {
    rows.iter().map(|row| row.reward).collect()
}

fn moments(values: &[f64]) -> means::Moments {
    means::Moments::of(values).unwrap_or_default()
}
