//! From what is known to a decision: a pure function, so that a decision can be made again from what is stored.
//!
//! Order: effective weights, composite, safety (what is not known stops), what forbids a reply, the topic's gate
//! and the composite's, a competitor's override, the ladder of modes, what can be said at all (archetypes), review,
//! and last what is left to chance.

mod archetype;
mod composite;
mod explain;
mod explore;
mod inputs;
mod ladder;
mod learned;
mod thresholds;
mod weights;

use serde::{Deserialize, Serialize};

pub use explain::{Line, explain};
pub use explore::draw;
pub use inputs::{
    Archetypes, AuthorState, Competitor, Conversation, Experiment, Inputs, Performance, PostFacts,
    Safety, Signals,
};
pub use learned::{Expected, Learned, chances};
pub use thresholds::Thresholds;
pub use weights::{Effective, Segment, Values, Weights};

use super::{
    mode::{Archetype, ENGAGING, LADDER, Mode, rung},
    profile::Gravity,
    text::safety::Verdict,
};
use archetype::{Choice, choices};
use explore::{Fate, Lottery, fate};
use ladder::Ladder;

/// One rule that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub rule: String,
    /// What it looked at; a fact is 0 or 1.
    pub value: f64,
    /// Where it changes.
    pub threshold: Option<f64>,
    /// The value has reached the threshold, or the fact is so.
    pub met: bool,
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Skip {
    /// Too little to gain.
    LowPotential,
    /// Safety, known or not.
    Safety,
    /// Not the topic, not the place, not the time.
    ContextMismatch,
    /// Every archetype was used on this author or thread of late.
    ArchetypesExhausted,
}

/// Why a person should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReviewReason {
    SafetyCritical,
    SafetyUnknown,
    Medical,
    Distress,
    SafetyAmbiguity,
    ViralThread,
    NearThreshold,
    LowConfidence,
}

impl ReviewReason {
    /// The value of `escalations.reason`.
    #[must_use]
    pub const fn escalation(self) -> &'static str {
        match self {
            Self::SafetyCritical
            | Self::SafetyUnknown
            | Self::Medical
            | Self::Distress
            | Self::SafetyAmbiguity => "SAFETY_AMBIGUITY",
            Self::ViralThread => "VIRAL_THREAD",
            Self::NearThreshold | Self::LowConfidence => "LOW_CONFIDENCE",
        }
    }
}

/// Something that could have been done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// How to take part.
    pub mode: Mode,
    /// In which manner; none where nothing is said.
    pub archetype: Option<Archetype>,
    /// With which this was to be done, > 0.
    pub probability: f64,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What is done.
    pub mode: Mode,
    /// What the rules said; differs where chance had its say.
    pub predicted_mode: Mode,
    /// The mode was drawn, wherever the lot fell.
    pub randomised: bool,
    /// Nothing is said, to see what happens without us.
    pub held_out: bool,
    /// The learned policy took it, not the rules.
    pub by_policy: bool,
    /// Why the rules say nothing.
    pub skip: Option<Skip>,
    /// 0..=1, and its 90 % interval.
    pub composite: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The weights that counted.
    pub weights: Effective,
    /// Of DISENGAGED, ENGAGEMENT, HYBRID, HELPFUL, given how unsure the signals are; they add up to 1.
    pub probabilities: [f64; 4],
    /// Of the predicted mode.
    pub confidence: f64,
    /// A person should look before anything is said.
    pub needs_review: bool,
    /// Why; the gravest reason.
    pub review_reason: Option<ReviewReason>,
    /// The manner; none where nothing is said.
    pub archetype: Option<Archetype>,
    /// Given the mode.
    pub archetype_propensity: f64,
    /// All that could have been done.
    pub actions: Vec<Action>,
    /// Of mode and archetype together: that of the one action in `actions` that was taken.
    pub propensity: f64,
    /// The competitor whose customer's mode it is.
    pub competitor: Option<String>,
    /// Somebody suffers: whoever writes should care first.
    pub caring: bool,
    /// Minutes within which the answer should be out.
    pub response_target_minutes: Option<u32>,
    /// Every rule that was looked at, in order.
    pub logic: Vec<Step>,
}

/// Decides. The same inputs give the same decision; numbers out of range are put right first (`Inputs::settled`).
#[must_use]
pub fn decide(inputs: &Inputs) -> Decision {
    let inputs = inputs.clone().settled();
    let mut logic = Vec::new();
    let min_sample = inputs.thresholds.min_sample;
    let weights = inputs.weights.effective(min_sample, &mut logic);
    let composite = composite::composite(&inputs.signals, &weights, min_sample);
    let ladder = ladder::climb(&inputs, &composite, &mut logic);

    let choices: Vec<(Mode, Vec<Choice>)> =
        ENGAGING.map(|mode| (mode, choices(&inputs, mode, ladder.overridden))).into();
    let sayable = |mode: Mode| choices.iter().any(|(m, some)| *m == mode && !some.is_empty());
    let predicted = down_to(ladder.mode, sayable);
    let mut probabilities = [0.0; 4];
    for (mode, probability) in LADDER.iter().zip(ladder.probabilities) {
        if let Some(sum) = probabilities.get_mut(rung(down_to(*mode, sayable))) {
            *sum += probability;
        }
    }
    if predicted != ladder.mode {
        let rule = format!("{} has no archetype left", ladder.mode.as_str());
        logic.push(Step { rule, value: 1.0, threshold: None, met: true });
    }
    let skip = if predicted == Mode::Disengaged {
        ladder.skip.or(Some(Skip::ArchetypesExhausted))
    } else {
        None
    };
    let confidence = probabilities.get(rung(predicted)).copied().unwrap_or_default();
    let review_reason = review(&inputs, &ladder, predicted, confidence);

    let tried = tried(&inputs, &ladder, predicted, sayable);
    let (explore, hold_out) = (inputs.thresholds.explore, inputs.thresholds.hold_out);
    let lottery = Lottery { predicted, tried: &tried, explore, hold_out };
    let fate = fate(&inputs, &lottery, &choices);
    let Fate { mode, archetype, archetype_propensity, randomised, held_out, by_policy, .. } = fate;
    let says = mode != Mode::Disengaged;
    Decision {
        mode,
        predicted_mode: predicted,
        randomised,
        held_out,
        by_policy,
        skip,
        composite: composite.value,
        lower: composite.lower,
        upper: composite.upper,
        weights,
        probabilities,
        confidence,
        needs_review: review_reason.is_some(),
        review_reason,
        archetype,
        archetype_propensity,
        actions: fate.actions,
        propensity: fate.propensity,
        competitor: inputs.override_by().filter(|_| ladder.overridden).map(|c| c.name.clone()),
        caring: is_caring(&inputs),
        response_target_minutes: says.then(|| inputs.author.tier.response_minutes()),
        logic,
    }
}

/// The most helpful mode up to this one in which something can be said.
fn down_to(mode: Mode, sayable: impl Fn(Mode) -> bool) -> Mode {
    let below = ENGAGING.into_iter().rev().find(|m| rung(*m) <= rung(mode) && sayable(*m));
    below.unwrap_or(Mode::Disengaged)
}

fn is_caring(inputs: &Inputs) -> bool {
    inputs.is_grave(Gravity::Medium)
        || inputs.safety.verdict != Some(Verdict::Clear)
        || inputs.distress() >= inputs.thresholds.distress_approval
}

/// Modes that chance may take: engaging ones that the gates leave open and in which something can be said, and only
/// where the rules engage and nobody suffers.
fn tried(
    inputs: &Inputs,
    ladder: &Ladder,
    predicted: Mode,
    sayable: impl Fn(Mode) -> bool,
) -> Vec<Mode> {
    if predicted == Mode::Disengaged || is_caring(inputs) {
        return Vec::new();
    }
    let open = |mode: Mode| ladder.open.get(rung(mode)).copied().unwrap_or(false);
    let allowed = |mode: &Mode| *mode == predicted || (open(*mode) && sayable(*mode));
    ENGAGING.into_iter().filter(allowed).collect()
}

/// The gravest reason for a person to look. Where nothing is said, only safety is one.
fn review(inputs: &Inputs, ladder: &Ladder, mode: Mode, confidence: f64) -> Option<ReviewReason> {
    let t = &inputs.thresholds;
    let safety = &inputs.safety;
    let distress = inputs.distress();
    let says = mode != Mode::Disengaged;
    let viral = mode == Mode::Helpful && inputs.signals.evs.ratio >= t.evs_high;
    let wants_person = matches!(safety.verdict, Some(Verdict::Human | Verdict::Approve));
    let reasons = [
        (safety.level == Some(Gravity::Critical), ReviewReason::SafetyCritical),
        (safety.is_unknown(), ReviewReason::SafetyUnknown),
        (inputs.signals.trs.medical, ReviewReason::Medical),
        (distress > t.distress_stop, ReviewReason::Distress),
        (says && distress >= t.distress_approval, ReviewReason::Distress),
        (wants_person || (says && inputs.is_grave(Gravity::High)), ReviewReason::SafetyAmbiguity),
        (viral, ReviewReason::ViralThread),
        (says && ladder.near, ReviewReason::NearThreshold),
        (says && confidence < t.review_confidence, ReviewReason::LowConfidence),
    ];
    reasons.into_iter().find(|(is, _)| *is).map(|(_, reason)| reason)
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod tests;
