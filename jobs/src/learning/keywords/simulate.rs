//! Keywords in made-up worlds whose truth is known: how often each rule is wrong, and how soon it finds what is to be found.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::{
    discover::discover,
    judge::{Act, Counts, POSTS_MIN, State, TERMS_MIN, Term, learn},
    seed_rule::SeedKeyword,
};
use crate::store::social::keywords::{PostRow, TallyRow};

/// Keywords of a world.
const TERMS: usize = 24;
/// Which of them finds what is none of ours, and which is often beside it.
const BAD: usize = 5;
const BESIDE: usize = 6;
/// Share of posts that are ours, and of replies that are rewarded; of the bad keyword.
const GOOD_RATES: [f64; 2] = [0.80, 0.10];
const BAD_RATES: [f64; 2] = [0.40, 0.02];
/// The phrase that is hidden, the share of posts that have it, and the share of those with a reward.
const HIDDEN: &str = "empty stomach";
const HIDDEN_SHARE: f64 = 0.05;
const HIDDEN_REWARD: f64 = 0.30;
/// Words that posts are made of, and of one post.
const WORDS: usize = 400;
const LENGTH: usize = 12;
/// Days between two looks at phrases, and phrases that the seed's rule proposes of its top 50 posts.
const WEEK: usize = 7;
const TOP_POSTS: usize = 50;
const TOP_PHRASES: usize = 5;
/// The seed's window in days.
const RECENT: usize = 30;

/// What is true in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// All keywords are worth the same.
    KeywordsAa,
    /// One of them is not worth it.
    KeywordsBad,
    /// No phrase says anything.
    PhrasesAa,
    /// One does.
    PhrasesHidden,
}

/// How a world goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Plan {
    /// Which.
    pub world: World,
    /// Lives of it.
    pub runs: u32,
    /// Of the first; the others have the following ones.
    pub seed: u64,
    /// Days of each, at most 90: all of them are in the window.
    pub days: u32,
    /// Posts a day, all answered.
    pub per_day: u32,
}

/// What came of one rule in all lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Share of lives in which a keyword was retired (the seed: lowered) or raised, or a phrase proposed, that should not be.
    pub wrong: f64,
    /// How many were in a life, on average.
    pub wrong_per_life: f64,
    /// Share of lives in which what is true was found.
    pub found: f64,
    /// Median days until then, of those lives.
    pub median_days: Option<u32>,
}

/// What came of a world.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How it went on.
    pub plan: Plan,
    /// Ours.
    pub ours: Tally,
    /// The seed's.
    pub seed_rule: Tally,
}

/// What a rule did in a life.
#[derive(Debug, Clone, Default)]
struct Life {
    wrong: BTreeSet<String>,
    found: Option<u32>,
}

impl Life {
    fn says(&mut self, what: &str, is_right: bool, day: usize) {
        if is_right {
            self.found.get_or_insert(u32::try_from(day).unwrap_or(u32::MAX));
        } else {
            self.wrong.insert(what.to_owned());
        }
    }
}

/// Lives the plan; each rule meets the same posts.
#[must_use]
pub fn simulate(plan: Plan) -> Outcome {
    let live = |nth: u32| {
        let mut random = StdRng::seed_from_u64(plan.seed.wrapping_add(nth.into()));
        match plan.world {
            World::KeywordsAa => keywords(&plan, &mut random, false),
            World::KeywordsBad => keywords(&plan, &mut random, true),
            World::PhrasesAa => phrases(&plan, &mut random, false),
            World::PhrasesHidden => phrases(&plan, &mut random, true),
        }
    };
    let (ours, theirs): (Vec<Life>, Vec<Life>) = (0..plan.runs).map(live).unzip();
    Outcome { plan, ours: tally(&ours), seed_rule: tally(&theirs) }
}

fn tally(lives: &[Life]) -> Tally {
    let n = lives.iter().map(|_| 1.0).sum::<f64>().max(1.0);
    let count = |of: &dyn Fn(&Life) -> usize| -> f64 {
        lives.iter().map(|life| f64::from(u32::try_from(of(life)).unwrap_or(u32::MAX))).sum()
    };
    let mut days: Vec<u32> = lives.iter().filter_map(|life| life.found).collect();
    days.sort_unstable();
    Tally {
        wrong: count(&|life| usize::from(!life.wrong.is_empty())) / n,
        wrong_per_life: count(&|life| life.wrong.len()) / n,
        found: count(&|life| usize::from(life.found.is_some())) / n,
        median_days: days.get(days.len() / 2).copied(),
    }
}

fn name(nth: usize) -> String {
    format!("term {nth:02}")
}

/// Posts of a day by term and number of terms: decided upon, ours; answered, rewarded.
type Day = BTreeMap<(usize, i32), [i64; 3]>;

fn keywords(plan: &Plan, random: &mut StdRng, is_bad: bool) -> (Life, Life) {
    let (mut ours, mut theirs) = (Life::default(), Life::default());
    let terms: Vec<Term> = (0..TERMS).map(|nth| term(name(nth))).collect();
    let hits: BTreeMap<String, i64> = terms.iter().map(|term| (term.name.clone(), 1)).collect();
    let mut days: Vec<Day> = Vec::new();
    for _ in 0..plan.days {
        let mut day = Day::new();
        for _ in 0..plan.per_day {
            post(random, is_bad, &mut day);
        }
        days.push(day);
        let (decided, replied) = (rows(&days, 1), rows(&days, 2));
        let counts = Counts { decided: &decided, replied: &replied, hits: &hits };
        let is_bad = |term: &str| is_bad && term == name(BAD);
        let found = learn(&terms, counts);
        let enough = found.iter().filter(|one| one.shortfall == 0).count() >= TERMS_MIN;
        for one in found.iter().filter(|one| enough && one.is_acted()) {
            ours.says(&one.term, one.act == Act::Retire && is_bad(&one.term), days.len());
        }
        let seed = terms.iter().map(|term| (term, SeedKeyword::of(&term.name, counts)));
        let seed: Vec<_> = seed.filter(|(_, of)| of.n >= i64::from(POSTS_MIN)).collect();
        for (term, of) in seed.iter().filter(|(_, of)| seed.len() >= TERMS_MIN && of.factor != 1.0)
        {
            theirs.says(&term.name, of.factor < 1.0 && is_bad(&term.name), days.len());
        }
    }
    (ours, theirs)
}

fn term(name: String) -> Term {
    let (proposed, refused) = (BTreeSet::new(), BTreeSet::new());
    Term { name, state: State::InForce, locked: false, proposed, refused }
}

/// One post, of one to four terms, frequent ones and rare ones. It is as good as its terms are on average.
fn post(random: &mut StdRng, is_bad: bool, day: &mut Day) {
    let mut terms = BTreeSet::from([drawn(random)]);
    while terms.len() < 3 && random.random_bool(0.4) {
        terms.insert(drawn(random));
    }
    if terms.contains(&BAD) && random.random_bool(0.5) {
        terms.insert(BESIDE);
    }
    let k = i32::try_from(terms.len()).unwrap_or(i32::MAX);
    let bad = if is_bad && terms.contains(&BAD) { 1.0 / f64::from(k) } else { 0.0 };
    let rate = |nth: usize| {
        let at = |rates: [f64; 2]| rates.get(nth).copied().unwrap_or_default();
        bad * at(BAD_RATES) + (1.0 - bad) * at(GOOD_RATES)
    };
    let (is_ours, is_rewarded) = (random.random_bool(rate(0)), random.random_bool(rate(1)));
    for term in terms {
        let [n, ours, rewarded] = day.entry((term, k)).or_default();
        *n += 1;
        *ours += i64::from(is_ours);
        *rewarded += i64::from(is_rewarded);
    }
}

/// A term, the first thrice as often as the last.
fn drawn(random: &mut StdRng) -> usize {
    let nth = random.random_range(0..TERMS);
    if random.random_range(0..3 * TERMS) < 2 * nth { random.random_range(0..TERMS) } else { nth }
}

/// All days as the store tells of them; the `nth` figure is what is counted.
fn rows(days: &[Day], nth: usize) -> Vec<TallyRow> {
    let mut all: BTreeMap<(usize, i32, bool), [i64; 2]> = BTreeMap::new();
    for (at, day) in days.iter().enumerate() {
        for ((term, k), figures) in day {
            let recent = at + RECENT >= days.len();
            let [n, hits] = all.entry((*term, *k, recent)).or_default();
            *n += figures.first().copied().unwrap_or_default();
            *hits += figures.get(nth).copied().unwrap_or_default();
        }
    }
    let row = |((term, k, recent), [n, hits]): ((usize, i32, bool), [i64; 2])| TallyRow {
        term: name(term),
        k,
        recent,
        n,
        hits,
    };
    all.into_iter().map(row).collect()
}

fn phrases(plan: &Plan, random: &mut StdRng, is_hidden: bool) -> (Life, Life) {
    let (mut ours, mut theirs) = (Life::default(), Life::default());
    let (mut posts, taken) = (Vec::new(), ["hangover".to_owned()]);
    let weeks = usize::try_from(plan.days).unwrap_or_default() / WEEK;
    for week in 1..=weeks {
        for _ in 0..plan.per_day {
            posts.extend((0..WEEK).map(|_| text(random, is_hidden)));
        }
        let is_right = |phrase: &str| is_hidden && phrase.contains(HIDDEN);
        let latest = posts.len().saturating_sub(10_000);
        let found = discover(posts.get(latest..).unwrap_or_default(), &taken);
        for one in found.phrases {
            ours.says(&one.phrase, is_right(&one.phrase), week * WEEK);
        }
        for phrase in seed_phrases(&posts) {
            theirs.says(&phrase, is_right(&phrase), week * WEEK);
        }
    }
    (ours, theirs)
}

/// A post of words as frequent as those of a language.
fn text(random: &mut StdRng, is_hidden: bool) -> PostRow {
    let has = is_hidden && random.random_bool(HIDDEN_SHARE);
    let rewarded = random.random_bool(if has { HIDDEN_REWARD } else { GOOD_RATES[1] });
    let mut words: Vec<String> = (0..LENGTH).map(|_| word(random)).collect();
    words.insert(0, "hangover".into());
    if has {
        words.insert(random.random_range(1..LENGTH), HIDDEN.into());
    }
    PostRow { content: words.join(" "), categories: vec!["symptoms".into()], rewarded }
}

/// The n-th word is as frequent as 1/n (Zipf), by the inverse of the distribution of a continuous variable like it.
fn word(random: &mut StdRng) -> String {
    let most = f64::from(u32::try_from(WORDS).unwrap_or(1));
    let nth = format!("{:.0}", most.powf(random.random::<f64>()));
    let letter = |digit: char| "abcdefghij".chars().nth(usize::try_from(digit.to_digit(10)?).ok()?);
    format!("word{}", nth.chars().filter_map(letter).collect::<String>())
}

/// The seed's: the most frequent two- and three-word phrases of the latest 50 rewarded posts.
fn seed_phrases(posts: &[PostRow]) -> Vec<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for post in posts.iter().rev().filter(|post| post.rewarded).take(TOP_POSTS) {
        let words: Vec<&str> = post.content.split(' ').collect();
        for length in [2, 3] {
            for phrase in words.windows(length) {
                *counts.entry(phrase.join(" ")).or_default() += 1;
            }
        }
    }
    let mut all: Vec<(String, u32)> = counts.into_iter().collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all.into_iter().take(TOP_PHRASES).map(|(phrase, _)| phrase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(world: World, runs: u32) -> Plan {
        Plan { world, runs, seed: 1, days: 70, per_day: 150 }
    }

    #[test]
    fn good_keywords_stay_and_a_bad_one_is_found() {
        let still = simulate(plan(World::KeywordsAa, 20));
        assert_eq!(still, simulate(plan(World::KeywordsAa, 20)), "the same seeds, the same lives");
        assert!(still.ours.wrong <= 0.10 && still.seed_rule.wrong >= 0.5, "{still:?}");
        let bad = simulate(plan(World::KeywordsBad, 20));
        assert!(bad.ours.found >= 0.8 && bad.ours.wrong <= 0.15, "{bad:?}");
    }

    #[test]
    fn noise_is_seldom_proposed_and_a_hidden_phrase_mostly() {
        let still = simulate(Plan { days: 28, ..plan(World::PhrasesAa, 4) });
        assert!(still.ours.wrong_per_life <= 0.5 && still.seed_rule.wrong == 1.0, "{still:?}");
        let hidden = simulate(Plan { days: 28, ..plan(World::PhrasesHidden, 4) });
        assert!(hidden.ours.found >= 0.75 && hidden.ours.wrong_per_life <= 0.75, "{hidden:?}");
    }
}
