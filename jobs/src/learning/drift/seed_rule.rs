//! The seed's own rule, and the test that everybody would make, beside ours: for the log and to be compared with.

use chrono::{DateTime, Duration, Utc};
use millrace_stats::{dist, means::Moments};
use serde::Serialize;

use super::series::{CHANGE_MIN, Shown};

/// Replies of each of both times before a week is compared.
const REPLIES_MIN: usize = 10;

/// A week against the thirty days before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeedWeek {
    /// Replies of the week, and of the days before.
    pub n: usize,
    /// See `n`.
    pub n_before: usize,
    /// Mean figure of the week.
    pub mean: f64,
    /// And before.
    pub mean_before: f64,
    /// The one over the other, less 1.
    pub change: f64,
    /// The seed would tell somebody: the mean has fallen by a fifth.
    pub falls: bool,
    /// Two-sided p of the difference of mean logarithms, by Welch's test for large samples.
    pub p: f64,
}

impl SeedWeek {
    /// Of the week that ends with `end`; none of too few replies, or of nothing shown.
    #[must_use]
    pub fn of(replies: &[Shown], end: DateTime<Utc>) -> Option<Self> {
        let at = |days| replies.partition_point(|reply| reply.at < end - Duration::days(days));
        let (before, week, after) = (at(37), at(7), at(0));
        let figures = |from: usize, to: usize| -> Vec<f64> {
            replies.get(from..to).unwrap_or_default().iter().map(|reply| reply.figure).collect()
        };
        let (old, new) = (figures(before, week), figures(week, after));
        if old.len() < REPLIES_MIN || new.len() < REPLIES_MIN {
            return None;
        }
        let logs = |all: &[f64]| -> Option<Moments> {
            Moments::of(&all.iter().map(|x| x.max(0.0).ln_1p()).collect::<Vec<_>>()).ok()
        };
        let (a, b) = (logs(&new)?, logs(&old)?);
        let error = (a.variance().ok()? / a.size() + b.variance().ok()? / b.size()).sqrt();
        let z = if error > 0.0 { (a.mean - b.mean) / error } else { 0.0 };
        let mean = |all: &[f64]| Moments::of(all).ok().map(|moments| moments.mean);
        let (mean, mean_before) = (mean(&new)?, mean(&old)?);
        if mean_before <= 0.0 {
            return None;
        }
        let change = mean / mean_before - 1.0;
        Some(Self {
            n: new.len(),
            n_before: old.len(),
            mean,
            mean_before,
            change,
            falls: change <= -CHANGE_MIN,
            p: dist::chi_square_sf(z * z, 1.0),
        })
    }
}
