//! Experiments in made-up worlds whose truth is known: how often they are wrong, how soon they are right, what they cost.

use millrace_stats::{dist, means, rates};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::{
    contract::{GATE, SEED_GATE},
    finding::moments,
    race::{Gathered, RESPLIT_EVERY, Race},
};
use crate::learning::run::ALPHA;

/// The seed's rule: how probable it must be that one is better.
const SEED_BEST: f64 = 0.95;
/// And its ladder of shares.
const LADDER: [f64; 4] = [0.5, 0.7, 0.85, 0.95];
/// Power for which the fixed test is planned.
const POWER: f64 = 0.95;

/// What is true in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// Both variants are the same.
    VariantsAa,
    /// B is better.
    VariantsAb,
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
    /// Units of each life, with a look after each.
    pub units: u32,
    /// Rates of A and B.
    pub rates: [f64; 2],
}

impl Plan {
    /// The usual: 10 000 units; 3 % both, or 3 against 5 %.
    #[must_use]
    pub const fn of(world: World, runs: u32, seed: u64) -> Self {
        let b = if matches!(world, World::VariantsAb) { 0.05 } else { 0.03 };
        Self { world, runs, seed, units: 10_000, rates: [0.03, b] }
    }

    fn worse(&self, in_b: bool) -> f64 {
        let [a, b] = self.rates;
        a.max(b) - if in_b { b } else { a }
    }
}

/// What came of one rule in all lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Share of lives in which a variant was promoted.
    pub promoted: f64,
    /// Share of lives in which the better one was.
    pub correct: f64,
    /// Share of lives in which another was; where none is better, any.
    pub wrong: f64,
    /// Median units until then, of the lives with a promotion.
    pub median_samples: Option<u32>,
    /// Mean rewards that all units of a life went without, because they did not get the better variant. Once one is
    /// promoted all get it; before and without, as the rule splits.
    pub regret: f64,
    /// Share of what splitting evenly to the end would have cost that was saved.
    pub saved: f64,
}

/// What came of a world.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How it went on.
    pub plan: Plan,
    /// Ours.
    pub ours: Tally,
    /// The seed's: stop when one is better with 95 %, from 50 units of each on; shares by its ladder.
    pub seed_rule: Tally,
    /// A test of two rates at a size that was fixed beforehand.
    pub fixed: Tally,
}

#[derive(Debug, Clone, Copy, Default)]
struct Life {
    ended: Option<(u32, bool)>,
    regret: f64,
}

/// Lives the plan; each rule meets the same units.
#[must_use]
pub fn simulate(plan: Plan) -> Outcome {
    let each = |live: fn(&Plan, u64) -> Life| {
        let lives: Vec<Life> = (0..plan.runs).map(|nth| live(&plan, nth.into())).collect();
        tally(&plan, &lives)
    };
    Outcome { plan, ours: each(ours), seed_rule: each(seed_rule), fixed: each(fixed) }
}

/// A unit: where it goes, and whether it would have a reward in A and in B.
struct Units<'a> {
    plan: &'a Plan,
    random: StdRng,
}

impl<'a> Units<'a> {
    fn new(plan: &'a Plan, nth: u64) -> Self {
        Self { plan, random: StdRng::seed_from_u64(plan.seed.wrapping_add(nth)) }
    }

    fn next(&mut self) -> (f64, [bool; 2]) {
        let place = self.random.random();
        let luck: f64 = self.random.random();
        (place, self.plan.rates.map(|rate| luck < rate))
    }
}

/// A life: `share_of_a` says how units are split, `ended` after each whether one is promoted, and whether it is B.
fn live(
    plan: &Plan,
    nth: u64,
    mut share_of_a: impl FnMut(&Race) -> f64,
    ended: impl Fn(&Race) -> Option<bool>,
) -> Life {
    let mut units = Units::new(plan, nth);
    let (mut race, mut life) = (Race::default(), Life::default());
    let mut share = 0.5;
    for n in 1..=plan.units {
        let (place, [a, b]) = units.next();
        if let Some((_, is_b)) = life.ended {
            life.regret += plan.worse(is_b);
            continue;
        }
        let in_b = place >= share;
        life.regret += plan.worse(in_b);
        race.add(in_b, 1.0 - share, if in_b { b } else { a });
        life.ended = ended(&race).map(|is_b| (n, is_b));
        if n.is_multiple_of(RESPLIT_EVERY) {
            share = share_of_a(&race);
        }
    }
    life
}

fn ours(plan: &Plan, nth: u64) -> Life {
    live(plan, nth, Race::share_of_a, |race| {
        let gates = race.a.n >= GATE && race.b.n >= GATE && race.p() < ALPHA;
        let interval = race.interval().filter(|within| gates && !within.contains(0.0))?;
        Some(interval.low > 0.0)
    })
}

fn seed_rule(plan: &Plan, nth: u64) -> Life {
    let mut rung = 0_usize;
    let ladder = move |race: &Race| {
        let better = race.b_is_better();
        rung = if better.max(1.0 - better) > 0.75 { (rung + 1).min(3) } else { 0 };
        let large = LADDER.get(rung).copied().unwrap_or(0.5);
        if better > 0.5 { 1.0 - large } else { large }
    };
    live(plan, nth, ladder, |race| {
        let enough = race.a.n >= SEED_GATE && race.b.n >= SEED_GATE;
        // The closed form is dear, and far from certain nobody needs it.
        if !enough || (0.1..0.9).contains(&about(&race.a, &race.b)) {
            return None;
        }
        let better = race.b_is_better();
        (better.max(1.0 - better) > SEED_BEST).then_some(better > 0.5)
    })
}

/// Probability that B is better, roughly.
fn about(a: &Gathered, b: &Gathered) -> f64 {
    let (a, b) = (a.posterior(), b.posterior());
    dist::normal_cdf((b.mean() - a.mean()) / (a.variance() + b.variance()).sqrt())
}

fn fixed(plan: &Plan, nth: u64) -> Life {
    let per_arm = rates::sample_size(0.03, 0.05, ALPHA, POWER).unwrap_or(f64::INFINITY);
    live(
        plan,
        nth,
        |_| 0.5,
        |race| {
            if f64::from(race.n()) < 2.0 * per_arm || f64::from(race.n() - 1) >= 2.0 * per_arm {
                return None;
            }
            let test = means::welch(&moments(&race.b), &moments(&race.a), ALPHA).ok()?;
            (test.p < ALPHA).then_some(test.estimate > 0.0)
        },
    )
}

fn tally(plan: &Plan, lives: &[Life]) -> Tally {
    let [a, b] = plan.rates;
    let runs = f64::from(plan.runs.max(1));
    let share = |is: &dyn Fn(bool) -> bool| {
        let found = lives.iter().filter(|life| life.ended.is_some_and(|(_, is_b)| is(is_b)));
        found.fold(0.0, |sum, _| sum + 1.0) / runs
    };
    let mut samples: Vec<u32> = lives.iter().filter_map(|life| Some(life.ended?.0)).collect();
    samples.sort_unstable();
    let regret = lives.iter().map(|life| life.regret).sum::<f64>() / runs;
    let even = f64::from(plan.units) * (a - b).abs() / 2.0;
    Tally {
        promoted: share(&|_| true),
        correct: share(&|is_b| is_b && b > a),
        wrong: share(&|is_b| !(is_b && b > a)),
        median_samples: samples.get(samples.len() / 2).copied(),
        regret,
        saved: if even > 0.0 { 1.0 - regret / even } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looked_at_always_chance_wins_seldom_and_what_is_better_mostly() {
        let lives = |world| simulate(Plan::of(world, 60, 3));
        let (null, real) = (lives(World::VariantsAa), lives(World::VariantsAb));
        assert!(null.ours.promoted <= 0.1 && null.seed_rule.promoted >= 0.3, "{null:?}");
        assert!(real.ours.correct >= 0.88 && real.ours.wrong <= 0.02, "{real:?}");
        assert!(real.ours.regret < real.fixed.regret, "{real:?}");
    }
}
