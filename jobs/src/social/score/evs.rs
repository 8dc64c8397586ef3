//! EVS: how fast a post gathers engagement, compared with what its author's posts gather at the same age.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Evidence, Signal, count, finite};
use crate::social::{
    record::{Metrics, Platform},
    tiers::UserTier,
};

/// A window shorter than this, in hours, counts as this long.
const HOURS_MIN: f64 = 0.25;
/// The expectation is never taken for less than this share because of the time of day (spec 3.1).
const SEASON_MIN: f64 = 0.6;
const SEASON_MAX: f64 = 5.0;
/// Engagements that are added to what came and to what was expected: one like is no viral post.
const PRIOR_RATIO: f64 = 1.0;
/// Classes: below is a silent plea, normal, moderate; from the last on it is viral.
const CLASSES: [f64; 3] = [1.0, 2.0, 5.0];
/// Past posts from which on a single outlier among them is cut.
const FENCE_MIN: usize = 5;
/// Where the logarithmic form ends.
const RATIO_MAX: f64 = 100.0;

/// Counts at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the platform showed them.
    pub at: DateTime<Utc>,
    /// What it showed.
    pub metrics: Metrics,
}

/// A post and what was seen of it, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// When it was written.
    pub posted_at: Option<DateTime<Utc>>,
    /// Its counts over time.
    pub snapshots: Vec<Snapshot>,
}

/// A Gamma distribution of engagements per hour: as if `engagements` had been seen in `hours` already.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// a, > 0.
    pub engagements: f64,
    /// b, > 0.
    pub hours: f64,
}

impl Prior {
    /// What authors of a tier gather per hour, before anything is learned: an assumption worth ten hours.
    #[must_use]
    pub const fn of(platform: Platform, tier: UserTier) -> Self {
        let per_hour = match tier {
            UserTier::MegaPower => 500.0,
            UserTier::MacroPower => 80.0,
            UserTier::MicroPower => 10.0,
            UserTier::EngagedRegular => 3.0,
            UserTier::Standard => 1.0,
            UserTier::Small => 0.5,
            UserTier::NewUnknown => 0.3,
        };
        // A subreddit shows a post to more than its author's followers.
        let reach = match platform {
            Platform::Twitter => 1.0,
            Platform::Reddit => 2.0,
            Platform::Threads => 0.8,
        };
        Self { engagements: 10.0 * per_hour * reach, hours: 10.0 }
    }

    fn settled(self) -> Self {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if positive(self.engagements) && positive(self.hours) {
            self
        } else {
            Self { engagements: 10.0, hours: 10.0 }
        }
    }
}

/// Expected engagement at a local hour (0..=23) and day (0 Sunday ..=6) relative to the mean: night 0.6, morning
/// 1.0, afternoon 1.1, evening 1.3; weekends 0.9 of it. An assumption, until it is learned.
#[must_use]
pub const fn daypart_factor(hour: u32, day: u32) -> f64 {
    let part = match hour {
        0..=5 => 0.6,
        6..=11 => 1.0,
        12..=17 => 1.1,
        _ => 1.3,
    };
    if day == 0 || day == 6 { part * 0.9 } else { part }
}

/// How much is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EngagementClass {
    SilentPlea,
    Normal,
    Moderate,
    Viral,
}

impl EngagementClass {
    fn of(ratio: f64) -> Self {
        let [silent, normal, moderate] = CLASSES;
        match ratio {
            r if r < silent => Self::SilentPlea,
            r if r < normal => Self::Normal,
            r if r < moderate => Self::Moderate,
            _ => Self::Viral,
        }
    }
}

/// The engagement signal; its score is the logarithmic form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evs {
    /// Score `log_form(ratio)`, confidence, evidence.
    pub signal: Signal,
    /// EVS: what came over what was expected, >= 0; 1 where nothing is known.
    pub ratio: f64,
    /// Of the ratio.
    pub class: EngagementClass,
}

impl Evs {
    /// From a ratio: what is no number is 1.
    #[must_use]
    pub fn new(ratio: f64, confidence: f64, evidence: Vec<Evidence>) -> Self {
        let ratio = finite(ratio, 1.0).clamp(0.0, 1e6);
        let signal = Signal::new(log_form(ratio), confidence, evidence);
        Self { signal, ratio, class: EngagementClass::of(ratio) }
    }
}

/// `log10(EVS + 1) / log10(101)` in 0..=1, of an EVS cut at 100 (spec 10).
#[must_use]
pub fn log_form(ratio: f64) -> f64 {
    (finite(ratio, 1.0).clamp(0.0, RATIO_MAX) + 1.0).log10() / (RATIO_MAX + 1.0).log10()
}

/// `(y + 1) / (lambda h s + 1)`: y engagements came between the first and the last snapshot, h hours apart;
/// s = max(0.6, `season`) is what the time of day and the day of the week do to the expectation; lambda =
/// (a + sum y) / (b + sum h) is the author's rate in the *same window of age* of past posts (interpolated
/// between their snapshots), shrunk to the prior (Gamma-Poisson, spec 3.1). The ones are a prior on the ratio.
///
/// A count is compared only where all snapshots have it. With fewer than two snapshots at different times the ratio
/// is 1 and the confidence 0.2. Confidence otherwise: 0.5 without past posts, 0.6 / 0.72 (5) / 0.82 (10) / 0.9
/// (25), times 0.8 where it is unknown when the post was written.
#[must_use]
pub fn evs(post: &Watched, past: &[Watched], prior: Prior, season: f64) -> Evs {
    let snapshots = sorted(&post.snapshots);
    let ends = snapshots.first().zip(snapshots.last()).filter(|(first, last)| first.at < last.at);
    let Some((first, last)) = ends else {
        return Evs::new(1.0, 0.2, vec![Evidence::new("fewer than two snapshots", 1.0)]);
    };
    let seen = known(&first.metrics, &last.metrics);
    let came: f64 = gains(&first.metrics, &last.metrics).into_iter().flatten().sum();
    let hours = hours(last.at - first.at).max(HOURS_MIN);
    let rates = post.posted_at.map_or_else(Vec::new, |posted| {
        let window = (hours_since(posted, first.at), hours_since(posted, last.at));
        past.iter().filter_map(|past| at_same_age(past, window, seen)).collect()
    });
    let (sum_y, sum_h) = totals(&rates);
    let prior = prior.settled();
    let rate = (prior.engagements + sum_y) / (prior.hours + sum_h);
    let season = finite(season, 1.0).clamp(SEASON_MIN, SEASON_MAX);
    let ratio = (came + PRIOR_RATIO) / (rate * hours * season + PRIOR_RATIO);
    let known = match rates.len() {
        0 => 0.5,
        1..=4 => 0.6,
        5..=9 => 0.72,
        10..=24 => 0.82,
        _ => 0.9,
    };
    let evidence = vec![
        Evidence::new("engagements per hour", came / hours),
        Evidence::new("expected per hour", rate * season),
        Evidence::new("time of day and week", season),
        Evidence::new("past posts at the same age", count(rates.len())),
    ];
    Evs::new(ratio, if post.posted_at.is_some() { known } else { 0.8 * known }, evidence)
}

type Counts = [Option<i64>; 4];

/// What counts as engagement, each once: the replies are the comments.
const fn counts(m: &Metrics) -> Counts {
    [m.likes, m.replies, m.reposts, m.quotes]
}

fn known(first: &Metrics, last: &Metrics) -> [bool; 4] {
    gains(first, last).map(|gain| gain.is_some())
}

/// What came by kind. Taken-back likes are no engagement less.
fn gains(first: &Metrics, last: &Metrics) -> [Option<f64>; 4] {
    let [a, b, c, d] = counts(first);
    let [e, f, g, h] = counts(last);
    let gain = |before: Option<i64>, after: Option<i64>| {
        before.zip(after).map(|(b, a)| whole(a.saturating_sub(b).max(0)))
    };
    [gain(a, e), gain(b, f), gain(c, g), gain(d, h)]
}

fn sorted(snapshots: &[Snapshot]) -> Vec<Snapshot> {
    let mut sorted = snapshots.to_vec();
    sorted.sort_by_key(|snapshot| snapshot.at);
    sorted
}

/// Engagements and hours of a past post in a window of its age; none where it was not seen in it.
fn at_same_age(past: &Watched, (from, to): (f64, f64), seen: [bool; 4]) -> Option<(f64, f64)> {
    let posted = past.posted_at?;
    let mut curve = vec![(0.0, 0.0)];
    for snapshot in sorted(&past.snapshots) {
        let age = hours_since(posted, snapshot.at);
        let mut total = 0.0;
        for (value, _) in counts(&snapshot.metrics).into_iter().zip(seen).filter(|(_, seen)| *seen)
        {
            total += whole(value?.max(0));
        }
        if age > 0.0 {
            curve.push((age, total));
        }
    }
    let watched = curve.last().map_or(0.0, |(age, _)| *age);
    let (from, to) = (from.max(0.0), to.min(watched));
    (to - from >= HOURS_MIN)
        .then(|| ((value(&curve, to) - value(&curve, from)).max(0.0), to - from))
}

/// Linear between the points of a curve, flat beyond them.
fn value(curve: &[(f64, f64)], x: f64) -> f64 {
    let mut before = (0.0, 0.0);
    for &(at, y) in curve {
        if at >= x {
            let width = at - before.0;
            let share = if width > 0.0 { (x - before.0) / width } else { 1.0 };
            return before.1 + share * (y - before.1);
        }
        before = (at, y);
    }
    before.1
}

/// Sums of engagements and hours; from five posts on, one beyond Tukey's fence counts as on it. Without spread
/// there is no fence (spec 10).
fn totals(rates: &[(f64, f64)]) -> (f64, f64) {
    let mut sorted: Vec<f64> = rates.iter().map(|(y, h)| y / h).collect();
    sorted.sort_by(f64::total_cmp);
    let quarter = |n: usize| sorted.get(sorted.len() * n / 4).copied().unwrap_or_default();
    let spread = quarter(3) - quarter(1);
    let fence = if rates.len() >= FENCE_MIN && spread > 0.0 {
        quarter(3) + 1.5 * spread
    } else {
        f64::INFINITY
    };
    rates.iter().fold((0.0, 0.0), |(sum_y, sum_h), (y, h)| (sum_y + y.min(fence * h), sum_h + h))
}

fn hours_since(posted: DateTime<Utc>, at: DateTime<Utc>) -> f64 {
    hours(at - posted)
}

fn hours(span: TimeDelta) -> f64 {
    whole(span.num_seconds()) / 3600.0
}

/// A count as a number, cut at two milliards.
fn whole(n: i64) -> f64 {
    f64::from(i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX }))
}

#[cfg(test)]
#[path = "evs_tests.rs"]
mod tests;
