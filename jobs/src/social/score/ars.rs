//! ARS: how good an answer to this author is likely to be received: who it seems to be, and what was between us.

use serde::{Deserialize, Serialize};

use super::{Evidence, Signal, count, cues, finite};

/// An account younger than this, in days, with fewer followers and no bio is thrown away soon.
const BURNER_DAYS: f64 = 30.0;
const BURNER_FOLLOWERS: i64 = 5;
/// Events after which 63 % of what history can add to the confidence is there.
const EVENTS: f64 = 3.0;

/// Who somebody seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Persona {
    Clinician,
    HighStakes,
    Quantified,
    Parent,
    Fitness,
    Nomad,
    Group,
    Party,
    Entertainer,
}

impl Persona {
    /// Where the score begins (spec 3.1).
    #[must_use]
    pub const fn baseline(self) -> f64 {
        match self {
            Self::Clinician | Self::HighStakes => 0.70,
            Self::Quantified | Self::Parent => 0.65,
            Self::Fitness => 0.60,
            Self::Nomad => 0.55,
            Self::Group => 0.40,
            Self::Party => 0.35,
            Self::Entertainer => 0.30,
        }
    }
}

/// Whole words and phrases by which people name what they are.
const WORDS: &[(Persona, &str)] = &[
    (
        Persona::Clinician,
        "doctor|dr|md|nurse|rn|physician|paramedic|emt|pharmacist|surgeon|dietitian|therapist|physiotherapist",
    ),
    (
        Persona::HighStakes,
        "pilot|firefighter|lawyer|attorney|founder|ceo|trader|first responder|air traffic controller",
    ),
    (
        Persona::Quantified,
        "biohacker|biohacking|quantified self|data scientist|longevity|whoop|oura|tracking my",
    ),
    (Persona::Parent, "mom|mum|mama|dad|father|mother|parent|dad of|mom of|parent of"),
    (
        Persona::Fitness,
        "runner|marathon|triathlete|crossfit|lifter|powerlifter|yogi|fitness|gym|athlete|cyclist|personal trainer",
    ),
    (
        Persona::Nomad,
        "digital nomad|nomad|traveler|traveller|backpacker|expat|vanlife|flight attendant",
    ),
    (Persona::Group, "we are|our team|society|fraternity|sorority|meetup|community page|fan club"),
    (
        Persona::Party,
        "party|raver|rave|dj|bartender|chaos|agent of chaos|nightlife|clubbing|festival",
    ),
    (Persona::Entertainer, "comedian|comic|standup|stand-up|satire|parody|improv|actor|meme page"),
];

/// Who display name and bio say it is, by whole words.
#[must_use]
pub fn personas(display_name: &str, bio: &str) -> Vec<Persona> {
    let lines = [cues::words(display_name), cues::words(bio)];
    let says = |phrase: &str| {
        let wanted: Vec<String> = cues::words(phrase).into_iter().map(|w| w.folded).collect();
        lines.iter().any(|words| {
            words.windows(wanted.len()).any(|w| w.iter().zip(&wanted).all(|(a, b)| same(a, b)))
        })
    };
    let named = WORDS.iter().filter(|(_, words)| words.split('|').any(says));
    named.map(|(persona, _)| *persona).collect()
}

/// The degrees are written in capitals: "Md" is a first name, "rn" is now.
fn same(word: &cues::Word<'_>, wanted: &str) -> bool {
    let degree = matches!(wanted, "md" | "rn" | "emt");
    word.folded == wanted && (!degree || word.raw.chars().all(char::is_uppercase))
}

/// What is known of an author. Absent is unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorFacts {
    /// Of `relationship::fold`, 0..=1; 0.5 says nothing.
    pub relationship: Option<f64>,
    /// Events behind it.
    pub events: usize,
    /// By `personas`, and what the profile adds.
    pub personas: Vec<Persona>,
    /// Age of the account, days.
    pub account_days: Option<f64>,
    /// Followers.
    pub followers: Option<i64>,
    /// It has a bio; unknown where the platform does not say.
    pub has_bio: Option<bool>,
    /// It was hostile or reported us more than once, or a person said so.
    pub troll: bool,
}

impl AuthorFacts {
    /// A young account with hardly a follower and no bio. What is unknown is no sign.
    #[must_use]
    pub fn is_burner(&self) -> bool {
        self.account_days.is_some_and(|d| d < BURNER_DAYS)
            && self.followers.is_some_and(|f| f < BURNER_FOLLOWERS)
            && self.has_bio == Some(false)
    }
}

/// `clamp(baseline + relationship - 0.5)`. The baseline is the persona's (the mean of several, 0.5 without one),
/// 0 for a burner, -0.5 for a troll. Confidence: 0.5 without history, towards 0.9 with it; 0.05 more with a persona.
#[must_use]
pub fn ars(author: &AuthorFacts) -> Signal {
    let mut evidence = Vec::new();
    let baseline = if author.troll {
        evidence.push(Evidence::new("troll", -0.5));
        -0.5
    } else if author.is_burner() {
        evidence.push(Evidence::new("burner account", 0.0));
        0.0
    } else if author.personas.is_empty() {
        evidence.push(Evidence::new("no persona", 0.5));
        0.5
    } else {
        let named = |p: &Persona| Evidence::new(format!("{p:?}").to_lowercase(), p.baseline());
        evidence.extend(author.personas.iter().map(named));
        let sum: f64 = author.personas.iter().map(|p| p.baseline()).sum();
        sum / count(author.personas.len())
    };
    let relationship = author.relationship.map_or(0.5, |r| finite(r, 0.5)).clamp(0.0, 1.0);
    evidence.push(Evidence::new("relationship", relationship - 0.5));
    let history = 1.0 - (-count(author.events) / EVENTS).exp();
    let persona = if author.personas.is_empty() { 0.0 } else { 0.05 };
    Signal::new(baseline + relationship - 0.5, 0.5 + 0.4 * history + persona, evidence)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_persona_is_a_whole_word() {
        assert_eq!(
            personas("Amdahl", "admiring dads' mdma jokes"),
            [],
            "md in a word is no degree"
        );
        assert_eq!(personas("Ann Lee, MD", ""), [Persona::Clinician]);
        assert_eq!(personas("Md Rahman", "tired rn"), []);
        assert_eq!(
            personas("Bo", "Dad of two. Stand-up comic"),
            [Persona::Parent, Persona::Entertainer]
        );
        assert_eq!(personas("digital", "nomad"), [Persona::Nomad], "a phrase is not across fields");
    }

    #[test]
    fn baselines_and_relationship_add() {
        let of = |personas: &[Persona], relationship| {
            let personas = personas.to_vec();
            ars(&AuthorFacts { relationship, personas, ..AuthorFacts::default() }).score
        };
        assert!(close(of(&[], None), 0.5));
        assert!(close(of(&[Persona::Clinician], Some(0.5)), 0.7));
        assert!(close(of(&[Persona::Clinician, Persona::Entertainer], None), 0.5), "mixed");
        assert!(close(of(&[Persona::Clinician], Some(0.9)), 1.0), "clamped");
        assert!(close(of(&[Persona::Party], Some(0.0)), 0.0), "clamped");
        assert!(close(of(&[], Some(f64::NAN)), 0.5));
    }

    #[test]
    fn burners_need_all_three_signs() {
        let burner = AuthorFacts {
            account_days: Some(29.9),
            followers: Some(4),
            has_bio: Some(false),
            ..AuthorFacts::default()
        };
        assert!(burner.is_burner() && close(ars(&burner).score, 0.0));
        assert!(!AuthorFacts { account_days: Some(30.0), ..burner.clone() }.is_burner());
        assert!(!AuthorFacts { followers: Some(5), ..burner.clone() }.is_burner());
        assert!(!AuthorFacts { has_bio: None, ..burner.clone() }.is_burner());
        assert!(!AuthorFacts { has_bio: Some(true), ..burner }.is_burner());
    }

    #[test]
    fn a_troll_stays_one_whatever_was_before() {
        let troll = AuthorFacts {
            troll: true,
            relationship: Some(1.0),
            personas: vec![Persona::Clinician],
            ..AuthorFacts::default()
        };
        assert!(close(ars(&troll).score, 0.0));
    }

    #[test]
    fn history_makes_sure() {
        let of = |events| ars(&AuthorFacts { events, ..AuthorFacts::default() }).confidence;
        assert!(close(of(0), 0.5) && of(1) < of(5) && of(500) <= 0.9);
    }

    proptest! {
        #[test]
        fn any_author_is_scored_in_range(
            relationship: Option<f64>, events: usize, days: Option<f64>, followers: Option<i64>, troll: bool
        ) {
            let personas = vec![Persona::Parent];
            let facts = AuthorFacts {
                relationship, events, personas, account_days: days, followers, has_bio: None, troll,
            };
            let signal = ars(&facts);
            prop_assert!((0.0..=1.0).contains(&signal.score) && (0.0..=1.0).contains(&signal.confidence));
        }
    }
}
