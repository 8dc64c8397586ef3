//! 20,000 made-up posts through the real signals, to see what the rules make of a crowd.

use chrono::{DateTime, TimeDelta};

use super::{fixture::scored, *};
use crate::social::{
    record::{Metrics, Platform},
    score::{
        AuthorFacts, Persona, Prior, Snapshot, Span, Terms, Watched, ars, count, evs, sss, trs,
    },
    tiers::{Reach, UserTier, tier},
};

const POSTS: u64 = 20_000;

/// Fragments, and how often each is there.
const SAYS: &[(&str, f64)] = &[
    ("why did i do this to myself?", 0.05),
    ("what helps?", 0.20),
    ("any tips or remedies?", 0.14),
    ("does anyone know if this is normal?", 0.05),
    ("please help", 0.07),
    ("right now", 0.20),
    ("i need something", 0.08),
    ("my head is pounding", 0.18),
    ("i can't focus", 0.08),
    ("i'm begging", 0.03),
    ("i'm shaking", 0.07),
    ("i have work in the morning", 0.12),
    ("lol", 0.22),
    ("literally", 0.10),
    ("oh well", 0.08),
    ("i never learn", 0.08),
    ("i'm dead", 0.07),
    ("remember when", 0.06),
];

fn post(n: u64) -> Inputs {
    let u = |purpose: &str| draw(n, purpose);
    let figure = u("figure") < 0.12;
    let mut text = if figure { "the market has a hangover." } else { "this hangover." }.to_owned();
    for (says, share) in SAYS.iter().filter(|_| !figure) {
        if u(says) < *share {
            text = format!("{text} {says}.").replace("?.", "?");
        }
    }
    let at = text.find("hangover").unwrap();
    let topic = vec![Span { start: at, end: at + 8 }];
    let terms =
        Terms { metaphor: if figure { topic.clone() } else { vec![] }, topic, ..Terms::default() };
    let followers = 10.0_f64.powf(1.0 + 4.2 * u("followers") * u("reach")).to_string();
    let followers = followers.split('.').next().unwrap().parse().unwrap();
    let tier = tier(&Reach { followers: Some(followers), ..Reach::default() });
    let mut inputs = scored(0.0, 0.0, 0.0, 0.0);
    inputs.key = n;
    inputs.author.tier = tier;
    let s = &mut inputs.signals;
    s.sss = sss(&text, &terms, Some(u("semantic")));
    s.trs = trs(&text, &terms, None, false);
    s.ars = author(n, followers);
    s.evs = counts(n, tier);
    inputs.post.conversation = Conversation::of(&s.sss, false);
    inputs.post.age_hours = Some(7.0 * u("age").powi(2));
    inputs.post.already_answered = u("answered") < 0.03;
    inputs.safety.level = match u("level") {
        x if x < 0.003 => Some(Gravity::Critical),
        x if x < 0.01 => Some(Gravity::High),
        x if x < 0.05 => Some(Gravity::Medium),
        _ => None,
    };
    inputs.safety.distress = Some(0.5 * u("distress").powi(12));
    inputs
}

fn author(n: u64, followers: i64) -> crate::social::score::Signal {
    let u = |purpose: &str| draw(n, purpose);
    let personas = match u("persona") {
        x if x < 0.04 => vec![Persona::Clinician],
        x if x < 0.14 => vec![Persona::Parent],
        x if x < 0.26 => vec![Persona::Party],
        x if x < 0.32 => vec![Persona::Entertainer],
        _ => vec![],
    };
    let known = u("known") < 0.15;
    ars(&AuthorFacts {
        relationship: known.then(|| 0.3 + 0.6 * u("relationship")),
        events: if known { 3 } else { 0 },
        personas,
        followers: Some(followers),
        troll: u("troll") < 0.02,
        ..AuthorFacts::default()
    })
}

fn counts(n: u64, tier: UserTier) -> crate::social::score::Evs {
    let posted = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let prior = Prior::of(Platform::Twitter, tier);
    // A skewed multiple of what the tier gathers in an hour.
    let many = prior.engagements / prior.hours * (-draw(n, "luck").max(1e-9).ln()).powi(2);
    let mut likes = 0;
    while count(likes) + 1.0 <= many && likes < 20_000 {
        likes += 1;
    }
    let seen = |minutes, likes: usize| Snapshot {
        at: posted + TimeDelta::minutes(minutes),
        metrics: Metrics { likes: i64::try_from(likes).ok(), ..Metrics::default() },
    };
    let mut snapshots = vec![seen(1, 0), seen(61, likes)];
    if draw(n, "seen") < 0.5 {
        snapshots.pop();
    }
    evs(&Watched { posted_at: Some(posted), snapshots }, &[], prior, 1.0)
}

#[test]
fn twenty_thousand_posts() {
    let all: Vec<Decision> = (0..POSTS).map(|n| decide(&post(n))).collect();
    let share = |of: &[&Decision], is: &dyn Fn(&Decision) -> bool| {
        count(of.iter().filter(|d| is(d)).count()) / count(of.len())
    };
    let every: Vec<&Decision> = all.iter().collect();
    let engaging: Vec<&Decision> =
        all.iter().filter(|d| d.predicted_mode != Mode::Disengaged).collect();
    for mode in LADDER {
        println!("{} {:.1} %", mode.as_str(), 100.0 * share(&every, &|d| d.predicted_mode == mode));
    }
    for reason in [
        ReviewReason::SafetyCritical,
        ReviewReason::Distress,
        ReviewReason::SafetyAmbiguity,
        ReviewReason::ViralThread,
        ReviewReason::NearThreshold,
        ReviewReason::LowConfidence,
    ] {
        let of = share(&engaging, &|d| d.review_reason == Some(reason));
        println!("review of engaging, {reason:?}: {:.1} %", 100.0 * of);
    }
    let reviewed = share(&engaging, &|d| d.needs_review);
    let likeliest = |d: &Decision| d.probabilities.iter().all(|p| *p <= d.confidence);
    for mode in ENGAGING {
        let of: Vec<&Decision> =
            engaging.iter().copied().filter(|d| d.predicted_mode == mode).collect();
        println!("{} is the likeliest in {:.1} %", mode.as_str(), 100.0 * share(&of, &likeliest));
    }
    let agreed = share(&engaging, &likeliest);
    let sure = count(engaging.len());
    let confidence = engaging.iter().map(|d| d.confidence).sum::<f64>() / sure;
    let randomised = share(&engaging, &|d| d.randomised && !d.held_out);
    let held_out = share(&engaging, &|d| d.held_out);
    println!(
        "reviewed {:.1} % of engaging, likeliest in {:.1} %",
        100.0 * reviewed,
        100.0 * agreed
    );
    println!("mean confidence {confidence:.3}, drawn {randomised:.3}, held out {held_out:.3}");
    let quiet = share(&every, &|d| d.predicted_mode == Mode::Disengaged);
    assert!((0.5..0.75).contains(&quiet), "{quiet}");
    assert!(reviewed < 0.35 && agreed > 0.9, "reviewed {reviewed}, agreed {agreed}");
    assert!(randomised < 0.12 && held_out < 0.03);
}
