use super::{
    Circumstances, Folded, Gravity, Odd, Opinion, Profile, Safety, UNREADABLE, Verdict, distress,
    safety, verdict,
};
use crate::social::profile::vita;

const CALM: Circumstances = Circumstances { prior_concern: Some(false), opinion: Opinion::None };

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
        assert_eq!((found.categories, found.level), (vec![category.into()], Some(level)), "{text}");
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
        assert!((got - is).abs() < 1e-12, "{level:?} {categories} {intensifiers} {beside:?} {got}");
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
