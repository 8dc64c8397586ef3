//! What the policy would have gained, night by night, on decisions that it had not learned from. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use millrace_stats::{
    Interval, Result,
    linear_ts::State,
    means::Moments,
    sequential::{confidence_sequence, rho_for},
};
use serde::Serialize;

use super::{
    Stage,
    features::{Context, Model, features, nothing},
};
use crate::{
    learning::run::{ALPHA, SUCCESSES_MIN},
    social::{
        decide::chances,
        mode::{Archetype, Mode},
    },
};

/// Decisions that are learned from before any is judged.
const ROWS_BEFORE: u64 = 100;
/// Decisions that must have been judged before the policy is given more.
const ROWS_MIN: u32 = 200;
/// And what they must weigh together (Kish 1965): else the actions that it prefers were hardly ever taken.
const ESS_MIN: f64 = 100.0;
/// Removals in a hundred decisions that it may cost at most, to be sure of.
const REMOVAL_MARGIN: f64 = 0.02;
/// The confidence sequence is narrowest at about so many.
const NARROW_AT: f64 = 2_000.0;

/// An action that was open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Open {
    /// How to take part.
    pub mode: Mode,
    /// In which manner.
    pub archetype: Archetype,
    /// With which it was taken, given that something is said; those of a decision add up to 1.
    pub propensity: f64,
    /// With which the rules alone would have; likewise.
    pub rules: f64,
}

/// A decision whose outcome is final.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// When it was made.
    pub decided_at: DateTime<Utc>,
    /// When its outcome became final.
    pub matured_at: DateTime<Utc>,
    /// What was seen.
    pub context: Context,
    /// What was open, one at least.
    pub open: Vec<Open>,
    /// Which of those was taken.
    pub taken: usize,
    /// What came of it: 1 a reward, 0 nothing, -1 a removal.
    pub reward: f64,
    /// It was taken down or reported.
    pub removed: bool,
}

/// Why the policy stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stays {
    /// A person holds it.
    Locked,
    /// Too few decisions were judged.
    InsufficientSampleSize,
    /// What it prefers was hardly ever taken.
    InsufficientOverlap,
    /// It may cost removals.
    Guardrail,
    /// Its gain may be none.
    InsufficientEvidence,
    /// There is no more to give.
    AtTop,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "verdict", content = "why")]
pub enum Verdict {
    /// The next stage.
    Up,
    /// Back to looking on: it costs rewards, or removals.
    Down,
    /// Nothing.
    Stays(Stays),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Decisions that it learned from.
    pub rows: u64,
    /// Of those, decisions that it was judged on: made in this stage, and not yet learned from.
    pub judged: u32,
    /// Of those, rewarded ones.
    pub successes: u32,
    /// What they weigh together.
    pub ess: f64,
    /// Mean reward of the decisions judged.
    pub mean_reward: f64,
    /// Mean reward that it would have gained over what was done.
    pub gain: f64,
    /// That is in it at all times at once with 95 %.
    pub interval: Option<Interval>,
    /// Removals that it would have cost, likewise.
    pub removals: Option<Interval>,
    /// What it knows now.
    #[serde(skip)]
    pub state: State,
    /// Standard deviation of rewards.
    pub noise: f64,
    /// What is to become of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Debug, Default)]
struct Evidence {
    gain: Moments,
    removals: Moments,
    rewards: f64,
    successes: u32,
    removed: u32,
    weights: (f64, f64),
}

/// Learn from rows in the order in which they matured, those made after `since` judged first, with what was known the day
/// before (Dawid 1984): so it may be looked at every night.
///
/// # Errors
/// If a number of the rows is not finite.
pub fn learn(rows: &[Row], stage: Stage, since: DateTime<Utc>, locked: bool) -> Result<Found> {
    let mut state = nothing()?;
    let (mut rewards, mut evidence) = (Moments::default(), Evidence::default());
    let day_of = |row: &Row| -> NaiveDate { row.matured_at.date_naive() };
    for day in rows.chunk_by(|a, b| day_of(a) == day_of(b)) {
        if state.n >= ROWS_BEFORE {
            let model = Model::of(&state, noise(&rewards))?;
            for row in day.iter().filter(|row| row.decided_at > since) {
                evidence.look(&model, row)?;
            }
        }
        for row in day {
            let Some(taken) = row.open.get(row.taken) else { continue };
            let of_action = features(&row.context, taken.mode, taken.archetype);
            state.update(&of_action, row.reward, 1.0)?;
            rewards = rewards.with(row.reward)?;
        }
    }
    Ok(evidence.found(state, noise(&rewards), stage, locked))
}

/// Never quite none: what never varied may yet.
fn noise(rewards: &Moments) -> f64 {
    rewards.variance().unwrap_or_default().max(1e-4).sqrt()
}

impl Evidence {
    /// The doubly robust gain of the policy over what was done, on one decision (Dudík, Langford & Li 2011):
    /// `Σ(π-μ)q + (w-1)(R-q)`, w = π/μ of the action taken. Nothing is clipped: a clipped weight would count the model's
    /// hopes in place of what came, and it hopes most where it is most wrong.
    fn look(&mut self, model: &Model, row: &Row) -> Result<()> {
        let beliefs: Result<Vec<(f64, f64)>> = row
            .open
            .iter()
            .map(|open| model.expects(&row.context, open.mode, open.archetype))
            .collect();
        let beliefs = beliefs?;
        let normals: Vec<(f64, f64)> = beliefs.iter().map(|(m, d)| (*m, d.max(1e-6))).collect();
        let rules: Vec<f64> = row.open.iter().map(|open| open.rules).collect();
        let Some(own) = chances(&normals, &rules) else { return Ok(()) };
        let (Some(taken), Some(chance), Some((expected, _))) =
            (row.open.get(row.taken), own.get(row.taken), beliefs.get(row.taken))
        else {
            return Ok(());
        };
        let weight = chance / taken.propensity;
        let otherwise: f64 = row
            .open
            .iter()
            .zip(&own)
            .zip(&beliefs)
            .map(|((open, own), (mean, _))| (own - open.propensity) * mean)
            .sum();
        self.gain = self.gain.with(otherwise + (weight - 1.0) * (row.reward - expected))?;
        let removed = f64::from(u8::from(row.removed));
        self.removals = self.removals.with((weight - 1.0) * removed)?;
        self.rewards += row.reward;
        self.successes += u32::from(row.reward > 0.0);
        self.removed += u32::from(row.removed);
        self.weights = (self.weights.0 + weight, self.weights.1 + weight * weight);
        Ok(())
    }

    fn found(self, state: State, noise: f64, stage: Stage, locked: bool) -> Found {
        let judged = u32::try_from(self.gain.n).unwrap_or(u32::MAX);
        let rho = rho_for(NARROW_AT, ALPHA);
        let sequence = |scores: &Moments| -> Option<Interval> {
            confidence_sequence(scores, rho.ok()?, ALPHA).ok()
        };
        let counts = self.successes >= SUCCESSES_MIN;
        let (sum, squares) = self.weights;
        let mut found = Found {
            rows: state.n,
            judged,
            successes: self.successes,
            ess: if squares > 0.0 { sum * sum / squares } else { 0.0 },
            mean_reward: if judged > 0 { self.rewards / f64::from(judged) } else { 0.0 },
            gain: self.gain.mean,
            interval: sequence(&self.gain).filter(|_| counts),
            removals: self.removals(judged, sequence(&self.removals)),
            state,
            noise,
            verdict: Verdict::Up,
        };
        found.verdict = found.verdict(stage, locked);
        found
    }

    /// Without any so far three in as many decisions (Hanley and Lippman-Hand 1983).
    fn removals(&self, judged: u32, sequence: Option<Interval>) -> Option<Interval> {
        match (self.removed, judged) {
            (_, 0) => None,
            (0, n) => Interval::new(0.0, 3.0 / f64::from(n)).ok(),
            _ => sequence,
        }
    }
}

impl Found {
    fn verdict(&self, stage: Stage, locked: bool) -> Verdict {
        let worse = self.interval.is_some_and(|of| of.high < 0.0)
            || self.removals.is_some_and(|of| of.low > 0.0);
        if locked {
            return Verdict::Stays(Stays::Locked);
        }
        if worse && stage != Stage::Shadow {
            return Verdict::Down;
        }
        let stays = [
            (stage.up().is_none(), Stays::AtTop),
            (self.judged < ROWS_MIN, Stays::InsufficientSampleSize),
            (self.ess < ESS_MIN, Stays::InsufficientOverlap),
            (!self.interval.is_some_and(|of| of.low > 0.0), Stays::InsufficientEvidence),
            (!self.removals.is_some_and(|of| of.high <= REMOVAL_MARGIN), Stays::Guardrail),
        ];
        let reason = stays.into_iter().find(|(is, _)| *is).map(|(_, why)| why);
        reason.map_or(Verdict::Up, Verdict::Stays)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::{super::features::CONTEXT, *};

    /// 400 decisions between two archetypes on each of two days; on the second one the other one does well.
    fn days(first: f64, second: f64) -> Vec<Row> {
        let begin = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let row = |n: u32| {
            let taken = usize::from(n % 2 == 1);
            let at = begin + Duration::days(i64::from(n / 400));
            let good = if taken == 0 { first } else { second };
            let good = if n < 400 { good } else { first + second - good };
            let reward = f64::from(u8::from(f64::from(n / 2 % 10) < good * 10.0));
            let open = [Archetype::Coach, Archetype::Checklist].map(|archetype| Open {
                mode: Mode::Helpful,
                archetype,
                propensity: 0.5,
                rules: 0.5,
            });
            let context = [1.0; CONTEXT];
            Row {
                decided_at: at,
                matured_at: at,
                context,
                open: open.into(),
                taken,
                reward,
                removed: false,
            }
        };
        (0..800).map(row).collect()
    }

    #[test]
    fn what_goes_wrong_takes_its_say_back_unless_a_person_holds_it() {
        let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap() + Duration::hours(1);
        let judged = |rows: &[Row], stage, locked| learn(rows, stage, since, locked).unwrap();
        let turned = days(0.6, 0.1);
        let found = judged(&turned, Stage::Share, false);
        assert_eq!((found.judged, found.verdict), (400, Verdict::Down), "{found:?}");
        assert_eq!(judged(&turned, Stage::Full, false).verdict, Verdict::Down);
        assert_eq!(judged(&turned, Stage::Full, true).verdict, Verdict::Stays(Stays::Locked));
        let shadow = judged(&turned, Stage::Shadow, false).verdict;
        assert_eq!(shadow, Verdict::Stays(Stays::InsufficientEvidence), "it has nothing to lose");
        let even = judged(&days(0.3, 0.3), Stage::Share, false).verdict;
        assert_eq!(even, Verdict::Stays(Stays::InsufficientEvidence));
    }
}
