//! The learned policy's say: which of the actions that the rules leave open it would take, and how often it may.

use millrace_stats::greatest::greatest;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::social::{
    mode::{Archetype, Mode},
    score::{finite, unit},
};

/// The policy takes no action more than about so many times as often as the rules do: what it is judged by on their
/// decisions would be its own hopes otherwise.
const FARTHEST: f64 = 10.0;
/// Deviations are at least this.
const DEVIATION_MIN: f64 = 1e-6;

/// What a policy that learned from outcomes expects of actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Of the policy.
    pub version: String,
    /// Of the decisions that leave it a choice, the share that it takes, 0..=1; 0: it only looks on.
    pub share: f64,
    /// Of the actions that the pools have.
    pub expected: Vec<Expected>,
}

/// What is expected of an action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// How to take part.
    pub mode: Mode,
    /// In which manner.
    pub archetype: Archetype,
    /// Reward.
    pub mean: f64,
    /// How unsure that is, > 0.
    pub deviation: f64,
}

impl Learned {
    pub(super) fn settled(mut self) -> Self {
        self.share = unit(finite(self.share, 0.0));
        for one in &mut self.expected {
            one.mean = finite(one.mean, 0.0);
            one.deviation = finite(one.deviation, 1.0).max(DEVIATION_MIN);
        }
        self
    }

    /// With what probability it would take each of these actions, which the rules take with those; none if it does not
    /// know one of them.
    fn chances(&self, open: &[(Mode, Archetype)], rules: &[f64]) -> Option<Vec<f64>> {
        let known = |(mode, archetype): &(Mode, Archetype)| {
            let found =
                self.expected.iter().find(|one| (one.mode, one.archetype) == (*mode, *archetype));
            found.map(|one| (one.mean, one.deviation))
        };
        let normals: Vec<(f64, f64)> = open.iter().map(known).collect::<Option<_>>()?;
        chances(&normals, rules)
    }
}

/// With what probability a policy takes actions whose rewards it believes to be these normals: Thompson sampling's, but at
/// most ten times that of the rules, whose probabilities (adding up to 1) have the rest.
#[must_use]
pub fn chances(normals: &[(f64, f64)], rules: &[f64]) -> Option<Vec<f64>> {
    let best = greatest(normals).ok()?;
    let cut: Vec<f64> = best.iter().zip(rules).map(|(p, rule)| p.min(FARTHEST * rule)).collect();
    let rest = (1.0 - cut.iter().sum::<f64>()).max(0.0);
    Some(cut.iter().zip(rules).map(|(p, rule)| p + rest * rule).collect())
}

/// What the policy adds to the rules: the probability of each of `actions` with its share in it, and what it takes itself
/// at `u`, 0..1. None if there is no policy or nothing to choose; `quiet` is what is held out.
pub(super) fn mixed(
    learned: Option<&Learned>,
    actions: &[Action],
    quiet: f64,
    u: f64,
) -> Option<(Vec<Action>, Action)> {
    let learned = learned.filter(|learned| learned.share > 0.0)?;
    let open: Vec<(Mode, Archetype)> =
        actions.iter().filter_map(|a| Some((a.mode, a.archetype?))).collect();
    let said = 1.0 - quiet;
    let rules: Vec<f64> = actions
        .iter()
        .filter(|action| action.archetype.is_some())
        .map(|action| action.probability / said)
        .collect();
    let mut chances = learned.chances(&open, &rules)?.into_iter();
    let (mut end, mut taken) = (0.0, None);
    let mut all = Vec::with_capacity(actions.len());
    for action in actions {
        let mut action = *action;
        if action.archetype.is_some() {
            let chance = chances.next()?;
            let own = said * chance;
            action.probability += learned.share * (own - action.probability);
            end += chance;
            if taken.is_none() && u < end {
                taken = Some(action);
            }
        }
        all.push(action);
    }
    // Sums of probabilities may end just below one.
    let last = all.iter().rev().find(|action| action.archetype.is_some()).copied();
    Some((all, taken.or(last)?))
}
