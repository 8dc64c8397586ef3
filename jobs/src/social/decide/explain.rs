//! A decision in lines for a person.

use super::{Decision, Inputs, Step};
use crate::social::{
    mode::{Archetype, LADDER, Mode},
    score::Signal,
};

/// A line: what, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `signal`, `weights`, `composite`, `time`, `rule`, `mode`, `review`, `archetype`, `action`, `policy` or `experiment`.
    pub kind: &'static str,
    /// The rest, one line.
    pub text: String,
}

fn line(kind: &'static str, text: String) -> Line {
    Line { kind, text }
}

/// Every input, weight, threshold, rule and probability behind a decision, in the order in which they counted.
#[must_use]
pub fn explain(inputs: &Inputs, decision: &Decision) -> Vec<Line> {
    let mut lines = signals(inputs);
    let w = &decision.weights;
    let v = &w.values;
    lines.push(line(
        "weights",
        format!(
            "{} of version {:?}, {} observations: SSS {:.3}, ARS {:.3}, EVS {:.3}, TRS {:.3}, SSS x ARS {:.3}, EVS x TRS {:.3}",
            w.segment, inputs.weights.version, w.sample_size, v.sss, v.ars, v.evs, v.trs, v.sss_ars, v.evs_trs
        ),
    ));
    lines.push(line(
        "composite",
        format!(
            "{:.3}, 90 % within {:.3} to {:.3}",
            decision.composite, decision.lower, decision.upper
        ),
    ));
    let t = &inputs.temporal;
    let rules: Vec<&str> = t.applied.iter().map(|a| a.rule.as_str()).collect();
    lines.push(line(
        "time",
        format!(
            "{} in {}, {}, SSS thresholds {:+.2}, rules: {}",
            t.local.format("%a %Y-%m-%d %H:%M"),
            t.zone,
            t.daypart.as_str(),
            t.strategy.sss_adjust(),
            if rules.is_empty() { "none".to_owned() } else { rules.join(", ") }
        ),
    ));
    lines.extend(decision.logic.iter().map(|step| line("rule", rule(step))));
    lines.extend(outcome(inputs, decision));
    lines
}

fn signals(inputs: &Inputs) -> Vec<Line> {
    let s = &inputs.signals;
    let all = [("SSS", &s.sss), ("ARS", &s.ars), ("EVS", &s.evs.signal), ("TRS", &s.trs.signal)];
    let mut lines: Vec<Line> = all.map(|(name, signal)| line("signal", of(name, signal))).into();
    lines.push(line(
        "signal",
        format!("EVS is {:.2}, {:?}; TRS {:?}", s.evs.ratio, s.evs.class, s.trs.category),
    ));
    let safety = &inputs.safety;
    lines.push(line(
        "signal",
        format!(
            "safety {}, gravest {}, distress {}, flags: {}, a model's opinion: {}",
            safety
                .verdict
                .map_or("unknown".to_owned(), |verdict| format!("{verdict:?}").to_lowercase()),
            safety.level.map_or("none".to_owned(), |level| format!("{level:?}").to_lowercase()),
            safety.distress.map_or("unknown".to_owned(), |d| format!("{d:.2}")),
            if safety.flags.is_empty() { "none".to_owned() } else { safety.flags.join(", ") },
            safety.opinion.map_or("none".to_owned(), |opinion| format!("{opinion:?}"))
        ),
    ));
    lines
}

fn of(name: &str, signal: &Signal) -> String {
    let evidence: Vec<String> =
        signal.evidence.iter().map(|e| format!("{} {:+.2}", e.what, e.weight)).collect();
    let why = if evidence.is_empty() { "nothing".to_owned() } else { evidence.join(", ") };
    format!("{name} {:.3}, confidence {:.2}: {why}", signal.score, signal.confidence)
}

fn rule(step: &Step) -> String {
    let mark = if step.met { "yes" } else { "no" };
    match step.threshold {
        Some(threshold) => format!("{}: {:.3} at {threshold:.3}: {mark}", step.rule, step.value),
        None => format!("{}: {mark}", step.rule),
    }
}

fn outcome(inputs: &Inputs, decision: &Decision) -> Vec<Line> {
    let percent = |p: f64| format!("{:.1} %", 100.0 * p);
    let named = |mode: Mode, archetype: Option<Archetype>| {
        archetype.map_or(mode.as_str().to_owned(), |a| format!("{}/{}", mode.as_str(), a.as_str()))
    };
    let modes = LADDER.iter().zip(decision.probabilities);
    let modes: Vec<String> = modes.map(|(m, p)| format!("{} {}", m.as_str(), percent(p))).collect();
    let mut lines = vec![line(
        "mode",
        format!(
            "{}; the rules say {} ({})",
            decision.mode.as_str(),
            decision.predicted_mode.as_str(),
            modes.join(", ")
        ),
    )];
    if let Some(skip) = decision.skip {
        lines.push(line("mode", format!("nothing is said: {skip:?}")));
    }
    if let Some(competitor) = &decision.competitor {
        lines.push(line("mode", format!("to a customer of {competitor}")));
    }
    if let Some(reason) = decision.review_reason {
        lines.push(line(
            "review",
            format!("{reason:?}, confidence {}", percent(decision.confidence)),
        ));
    }
    if let Some(archetype) = decision.archetype {
        let p = percent(decision.archetype_propensity);
        lines.push(line("archetype", format!("{} with {p}", archetype.as_str())));
    }
    for action in &decision.actions {
        let taken = action.mode == decision.mode && action.archetype == decision.archetype;
        let taken = if taken { ", taken" } else { "" };
        let what = named(action.mode, action.archetype);
        lines.push(line("action", format!("{what} {}{taken}", percent(action.probability))));
    }
    if let Some(learned) = &inputs.learned {
        let (share, version) = (percent(learned.share), &learned.version);
        let took = if decision.by_policy { "it took this one" } else { "the rules took this one" };
        lines.push(line("policy", format!("{version} has a share of {share}; {took}")));
    }
    let chance = match (decision.held_out, decision.randomised, decision.by_policy) {
        (true, ..) => "held out",
        (_, true, _) => "the mode was drawn",
        (.., true) => "the learned policy drew mode and archetype",
        (false, false, false) => "nothing was drawn but the archetype",
    };
    let experiment = inputs.experiment.as_ref().map_or(String::new(), |e| {
        format!("; {} of {}, with probability {}", e.variant, e.id, e.propensity)
    });
    lines.push(line(
        "experiment",
        format!("{chance}, key {}, policy {:?}{experiment}", inputs.key, inputs.policy_version),
    ));
    lines
}
