//! What is drawn: which mode is taken, and which archetype. All of it from one key, so that it can be drawn again.

use sha2::{Digest, Sha256};

use super::{Action, Inputs, archetype::Choice, learned::mixed};
use crate::social::{
    mode::{Archetype, Mode},
    score::count,
};

/// A number in 0..1 of 53 bits, the same for the same key and purpose: the head of their SHA-256.
#[must_use]
pub fn draw(key: u64, purpose: &str) -> f64 {
    let hash = Sha256::new().chain_update(key.to_be_bytes()).chain_update(purpose).finalize();
    let mut bytes = [0_u8; 8];
    bytes.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    let [a, b, c, d, e, f, g, h] = bytes;
    let (high, low) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]) >> 11);
    (f64::from(high) * 2_097_152.0 + f64::from(low)) / 9_007_199_254_740_992.0
}

/// How the mode is drawn. The unit interval is cut: held out first, then an even share for each mode that may be
/// tried, the rest is the predicted mode's.
pub(super) struct Lottery<'a> {
    pub(super) predicted: Mode,
    /// Engaging modes that may be tried, the predicted one among them; empty if nothing is left to chance.
    pub(super) tried: &'a [Mode],
    /// Shares; not counted where `tried` is empty.
    pub(super) explore: f64,
    pub(super) hold_out: f64,
}

/// What was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) mode: Mode,
    /// By lot, even if the lot fell on the predicted mode.
    pub(super) randomised: bool,
    pub(super) held_out: bool,
}

impl Lottery<'_> {
    fn shares(&self) -> (f64, f64) {
        match self.tried.len() {
            0 => (0.0, 0.0),
            1 => (self.hold_out, 0.0),
            _ => (self.hold_out, self.explore),
        }
    }

    /// Probability to take a mode; over all modes they add up to 1.
    pub(super) fn probability(&self, mode: Mode) -> f64 {
        let (hold_out, explore) = self.shares();
        let mut probability = if mode == self.predicted { 1.0 - hold_out - explore } else { 0.0 };
        if self.tried.contains(&mode) {
            probability += explore / count(self.tried.len());
        }
        if mode == Mode::Disengaged { probability + hold_out } else { probability }
    }

    /// `u` in 0..1.
    pub(super) fn draw(&self, u: f64) -> Drawn {
        let (hold_out, explore) = self.shares();
        if u < hold_out {
            return Drawn { mode: Mode::Disengaged, randomised: true, held_out: true };
        }
        let share = explore / count(self.tried.len().max(1));
        let mut end = hold_out;
        for mode in self.tried.iter().filter(|_| explore > 0.0) {
            end += share;
            if u < end {
                return Drawn { mode: *mode, randomised: true, held_out: false };
            }
        }
        Drawn { mode: self.predicted, randomised: false, held_out: false }
    }
}

/// What came of chance.
pub(super) struct Fate {
    pub(super) mode: Mode,
    pub(super) archetype: Option<Archetype>,
    /// Given the mode.
    pub(super) archetype_propensity: f64,
    pub(super) randomised: bool,
    pub(super) held_out: bool,
    pub(super) by_policy: bool,
    /// All that could have come of it.
    pub(super) actions: Vec<Action>,
    /// Of what did.
    pub(super) propensity: f64,
}

/// Draws: what is held out or tried, the archetype, and, where several modes or archetypes are open and it has a share,
/// what the learned policy takes in the place of the rules.
pub(super) fn fate(
    inputs: &Inputs,
    lottery: &Lottery<'_>,
    choices: &[(Mode, Vec<Choice>)],
) -> Fate {
    let Drawn { mode, randomised, held_out } = lottery.draw(draw(inputs.key, "mode"));
    let of_mode = choices.iter().find(|(m, _)| *m == mode).map_or(&[][..], |(_, some)| some);
    let picked = pick(of_mode, draw(inputs.key, "archetype"));
    let archetype_propensity = picked.map_or(1.0, |(_, probability)| probability);
    let actions = actions(lottery, choices);
    let learned = inputs.learned.as_ref().filter(|_| !lottery.tried.is_empty());
    let quiet = lottery.probability(Mode::Disengaged);
    let Some((actions, own)) = mixed(learned, &actions, quiet, draw(inputs.key, "policy's action"))
    else {
        return Fate {
            mode,
            archetype: picked.map(|(archetype, _)| archetype),
            archetype_propensity,
            randomised,
            held_out,
            by_policy: false,
            actions,
            propensity: lottery.probability(mode) * archetype_propensity,
        };
    };
    let share = learned.map_or(0.0, |learned| learned.share);
    let by_policy = !held_out && draw(inputs.key, "policy") < share;
    let of_rules = (mode, picked.map(|(archetype, _)| archetype));
    let (mode, archetype) = if by_policy { (own.mode, own.archetype) } else { of_rules };
    let sum = |of: &dyn Fn(&Action) -> bool| -> f64 {
        actions.iter().filter(|action| of(action)).map(|action| action.probability).sum()
    };
    let propensity = sum(&|action| (action.mode, action.archetype) == (mode, archetype));
    Fate {
        mode,
        archetype,
        archetype_propensity: propensity / sum(&|action| action.mode == mode),
        randomised: randomised && !by_policy,
        held_out,
        by_policy,
        actions,
        propensity,
    }
}

/// The archetype at `u` in 0..1, and its probability; none where there is nothing to choose.
pub(super) fn pick(choices: &[Choice], u: f64) -> Option<(Archetype, f64)> {
    let mut end = 0.0;
    let at = choices.iter().find(|choice| {
        end += choice.probability;
        u < end
    });
    // Sums of probabilities may end just below one.
    at.or(choices.last()).map(|choice| (choice.archetype, choice.probability))
}

/// Every pair of mode and archetype that could have been taken, with its probability; they add up to 1.
pub(super) fn actions(lottery: &Lottery<'_>, choices: &[(Mode, Vec<Choice>)]) -> Vec<Action> {
    let mut actions = Vec::new();
    let quiet = lottery.probability(Mode::Disengaged);
    if quiet > 0.0 {
        actions.push(Action { mode: Mode::Disengaged, archetype: None, probability: quiet });
    }
    for (mode, choices) in choices {
        let taken = lottery.probability(*mode);
        for choice in choices.iter().filter(|_| taken > 0.0) {
            let probability = taken * choice.probability;
            actions.push(Action { mode: *mode, archetype: Some(choice.archetype), probability });
        }
    }
    actions
}
