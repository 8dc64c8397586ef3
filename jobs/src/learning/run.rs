//! One run: every segment's weights, the step that might be taken, and whether what came since speaks for it. Pure: the
//! same rows give the same report.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use millrace_stats::Interval;
use serde::Serialize;

use super::{
    cell::{Cell, Judge},
    evidence::{BETTER_HALF, promoted},
    rows::{Four, Row, Segment},
    seed_rule::{RANGE_MIN, RANGES_MIN, SeedStatistics},
    step::{Belief, DEFAULT, Step, pooled, step},
};

/// Share of wrong promotions among promotions, and of wrong intervals.
pub const ALPHA: f64 = 0.05;
/// Rewards that an experiment must have seen before its evidence counts: the normal approximation is of no use before.
pub const SUCCESSES_MIN: u32 = 20;
/// No weight moves further in one step: the first version's cap, within the seed's 0.2.
pub const CHANGE_MAX: f64 = 0.10;
/// Time between two steps of a segment.
pub const COOLDOWN: Duration = Duration::seconds(3600);
/// Removals in a hundred replies that a step may cost at most, to be sure of.
pub const REMOVAL_MARGIN: f64 = 0.01;
/// Steps smaller than this are none.
const STEP_MIN: f64 = 0.005;
/// Days after which a row counts half: the world changes.
const HALF_LIFE_DAYS: f64 = 21.0;
/// Days over which the rate of arrival is taken.
const RATE_DAYS: i64 = 30;

/// Weights in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Of the segment.
    pub weights: Four,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Nobody but a person changes them.
    pub locked: bool,
}

/// What is in force where; a segment that is not in it has its parent's, `GLOBAL` the documented ones.
pub type Current = BTreeMap<Segment, Known>;

/// The weights of a segment, its own or those of the nearest parent.
#[must_use]
pub fn weights_of(current: &Current, segment: Segment) -> Four {
    let mut at = Some(segment);
    while let Some(segment) = at {
        if let Some(known) = current.get(&segment) {
            return known.weights;
        }
        at = segment.parent();
    }
    DEFAULT
}

/// Why there is no step. The first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Skip {
    /// A person holds the weights.
    Locked,
    /// The last step is too young.
    Cooldown,
    /// Fewer rows than the seed asks for, or fewer ranges of signals with enough of them.
    InsufficientSampleSize,
    /// The step that might be taken is none.
    NoChange,
    /// It may cause more removals.
    Guardrail,
    /// What came since does not speak for it strongly enough.
    InsufficientEvidence,
}

impl Skip {
    /// As it is logged.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "LOCKED",
            Self::Cooldown => "COOLDOWN",
            Self::InsufficientSampleSize => "INSUFFICIENT_SAMPLE_SIZE",
            Self::NoChange => "NO_CHANGE",
            Self::Guardrail => "GUARDRAIL",
            Self::InsufficientEvidence => "INSUFFICIENT_EVIDENCE",
        }
    }
}

/// What is found for a segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Which.
    pub segment: Segment,
    /// Rows, and of them with a reward.
    pub n: u32,
    /// See `n`.
    pub successes: u32,
    /// Kish's.
    pub effective_n: f64,
    /// Of the rows, 0..=1.
    pub mean_reward: f64,
    /// Weights in force.
    pub now: Four,
    /// Weights that might be.
    pub candidate: Four,
    /// Where the slopes point to.
    pub target: Four,
    /// Share of the way.
    pub rate: f64,
    /// Worth of each signal after pooling, and its standard deviation.
    pub slope: Four,
    /// See `slope`.
    pub deviation: Four,
    /// Rows that the evidence is from: those since the weights came into force.
    pub evidence_n: u32,
    /// Gain in mean reward when the better half is answered by the candidate's order rather than today's.
    pub gain: f64,
    /// That is in it at all times at once with 95 %; none without evidence.
    pub interval: Option<Interval>,
    /// `gain` over the mean reward.
    pub lift: f64,
    /// Natural logarithm of the e-value.
    pub log_e: f64,
    /// Always-valid: 1 / e, at most 1.
    pub p: f64,
    /// Upper end of what it may cost in removals.
    pub removals_high: Option<f64>,
    /// The seed's statistics.
    pub seed: SeedStatistics,
    /// Rows that are missing, and days until they are there at the rate of the last 30 days.
    pub shortfall: u32,
    /// See `shortfall`.
    pub eta_days: Option<f64>,
    /// Nothing: the candidate is to be in force.
    pub skip: Option<Skip>,
}

/// Rows that a segment must have: the seed's floors (spec 6, row 1).
#[must_use]
pub const fn floor(segment: Segment) -> u32 {
    match segment {
        Segment::Global => 100,
        Segment::Platform(_) => 75,
        Segment::TimeOfDay(_) | Segment::DayOfWeek(_) | Segment::Combined(..) => 50,
    }
}

/// Learn from rows in the order in which they matured; `as_of` is when.
///
/// A row is judged with the candidate of the day before it matured and only then learned from (Dawid 1984, prequential),
/// so that the evidence may be looked at every night and adds up over nights.
#[must_use]
pub fn learn(rows: &[Row], current: &Current, as_of: DateTime<Utc>) -> Vec<Finding> {
    let segments = Segment::all();
    let index: BTreeMap<Segment, usize> =
        segments.iter().enumerate().map(|(at, segment)| (*segment, at)).collect();
    let mut cells = vec![Cell::default(); segments.len()];
    let day_of = |row: &Row| -> NaiveDate { row.matured_at.date_naive() };
    let mut before: Option<NaiveDate> = None;
    for day in rows.chunk_by(|a, b| day_of(a) == day_of(b)) {
        if let Some(today) = day.first().map(day_of) {
            let passed = before.replace(today).map_or(0, |last| (today - last).num_days());
            let share =
                0.5_f64.powf(f64::from(i32::try_from(passed).unwrap_or(i32::MAX)) / HALF_LIFE_DAYS);
            cells.iter_mut().for_each(|cell| cell.moments.fade(share));
        }
        let steps = candidates(&segments, &index, &cells, current);
        let judges: Vec<Option<Judge>> = segments
            .iter()
            .zip(cells.iter().zip(&steps))
            .map(|(segment, (cell, (_, step)))| {
                Judge::new(cell, &weights_of(current, *segment), &step.weights)
            })
            .collect();
        for row in day {
            for segment in row.segments() {
                let since = current.get(&segment).map(|known| known.since);
                let place = index.get(&segment).copied().unwrap_or_default();
                if let (Some(cell), Some(Some(judge))) = (cells.get_mut(place), judges.get(place))
                    && since.is_none_or(|since| row.matured_at > since)
                {
                    judge.look(row, cell);
                }
            }
        }
        for row in day {
            for place in row.segments().iter().filter_map(|segment| index.get(segment)) {
                if let Some(cell) = cells.get_mut(*place) {
                    cell.learn(row, as_of - row.matured_at < Duration::days(RATE_DAYS));
                }
            }
        }
    }
    let steps = candidates(&segments, &index, &cells, current);
    let mut by_segment: Vec<Vec<&Row>> = vec![Vec::new(); segments.len()];
    for row in rows {
        for place in row.segments().iter().filter_map(|segment| index.get(segment)) {
            by_segment.iter_mut().skip(*place).take(1).for_each(|all| all.push(row));
        }
    }
    let mut found: Vec<Finding> = segments
        .iter()
        .zip(by_segment)
        .zip(cells.iter().zip(&steps))
        .map(|((segment, of_segment), (cell, step))| {
            cell.finding(*segment, current, step, SeedStatistics::of(&of_segment), as_of)
        })
        .collect();
    // The seed adjusts nothing anywhere until enough ranges have enough rows.
    if found.first().is_some_and(|global| global.shortfall > 0) {
        let open =
            found.iter_mut().filter(|one| one.skip > Some(Skip::Cooldown) || one.skip.is_none());
        open.for_each(|one| one.skip = Some(Skip::InsufficientSampleSize));
    }
    promote(&mut found);
    found
}

/// Of those that nothing stands against, the ones whose evidence is strong enough among all of them.
fn promote(found: &mut [Finding]) {
    let log_e: Vec<f64> =
        found.iter().map(|one| if one.skip.is_none() { one.log_e } else { 0.0 }).collect();
    for (one, is_promoted) in found.iter_mut().zip(promoted(&log_e, ALPHA)) {
        let sure = one.interval.is_some_and(|interval| interval.low > 0.0);
        if one.skip.is_none() && !(is_promoted && sure) {
            one.skip = Some(Skip::InsufficientEvidence);
        }
    }
}

/// What each segment is believed to be, and the step it might take: siblings drawn to their parent.
fn candidates(
    segments: &[Segment],
    index: &BTreeMap<Segment, usize>,
    cells: &[Cell],
    current: &Current,
) -> Vec<(Belief, Step)> {
    let nothing = Belief { slope: [0.0; 4], variance: [1.0; 4] };
    let mut beliefs = vec![nothing; segments.len()];
    let mut families: BTreeMap<(&str, Option<Segment>), Vec<usize>> = BTreeMap::new();
    for (at, segment) in segments.iter().enumerate() {
        families.entry((segment.kind(), segment.parent())).or_default().push(at);
    }
    let order = ["GLOBAL", "PLATFORM", "TIME_OF_DAY", "DAY_OF_WEEK", "COMBINED"];
    for kind in order {
        for ((_, parent), family) in families.iter().filter(|((of, _), _)| *of == kind) {
            let fits: Vec<_> = family
                .iter()
                .map(|at| cells.get(*at).and_then(|cell| cell.moments.fit()))
                .collect();
            let parent =
                parent.and_then(|parent| index.get(&parent)).and_then(|at| beliefs.get(*at));
            let found = match parent {
                Some(parent) => pooled(parent, &fits),
                None => fits.iter().map(|fit| fit.map_or(nothing, Belief::from)).collect(),
            };
            for (at, belief) in family.iter().zip(found) {
                if let Some(place) = beliefs.get_mut(*at) {
                    *place = belief;
                }
            }
        }
    }
    let of = |(segment, belief): (&Segment, Belief)| {
        (belief, step(&weights_of(current, *segment), &belief, CHANGE_MAX))
    };
    segments.iter().zip(beliefs).map(of).collect()
}

impl Cell {
    fn finding(
        &self,
        segment: Segment,
        current: &Current,
        (belief, step): &(Belief, Step),
        seed: SeedStatistics,
        as_of: DateTime<Utc>,
    ) -> Finding {
        let now = weights_of(current, segment);
        let scaled = |interval: Interval| Interval {
            low: BETTER_HALF * interval.low,
            high: BETTER_HALF * interval.high,
        };
        let mean_reward = self.moments.mean_reward();
        let gain = BETTER_HALF * self.evidence.mean();
        let counts = self.evidence.successes >= SUCCESSES_MIN;
        let log_e = if counts { self.evidence.log_e(ALPHA) } else { 0.0 };
        let missing = self.missing(segment, &seed);
        let rate = f64::from(self.lately) / 30.0;
        let mut found = Finding {
            segment,
            n: self.moments.n,
            successes: self.moments.successes,
            effective_n: self.moments.effective_n(),
            mean_reward,
            now,
            candidate: step.weights,
            target: step.target,
            rate: step.rate,
            slope: belief.slope,
            deviation: belief.variance.map(f64::sqrt),
            evidence_n: self.evidence.n(),
            gain,
            interval: self.evidence.interval(ALPHA).filter(|_| counts).map(scaled),
            lift: if mean_reward > 0.0 { gain / mean_reward } else { 0.0 },
            log_e,
            p: (-log_e).exp().min(1.0),
            removals_high: self.removals_high().map(|high| BETTER_HALF * high),
            seed,
            shortfall: missing,
            eta_days: (rate > 0.0).then(|| f64::from(missing) / rate),
            skip: None,
        };
        found.skip = found.stands_against(current.get(&segment), as_of);
        found
    }

    /// Rows that the floors still ask for; over all segments the ranges of signals too, at the share they had so far.
    fn missing(&self, segment: Segment, seed: &SeedStatistics) -> u32 {
        let rows = floor(segment).saturating_sub(self.moments.n);
        if segment != Segment::Global {
            return rows;
        }
        let mut sizes = seed.sizes;
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let third = sizes.get(RANGES_MIN - 1).copied().unwrap_or_default();
        let wanted = u64::from(RANGE_MIN.saturating_sub(third));
        let of_range = (wanted * u64::from(self.moments.n)).div_ceil(u64::from(third.max(1)));
        rows.max(u32::try_from(of_range).unwrap_or(u32::MAX))
    }
}

impl Finding {
    fn stands_against(&self, known: Option<&Known>, as_of: DateTime<Utc>) -> Option<Skip> {
        let furthest =
            self.now.iter().zip(self.candidate).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let costly = self.removals_high.is_none_or(|high| high > REMOVAL_MARGIN);
        let reasons = [
            (known.is_some_and(|known| known.locked), Skip::Locked),
            (known.is_some_and(|known| as_of - known.since < COOLDOWN), Skip::Cooldown),
            (self.shortfall > 0, Skip::InsufficientSampleSize),
            (furthest < STEP_MIN, Skip::NoChange),
            (self.log_e <= 0.0, Skip::InsufficientEvidence),
            (costly, Skip::Guardrail),
        ];
        reasons.into_iter().find(|(is, _)| *is).map(|(_, skip)| skip)
    }

    /// Its candidate is to be in force.
    #[must_use]
    pub const fn is_adjusted(&self) -> bool {
        self.skip.is_none()
    }
}
