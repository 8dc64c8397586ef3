//! One platform's series: has the level of what our replies get moved, whatever the mix of their times? Pure: the same
//! replies give the same days and the same alarms.
//!
//! Everything is on the log scale, where a fall of a fifth is -.223 at any level. Each reply counts as what it is off the
//! usual one of its daypart; a day is the mean of that. What a day is off the days before, over the deviation of that
//! difference, is standard normal as long as nothing has changed (recursive residuals: Brown, Durbin & Evans 1975), which
//! makes the rate of false alarms of the cumulative sum a known one, whatever was known of the level when it began.

use chrono::{DateTime, NaiveDate, Utc};
use millrace_stats::drift::{Cusum, Shift, cusum_threshold};
use serde::Serialize;

use crate::social::temporal::Daypart;

/// Days from which the level is known before anything is looked for.
pub const BASELINE: usize = 28;
/// Mean days between two false alarms of a series: three years, for there are three platforms and one year is wanted.
pub const FALSE_ALARM_DAYS: f64 = 3.0 * 365.0;
/// The smallest change worth an alarm: a fifth.
pub const CHANGE_MIN: f64 = 0.20;
/// Replies of a day; those of a day with fewer are taken together with the next.
const REPLIES_MIN: u32 = 5;
/// Replies of a daypart that its mean is worth half after.
const CELL_PRIOR: f64 = 10.0;
/// Days that do not count to what is usual noise yet: a fall must not hide itself.
const LAG: usize = 14;

/// A reply, as it was shown a day after it was posted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// When it was posted.
    pub at: DateTime<Utc>,
    /// At what time of its day.
    pub daypart: Daypart,
    /// How often it was shown, or how many people did something; >= 0.
    pub figure: f64,
}

/// A day or, of few replies, several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Day {
    /// The last one.
    pub day: NaiveDate,
    /// Replies.
    pub n: u32,
    /// What a reply of the usual mix was shown, as a geometric mean.
    pub figure: f64,
    /// Deviations off the days before; none while the level is not known.
    pub z: Option<f64>,
    /// Cumulated rise and fall.
    pub up: f64,
    /// See `up`.
    pub down: f64,
}

/// The level has moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Alarm {
    /// When it was seen.
    pub day: NaiveDate,
    /// When it will have begun.
    pub since: NaiveDate,
    /// Which way.
    pub shift: Shift,
    /// By how much, relative: -0.2 is a fall of a fifth.
    pub change: f64,
}

/// All days of a platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Watched {
    /// In order.
    pub days: Vec<Day>,
    /// In order.
    pub alarms: Vec<Alarm>,
    /// Of the cumulative sum that runs now; none while the level is not known.
    pub slack: Option<f64>,
    /// See `slack`.
    pub threshold: Option<f64>,
}

/// A day's replies, by daypart: how many, sum and sum of squares of their logarithms.
#[derive(Debug, Clone, Copy)]
struct Block {
    day: NaiveDate,
    cells: [(f64, f64, f64); 4],
}

impl Block {
    fn n(&self) -> f64 {
        self.cells.iter().map(|cell| cell.0).sum()
    }
}

/// Watches replies in the order in which they were posted.
#[must_use]
pub fn watch(replies: &[Shown]) -> Watched {
    let blocks = blocks(replies);
    let mut watched = Watched::default();
    let (mut from, mut seen) = (0, 0);
    // A new level is learned from when it will have begun.
    while from < blocks.len() {
        let segment = Segment::of(blocks.get(from..).unwrap_or_default());
        // The days that the segment before has looked at stay as they looked then.
        watched.days.extend(segment.days.iter().skip(seen - from));
        (watched.slack, watched.threshold) =
            segment.cusum.map_or((None, None), |c| (Some(c.slack), Some(c.threshold)));
        let Some((begun, alarm)) = segment.alarm else { break };
        watched.alarms.push(alarm);
        seen = watched.days.len();
        from += begun;
    }
    watched
}

fn blocks(replies: &[Shown]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let few = f64::from(REPLIES_MIN);
    for reply in replies {
        let day = reply.at.date_naive();
        let open = blocks.last().is_some_and(|block| block.day == day || block.n() < few);
        if !open {
            blocks.push(Block { day, cells: [(0.0, 0.0, 0.0); 4] });
        }
        let Some(block) = blocks.last_mut() else { continue };
        let value = reply.figure.max(0.0).ln_1p();
        block.day = day;
        if let Some(cell) = block.cells.get_mut(place(reply.daypart)) {
            *cell = (cell.0 + 1.0, cell.1 + value, cell.2 + value * value);
        }
    }
    // The last one may not have all of its replies yet.
    if blocks.last().is_some_and(|block| block.n() < few) {
        blocks.pop();
    }
    blocks
}

const fn place(daypart: Daypart) -> usize {
    match daypart {
        Daypart::Night => 0,
        Daypart::Morning => 1,
        Daypart::Afternoon => 2,
        Daypart::Evening => 3,
    }
}

/// A day's level, what it varies by for its replies alone, and its replies' own variation.
#[derive(Debug, Clone, Copy)]
struct Level {
    value: f64,
    n: f64,
    squares: f64,
}

#[derive(Debug, Default)]
struct Segment {
    days: Vec<Day>,
    levels: Vec<Level>,
    /// What each daypart is off the mean of all, by the baseline: were it learned anew each day, a change of the mix would
    /// change what a level is.
    offsets: [f64; 4],
    cusum: Option<Cusum>,
    alarm: Option<(usize, Alarm)>,
}

impl Segment {
    /// The days from a beginning on, until its first alarm.
    fn of(blocks: &[Block]) -> Self {
        let offsets = blocks.get(..BASELINE).map_or([0.0; 4], offsets);
        let mut segment = Self { offsets, ..Self::default() };
        for block in blocks {
            segment.push(block);
            if let Some(alarm) = segment.alarm_of(blocks) {
                segment.alarm = Some(alarm);
                break;
            }
        }
        segment
    }

    fn push(&mut self, block: &Block) {
        let level = level(block, self.offsets);
        let z = self.z(&level);
        if let (Some((_, deviation)), None) = (z, &self.cusum) {
            let slack = (0.5 * -(1.0 - CHANGE_MIN).ln() / deviation).clamp(0.1, 1.0);
            let threshold = cusum_threshold(FALSE_ALARM_DAYS, slack);
            self.cusum = threshold.and_then(|threshold| Cusum::new(slack, threshold)).ok();
        }
        if let (Some((z, _)), Some(cusum)) = (z, &mut self.cusum) {
            cusum.push(z).ok();
        }
        self.days.push(Day {
            day: block.day,
            n: whole(level.n),
            figure: level.value.exp_m1().max(0.0),
            z: z.map(|(z, _)| z),
            up: self.cusum.map_or(0.0, |c| c.up),
            down: self.cusum.map_or(0.0, |c| c.down),
        });
        self.levels.push(level);
    }

    /// How far a day is off those before, in deviations, and the deviation; none before there is a baseline.
    fn z(&self, level: &Level) -> Option<(f64, f64)> {
        if self.levels.len() < BASELINE {
            return None;
        }
        let usual = self.levels.len().saturating_sub(LAG).max(BASELINE);
        let (within, between) = noise(self.levels.get(..usual).unwrap_or_default());
        let variance = |level: &Level| (within / level.n + between).max(1e-9);
        let (mut weights, mut sum) = (0.0, 0.0);
        for level in &self.levels {
            weights += 1.0 / variance(level);
            sum += level.value / variance(level);
        }
        let deviation = variance(level).sqrt();
        let z = (level.value - sum / weights) / (variance(level) + 1.0 / weights).sqrt();
        z.is_finite().then_some((z, deviation))
    }

    /// The alarm of the last day, and where its change begins.
    fn alarm_of(&self, blocks: &[Block]) -> Option<(usize, Alarm)> {
        let cusum = self.cusum?;
        let (shift, days) = if cusum.up > cusum.threshold && cusum.up >= cusum.down {
            (Shift::Up, cusum.up_for)
        } else if cusum.down > cusum.threshold {
            (Shift::Down, cusum.down_for)
        } else {
            return None;
        };
        // Within the days since the sum was nothing, where both sides differ most.
        let first = self.levels.len() - usize::try_from(days).ok()?;
        let contrast = |begun: usize| {
            let (before, after) = self.levels.split_at_checked(begun)?;
            let (a, b) = (size(after), size(before));
            Some((a * b / (a + b) * (mean(after)? - mean(before)?).powi(2), begun))
        };
        let found = (first..self.levels.len()).filter_map(contrast);
        let (_, begun) = found.max_by(|x, y| x.0.total_cmp(&y.0).then(y.1.cmp(&x.1)))?;
        let (before, after) = self.levels.split_at_checked(begun)?;
        let change = (mean(after)? - mean(before)?).exp() - 1.0;
        let alarm =
            Alarm { day: self.days.last()?.day, since: blocks.get(begun)?.day, shift, change };
        Some((begun, alarm))
    }
}

fn offsets(blocks: &[Block]) -> [f64; 4] {
    let mut cells = [(0.0, 0.0); 4];
    for block in blocks {
        for (all, cell) in cells.iter_mut().zip(block.cells) {
            *all = (all.0 + cell.0, all.1 + cell.1);
        }
    }
    let (n, sum) = cells.iter().fold((0.0, 0.0), |all, cell| (all.0 + cell.0, all.1 + cell.1));
    cells.map(|(of, total)| if of > 0.0 { (total - of * sum / n) / (of + CELL_PRIOR) } else { 0.0 })
}

fn size(levels: &[Level]) -> f64 {
    levels.iter().map(|level| level.n).sum()
}

fn level(block: &Block, offsets: [f64; 4]) -> Level {
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (cell, offset) in block.cells.iter().zip(offsets) {
        n += cell.0;
        sum += cell.1 - cell.0 * offset;
        squares += cell.2 - 2.0 * offset * cell.1 + cell.0 * offset * offset;
    }
    let value = if n > 0.0 { sum / n } else { 0.0 };
    Level { value, n, squares: (squares - n * value * value).max(0.0) }
}

/// Mean of all replies of some days.
fn mean(levels: &[Level]) -> Option<f64> {
    let (n, sum) = levels.iter().fold((0.0, 0.0), |all, l| (all.0 + l.n, all.1 + l.n * l.value));
    (n > 0.0).then(|| sum / n)
}

/// Variance of a reply within its day, and of days beyond that of their replies (DerSimonian & Laird 1986).
fn noise(levels: &[Level]) -> (f64, f64) {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for level in levels {
        squares += level.squares;
        freedom += level.n - 1.0;
    }
    let within = if freedom > 0.0 { squares / freedom } else { 0.0 };
    if within <= 0.0 {
        return (1e-9, 0.0);
    }
    let (mut weights, mut weight_squares, mut sum) = (0.0, 0.0, 0.0);
    for level in levels {
        let weight = level.n / within;
        weights += weight;
        weight_squares += weight * weight;
        sum += weight * level.value;
    }
    let mean = sum / weights;
    let q: f64 = levels.iter().map(|l| l.n / within * (l.value - mean).powi(2)).sum();
    let days = levels.iter().map(|_| 1.0).sum::<f64>() - 1.0;
    (within, ((q - days) / (weights - weight_squares / weights)).max(0.0))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of replies"
)]
const fn whole(n: f64) -> u32 {
    n as u32
}

#[cfg(test)]
mod tests;
