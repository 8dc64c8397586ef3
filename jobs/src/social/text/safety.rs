//! Whether a text is a reason to stay away from its author. Fails closed.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Folded, Odd, Span};
use crate::social::profile::{Danger, Gravity, Profile};

/// The flag of a text that cannot be judged.
pub const UNREADABLE: &str = "unreadable";

/// What a model said, asked about a text with flags that are not critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opinion {
    /// There is no model to ask.
    None,
    /// It is in earnest: stay away.
    A,
    /// A manner of speaking.
    B,
    /// It cannot tell.
    C,
    /// It was asked and did not answer, or not so that it could be read: as `A`.
    Failed,
}

/// What is known beside the text.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Whether the author gave cause for concern before; none if nobody knows.
    pub prior_concern: Option<bool>,
    /// What a model said.
    pub opinion: Opinion,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go on.
    Clear,
    /// Go on, and a person approves the reply.
    Approve,
    /// A person decides.
    Human,
    /// Nobody answers.
    Disengage,
}

/// A sign of danger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// The category.
    pub category: String,
    /// How grave.
    pub level: Gravity,
    /// What was found, as it was written.
    pub found: String,
    /// Where, in the original text.
    pub span: Span,
}

/// What a text means for safety.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Safety {
    /// All signs, the gravest first.
    pub flags: Vec<Flag>,
    /// Their categories, the gravest first: `decisions.safety_flags`.
    pub categories: Vec<String>,
    /// The gravest.
    pub level: Option<Gravity>,
    /// Distress, 0 to 1.
    pub distress: f64,
    /// Why the text cannot be judged.
    pub odd: Option<Odd>,
    /// What may be done.
    pub verdict: Verdict,
}

/// Judges.
#[must_use]
pub fn safety(text: &Folded<'_>, beside: Circumstances, profile: &Profile) -> Safety {
    let flags: Vec<_> = profile.safety.iter().flat_map(|danger| signs(danger, text)).collect();
    let mut categories: Vec<String> = Vec::new();
    for flag in &flags {
        if !categories.contains(&flag.category) {
            categories.push(flag.category.clone());
        }
    }
    let level = flags.iter().map(|flag| flag.level).max();
    let intensifiers = profile.cues.intensifiers.find(text).count();
    let distress = distress(level, categories.len(), intensifiers, beside);
    let odd = text.odd();
    if odd.is_some() {
        categories.push(UNREADABLE.into());
    }
    let verdict = verdict(level, distress, odd, beside);
    Safety { flags, categories, level, distress, odd, verdict }
}

/// What of a category is in a text.
fn signs(danger: &Danger, text: &Folded<'_>) -> Vec<Flag> {
    let phrases = danger.phrases.find(text).map(|hit| hit.at);
    let mut found: Vec<Range<usize>> = phrases.chain(danger.patterns.find(text)).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let excepted = danger
        .exceptions
        .find(text)
        .map(|hit| hit.at)
        .chain(danger.exception_patterns.find(text))
        .collect();
    except(&mut found, excepted);
    found.sort_by_key(|at| (at.start, at.end));
    found.dedup();
    let flag = |at: Range<usize>| Flag {
        category: danger.name.clone(),
        level: danger.level,
        found: text.shown(&at).to_owned(),
        span: text.span(&at),
    };
    found.into_iter().map(flag).collect()
}

/// Takes out what overlaps an exception.
fn except(found: &mut Vec<Range<usize>>, mut excepted: Vec<Range<usize>>) {
    excepted.sort_by_key(|not| not.start);
    let mut reached = 0;
    for not in &mut excepted {
        reached = reached.max(not.end);
        not.end = reached;
    }
    found.retain(|at| {
        let before = excepted.partition_point(|not| not.start < at.end);
        excepted.get(..before).and_then(<[_]>::last).is_none_or(|not| not.end <= at.start)
    });
}

/// The source's formula, in thousandths so that bounds are exact: .7 for critical or .4 for high; .1 for each
/// category if there are several, .3 at most; .3 x .8 for a model's A, -.4 for its B; .05 for each intensifier,
/// .2 at most; .15 for concern before.
fn distress(
    level: Option<Gravity>,
    categories: usize,
    intensifiers: usize,
    beside: Circumstances,
) -> f64 {
    let base = match level {
        Some(Gravity::Critical) => 700,
        Some(Gravity::High) => 400,
        Some(Gravity::Medium) | None => 0,
    };
    let times = |each: i32, n: usize, most: usize| each * i32::try_from(n.min(most)).unwrap_or(0);
    let several = if categories > 1 { times(100, categories, 3) } else { 0 };
    let opinion = match beside.opinion {
        _ if level.is_none() => 0,
        Opinion::A | Opinion::Failed => 240,
        Opinion::B => -400,
        Opinion::None | Opinion::C => 0,
    };
    let prior = if beside.prior_concern == Some(true) { 150 } else { 0 };
    let sum = base + several + opinion + times(50, intensifiers, 4) + prior;
    f64::from(sum.clamp(0, 1000)) / 1000.0
}

/// Critical: nobody answers. High, and no model to say that it is none: nobody answers. Above .45 a person
/// decides, from .3 on a person approves; flags of an author whose past is unknown: a person decides.
fn verdict(
    level: Option<Gravity>,
    distress: f64,
    odd: Option<Odd>,
    beside: Circumstances,
) -> Verdict {
    let by_level = match (level, beside.opinion) {
        _ if odd.is_some() => Verdict::Disengage,
        (None, _) => Verdict::Clear,
        (Some(Gravity::Critical), _)
        | (Some(_), Opinion::A | Opinion::Failed)
        | (Some(Gravity::High), Opinion::None) => Verdict::Disengage,
        (Some(_), Opinion::C) => Verdict::Human,
        (Some(Gravity::Medium), Opinion::None) => Verdict::Approve,
        (Some(_), Opinion::B) => Verdict::Clear,
    };
    let by_distress = match distress {
        d if d > 0.45 => Verdict::Human,
        d if d >= 0.30 => Verdict::Approve,
        _ => Verdict::Clear,
    };
    let unknown = level.is_some() && beside.prior_concern.is_none();
    let by_past = if unknown { Verdict::Human } else { Verdict::Clear };
    by_level.max(by_distress).max(by_past)
}

#[cfg(test)]
mod tests;
