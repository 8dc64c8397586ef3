//! Phrases that set rewarded posts apart: what might become a keyword, if a person and a trial say so. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use millrace_stats::{
    contrast::{log_odds, pmi},
    rates::Beta,
    sequential::ln_lambda,
    shrink::Outcomes,
};
use serde::Serialize;

use crate::{
    learning::{evidence::promoted, run::ALPHA},
    social::text::{Folded, fold::fold},
    store::social::keywords::PostRow,
};

/// Authors, one post each, that are looked at: the latest.
pub const AUTHORS_MAX: i64 = 10_000;
/// Authors whose post must have a phrase: it is no quirk of one, and names nobody.
const AUTHORS_MIN: u32 = 10;
/// The seed's "top 50 posts": fewer rewarded ones say nothing.
pub const REWARDED_MIN: usize = 50;
/// Words of a post that are read.
const WORDS_MAX: usize = 200;
/// A phrase has a word of so many letters: others are the mortar of sentences.
const LETTERS_MIN: usize = 4;
/// Posts that what is known of all of them weighs as much as.
const PRIOR_N: f64 = 100.0;
/// Standard deviation of the log-odds that are looked for: about two thirds more.
const ODDS: f64 = 0.5;
/// Phrases that are proposed at once.
const PHRASES_MAX: usize = 5;

/// A phrase that may be worth a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phrase {
    /// Two or three words, folded.
    pub phrase: String,
    /// The category that most of its rewarded posts have.
    pub category: String,
    /// Rewarded posts that have it, and others.
    pub rewarded: u32,
    /// See `rewarded`.
    pub others: u32,
    /// Log-odds of having it, rewarded against others, with the prior of all.
    pub log_odds: f64,
    /// That over its standard deviation.
    pub z: f64,
    /// Logarithm of the e-value against "it is as frequent in both", which may be looked at night by night.
    pub log_e: f64,
    /// Always-valid, 1 / e, at most 1.
    pub p: f64,
    /// Pointwise mutual information of phrase and reward, in nats.
    pub pmi: f64,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Discovery {
    /// Posts, one of each author, and rewarded ones.
    pub posts: usize,
    /// See `posts`.
    pub rewarded: usize,
    /// Phrases that were frequent enough.
    pub looked_at: usize,
    /// The strongest first.
    pub phrases: Vec<Phrase>,
}

/// Find; a phrase that contains one of `taken` finds nothing new.
#[must_use]
pub fn discover(posts: &[PostRow], taken: &[String]) -> Discovery {
    let rewarded = posts.iter().filter(|post| post.rewarded).count();
    let mut found = Discovery { posts: posts.len(), rewarded, looked_at: 0, phrases: Vec::new() };
    if rewarded < REWARDED_MIN || posts.len() - rewarded < REWARDED_MIN {
        return found;
    }
    let taken: Vec<String> = taken.iter().map(|term| padded(fold(term).trim())).collect();
    let mut counted = counts(posts);
    counted.retain(|phrase, [others, with]| {
        let phrase = padded(phrase);
        *others + *with >= AUTHORS_MIN && !taken.iter().any(|term| phrase.contains(term.as_str()))
    });
    found.looked_at = counted.len();
    let sizes = [posts.len() - rewarded, rewarded].map(size);
    let mut all: Vec<Phrase> =
        counted.iter().filter_map(|(phrase, counts)| measured(phrase, *counts, sizes)).collect();
    let log_e: Vec<f64> = all.iter().map(|one| one.log_e).collect();
    let mut kept = promoted(&log_e, ALPHA).into_iter();
    all.retain(|_| kept.next().unwrap_or_default());
    found.phrases = apart(posts, all);
    found
}

/// The strongest, then the strongest on the posts without it, and so on: what is beside a phrase that says something says
/// nothing itself.
fn apart(posts: &[PostRow], mut all: Vec<Phrase>) -> Vec<Phrase> {
    let limit = all.iter().map(|one| one.log_e).fold(f64::INFINITY, f64::min);
    let mut left: Vec<(&PostRow, BTreeSet<String>)> = posts
        .iter()
        .map(|post| {
            let mut has = BTreeSet::new();
            phrases(&post.content, |phrases| {
                let of = all.iter().filter(|one| phrases.contains(one.phrase.as_str()));
                has.extend(of.map(|one| one.phrase.clone()));
            });
            (post, has)
        })
        .collect();
    let mut chosen: Vec<Phrase> = Vec::new();
    while chosen.len() < PHRASES_MAX {
        let sizes = [false, true]
            .map(|is| size(left.iter().filter(|(post, _)| post.rewarded == is).count()));
        let again = |one: &Phrase| {
            let mut counts = [0, 0];
            for (post, _) in left.iter().filter(|(_, has)| has.contains(&one.phrase)) {
                let [others, with] = &mut counts;
                *if post.rewarded { with } else { others } += 1;
            }
            let found = measured(&one.phrase, counts, sizes)?;
            (found.log_e >= limit).then_some(found.log_e)
        };
        let still = all.iter().enumerate().filter_map(|(nth, one)| Some((again(one)?, nth)));
        // Of equals the first: phrases are in order.
        let best = still.reduce(|best, one| if one.0 > best.0 { one } else { best });
        let Some((_, nth)) = best else { break };
        let mut one = all.remove(nth);
        left.retain(|(_, has)| !has.contains(&one.phrase));
        one.category = category(posts, &one.phrase);
        chosen.push(one);
    }
    chosen
}

fn measured(phrase: &str, [others, with]: [u32; 2], [n, m]: [f64; 2]) -> Option<Phrase> {
    let of = |successes: u32, trials: f64| Outcomes { successes: successes.into(), trials };
    let (first, second) = (of(with, m), of(others, n));
    let share = f64::from(with + others) / (n + m);
    let prior = Beta::new(PRIOR_N * share, PRIOR_N * (1.0 - share)).ok()?;
    let contrast = log_odds(first, second, prior).ok()?;
    // What is rarer in rewarded posts is no evidence that it is more frequent there.
    let difference = contrast.log_odds.max(0.0);
    let log_e = ln_lambda(difference, contrast.variance, ODDS).ok()?;
    Some(Phrase {
        phrase: phrase.to_owned(),
        category: String::new(),
        rewarded: with,
        others,
        log_odds: contrast.log_odds,
        z: contrast.z,
        log_e,
        p: (-log_e).exp().min(1.0),
        pmi: pmi(first, second).unwrap_or_default(),
    })
}

/// Posts that have each phrase, unrewarded and rewarded. Most phrases are there once: their hashes are counted first, so that
/// only the others are kept as texts.
fn counts(posts: &[PostRow]) -> BTreeMap<String, [u32; 2]> {
    let mut often: HashMap<u64, u32> = HashMap::new();
    for post in posts {
        phrases(&post.content, |phrases| {
            for phrase in phrases {
                *often.entry(hash(phrase)).or_default() += 1;
            }
        });
    }
    let mut counts: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for post in posts {
        phrases(&post.content, |phrases| {
            let often = |phrase: &&&str| often.get(&hash(phrase)) >= Some(&AUTHORS_MIN);
            for phrase in phrases.iter().filter(often) {
                let [others, with] = counts.entry((*phrase).to_owned()).or_default();
                *if post.rewarded { with } else { others } += 1;
            }
        });
    }
    counts
}

fn hash(phrase: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    phrase.hash(&mut hasher);
    hasher.finish()
}

/// The phrases of a text, each once: two or three words with nothing but a space between them.
fn phrases(text: &str, take: impl FnOnce(&BTreeSet<&str>)) {
    let folded = Folded::new(text);
    let words: Vec<_> = folded.words().take(WORDS_MAX).map(|(at, _)| at).collect();
    let mut all = BTreeSet::new();
    for length in [2, 3] {
        for window in words.windows(length) {
            let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
            let Some(phrase) = folded.text().get(first.start..last.end) else { continue };
            let mut parts = phrase.split(' ');
            let joined = parts.clone().count() == length;
            let says =
                |part: &str| part.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS_MIN;
            if joined && parts.any(says) {
                all.insert(phrase);
            }
        }
    }
    take(&all);
}

fn padded(phrase: &str) -> String {
    format!(" {phrase} ")
}

/// The category that most rewarded posts with the phrase have; the first of equals.
fn category(posts: &[PostRow], phrase: &str) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for post in posts.iter().filter(|post| post.rewarded) {
        phrases(&post.content, |phrases| {
            for category in post.categories.iter().filter(|_| phrases.contains(phrase)) {
                *counts.entry(category).or_default() += 1;
            }
        });
    }
    let best = counts.into_iter().rev().max_by_key(|(_, n)| *n);
    best.map(|(name, _)| name.to_owned()).unwrap_or_default()
}

#[expect(clippy::as_conversions, reason = "a count of posts")]
fn size(n: usize) -> f64 {
    n as f64
}
