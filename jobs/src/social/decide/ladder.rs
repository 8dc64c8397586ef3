//! The rules of the mode: a ladder of conditions, each a signed distance to its threshold.
//!
//! Each mode but DISENGAGED has a distance d, in standard deviations of the signal that binds: the largest over
//! the ways to reach the mode of the smallest over the conditions of that way. It is reached where d >= 0, and every way
//! to a mode is one to all less helpful ones. The probability to reach it under logistic noise of that size is
//! `1 / (1 + exp(-pi d / sqrt 3))`, and that of a mode the difference to the next. All conditions ask for *more*
//! of a signal, so more of any signal is never a less helpful mode.
//!
//! If no distance is smaller than `NEAR`, the mode has at least a third and any other at most a third: the most
//! probable mode is the chosen one.

use std::f64::consts::PI;

use super::{
    Skip, Step,
    composite::{Composite, sigma},
    inputs::Inputs,
};
use crate::social::{
    mode::Mode,
    profile::Gravity,
    score::{Signal, log_form},
    text::safety::Verdict,
};

/// `sqrt 3 ln 2 / pi`: at this distance a threshold is on the right side with probability 2/3.
pub(super) const NEAR: f64 = 0.382_145_4;
/// Distance of what is no matter of degree.
const CERTAIN: f64 = 12.0;
/// A value this little below a threshold is at it: sums of tenths are not exact.
const EPSILON: f64 = 1e-9;

/// What the rules say.
pub(super) struct Ladder {
    /// The most helpful mode that is reached.
    pub(super) mode: Mode,
    /// By `rung`; they add up to 1.
    pub(super) probabilities: [f64; 4],
    /// A distance is smaller than `NEAR`.
    pub(super) near: bool,
    /// Modes that an experiment may take, by `rung`: those whose gates this post passes.
    pub(super) open: [bool; 4],
    /// The mode is a competitor's customer's.
    pub(super) overridden: bool,
    /// Why nothing is said.
    pub(super) skip: Option<Skip>,
}

impl Ladder {
    const fn stopped(skip: Skip) -> Self {
        Self {
            mode: Mode::Disengaged,
            probabilities: [1.0, 0.0, 0.0, 0.0],
            near: false,
            open: [true, false, false, false],
            overridden: false,
            skip: Some(skip),
        }
    }

    /// Of the distances of ENGAGEMENT, HYBRID and HELPFUL; none is larger than the one before.
    fn of([engagement, hybrid, helpful]: [f64; 3]) -> Self {
        let reach = |d: f64| 1.0 / (1.0 + (-PI * d / 3.0_f64.sqrt()).exp());
        let [e, y, h] = [reach(engagement), reach(hybrid), reach(helpful)];
        let mode = match () {
            () if helpful >= 0.0 => Mode::Helpful,
            () if hybrid >= 0.0 => Mode::Hybrid,
            () if engagement >= 0.0 => Mode::Engagement,
            () => Mode::Disengaged,
        };
        Self {
            mode,
            probabilities: [1.0 - e, e - y, y - h, h],
            near: [engagement, hybrid, helpful].iter().any(|d| d.abs() < NEAR),
            open: [true; 4],
            overridden: false,
            skip: None,
        }
    }
}

/// Asks and writes down.
struct Asker<'a> {
    log: &'a mut Vec<Step>,
}

impl Asker<'_> {
    fn distance(&mut self, rule: &str, value: f64, threshold: f64, sigma: f64) -> f64 {
        self.scaled(rule, (value, threshold), (value, threshold), sigma)
    }

    /// An EVS: shown as the ratio, measured in its logarithmic form.
    fn evs(&mut self, rule: &str, ratio: f64, threshold: f64, sigma: f64) -> f64 {
        self.scaled(rule, (ratio, threshold), (log_form(ratio), log_form(threshold)), sigma)
    }

    fn scaled(&mut self, rule: &str, shown: (f64, f64), at: (f64, f64), sigma: f64) -> f64 {
        let distance = (at.0 + EPSILON - at.1) / sigma;
        let (value, threshold) = (shown.0, Some(shown.1));
        self.log.push(Step { rule: rule.to_owned(), value, threshold, met: distance >= 0.0 });
        distance.clamp(-CERTAIN, CERTAIN)
    }

    fn fact(&mut self, rule: &str, is: bool) -> bool {
        let value = f64::from(u8::from(is));
        self.log.push(Step { rule: rule.to_owned(), value, threshold: None, met: is });
        is
    }

    /// More than allowed.
    fn beyond(&mut self, rule: &str, value: f64, threshold: f64) -> bool {
        let met = value > threshold;
        self.log.push(Step { rule: rule.to_owned(), value, threshold: Some(threshold), met });
        met
    }
}

/// Safety, then what forbids a reply, then the topic's gate, then the rest.
pub(super) fn climb(inputs: &Inputs, composite: &Composite, log: &mut Vec<Step>) -> Ladder {
    let mut ask = Asker { log };
    if unsafe_(inputs, &mut ask) {
        return Ladder::stopped(Skip::Safety);
    }
    if forbidden(inputs, &mut ask) {
        return Ladder::stopped(Skip::ContextMismatch);
    }
    let t = &inputs.thresholds;
    let trs = &inputs.signals.trs.signal;
    let gate = ask.distance("TRS gate", trs.score, t.trs_gate, sigma(trs.confidence));
    let cut = ask.distance(
        "composite to say anything",
        composite.value,
        t.composite_engage,
        composite.sigma,
    );
    let base = gate.min(cut);
    let mut ladder = if let Some(competitor) = inputs.override_by().filter(|_| base >= 0.0) {
        let much =
            ask.beyond("competitor override, HELPFUL", competitor.opportunity, t.opportunity);
        let mut ladder = Ladder::of([base, base, if much { base } else { -CERTAIN }]);
        (ladder.overridden, ladder.open) = (true, [true, false, true, true]);
        ladder
    } else {
        rungs(inputs, composite, base, &mut ask)
    };
    if ladder.mode == Mode::Disengaged {
        ladder.skip = Some(if gate < 0.0 { Skip::ContextMismatch } else { Skip::LowPotential });
    }
    ladder
}

/// Fails closed: what is not known stops.
fn unsafe_(inputs: &Inputs, ask: &mut Asker<'_>) -> bool {
    let safety = &inputs.safety;
    let unknown = ask.fact("safety unknown", safety.is_unknown());
    let critical = ask.fact("safety critical", safety.level == Some(Gravity::Critical));
    let away = ask.fact("safety says to stay away", safety.verdict == Some(Verdict::Disengage));
    let human = ask.fact("safety wants a person", safety.verdict == Some(Verdict::Human));
    let distress = inputs.distress();
    let distressed = ask.beyond("distress", distress, inputs.thresholds.distress_stop);
    unknown || critical || away || human || distressed
}

fn forbidden(inputs: &Inputs, ask: &mut Asker<'_>) -> bool {
    let post = &inputs.post;
    let age = post.age_hours.unwrap_or(0.0);
    let facts = [
        ask.fact("author rejected us", inputs.author.rejected),
        ask.fact("community forbids", post.community_forbids),
        ask.fact("limit of replies reached", post.limit_reached),
        ask.fact("already answered", post.already_answered),
        ask.beyond("age of the post, hours", age, inputs.thresholds.age_hours_max),
    ];
    facts.contains(&true)
}

/// The ladder proper.
fn rungs(inputs: &Inputs, composite: &Composite, base: f64, ask: &mut Asker<'_>) -> Ladder {
    let t = &inputs.thresholds;
    let s = &inputs.signals;
    let power = ask.fact("power user", inputs.author.tier.is_power());
    let adjust = inputs.temporal.strategy.sss_adjust();
    let of = |signal: &Signal| (signal.score, sigma(signal.confidence));
    let ((sss, sss_sigma), (ars, ars_sigma)) = (of(&s.sss), of(&s.ars));
    let ((trs, trs_sigma), evs_sigma) = (of(&s.trs.signal), sigma(s.evs.signal.confidence));
    let (all, all_sigma) = (composite.value, composite.sigma);

    let asks = ask.distance("SSS, HELPFUL", sss, t.sss_helpful + adjust, sss_sigma);
    let moderate = ask.distance("SSS, moderate", sss, t.sss_moderate + adjust, sss_sigma);
    let lifted = ask.distance("composite lifts to HELPFUL", all, t.composite_lift, all_sigma);
    let strong = ask.distance("ARS, good relationship", ars, t.ars_strong, ars_sigma);
    let viral = ask.evs("EVS, viral", s.evs.ratio, t.evs_high, evs_sigma);
    let moving = ask.evs("EVS, moderate", s.evs.ratio, t.evs_moderate, evs_sigma);
    let clear = ask.distance("TRS, clear topic", trs, t.trs_clear, trs_sigma);
    let helpful_all =
        ask.distance("composite, HELPFUL", all, t.composite_helpful, all_sigma).min(base);
    let hybrid_all =
        ask.distance("composite, HYBRID", all, t.composite_hybrid, all_sigma).min(base);

    let mut helpful = asks.max(moderate.min(lifted));
    let mut hybrid = strong.min(moderate.max(viral));
    let mut engagement = moderate.max(moving.min(clear)).max(strong);
    if power {
        let asks = ask.distance("SSS, HELPFUL, power user", sss, t.sss_power + adjust, sss_sigma);
        helpful = helpful.max(asks);
        let moving = ask.evs("EVS, HYBRID, power user", s.evs.ratio, t.evs_power, evs_sigma);
        hybrid = hybrid.max(moving);
        engagement = CERTAIN;
    }
    helpful = helpful.min(helpful_all);
    hybrid = hybrid.min(hybrid_all).max(helpful);
    engagement = engagement.min(base).max(hybrid);
    let mut ladder = Ladder::of([engagement, hybrid, helpful]);
    // Who asks for nothing is offered nothing, not even by lot.
    let (may_hybrid, may_help) =
        (moderate.min(hybrid_all) >= 0.0, moderate.min(helpful_all) >= 0.0);
    ladder.open = [true, base >= 0.0, may_hybrid, may_help];
    ladder
}
