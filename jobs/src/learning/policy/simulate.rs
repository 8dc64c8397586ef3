//! Made-up worlds for the policy: whether it is given a say where there is nothing to gain, how soon where there is, and
//! whether it loses it again when the truth turns.

use chrono::{DateTime, Duration, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::Serialize;

use super::{
    Stage,
    features::{CONTEXT, Context, Model},
    judge::{Found, Open, Row, Verdict, learn},
};
use crate::social::{
    decide::{Archetypes, chances},
    mode::{Archetype, ENGAGING, Mode, rung},
};

/// What is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// All modes and archetypes are worth the same.
    Aa,
    /// What is worth most depends on the signals.
    Ab,
    /// As `Ab`, and half-way the other way round.
    Turn,
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// What is true.
    pub world: World,
    /// Lives.
    pub runs: u32,
    /// Of the first.
    pub seed: u64,
    /// Days of each; the policy is judged at the end of each week.
    pub days: u32,
    /// Decisions a day whose outcome is told.
    pub per_day: u32,
}

/// What came of all lives. Gains are shares of what always taking the best action would gain over the rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How it went on.
    pub plan: Plan,
    /// Share of lives in which it was given a say.
    pub shared: f64,
    /// In which it was given most.
    pub full: f64,
    /// In which it was taken back.
    pub taken_back: f64,
    /// Median decisions until it was given a say.
    pub median_samples: Option<u64>,
    /// What its own choices would have gained in the last week.
    pub own_gain: f64,
    /// What was gained over the rules in all, whatever its share was.
    pub gained: f64,
}

const BASE: f64 = 0.10;
const WEEK: u32 = 7;

/// Lives the plan.
#[must_use]
pub fn simulate(plan: Plan) -> Outcome {
    let lives: Vec<Life> = (0..plan.runs).map(|nth| live(plan, u64::from(nth))).collect();
    let mean =
        |of: &dyn Fn(&Life) -> f64| lives.iter().map(of).sum::<f64>() / f64::from(plan.runs.max(1));
    let is = |fact: bool| f64::from(u8::from(fact));
    let mut first: Vec<u64> = lives.iter().filter_map(|life| life.shared_at).collect();
    first.sort_unstable();
    let part = |(of, best): (f64, f64)| if best > 1e-9 { of / best } else { 0.0 };
    Outcome {
        plan,
        shared: mean(&|life| is(life.shared_at.is_some())),
        full: mean(&|life| is(life.full)),
        taken_back: mean(&|life| is(life.taken_back)),
        median_samples: first.get(first.len() / 2).copied(),
        own_gain: mean(&|life| part(life.own)),
        gained: mean(&|life| part(life.gained)),
    }
}

#[derive(Default)]
struct Life {
    shared_at: Option<u64>,
    full: bool,
    taken_back: bool,
    /// Of the policy's own choices in the last week, and of the best ones.
    own: (f64, f64),
    /// Of what was done in all, and of the best ones.
    gained: (f64, f64),
}

struct Policy {
    stage: Stage,
    since: DateTime<Utc>,
    model: Option<Model>,
}

fn live(plan: Plan, nth: u64) -> Life {
    let begin = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
    let mut random = StdRng::seed_from_u64(plan.seed.wrapping_add(nth));
    let mut policy = Policy { stage: Stage::Shadow, since: begin - Duration::days(1), model: None };
    let (mut life, mut rows) = (Life::default(), Vec::new());
    for day in 0..plan.days {
        let at = begin + Duration::days(day.into());
        let turned = plan.world == World::Turn && day * 2 >= plan.days;
        for _ in 0..plan.per_day {
            let last_week = day + WEEK >= plan.days;
            rows.push(decision(plan.world, turned, &policy, &mut random, at, &mut life, last_week));
        }
        if day % WEEK == WEEK - 1
            && let Ok(found) = learn(&rows, policy.stage, policy.since, false)
        {
            policy.follow(&found, at, &mut life);
        }
    }
    life
}

impl Policy {
    fn follow(&mut self, found: &Found, at: DateTime<Utc>, life: &mut Life) {
        self.model = Model::of(&found.state, found.noise).ok();
        let to = match found.verdict {
            Verdict::Up => self.stage.up(),
            Verdict::Down => Some(Stage::Shadow),
            Verdict::Stays(_) => None,
        };
        let Some(to) = to else { return };
        life.taken_back |= to == Stage::Shadow;
        life.full |= to == Stage::Full;
        if to == Stage::Share {
            life.shared_at = life.shared_at.or(Some(found.rows));
        }
        (self.stage, self.since) = (to, at);
    }
}

/// One decision, by the rules or by the policy, with its outcome.
fn decision(
    world: World,
    turned: bool,
    policy: &Policy,
    random: &mut StdRng,
    at: DateTime<Utc>,
    life: &mut Life,
    last_week: bool,
) -> Row {
    let context = context(random);
    let mut open = rules(random);
    let truth: Vec<f64> =
        open.iter().map(|o| chance(world, turned, &context, o.mode, o.archetype)).collect();
    let of_rules = value(&truth, open.iter().map(|o| o.propensity));
    let best = truth.iter().copied().fold(0.0, f64::max);
    let own = policy.model.as_ref().and_then(|model| {
        let beliefs: Option<Vec<(f64, f64)>> =
            open.iter().map(|o| model.expects(&context, o.mode, o.archetype).ok()).collect();
        let rules: Vec<f64> = open.iter().map(|o| o.rules).collect();
        chances(&beliefs?, &rules)
    });
    if let Some(own) = own {
        let share = policy.stage.share();
        for (open, own) in open.iter_mut().zip(&own) {
            open.propensity += share * (own - open.propensity);
        }
        if last_week {
            life.own.0 += value(&truth, own.into_iter()) - of_rules;
            life.own.1 += best - of_rules;
        }
    }
    life.gained.0 += value(&truth, open.iter().map(|o| o.propensity)) - of_rules;
    life.gained.1 += best - of_rules;
    let u: f64 = random.random();
    let mut end = 0.0;
    let taken = open.iter().position(|open| {
        end += open.propensity;
        u < end
    });
    let taken = taken.unwrap_or(open.len() - 1);
    let chance = truth.get(taken).copied().unwrap_or_default();
    let reward = f64::from(u8::from(random.random_bool(chance)));
    Row { decided_at: at, matured_at: at, context, open, taken, reward, removed: false }
}

fn value(truth: &[f64], chances: impl Iterator<Item = f64>) -> f64 {
    truth.iter().zip(chances).map(|(truth, chance)| truth * chance).sum()
}

fn context(random: &mut StdRng) -> Context {
    let mut all = [0.0; CONTEXT];
    for (nth, value) in all.iter_mut().enumerate() {
        *value = match nth {
            0 => 1.0,
            1..=4 => random.random(),
            _ => f64::from(u8::from(random.random_bool(0.25))),
        };
    }
    all
}

/// As the rules do it: two or three modes are open, one is taken nine times in ten; archetypes by a softmax with a floor.
fn rules(random: &mut StdRng) -> Vec<Open> {
    let pools = Archetypes::default().pools;
    let mut modes = ENGAGING.to_vec();
    if random.random_bool(0.5) {
        modes.remove(random.random_range(0..modes.len()));
    }
    let predicted = modes.choose(random).copied().unwrap_or(Mode::Helpful);
    let even = 0.1 / modes.iter().map(|_| 1.0).sum::<f64>();
    let mut open = Vec::new();
    for mode in modes {
        let of_mode = if mode == predicted { 0.9 + even } else { even };
        let pool = pools.get(&mode).map_or(&[][..], Vec::as_slice);
        let masses: Vec<f64> = pool.iter().map(|_| 0.2 + random.random::<f64>()).collect();
        let all: f64 = masses.iter().sum();
        for (archetype, mass) in pool.iter().zip(masses) {
            let rules = of_mode * mass / all;
            open.push(Open { mode, archetype: *archetype, propensity: rules, rules });
        }
    }
    open
}

/// Of a reward: more helpful modes pay where more help is sought, and half of the archetypes do better than the others.
fn chance(world: World, turned: bool, context: &Context, mode: Mode, archetype: Archetype) -> f64 {
    if world == World::Aa {
        return BASE;
    }
    let sought = context.get(1).copied().unwrap_or_default() - 0.5;
    let ladder = [0.0, -1.0, 0.0, 1.0].get(rung(mode)).copied().unwrap_or_default();
    let better = matches!(
        archetype,
        Archetype::Coach | Archetype::Checklist | Archetype::Storylet | Archetype::Mythbust
    );
    let lean = 1.2 * ladder * sought + if better { 0.3 } else { -0.3 };
    BASE * (1.0 + if turned { -lean } else { lean })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(world: World, days: u32) -> Outcome {
        simulate(Plan { world, runs: 2, seed: 3, days, per_day: 60 })
    }

    #[test]
    fn it_is_given_no_say_for_nothing_and_finds_what_is_worth_most() {
        let null = lives(World::Aa, 35);
        assert!(null.shared <= 0.0, "{null:?}");
        assert_eq!(lives(World::Aa, 35), null, "the same seeds give the same lives");
        let found = lives(World::Ab, 49);
        assert!(found.own_gain > 0.15, "{found:?}");
    }
}
