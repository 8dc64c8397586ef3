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
mod tests {
    use super::{
        Circumstances, Folded, Gravity, Odd, Opinion, Profile, Safety, UNREADABLE, Verdict,
        distress, safety, verdict,
    };
    use crate::social::profile::vita;

    const CALM: Circumstances =
        Circumstances { prior_concern: Some(false), opinion: Opinion::None };

    fn judged(text: &str, profile: &Profile) -> Safety {
        safety(&Folded::new(text), CALM, profile)
    }

    /// Eight texts of each category.
    const SIGNS: [(&str, [&str; 8]); 5] = [
        (
            "suicide",
            [
                "I wanna kill myself",
                "honestly kms",
                "I want to unalive myself",
                "going to end myself tonight",
                "ѕuісіdе",
                "k\u{200b}ill my\u{200b}self",
                "KILL-MYSELF",
                "I don’t want to be alive",
            ],
        ),
        (
            "alcohol_poisoning",
            [
                "I can’t stop vomiting",
                "cant stop throwing up",
                "is this alcohol poisoning",
                "my friend won't wake up",
                "her lips are blue",
                "he has shallow breathing",
                "throwing up blood",
                "can´t wake him up",
            ],
        ),
        (
            "emergency",
            [
                "should I call 911",
                "I have chest pain",
                "chest pains since noon",
                "I can’t breathe",
                "he is having a seizure",
                "she had a stroke",
                "I collapsed in the kitchen",
                "someone call an ambulance",
            ],
        ),
        (
            "clear_minor",
            [
                "I’m 16 and hungover",
                "im 16",
                "I'm only 15",
                "i am 17 years old",
                "I'm sixteen",
                "16yo here",
                "just a 14 year old girl",
                "I'm 16. please help",
            ],
        ),
        (
            "abnormal_severity",
            [
                "day 3 of vomiting",
                "third day of throwing up",
                "I am hallucinating",
                "hungover for 4 days",
                "blood in my stool",
                "my eyes: yellow eyes?",
                "hearing voices",
                "day four? no, day 4 of this hangover",
            ],
        ),
    ];

    #[test]
    fn every_category_is_found() {
        let profile = vita();
        for (category, texts) in SIGNS {
            for text in texts {
                let found = judged(text, profile);
                let told = (found.level, found.verdict);
                assert_eq!(told, (Some(Gravity::Critical), Verdict::Disengage), "{text}");
                assert!(found.categories.iter().any(|c| c == category), "{text}: {found:?}");
            }
        }
        for (category, level, text) in [
            ("pregnancy", Gravity::High, "is this ok while pregnant?"),
            ("medication", Gravity::High, "I'm on antibiotics"),
            ("chronic_condition", Gravity::High, "I'm diabetic, what can I drink"),
            ("recovery", Gravity::High, "90 days sober"),
            ("death_hyperbole", Gravity::Medium, "I'm dying, this hangover"),
            ("hospital", Gravity::Medium, "ended up in the hospital"),
            ("unclear_minor", Gravity::Medium, "snuck back in before my mom gets home"),
        ] {
            let found = judged(text, profile);
            assert_eq!(
                (found.categories, found.level),
                (vec![category.into()], Some(level)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_only_sounds_grave_is_not_critical() {
        let profile = vita();
        for text in [
            "can't think, so hungover",
            "that was a stroke of genius",
            "I'm 15 minutes late",
            "day 3 of vacation",
            "I'm 16 weeks in",
            "I'm 10 out of 10 hungover",
            "I am 12 drinks deep",
            "we're 15 miles from home",
            "im 17 episodes in",
            "a 16 year old whiskey",
            "I'm 30 and hungover",
            "I'm 160 pounds",
            "skills, kmsd, suicidegirls",
            "the suicide squad movie",
            "I cut myself some slack",
            "collapsed on the couch",
            "we collapsed into bed",
            "stroke of midnight",
            "the page is an unresponsive page",
            "we are 11 for 12 tonight",
            "I'm 10/10 hungover",
            "hungover with my 10 year old jumping on me",
        ] {
            let found = judged(text, profile);
            assert!(found.level < Some(Gravity::Critical), "{text}: {found:?}");
        }
    }

    #[test]
    fn an_exception_excuses_only_what_it_overlaps() {
        let profile = vita();
        for text in [
            "a stroke of genius, then he had a stroke",
            "I'm 15 minutes late and I'm 15",
            "suicide squad made me feel suicidal",
            "I'm 16 for real, in a week",
            "im 16 am I allowed",
            "my 12 year old brother and I'm 15",
        ] {
            assert_eq!(judged(text, profile).verdict, Verdict::Disengage, "{text}");
        }
        let text = "oh, I’m 16 and hungover";
        let found = judged(text, profile);
        let flag = found.flags.first().unwrap();
        assert_eq!(text.get(flag.span.start..flag.span.end), Some("I’m 16"));
        assert_eq!(flag.found, "I’m 16");
    }

    #[test]
    fn what_cannot_be_read_fails_closed() {
        let profile = vita();
        for (text, odd) in [
            ("мне очень плохо после вчерашнего", Odd::Foreign),
            ("h\u{200b}u\u{200b}n\u{200b}g\u{200b}over", Odd::Unreadable),
        ] {
            let found = judged(text, profile);
            assert_eq!((found.verdict, found.odd), (Verdict::Disengage, Some(odd)), "{text}");
            assert_eq!(found.categories, [UNREADABLE]);
        }
        assert_eq!(judged("hungover, me duele la cabeza", profile).verdict, Verdict::Clear);
    }

    #[test]
    fn distress_follows_the_formula() {
        use Gravity::{Critical, High, Medium};
        for (level, categories, intensifiers, prior, opinion, is) in [
            (None, 0, 0, Some(false), Opinion::None, 0.0),
            (None, 0, 3, Some(true), Opinion::A, 0.30),
            (Some(Medium), 1, 0, Some(false), Opinion::None, 0.0),
            (Some(Medium), 1, 0, Some(false), Opinion::A, 0.24),
            (Some(High), 1, 0, Some(false), Opinion::None, 0.4),
            (Some(High), 1, 1, Some(false), Opinion::None, 0.45),
            (Some(High), 1, 1, None, Opinion::C, 0.45),
            (Some(High), 2, 0, Some(false), Opinion::None, 0.6),
            (Some(High), 9, 9, Some(true), Opinion::Failed, 1.0),
            (Some(High), 1, 0, Some(false), Opinion::B, 0.0),
            (Some(High), 3, 0, Some(false), Opinion::B, 0.3),
            (Some(Critical), 1, 0, Some(false), Opinion::None, 0.7),
            (Some(Critical), 4, 0, Some(false), Opinion::None, 1.0),
            (Some(Critical), 1, 5, Some(false), Opinion::None, 0.9),
        ] {
            let beside = Circumstances { prior_concern: prior, opinion };
            let got = distress(level, categories, intensifiers, beside);
            assert!(
                (got - is).abs() < 1e-12,
                "{level:?} {categories} {intensifiers} {beside:?} {got}"
            );
        }
    }

    #[test]
    fn verdicts_change_at_their_bounds() {
        use Verdict::{Approve, Clear, Disengage, Human};
        for (level, score, opinion, prior, is) in [
            (None, 0.299, Opinion::None, None, Clear),
            (None, 0.30, Opinion::None, None, Approve),
            (None, 0.45, Opinion::None, None, Approve),
            (None, 0.451, Opinion::None, None, Human),
            (Some(Gravity::Medium), 0.0, Opinion::None, Some(false), Approve),
            (Some(Gravity::Medium), 0.0, Opinion::B, Some(false), Clear),
            (Some(Gravity::Medium), 0.0, Opinion::B, None, Human),
            (Some(Gravity::Medium), 0.24, Opinion::A, Some(false), Disengage),
            (Some(Gravity::Medium), 0.24, Opinion::Failed, Some(false), Disengage),
            (Some(Gravity::High), 0.4, Opinion::None, Some(false), Disengage),
            (Some(Gravity::High), 0.4, Opinion::C, Some(false), Human),
            (Some(Gravity::High), 0.0, Opinion::B, Some(false), Clear),
            (Some(Gravity::Critical), 0.3, Opinion::B, Some(false), Disengage),
        ] {
            let beside = Circumstances { prior_concern: prior, opinion };
            assert_eq!(verdict(level, score, None, beside), is, "{level:?} {score} {beside:?}");
        }
    }
}
