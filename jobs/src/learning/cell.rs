//! One segment: what its rows say, and what they say for other weights.

use super::{
    evidence::{BETTER_HALF, Evidence},
    moments::{Moments, dot},
    rows::{Four, Row},
    run::ALPHA,
};

/// Rows that must have come before one that is judged.
const ROWS_BEFORE: u32 = 20;

/// What is known of a segment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) moments: Moments,
    pub(super) evidence: Evidence,
    pub(super) removals: Evidence,
    pub(super) removed: u32,
    pub(super) lately: u32,
}

impl Cell {
    /// What the step may cost in removals at most; without any so far three in as many rows (Hanley and Lippman-Hand 1983).
    pub(super) fn removals_high(&self) -> Option<f64> {
        if self.removed == 0 && self.removals.n() > 0 {
            return Some(3.0 / f64::from(self.removals.n()));
        }
        self.removals.interval(ALPHA).map(|interval| interval.high)
    }

    /// One more row; `lately` counts towards the rate of arrival.
    pub(super) fn learn(&mut self, row: &Row, lately: bool) {
        self.moments.add(row);
        self.removed += u32::from(row.removed);
        self.lately += u32::from(lately);
    }
}

/// What other weights were worth on rows that they were not made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// Rows.
    pub rows: u32,
    /// Gain in mean reward of the better half over the mean reward.
    pub lift: f64,
    /// Its 95 % interval.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// How much better the order by `to` is than that by `from` on the rows `since`, standardised by those `before`; none if
/// there are too few of either.
#[must_use]
pub fn lift_of(before: &[&Row], since: &[&Row], from: &Four, to: &Four) -> Option<Lift> {
    let mut cell = Cell::default();
    before.iter().for_each(|row| cell.moments.add(row));
    let judge = Judge::new(&cell, from, to)?;
    since.iter().for_each(|row| judge.look(row, &mut cell));
    let interval = cell.evidence.interval(ALPHA)?;
    let mean = cell.moments.mean_reward();
    let relative = |gain: f64| BETTER_HALF * gain / mean;
    (mean > 0.0).then(|| Lift {
        rows: cell.evidence.n(),
        lift: relative(cell.evidence.mean()),
        low: relative(interval.low),
        high: relative(interval.high),
    })
}

/// Two orders of rows, by the weights in force and by others, each standardised by the rows before.
pub(super) struct Judge {
    /// The standardised score by the others less that by those in force, for each unit of a centred signal.
    direction: Four,
    means: Four,
    mean_reward: f64,
    removals: f64,
}

impl Judge {
    /// None if the orders are one, or too little is known.
    pub(super) fn new(cell: &Cell, now: &Four, candidate: &Four) -> Option<Self> {
        let moments = &cell.moments;
        let (a, b) = (moments.deviation(now), moments.deviation(candidate));
        if moments.n < ROWS_BEFORE || a <= 0.0 || b <= 0.0 || now == candidate {
            return None;
        }
        let mut direction = [0.0; 4];
        for ((to, now), candidate) in direction.iter_mut().zip(now).zip(candidate) {
            *to = candidate / b - now / a;
        }
        Some(Self {
            direction,
            means: moments.mean_signals(),
            mean_reward: moments.mean_reward(),
            removals: f64::from(cell.removed) / f64::from(moments.n),
        })
    }

    pub(super) fn look(&self, row: &Row, cell: &mut Cell) {
        let mut centred = row.signals;
        centred.iter_mut().zip(self.means).for_each(|(s, mean)| *s -= mean);
        let shift = row.importance() * dot(&self.direction, &centred);
        let (success, removed) = (row.reward > 0.0, f64::from(u8::from(row.removed)));
        cell.evidence.add((row.reward - self.mean_reward) * shift, success);
        cell.removals.add((removed - self.removals) * shift, success);
    }
}
