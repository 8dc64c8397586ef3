//! Made-up worlds whose truth is known, to see what learning makes of them: how often it is wrong, how soon it is right.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use millrace_stats::{Interval, simplex};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::Serialize;

use super::{
    moments::dot,
    rows::{DAYPARTS, Four, Row, Segment},
    run::{Current, Known, learn, weights_of},
    seed_rule::SeedStatistics,
    step::{DEFAULT, WEIGHT_MAX, WEIGHT_MIN},
};
use crate::social::{record::Platform, temporal::Daypart};

/// What is true in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// No signal says anything of the outcome.
    Aa,
    /// The documented weights are right.
    Right,
    /// Other weights are right, the same everywhere.
    Ab,
    /// Each platform has its own.
    Segments,
    /// As `Ab`, but half-way the truth turns around.
    Drift,
}

impl World {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Aa, Self::Right, Self::Ab, Self::Segments, Self::Drift];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aa => "aa",
            Self::Right => "right",
            Self::Ab => "ab",
            Self::Segments => "segments",
            Self::Drift => "drift",
        }
    }

    /// Weights that are right there; none if there are none.
    fn truth(self, platform: Platform, late: bool) -> Option<Four> {
        let (a, b) = ([0.10, 0.15, 0.20, 0.55], [0.10, 0.60, 0.15, 0.15]);
        match (self, platform) {
            (Self::Aa, _) => None,
            (Self::Right, _) => Some(DEFAULT),
            (Self::Drift, _) if late => Some(b),
            (Self::Ab | Self::Drift, _) | (Self::Segments, Platform::Twitter) => Some(a),
            (Self::Segments, Platform::Reddit) => Some(b),
            (Self::Segments, Platform::Threads) => Some([0.15, 0.10, 0.60, 0.15]),
        }
    }

    /// Whether a step away from the documented weights is wrong there.
    #[must_use]
    pub const fn is_null(self) -> bool {
        matches!(self, Self::Aa | Self::Right)
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a world goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// Which.
    pub world: World,
    /// Lives of it.
    pub runs: u32,
    /// Of the first; the others have the following ones.
    pub seed: u64,
    /// Nights of each life.
    pub days: u32,
    /// Replies that mature each day.
    pub per_day: u32,
    /// Mean reward.
    pub base: f64,
}

impl Plan {
    /// The usual: 12 weeks, 150 replies a day, one in ten rewarded.
    #[must_use]
    pub const fn of(world: World, runs: u32, seed: u64) -> Self {
        Self { world, runs, seed, days: 84, per_day: 150, base: 0.10 }
    }
}

/// What came of one rule in all lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Share of lives with any step.
    pub stepped: f64,
    /// Share of lives whose first step made things worse, or was away from what is right.
    pub wrong: f64,
    /// Median rows until the first step, of the lives with one.
    pub median_samples: Option<u64>,
    /// Mean share of what the best weights would gain over the documented ones that the last weights do gain, 1 is all.
    pub recovered: f64,
    /// Mean over days of the share that was not gained.
    pub regret: f64,
}

/// What came of a world.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How it went on.
    pub plan: Plan,
    /// Ours.
    pub ours: Tally,
    /// The seed's rule as it is written, each night on the last seven days, its weights made to add up to one.
    pub seed_rule: Tally,
}

/// Lives the plan.
#[must_use]
pub fn simulate(plan: Plan) -> Outcome {
    let lives: Vec<[Life; 2]> = (0..plan.runs).map(|nth| live(plan, u64::from(nth))).collect();
    let tally = |which: usize| tally(lives.iter().filter_map(|both| both.get(which)));
    Outcome { plan, ours: tally(0), seed_rule: tally(1) }
}

#[derive(Debug, Clone, Default)]
struct Life {
    first: Option<u64>,
    wrong: bool,
    gains: Vec<f64>,
}

impl Life {
    fn note(&mut self, rows: usize, stepped: bool, gain: f64, null: bool) {
        if stepped && self.first.is_none() {
            self.first = u64::try_from(rows).ok();
            self.wrong = null || gain < 0.0;
        }
        self.gains.push(gain);
    }
}

/// The world's replies: signals are even, the reward a chance that grows with their true sum.
struct Generator {
    plan: Plan,
    random: StdRng,
    begin: DateTime<Utc>,
}

const LEAN: f64 = 0.8;

impl Generator {
    fn row(&mut self, day: u32) -> Row {
        let random = &mut self.random;
        let platform = Platform::ALL.choose(random).copied().unwrap_or(Platform::Twitter);
        let daypart = DAYPARTS.choose(random).copied().unwrap_or(Daypart::Night);
        let signals: Four = std::array::from_fn(|_| random.random());
        let late = day * 2 >= self.plan.days;
        let lean =
            self.plan.world.truth(platform, late).map_or(0.0, |truth| {
                LEAN * (dot(&truth, &signals) - 0.5) / dot(&truth, &truth).sqrt()
            });
        let chance = (self.plan.base * (1.0 + 2.0 * lean)).clamp(0.0, 1.0);
        let reward = f64::from(u8::from(random.random_bool(chance)));
        let matured_at = self.begin + Duration::days(day.into());
        Row {
            matured_at,
            platform,
            daypart,
            weekday: u8::try_from(day % 7).unwrap_or_default(),
            signals,
            engaged: 0.98,
            reward,
            removed: random.random_bool(0.01),
        }
    }
}

fn live(plan: Plan, nth: u64) -> [Life; 2] {
    let begin = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
    let random = StdRng::seed_from_u64(plan.seed.wrapping_add(nth));
    let mut generator = Generator { plan, random, begin };
    let (mut ours, mut theirs) = (Life::default(), Life::default());
    let (mut current, mut seed_weights) = (Current::new(), DEFAULT);
    let mut rows: Vec<Row> = Vec::new();
    for day in 0..plan.days {
        rows.extend((0..plan.per_day).map(|_| generator.row(day)));
        let now = begin + Duration::days(i64::from(day)) + Duration::hours(2);
        let late = day * 2 >= plan.days;
        let mut stepped = false;
        for found in learn(&rows, &current, now).iter().filter(|found| found.is_adjusted()) {
            stepped = true;
            let known = Known { weights: found.candidate, since: now, locked: false };
            current.insert(found.segment, known);
        }
        let in_force = |platform| weights_of(&current, Segment::Platform(platform));
        ours.note(rows.len(), stepped, gain(plan.world, late, in_force), plan.world.is_null());

        let week = begin + Duration::days(i64::from(day) - 7);
        let start = rows.partition_point(|row| row.matured_at <= week);
        let statistics = SeedStatistics::of(&rows.iter().skip(start).collect::<Vec<_>>());
        let stepped = statistics.adjusts();
        if stepped {
            seed_weights = seed_step(&seed_weights, &statistics);
        }
        let gain = gain(plan.world, late, |_| seed_weights);
        theirs.note(rows.len(), stepped, gain, plan.world.is_null());
    }
    [ours, theirs]
}

/// The documented update: the weight of each signal that differs significantly is multiplied, up or down.
fn seed_step(now: &Four, statistics: &SeedStatistics) -> Four {
    let mut to = *now;
    for (i, weight) in to.iter_mut().enumerate() {
        let of = |four: &Four| four.get(i).copied().unwrap_or_default();
        if of(&statistics.p) < 0.05 && of(&statistics.d).abs() >= 0.2 {
            *weight *= if of(&statistics.difference) > 0.0 { 1.15 } else { 0.85 };
        }
    }
    let bounds = Interval { low: WEIGHT_MIN, high: WEIGHT_MAX };
    let found = simplex::project(&to, &[bounds; 4]).ok().and_then(|all| all.try_into().ok());
    found.unwrap_or(*now)
}

/// Share of what the best weights gain over the documented ones; of even, independent signals an order by weights gains in
/// proportion to their cosine with the truth.
fn gain(world: World, late: bool, in_force: impl Fn(Platform) -> Four) -> f64 {
    let cosine = |a: &Four, b: &Four| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let mut sum = (0.0, 0.0);
    for platform in Platform::ALL {
        let Some(truth) = world.truth(platform, late) else { continue };
        let before = cosine(&DEFAULT, &truth);
        sum.0 += cosine(&in_force(platform), &truth) - before;
        sum.1 += 1.0 - before;
    }
    if sum.1 > 1e-9 { sum.0 / sum.1 } else { sum.0 }
}

fn tally<'a>(lives: impl Iterator<Item = &'a Life>) -> Tally {
    let lives: Vec<&Life> = lives.collect();
    let count = |of: &dyn Fn(&Life) -> f64| {
        let n: f64 = lives.iter().map(|_| 1.0).sum();
        if n > 0.0 { lives.iter().map(|life| of(life)).sum::<f64>() / n } else { 0.0 }
    };
    let mut first: Vec<u64> = lives.iter().filter_map(|life| life.first).collect();
    first.sort_unstable();
    let days = |life: &Life| life.gains.iter().map(|_| 1.0).sum::<f64>();
    Tally {
        stepped: count(&|life| f64::from(u8::from(life.first.is_some()))),
        wrong: count(&|life| f64::from(u8::from(life.wrong))),
        median_samples: first.get(first.len() / 2).copied(),
        recovered: count(&|life| life.gains.last().copied().unwrap_or_default()),
        regret: count(&|life| life.gains.iter().map(|gain| 1.0 - gain).sum::<f64>() / days(life)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(world: World) -> Outcome {
        simulate(Plan { days: 42, ..Plan::of(world, 8, 7) })
    }

    #[test]
    fn without_truth_nothing_moves_and_with_it_the_weights_do_and_rightly() {
        for null in [World::Aa, World::Right] {
            assert!(lives(null).ours.stepped <= 0.125, "{null}");
        }
        let found = lives(World::Ab).ours;
        assert!(found.stepped >= 0.99 && found.wrong <= 0.0 && found.recovered > 0.4, "{found:?}");
        assert_eq!(lives(World::Ab).ours, found, "the same seeds give the same lives");
    }
}
