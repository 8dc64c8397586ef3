//! Years in which nothing happens, and a fall of a fifth: how often each rule is wrong, and how often it sees.

use chrono::{DateTime, Duration, Utc};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::{
    seed_rule::SeedWeek,
    series::{Alarm, CHANGE_MIN, Shown, watch},
};
use crate::learning::rows::DAYPARTS;

/// Standard deviation of a reply's logarithm, as the spec measured it.
const SIGMA: f64 = 1.5;
/// Mean of the logarithm.
const LEVEL: f64 = 5.0;
/// What dayparts are off that.
const DAYPART: [f64; 4] = [-0.6, 0.1, 0.0, 0.4];
/// Days before the year that is looked at, and before a fall.
const BEFORE: i64 = 60;
const YEAR: i64 = 364;
/// Of a week.
const P: f64 = 0.05;

/// What came of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// False alarms a year and series.
    pub false_per_year: f64,
    /// Share of falls by a fifth that were seen in two weeks.
    pub seen: f64,
}

/// What came of all rules for so many replies a week.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Line {
    /// Of one platform.
    pub per_week: u32,
    /// Ours.
    pub ours: Tally,
    /// The seed's: the mean of the week has fallen by a fifth.
    pub seed_rule: Tally,
    /// Each week a test of the difference of mean logarithms, p < .05.
    pub fixed_test: Tally,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Years, and as many falls.
    pub runs: u32,
    /// Of the first; the others have the following ones.
    pub seed: u64,
    /// One for each number of replies.
    pub lines: Vec<Line>,
}

/// Lives as many years, and as many falls, of each number of replies a week.
#[must_use]
pub fn simulate(runs: u32, seed: u64, per_week: &[u32]) -> Outcome {
    let lines = per_week.iter().map(|per_week| line(runs, seed, *per_week)).collect();
    Outcome { runs, seed, lines }
}

fn line(runs: u32, seed: u64, per_week: u32) -> Line {
    let mut line = Line {
        per_week,
        ours: Tally::default(),
        seed_rule: Tally::default(),
        fixed_test: Tally::default(),
    };
    let mut add = |of: fn(&mut Tally) -> &mut f64, counts: [f64; 3]| {
        let tallies = [&mut line.ours, &mut line.seed_rule, &mut line.fixed_test];
        for (tally, count) in tallies.into_iter().zip(counts) {
            *of(tally) += count / f64::from(runs);
        }
    };
    for nth in 0..runs {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(nth.into()));
        let still = life(&mut random, per_week, BEFORE + YEAR, None);
        let weeks = (1..=YEAR / 7).map(|week| BEFORE + 7 * week);
        add(|tally| &mut tally.false_per_year, alarms(&still, BEFORE, weeks));
        let fallen = life(&mut random, per_week, BEFORE + 14, Some(BEFORE));
        let found = alarms(&fallen, BEFORE, [BEFORE + 7, BEFORE + 14].into_iter());
        let seen = found.map(|alarms| f64::from(u8::from(alarms > 0.0)));
        add(|tally| &mut tally.seen, seen);
    }
    line
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

/// Alarms from a day on: of ours falls and rises, of the seed's rule falls, of the test both.
fn alarms(replies: &[Shown], from: i64, weeks: impl Iterator<Item = i64>) -> [f64; 3] {
    let since = (start() + Duration::days(from)).date_naive();
    let watched = watch(replies);
    let is_late = |alarm: &&Alarm| alarm.day >= since;
    let ours = watched.alarms.iter().filter(is_late);
    let mut counts = [ours.map(|_| 1.0).sum(), 0.0, 0.0];
    for week in weeks {
        let found = SeedWeek::of(replies, start() + Duration::days(week));
        let Some(found) = found else { continue };
        let [_, seed, fixed] = &mut counts;
        *seed += f64::from(u8::from(found.falls));
        *fixed += f64::from(u8::from(found.p < P));
    }
    counts
}

/// Days of replies: as many as chance has it, each at some time of its day, shown a log-normal number of times.
fn life(random: &mut StdRng, per_week: u32, days: i64, falls: Option<i64>) -> Vec<Shown> {
    let mut replies = Vec::new();
    for day in 0..days {
        let fall =
            if falls.is_some_and(|from| day >= from) { (1.0 - CHANGE_MIN).ln() } else { 0.0 };
        for at in times(random, per_week) {
            let part = usize::try_from(at / 21_600).unwrap_or_default();
            let (daypart, offset) =
                DAYPARTS.into_iter().zip(DAYPART).nth(part).unwrap_or((DAYPARTS[0], 0.0));
            let value = LEVEL + offset + fall + SIGMA * millrace_stats::draw::normal(random);
            let at = start() + Duration::days(day) + Duration::seconds(at);
            replies.push(Shown { at, daypart, figure: value.exp() });
        }
    }
    replies
}

/// Seconds of a day, in order: a Poisson process.
fn times(random: &mut impl Rng, per_week: u32) -> Vec<i64> {
    let mean = 7.0 * 86_400.0 / f64::from(per_week.max(1));
    let (mut at, mut all) = (0.0, Vec::new());
    loop {
        at -= mean * (1.0 - random.random::<f64>()).ln();
        if at >= 86_400.0 {
            return all;
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "seconds of a day"
        )]
        all.push(at as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_years_are_quiet_and_a_fall_is_seen() {
        let found = simulate(12, 1, &[200, 1_000]);
        assert_eq!(found, simulate(12, 1, &[200, 1_000]), "the same seeds give the same lives");
        let false_alarms = |of: fn(&Line) -> Tally| -> f64 {
            found.lines.iter().map(|line| of(line).false_per_year).sum()
        };
        let (ours, theirs) = (false_alarms(|line| line.ours), false_alarms(|line| line.seed_rule));
        assert!(ours <= 2.0 && theirs > 3.0 * ours, "{found:?}");
        let busy = found.lines.last().unwrap();
        assert!(busy.ours.seen >= 0.8, "{busy:?}");
    }
}
