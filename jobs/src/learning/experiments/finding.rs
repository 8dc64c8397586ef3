//! What is known of an experiment: the seed's figures, ours, and what is missing until a variant may be promoted. Pure.

use chrono::{DateTime, Duration, Utc};
use millrace_stats::{Interval, checks, means, rates};
use serde::Serialize;

use super::{
    contract::{GATE, Missing, Over},
    guardrail::{Guardrail, Sentiment},
    race::{FLOOR, Gathered, RESPLIT_EVERY, Race},
};
use crate::learning::run::ALPHA;

/// Version of the rules of this folder: whoever changes what they find raises it.
pub const METHOD: &str = "1";
/// Power for which the least detectable rise is given.
const POWER: f64 = 0.8;
/// Later than this is never.
const ETA_DAYS_MAX: f64 = 3_650.0;
/// From an author's first decision until all has come that will.
pub const MATURITY: Duration = Duration::days(8);

/// An author in an experiment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Of B; else of A.
    pub in_b: bool,
    /// With what probability it was to be of B.
    pub propensity_b: f64,
    /// When the author came.
    pub at: DateTime<Utc>,
    /// All that will come of it has come.
    pub mature: bool,
    /// What is counted came of it.
    pub reward: bool,
    /// A reply was taken down or reported.
    pub removed: bool,
    /// A person had to look.
    pub escalated: bool,
    /// More praise than blame was answered, or more blame.
    pub praised: Option<bool>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Authors who are in it.
    pub assigned: u32,
    /// Of them those of whom all is known.
    pub n: u32,
    /// Of those with a reward.
    pub successes: u32,
    /// Share of them.
    pub rate: f64,
    /// 95 % credible interval, from a flat prior.
    pub credible: Option<Interval>,
    /// Parameters of the posterior.
    pub posterior: rates::Beta,
    /// Effective sample size of the weights 1 / propensity (Kish).
    pub ess: f64,
    /// What choosing it is expected to cost.
    pub expected_loss: f64,
}

/// Everything: `experiments.results_json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it, the others are documented")]
pub struct Finding {
    pub method_version: &'static str,
    pub metric: String,
    /// Observations: authors of whom all is known, who came from then until then.
    pub n: u32,
    pub window: Option<[DateTime<Utc>; 2]>,
    pub variant_a: Variant,
    pub variant_b: Variant,
    pub probability_b_better: f64,
    /// Rate of B less that of A, by the propensities with which they were assigned.
    pub difference: f64,
    /// That holds it at all times at once with 95 %.
    pub interval: Option<Interval>,
    /// Over the rate of A.
    pub lift: Option<f64>,
    pub lift_interval: Option<Interval>,
    pub log_e: f64,
    /// Always-valid.
    pub p: f64,
    /// After Benjamini and Hochberg, over the workspace's experiments that run.
    pub q: f64,
    /// The seed's: Welch's test at this moment, Cohen's d, and h of the rates. They decide nothing.
    pub seed_p: Option<f64>,
    pub cohens_d: Option<f64>,
    pub cohens_h: f64,
    /// Rise of the rate that as many observations find with 80 %.
    pub mde: Option<f64>,
    /// Of the counts of all who were assigned.
    pub sample_ratio_p: f64,
    pub propensity_floor: f64,
    pub removals: Guardrail,
    pub escalations: Guardrail,
    pub sentiment: Sentiment,
    /// Rewards that were missed because not all got what looks best; what an even split would have cost; the share saved.
    pub regret: f64,
    pub regret_even: f64,
    pub regret_saved: Option<f64>,
    /// Share of A that the observations speak for, as of the last hundred that was full.
    pub share_of_a: f64,
    /// Observations that would be enough if the difference stays what it is, and when they will be there.
    pub needed: Option<f64>,
    pub eta: Option<DateTime<Utc>>,
    pub missing: Vec<Missing>,
    pub over: Option<Over>,
}

/// What is known of an experiment at `as_of`; whether it is over is for `settle`.
#[must_use]
pub fn find(metric: &str, all: &[Observation], as_of: DateTime<Utc>) -> Finding {
    let (mut race, mut split) = (Race::default(), Race::default());
    for one in all.iter().filter(|one| one.mature) {
        race.add(one.in_b, one.propensity_b, one.reward);
        if race.n().is_multiple_of(RESPLIT_EVERY) {
            split = race;
        }
    }
    let posteriors = (race.a.posterior(), race.b.posterior());
    let rate = |of: &Gathered| share(of.successes, of.n);
    let (a, b) = (rate(&race.a), rate(&race.b));
    let (ma, mb) = (moments(&race.a), moments(&race.b));
    let worse = if a < b { race.a.n } else { race.b.n };
    let regret = f64::from(worse) * (a - b).abs();
    let regret_even = f64::from(race.n()) / 2.0 * (a - b).abs();
    let lift = |x: f64| (a > 0.0).then(|| x / a);
    let of_lift = |i: Interval| Some(Interval { low: lift(i.low)?, high: lift(i.high)? });
    let loss = |of: &rates::Beta, other| of.expected_loss(other).unwrap_or_default();
    let needed = race.needed();
    Finding {
        method_version: METHOD,
        metric: metric.to_owned(),
        n: race.n(),
        window: window(all),
        variant_a: variant(false, all, &race.a, loss(&posteriors.0, &posteriors.1)),
        variant_b: variant(true, all, &race.b, loss(&posteriors.1, &posteriors.0)),
        probability_b_better: race.b_is_better(),
        difference: race.difference(),
        interval: race.interval(),
        lift: lift(race.difference()),
        lift_interval: race.interval().and_then(of_lift),
        log_e: race.ln_e(),
        p: race.p(),
        q: race.p(),
        seed_p: means::welch(&mb, &ma, ALPHA).ok().map(|test| test.p),
        cohens_d: means::cohens_d(&mb, &ma).ok(),
        cohens_h: 2.0 * b.sqrt().asin() - 2.0 * a.sqrt().asin(),
        mde: mde(&race),
        sample_ratio_p: sample_ratio(all),
        propensity_floor: FLOOR,
        removals: Guardrail::of(all, |one| one.removed),
        escalations: Guardrail::of(all, |one| one.escalated),
        sentiment: Sentiment::of(all),
        regret,
        regret_even,
        regret_saved: (regret_even > 0.0).then(|| 1.0 - regret / regret_even),
        share_of_a: split.share_of_a(),
        needed,
        eta: eta(&race, needed, all, as_of),
        missing: Vec::new(),
        over: None,
    }
}

fn window(all: &[Observation]) -> Option<[DateTime<Utc>; 2]> {
    let mut mature = all.iter().filter(|one| one.mature);
    let first = mature.next()?.at;
    Some([first, mature.next_back().map_or(first, |one| one.at)])
}

fn variant(in_b: bool, all: &[Observation], gathered: &Gathered, expected_loss: f64) -> Variant {
    let mine = all.iter().filter(|one| one.in_b == in_b);
    let assigned = u32::try_from(mine.clone().count()).unwrap_or(u32::MAX);
    let weight = |one: &Observation| {
        let p = if in_b { one.propensity_b } else { 1.0 - one.propensity_b };
        1.0 / p.max(f64::MIN_POSITIVE)
    };
    let weights = mine.filter(|one| one.mature).map(weight);
    let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    let posterior = gathered.posterior();
    Variant {
        assigned,
        n: gathered.n,
        successes: gathered.successes,
        rate: share(gathered.successes, gathered.n),
        credible: posterior.interval(ALPHA).ok(),
        posterior,
        ess: if squares > 0.0 { sum * sum / squares } else { 0.0 },
        expected_loss,
    }
}

fn share(part: u32, all: u32) -> f64 {
    if all > 0 { f64::from(part) / f64::from(all) } else { 0.0 }
}

/// Of zeros and ones.
pub(super) fn moments(of: &Gathered) -> means::Moments {
    means::Moments::of_hits(of.successes, of.n)
}

fn mde(race: &Race) -> Option<f64> {
    let per_arm = f64::from(race.a.n.min(race.b.n));
    let rate = share(race.a.successes, race.a.n);
    rates::detectable_rise(rate, per_arm, ALPHA, POWER).ok().flatten()
}

/// Chi-square with one degree of freedom of the count of B against the sum of its propensities.
fn sample_ratio(all: &[Observation]) -> f64 {
    let (mut off, mut variance) = (0.0, 0.0);
    for one in all {
        off += f64::from(u8::from(one.in_b)) - one.propensity_b;
        variance += one.propensity_b * (1.0 - one.propensity_b);
    }
    checks::count_p(off, variance)
}

/// When all is known of as many authors as are needed, at the rate at which they have come so far; none beyond ten years.
fn eta(
    race: &Race,
    needed: Option<f64>,
    all: &[Observation],
    as_of: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (first, last) = (all.first()?, all.last()?);
    let n = f64::from(race.n());
    let least = f64::from(race.a.n.min(race.b.n)).max(1.0);
    let wanted = needed?.max(n * f64::from(GATE) / least);
    let come: f64 = all.iter().map(|_| 1.0).sum();
    let days = (as_of.max(last.at) - first.at).as_seconds_f64() / 86_400.0;
    let more = (wanted - come).max(0.0) / (come / days.max(1.0));
    if more > ETA_DAYS_MAX {
        return None;
    }
    // Those who came last are known last.
    let begin = if more > 0.0 { as_of } else { last.at };
    begin.checked_add_signed(Duration::try_seconds(whole(more * 86_400.0))? + MATURITY)
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "seconds of ten years")]
const fn whole(value: f64) -> i64 {
    value as i64
}
