//! What each keyword is worth, from what came of the posts that it found. Pure: the same counts give the same.
//!
//! Terms that are found together share the credit: in the game whose value is the number of posts (or rewards) that some terms
//! find, a post with k terms is worth 1/k to each of them (Shapley 1953: its terms are interchangeable). Such shares keep
//! e-values valid: a likelihood ratio to a power of at most one has an expectation of at most one still (Jensen).

use std::collections::{BTreeMap, BTreeSet};

use millrace_stats::{
    Interval,
    rates::Beta,
    shrink::{Outcomes, beta_prior, rate_population},
};
use serde::Serialize;

use super::seed_rule::SeedKeyword;
use crate::{
    learning::{evidence::promoted, run::ALPHA},
    social::vocabulary::What,
    store::social::keywords::TallyRow,
};

/// Of the posts that a keyword finds at least this share is ours: the seed's limit of false positives is 30 %.
pub const PRECISION_MIN: f64 = 0.70;
/// A keyword whose posts are rewarded less than this share of the brand's mean is not worth it.
pub const ENGAGEMENT_FLOOR: f64 = 0.5;
/// The seed's: from this share of rewards on a keyword is raised.
pub const ENGAGEMENT_HIGH: f64 = 0.15;
/// And it must be above the brand's mean by a tenth.
const ENGAGEMENT_LIFT: f64 = 1.1;
/// The seed's: posts of a keyword, and keywords with as many.
pub const POSTS_MIN: u32 = 30;
/// See [`POSTS_MIN`].
pub const TERMS_MIN: usize = 20;

/// How a keyword is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// In force.
    InForce,
    /// In force, and raised.
    Raised,
    /// Tried on a share of the texts.
    Trial,
}

/// A keyword that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// As `posts.keyword_matches` has it.
    pub name: String,
    /// How it is.
    pub state: State,
    /// Nobody but a person changes it.
    pub locked: bool,
    /// What is proposed, and waits for a person.
    pub proposed: BTreeSet<What>,
    /// What a person refused or took back lately.
    pub refused: BTreeSet<What>,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Act {
    /// Propose that it is none any more.
    Retire,
    /// Raise it.
    Raise,
    /// Its trial went well: in force for all.
    Adopt,
    /// Its trial went badly: over.
    Drop,
}

impl Act {
    const fn what(self) -> What {
        match self {
            Self::Retire => What::Retire,
            Self::Raise => What::Raise,
            Self::Adopt | Self::Drop => What::Add,
        }
    }
}

/// Why nothing is done. The first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Skip {
    /// A person holds it.
    Locked,
    /// Too few posts.
    InsufficientSampleSize,
    /// What came does not speak for it strongly enough.
    InsufficientEvidence,
    /// A person said no, lately.
    Refused,
    /// It is proposed already.
    Proposed,
}

/// A share of a keyword's posts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// Posts.
    pub posts: u32,
    /// The same where a post with k terms counts 1/k.
    pub n: f64,
    /// Of them, with what is counted.
    pub hits: f64,
    /// Posterior mean, and its 95 % interval, drawn to the other keywords.
    pub mean: f64,
    /// See `mean`.
    pub interval: Option<Interval>,
    /// What it should be at least.
    pub floor: f64,
    /// Posterior probability that it is less.
    pub below_floor: f64,
}

/// What is found of a keyword.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// As `posts.keyword_matches` has it.
    pub term: String,
    /// How it is.
    pub state: State,
    /// Posts of the last 30 days that have it, answered or not. None: people should look whether it is needed.
    pub hits: i64,
    /// Posts that were ours after all, of those decided upon.
    pub precision: Rate,
    /// Rewarded replies, of those to its posts.
    pub engagement: Rate,
    /// What its rewards must exceed for it to be raised.
    pub high: f64,
    /// Logarithms of the e-values against "it is precise and rewarded as it should be", and against "it does not deserve
    /// more" (on trial: "it is not precise, or not rewarded").
    pub log_e_poor: f64,
    /// See `log_e_poor`.
    pub log_e_good: f64,
    /// Of the better one: always-valid, 1 / e, at most 1.
    pub p: f64,
    /// What the seed would do.
    pub seed: SeedKeyword,
    /// Posts that are missing, and days until they are there at the rate of the last 30.
    pub shortfall: u32,
    /// See `shortfall`.
    pub eta_days: Option<f64>,
    /// What the evidence points to.
    pub act: Act,
    /// Nothing: that is done.
    pub skip: Option<Skip>,
}

/// Counts of all keywords.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// Decided upon; hits are ours after all.
    pub decided: &'a [TallyRow],
    /// Answered, with a final outcome; hits are rewards.
    pub replied: &'a [TallyRow],
    /// Posts of the last 30 days by term.
    pub hits: &'a BTreeMap<String, i64>,
}

/// Posts of a keyword.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    posts: f64,
    n: f64,
    hits: f64,
}

type Tallies<'a> = BTreeMap<&'a str, Tally>;

fn tallies(rows: &[TallyRow]) -> Tallies<'_> {
    let mut all = Tallies::new();
    // In the order in which they come, which is that of (term, k): sums are the same to the last bit.
    for row in rows {
        let (n, hits) = (count(row.n), count(row.hits));
        let share = 1.0 / f64::from(row.k.max(1));
        let tally = all.entry(row.term.as_str()).or_default();
        *tally = Tally {
            posts: tally.posts + n,
            n: share.mul_add(n, tally.n),
            hits: share.mul_add(hits, tally.hits),
        };
    }
    all
}

/// Learn; `hits` are of 30 days, whatever the window of the others.
#[must_use]
pub fn learn(terms: &[Term], counts: Counts<'_>) -> Vec<Finding> {
    let (decided, replied) = (tallies(counts.decided), tallies(counts.replied));
    let (precise, engaging) = (prior(&decided), prior(&replied));
    // Shares sum to posts, so this is the mean of all posts.
    let total = replied.values().fold(Tally::default(), |sum, of| Tally {
        posts: sum.posts + of.posts,
        n: sum.n + of.n,
        hits: sum.hits + of.hits,
    });
    let mean = if total.n > 0.0 { total.hits / total.n } else { 0.0 };
    let floor = (ENGAGEMENT_FLOOR * mean).clamp(1e-3, 0.5);
    let high = (ENGAGEMENT_LIFT * mean).clamp(ENGAGEMENT_HIGH, 0.99);
    let mut found: Vec<Finding> = terms
        .iter()
        .map(|term| {
            let of = |all: &Tallies<'_>| all.get(term.name.as_str()).copied().unwrap_or_default();
            let precision = rate(of(&decided), precise, PRECISION_MIN);
            let engagement = rate(of(&replied), engaging, floor);
            let seed = SeedKeyword::of(&term.name, counts);
            let hits = counts.hits.get(&term.name).copied().unwrap_or_default();
            finding(term, (precision, engagement), high, (seed, hits))
        })
        .collect();
    let log_e: Vec<f64> = found.iter().flat_map(|one| [one.log_e_poor, one.log_e_good]).collect();
    let promoted = promoted(&log_e, ALPHA);
    for ((one, term), both) in found.iter_mut().zip(terms).zip(promoted.chunks(2)) {
        one.settle(term, both);
    }
    found
}

/// What is known of a keyword before its own posts are: how the others are.
fn prior(all: &Tallies<'_>) -> Beta {
    let outcomes: Vec<Outcomes> =
        all.values().map(|of| Outcomes { successes: of.hits, trials: of.n }).collect();
    let trials = outcomes.iter().map(|of| of.trials).sum::<f64>().max(2.0);
    let population = rate_population(&outcomes);
    population.and_then(|all| beta_prior(&all, trials)).unwrap_or(Beta::FLAT)
}

fn rate(of: Tally, prior: Beta, floor: f64) -> Rate {
    let posterior = prior.updated(of.hits, of.n - of.hits).unwrap_or(prior);
    Rate {
        posts: whole(of.posts),
        n: of.n,
        hits: of.hits,
        mean: posterior.mean(),
        interval: posterior.interval(ALPHA).ok(),
        floor,
        below_floor: posterior.above(floor).map_or(0.5, |above| 1.0 - above),
    }
}

impl Rate {
    /// Logarithm of the e-value against "at least that"; 0 of too few posts.
    fn log_e_below(&self, bound: f64) -> f64 {
        self.log_e(|flat| flat.ln_e_below(bound, self.hits, self.n - self.hits))
    }

    /// The same against "at most that".
    fn log_e_above(&self, bound: f64) -> f64 {
        self.log_e(|flat| flat.ln_e_above(bound, self.hits, self.n - self.hits))
    }

    /// What is mixed must not know the posts, so it is flat.
    fn log_e(&self, of: impl Fn(Beta) -> millrace_stats::Result<f64>) -> f64 {
        if self.posts < POSTS_MIN { 0.0 } else { of(Beta::FLAT).unwrap_or_default() }
    }
}

fn finding(
    term: &Term,
    (precision, engagement): (Rate, Rate),
    high: f64,
    (seed, hits): (SeedKeyword, i64),
) -> Finding {
    let poor = [&precision, &engagement].map(|rate| rate.log_e_below(rate.floor));
    let is_trial = term.state == State::Trial;
    let good = if is_trial {
        let [precise, engaging] =
            [&precision, &engagement].map(|rate| rate.log_e_above(rate.floor));
        precise.min(engaging)
    } else {
        engagement.log_e_above(high)
    };
    let (poor, raised) = (mean_of_e(poor), term.state == State::Raised);
    let good = if raised { 0.0 } else { good };
    let act = match (is_trial, good > poor) {
        (true, true) => Act::Adopt,
        (true, false) => Act::Drop,
        (false, true) => Act::Raise,
        (false, false) => Act::Retire,
    };
    let shortfall = POSTS_MIN.saturating_sub(precision.posts.max(engagement.posts));
    Finding {
        term: term.name.clone(),
        state: term.state,
        hits,
        precision,
        engagement,
        high,
        log_e_poor: poor,
        log_e_good: good,
        p: (-poor.max(good)).exp().min(1.0),
        seed,
        shortfall,
        eta_days: (hits > 0).then(|| f64::from(shortfall) / (count(hits) / 30.0)),
        act,
        skip: None,
    }
}

impl Finding {
    /// Its act is to be done.
    #[must_use]
    pub const fn is_acted(&self) -> bool {
        self.skip.is_none()
    }

    /// Nothing in 30 days had it.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.hits == 0
    }

    /// After all e-values are known: whether it is done, or why not.
    fn settle(&mut self, term: &Term, promoted: &[bool]) {
        let is_good = matches!(self.act, Act::Raise | Act::Adopt);
        let is_promoted = promoted.get(usize::from(is_good)).copied().unwrap_or_default();
        // The e-value bounds errors; the posterior, drawn to the other keywords, must agree.
        let sure = match self.act {
            Act::Raise => 1.0 - self.engagement.below_floor,
            Act::Adopt => 1.0 - self.precision.below_floor.max(self.engagement.below_floor),
            Act::Retire | Act::Drop => self.precision.below_floor.max(self.engagement.below_floor),
        };
        let what = self.act.what();
        let waits = self.act == Act::Retire || self.act == Act::Raise;
        let reasons = [
            (term.locked, Skip::Locked),
            (self.shortfall > 0, Skip::InsufficientSampleSize),
            (!is_promoted || sure <= 1.0 - ALPHA, Skip::InsufficientEvidence),
            (waits && term.refused.contains(&what), Skip::Refused),
            (waits && term.proposed.contains(&what), Skip::Proposed),
        ];
        self.skip = reasons.into_iter().find(|(is, _)| *is).map(|(_, skip)| skip);
    }
}

/// The mean of e-values is one.
fn mean_of_e(log_e: [f64; 2]) -> f64 {
    let top = log_e[0].max(log_e[1]);
    top + (log_e.iter().map(|e| (e - top).exp()).sum::<f64>() / 2.0).ln()
}

pub(super) fn count(n: i64) -> f64 {
    i32::try_from(n).map_or(f64::from(i32::MAX), f64::from)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of posts"
)]
pub(super) fn whole(n: f64) -> u32 {
    n as u32
}
