//! Whether a threshold keeps its promise, from what people said. Pure: the same rows, in any order, give the same.
//!
//! The setting is a promise: at the threshold one is right with at least that probability. Learning moves the confidence
//! at which that is so. That confidence and precision rise together is believed; how steep, and where, is measured.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use millrace_stats::{Interval, rates::Beta};
use serde::Serialize;

use crate::{
    learning::{
        evidence::promoted,
        run::{ALPHA, COOLDOWN, Skip},
    },
    signals::thresholds::Learned,
};

/// A threshold moves so far at once, and a band of confidence is so wide.
pub const STEP: f64 = 0.05;
/// It is never further from its promise.
pub const OFF_MAX: f64 = 0.20;
/// Verdicts before anything moves.
pub const VERDICTS_MIN: u32 = 20;
/// Verdicts that the classifier's own word weighs as much as.
const PRIOR_N: f64 = 10.0;
/// Days over which the rate of arrival is taken.
const RATE_DAYS: u32 = 30;

/// A suggestion or an automatic link that somebody might have said something to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What the service had said, 0..=1.
    pub confidence: f64,
    /// It was accepted; or nobody has spoken against an automatic link.
    pub is_right: bool,
    /// A person said so.
    pub said: bool,
    /// Of those that are asked whatever the threshold (`signals.asked_anyway`).
    pub asked_anyway: bool,
    /// When the service said it.
    pub born: DateTime<Utc>,
}

/// A threshold in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// What it is.
    pub above: f64,
    /// What was wanted: the setting.
    pub promise: f64,
    /// Since when; none: since ever.
    pub since: Option<DateTime<Utc>>,
    /// Nobody but a person changes it.
    pub locked: bool,
}

/// What is in force; without `AutoLinks` nothing is linked without asking.
pub type Current = BTreeMap<Learned, Known>;

/// What was said in a range of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Region {
    /// From here,
    pub low: f64,
    /// to below here.
    pub high: f64,
    /// Rows.
    pub n: u32,
    /// Right ones.
    pub right: u32,
    /// Share of right ones: posterior mean, and 95 % interval.
    pub precision: f64,
    /// See `precision`.
    pub interval: Option<Interval>,
    /// Probability that the precision is below the promise.
    pub below_promise: f64,
}

/// What is found for a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which.
    pub threshold: Learned,
    /// The setting.
    pub promise: f64,
    /// In force.
    pub now: f64,
    /// What it might be.
    pub candidate: f64,
    /// The band that begins at the threshold, and all above it: what speaks for raising.
    pub margin: Region,
    /// See `margin`.
    pub above: Region,
    /// The band below it: what speaks for lowering.
    pub below: Region,
    /// Logarithm of the e-values against "the promise is kept above", and "it is not kept below".
    pub log_e_raise: f64,
    /// See `log_e_raise`.
    pub log_e_lower: f64,
    /// Of the better one: always-valid, 1 / e, at most 1.
    pub p: f64,
    /// Every band of confidence, as people judged it.
    pub bands: Vec<Region>,
    /// Verdicts that are missing, and days until they are there at the rate of the last 30 days.
    pub shortfall: u32,
    /// See `shortfall`.
    pub eta_days: Option<f64>,
    /// Nothing: the candidate is to be in force.
    pub skip: Option<Skip>,
}

impl Finding {
    /// Its candidate is to be in force.
    #[must_use]
    pub const fn is_adjusted(&self) -> bool {
        self.skip.is_none()
    }

    /// Rows that it is from.
    #[must_use]
    pub const fn n(&self) -> u32 {
        self.above.n + self.below.n
    }
}

/// Learn from rows; `as_of` is when.
#[must_use]
pub fn learn(rows: &[Row], current: &Current, as_of: DateTime<Utc>) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        current.iter().map(|(of, known)| finding(*of, known, rows, current, as_of)).collect();
    let log_e: Vec<f64> = found.iter().flat_map(|one| [one.log_e_raise, one.log_e_lower]).collect();
    let promoted = promoted(&log_e, ALPHA);
    for (one, both) in found.iter_mut().zip(promoted.chunks(2)) {
        one.settle(both);
    }
    found
}

fn finding(
    of: Learned,
    known: &Known,
    rows: &[Row],
    current: &Current,
    as_of: DateTime<Utc>,
) -> Finding {
    let now = known.above;
    let since = |row: &&Row| known.since.is_none_or(|since| row.born > since);
    let rows: Vec<&Row> = rows.iter().filter(since).collect();
    // What is linked without asking is judged by who minds, so it says nothing of suggestions.
    let asked_below = current.get(&Learned::AutoLinks).map_or(f64::INFINITY, |auto| auto.above);
    let (top, shown): (f64, fn(&Row) -> bool) = match of {
        Learned::Suggestions => (asked_below, |row| row.said),
        Learned::AutoLinks => (f64::INFINITY, |_| true),
    };
    // Below the threshold for suggestions only those count that are shown to everybody: others were looked for.
    let judged: fn(&Row) -> bool = match of {
        Learned::Suggestions => |row| row.said && row.asked_anyway,
        Learned::AutoLinks => |row| row.said,
    };
    let region = |low: f64, high: f64, counts: fn(&Row) -> bool| {
        region(&rows, (low, high), counts, known.promise)
    };
    let (margin, above) = (region(now, (now + STEP).min(top), shown), region(now, top, shown));
    let below = region(now - STEP, now, judged);
    let raise = mean_of_e([margin.log_e(known.promise, false), above.log_e(known.promise, false)]);
    let most = above.n.max(below.n);
    let lately = rows.iter().filter(|row| as_of - row.born < Duration::days(RATE_DAYS.into()));
    let rate = lately.map(|_| 1.0).sum::<f64>() / f64::from(RATE_DAYS);
    let shortfall = VERDICTS_MIN.saturating_sub(most);
    let mut found = Finding {
        threshold: of,
        promise: known.promise,
        now,
        candidate: now,
        margin,
        above,
        below,
        log_e_raise: if above.n >= VERDICTS_MIN { raise } else { 0.0 },
        log_e_lower: below.log_e(known.promise, true),
        p: 1.0,
        bands: bands(&rows, known.promise),
        shortfall,
        eta_days: (rate > 0.0).then(|| f64::from(shortfall) / rate),
        skip: None,
    };
    found.aim(of, current);
    found.p = (-found.log_e_raise.max(found.log_e_lower)).exp().min(1.0);
    let reasons = [
        (known.locked, Skip::Locked),
        (known.since.is_some_and(|since| as_of - since < COOLDOWN), Skip::Cooldown),
        (shortfall > 0, Skip::InsufficientSampleSize),
    ];
    found.skip = reasons.into_iter().find(|(is, _)| *is).map(|(_, skip)| skip);
    found
}

impl Finding {
    /// Where the evidence points: a step up or down, as far as it may.
    fn aim(&mut self, of: Learned, current: &Current) {
        let is_raise = self.log_e_raise >= self.log_e_lower;
        if self.log_e_raise.max(self.log_e_lower) <= 0.0 {
            return;
        }
        let wanted = if is_raise { self.now + STEP } else { self.now - STEP };
        let (mut low, mut high) = (self.promise - OFF_MAX, self.promise + OFF_MAX);
        let other = |of: Learned| current.get(&of).map(|known| known.above);
        match of {
            // Suggestions begin below what is linked; people judge what is below a link only if it is suggested.
            Learned::Suggestions => {
                high = high.min(other(Learned::AutoLinks).unwrap_or(1.0) - STEP)
            }
            Learned::AutoLinks => low = low.max(other(Learned::Suggestions).unwrap_or(0.0)),
        }
        let to = wanted.clamp(low.max(STEP).min(self.now), high.min(1.0 - STEP).max(self.now));
        self.candidate = (to * 1e4).round() / 1e4;
    }

    /// After all e-values are known: whether it moves, or why not.
    fn settle(&mut self, promoted: &[bool]) {
        if self.skip.is_some() {
            return;
        }
        let is_raise = self.log_e_raise >= self.log_e_lower;
        let is_promoted = promoted.get(usize::from(!is_raise)).copied().unwrap_or_default();
        let sure = if is_raise {
            self.margin.below_promise.max(self.above.below_promise)
        } else {
            1.0 - self.below.below_promise
        };
        if !is_promoted || sure <= 1.0 - ALPHA {
            self.skip = Some(Skip::InsufficientEvidence);
        } else if (self.candidate - self.now).abs() < 1e-9 {
            self.skip = Some(Skip::NoChange);
        }
    }
}

impl Region {
    fn prior(&self) -> Option<Beta> {
        prior(self.low, self.high)
    }

    /// Logarithm of the e-value against "the promise is kept", or if `kept` against "it is not"; 0 of too few rows.
    fn log_e(&self, promise: f64, kept: bool) -> f64 {
        let (right, wrong) = (f64::from(self.right), f64::from(self.n - self.right));
        let of = |prior: Beta| {
            let found = if kept {
                prior.ln_e_above(promise, right, wrong)
            } else {
                prior.ln_e_below(promise, right, wrong)
            };
            found.unwrap_or_default()
        };
        // Fewer rows above are looked at together with others.
        if kept && self.n < VERDICTS_MIN { 0.0 } else { self.prior().map_or(0.0, of) }
    }
}

/// The classifier says itself how often it is right there: the middle of the range.
fn prior(low: f64, high: f64) -> Option<Beta> {
    let middle = f64::midpoint(low, high.min(1.0)).clamp(0.05, 0.95);
    Beta::new(PRIOR_N * middle, PRIOR_N * (1.0 - middle)).ok()
}

fn region(
    rows: &[&Row],
    (low, high): (f64, f64),
    counts: fn(&Row) -> bool,
    promise: f64,
) -> Region {
    let within = |row: &&&Row| row.confidence >= low && row.confidence < high && counts(row);
    let (mut n, mut right) = (0, 0);
    for row in rows.iter().filter(within) {
        n += 1;
        right += u32::from(row.is_right);
    }
    let prior = prior(low, high);
    let posterior = prior.and_then(|p| p.updated(f64::from(right), f64::from(n - right)).ok());
    let above = posterior.and_then(|p| p.above(promise).ok());
    Region {
        low: (low * 1e4).round() / 1e4,
        high: high.min(1.0),
        n,
        right,
        precision: posterior.map_or(0.0, |p| p.mean()),
        interval: posterior.and_then(|p| p.interval(ALPHA).ok()),
        below_promise: above.map_or(0.5, |above| 1.0 - above),
    }
}

/// What people said, band by band; those without a word are left out.
fn bands(rows: &[&Row], promise: f64) -> Vec<Region> {
    let band = |nth: u32| {
        let low = f64::from(nth) * STEP;
        let high = if nth == 19 { f64::INFINITY } else { low + STEP };
        region(rows, (low, high), |row| row.said, promise)
    };
    (0..20).map(band).filter(|band| band.n > 0).collect()
}

/// The mean of e-values is one.
fn mean_of_e(log_e: [f64; 2]) -> f64 {
    let top = log_e[0].max(log_e[1]);
    top + (log_e.iter().map(|e| (e - top).exp()).sum::<f64>() / 2.0).ln()
}

#[cfg(test)]
mod tests;
