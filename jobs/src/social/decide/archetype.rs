//! The manner of a reply: eight factors, a softmax, and no repetition.

use super::inputs::{Inputs, NO_REPEAT, Performance};
use crate::social::{
    mode::{Archetype, Mode, rung},
    profile::Gravity,
    score::{Persona, count, unit},
};

/// Replies below which outcomes say nothing.
const PERFORMANCE_MIN: u32 = 10;
/// What the preference of a temporal rule may add to a score.
const TEMPORAL: f64 = 0.1;
/// How fast the novelty of an archetype comes back, per reply of the brand.
const NOVELTY: f64 = 0.35;

/// Weights of intent, semantic, persona, competitor, conversation, performance, safety and novelty: within the
/// ranges of spec 3.3, adding up to 1.
const fn weights(mode: Mode) -> [f64; 8] {
    match mode {
        Mode::Helpful => [0.30, 0.17, 0.12, 0.08, 0.12, 0.10, 0.07, 0.04],
        Mode::Hybrid => [0.28, 0.17, 0.13, 0.10, 0.13, 0.10, 0.05, 0.04],
        Mode::Engagement | Mode::Disengaged => [0.27, 0.17, 0.14, 0.05, 0.15, 0.10, 0.08, 0.04],
    }
}

/// An archetype that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) archetype: Archetype,
    /// Given the mode; those of one mode add up to 1.
    pub(super) probability: f64,
}

/// What may be chosen in a mode; empty if nothing, and then the mode cannot be.
///
/// Out are: what the author or the thread had among its last ten replies (MYTHBUST may come again, but comes only
/// where there is misinformation); what is light where the matter is grave or a competitor is named; humour in
/// distress; the brand's last one, while two others are left. A competitor's customer gets PROBLEM_SOLUTION_DIRECT
/// while it may be. Power users get the best three, engaged regulars the best five.
///
/// Brand-wide ten in a row cannot differ among eight archetypes: there novelty weighs, which comes back with time.
pub(super) fn choices(inputs: &Inputs, mode: Mode, overridden: bool) -> Vec<Choice> {
    let facts = &inputs.archetypes;
    let mut pool = facts.pools.get(&mode).cloned().unwrap_or_default();
    let direct = Archetype::ProblemSolutionDirect;
    if overridden && rung(mode) >= rung(Mode::Hybrid) && may(inputs, direct) {
        pool = vec![direct];
    }
    pool.retain(|archetype| may(inputs, *archetype));
    pool.sort_unstable();
    pool.dedup();
    if let Some(last) = facts.recent_brand.first().filter(|_| pool.len() > 2) {
        pool.retain(|archetype| archetype != last || *archetype == Archetype::Mythbust);
    }
    let mut scored: Vec<(Archetype, f64)> =
        pool.into_iter().map(|a| (a, score(inputs, mode, a))).collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scored.truncate(inputs.author.tier.archetypes_max());
    softmax(&scored, inputs.thresholds.temperature, inputs.thresholds.archetype_floor)
}

fn may(inputs: &Inputs, archetype: Archetype) -> bool {
    let facts = &inputs.archetypes;
    let recent = [&facts.recent_author, &facts.recent_thread];
    let had = recent.iter().any(|had| had.iter().take(NO_REPEAT).any(|a| *a == archetype));
    let grave = inputs.is_grave(Gravity::High) || inputs.competitor.is_some();
    let sad = inputs.is_grave(Gravity::Medium)
        || inputs.distress() >= inputs.thresholds.distress_approval;
    match archetype {
        Archetype::Mythbust => inputs.post.conversation.misinformation,
        Archetype::HumorLight => !had && !grave && !sad,
        Archetype::Storylet => !had && !grave,
        Archetype::Checklist
        | Archetype::Coach
        | Archetype::CredibilityAnchor
        | Archetype::ConfidentRecommender
        | Archetype::ProblemSolutionDirect => !had,
    }
}

/// `floor + (1 - k floor) softmax(score / temperature)`, of k.
fn softmax(scored: &[(Archetype, f64)], temperature: f64, floor: f64) -> Vec<Choice> {
    let best = scored.first().map_or(0.0, |(_, score)| *score);
    let masses: Vec<f64> = scored.iter().map(|(_, s)| ((s - best) / temperature).exp()).collect();
    let all: f64 = masses.iter().sum();
    let rest = 1.0 - floor * count(scored.len());
    let probability = |mass: f64| floor + rest * mass / all;
    scored
        .iter()
        .zip(masses)
        .map(|((archetype, _), mass)| Choice {
            archetype: *archetype,
            probability: probability(mass),
        })
        .collect()
}

/// 0..=1.1: the weighted factors, and what a temporal rule prefers.
fn score(inputs: &Inputs, mode: Mode, archetype: Archetype) -> f64 {
    let facts = &inputs.archetypes;
    let semantic = facts.semantic.get(&archetype).copied().map_or(0.5, unit);
    let factors = [
        intent(inputs, archetype),
        semantic,
        persona(inputs, archetype),
        competitor(inputs, archetype),
        platform(inputs, archetype),
        facts.performance.get(&archetype).map_or(0.5, performance),
        gentle(inputs, archetype),
        novelty(&facts.recent_brand, archetype),
    ];
    let sum: f64 = weights(mode).iter().zip(factors).map(|(w, f)| w * f).sum();
    let preferred = inputs.temporal.strategy.archetypes.as_ref().and_then(|p| p.get(&archetype));
    sum + TEMPORAL * preferred.copied().map_or(0.0, unit)
}

/// How well it answers what is asked (spec 11).
fn intent(inputs: &Inputs, archetype: Archetype) -> f64 {
    let c = inputs.post.conversation;
    let best = |cases: &[(bool, f64)]| {
        cases.iter().filter(|(is, _)| *is).map(|(_, fit)| *fit).fold(0.3, f64::max)
    };
    match archetype {
        Archetype::Checklist => best(&[(c.desperate, 1.0), (c.asks, 0.8)]),
        Archetype::Mythbust => best(&[(c.misinformation, 1.0)]),
        Archetype::Coach => best(&[(c.desperate, 0.9), (c.asks, 0.7)]),
        Archetype::Storylet => best(&[(!c.asks, 0.7)]),
        Archetype::HumorLight => best(&[(c.jokes, 1.0), (!c.asks, 0.5)]),
        Archetype::CredibilityAnchor => best(&[(c.compares, 1.0), (c.misinformation, 0.7)]),
        Archetype::ConfidentRecommender => best(&[(c.compares, 0.8), (c.asks, 0.6)]),
        Archetype::ProblemSolutionDirect => {
            best(&[(inputs.competitor.is_some(), 1.0), (c.asks, 0.6)])
        }
    }
}

fn persona(inputs: &Inputs, archetype: Archetype) -> f64 {
    let is = |persona| inputs.author.personas.contains(&persona);
    let fits = match archetype {
        Archetype::CredibilityAnchor => is(Persona::Clinician) || is(Persona::Quantified),
        Archetype::Coach => is(Persona::Parent) || is(Persona::Fitness),
        Archetype::Storylet => is(Persona::Parent),
        Archetype::HumorLight => is(Persona::Entertainer) || is(Persona::Party),
        Archetype::Checklist => is(Persona::HighStakes),
        Archetype::Mythbust
        | Archetype::ConfidentRecommender
        | Archetype::ProblemSolutionDirect => false,
    };
    if fits { 1.0 } else { 0.5 }
}

fn competitor(inputs: &Inputs, archetype: Archetype) -> f64 {
    match archetype {
        _ if inputs.competitor.is_none() => 0.5,
        Archetype::ProblemSolutionDirect => 1.0,
        Archetype::CredibilityAnchor => 0.7,
        Archetype::HumorLight | Archetype::Storylet => 0.0,
        Archetype::Checklist
        | Archetype::Mythbust
        | Archetype::Coach
        | Archetype::ConfidentRecommender => 0.5,
    }
}

/// What the platform likes.
fn platform(inputs: &Inputs, archetype: Archetype) -> f64 {
    if inputs.archetypes.preferred.contains(&archetype) { 1.0 } else { 0.4 }
}

fn performance(p: &Performance) -> f64 {
    if p.n >= PERFORMANCE_MIN { unit(p.mean) } else { 0.5 }
}

/// Steady manners where somebody suffers.
fn gentle(inputs: &Inputs, archetype: Archetype) -> f64 {
    let steady = matches!(archetype, Archetype::Checklist | Archetype::Coach);
    let distress = inputs.distress();
    if steady { 0.5 + 0.5 * distress } else { 0.5 - 0.5 * distress }
}

/// `1 - exp(-0.35 k)`: k replies of the brand since; 1 if not among the last ten.
fn novelty(recent: &[Archetype], archetype: Archetype) -> f64 {
    let since = recent.iter().take(NO_REPEAT).position(|a| *a == archetype);
    since.map_or(1.0, |k| 1.0 - (-NOVELTY * count(k)).exp())
}
