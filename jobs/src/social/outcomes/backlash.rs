//! When a reply of ours draws so much anger that a person should say whether it is deleted: more people in an hour than
//! chance brings, and many in a day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

/// Distinct people who answered in the window (spec 4).
pub const REPLIERS_MIN: usize = 30;
/// From more negative ones than this on it is CRITICAL (spec 4).
pub const NEGATIVES_CRITICAL: usize = 100;
/// Chance of as many in an hour as there were, at most.
pub const TAIL_P: f64 = 0.01;
/// What is looked at.
pub const WINDOW: TimeDelta = TimeDelta::hours(24);
/// What is tested.
pub const HOUR: TimeDelta = TimeDelta::hours(1);
/// Of so many accounts made for the occasion one counts. A choice of ours.
const BURNERS_AS_ONE: usize = 4;
/// Before anything is known of a platform: half an angry person in a day.
const PRIOR: (f64, f64) = (0.5, 24.0);

/// Somebody answered, or said otherwise what they think of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Who.
    pub author: String,
    /// When.
    pub at: DateTime<Utc>,
    /// In anger.
    pub negative: bool,
    /// By an account made for the occasion ([`is_burner`]).
    pub burner: bool,
    /// Hash of what they said; the same words by several are one voice.
    pub words: Option<Vec<u8>>,
}

/// A burst of anger.
#[derive(Debug, Clone, PartialEq)]
pub struct Spike {
    /// Distinct people in the window, burst accounts discounted.
    pub repliers: usize,
    /// Of them: angry.
    pub negatives: usize,
    /// Of these: in the last hour.
    pub in_hour: usize,
    /// In an hour like any other.
    pub expected: f64,
    /// Chance of as many as there were.
    pub p: f64,
}

impl Spike {
    /// More angry people than a reply should survive.
    #[must_use]
    pub const fn is_critical(&self) -> bool {
        self.negatives > NEGATIVES_CRITICAL
    }
}

/// Whether an account is likely made for the occasion: younger than 30 days, with fewer than 5 followers and without a
/// word about itself (the brief's burner).
#[must_use]
pub fn is_burner(
    made: Option<DateTime<Utc>>,
    followers: i32,
    bio: bool,
    at: DateTime<Utc>,
) -> bool {
    made.is_some_and(|made| at - made < TimeDelta::days(30)) && followers < 5 && !bio
}

/// Angry people an hour that a reply draws in its first day, from `negatives` that replies had in `hours` of their first
/// days together: `(0.5 + negatives) / (24 + hours)`, the mean of a gamma posterior.
#[must_use]
#[expect(clippy::as_conversions, reason = "counts of a month")]
pub fn baseline(negatives: usize, hours: u64) -> f64 {
    (PRIOR.0 + negatives as f64) / (PRIOR.1 + hours as f64)
}

/// The burst that a reply is in at `now`, if it is in one: at least 30 distinct people in 24 hours, and in the last hour
/// so many angry ones who had not been angry before that chance `Poisson(expected)` brings them with p < 0.01. People
/// with the same words are one, and so are four accounts made for the occasion.
#[must_use]
pub fn spike(arrivals: &[Arrival], expected: f64, now: DateTime<Utc>) -> Option<Spike> {
    let recent: Vec<&Arrival> =
        arrivals.iter().filter(|a| a.at <= now && now - a.at < WINDOW).collect();
    let repliers = voices(recent.iter().copied());
    let mut first: BTreeMap<&str, &Arrival> = BTreeMap::new();
    for arrival in recent.iter().copied().filter(|a| a.negative) {
        let earliest = first.entry(&arrival.author).or_insert(arrival);
        if arrival.at < earliest.at {
            *earliest = arrival;
        }
    }
    let negatives = voices(first.values().copied());
    let in_hour = voices(first.values().copied().filter(|a| now - a.at < HOUR));
    let p = poisson_tail(in_hour, expected);
    let found = repliers >= REPLIERS_MIN && in_hour > 0 && p < TAIL_P;
    found.then_some(Spike { repliers, negatives, in_hour, expected, p })
}

/// Distinct people: those who say the same are one, and so are every four accounts made for the occasion.
fn voices<'a>(arrivals: impl Iterator<Item = &'a Arrival>) -> usize {
    let mut people: BTreeMap<&str, (bool, Option<&[u8]>)> = BTreeMap::new();
    for arrival in arrivals {
        // Of several answers of one the smallest words stand for all, so that their order is nothing.
        let voice = (arrival.burner, arrival.words.as_deref());
        let known = people.entry(&arrival.author).or_insert(voice);
        *known = voice.min(*known);
    }
    let mut said: BTreeSet<(bool, &[u8])> = BTreeSet::new();
    let (mut own, mut burners) = (0, 0);
    for (burner, words) in people.into_values() {
        if words.is_some_and(|words| !said.insert((burner, words))) {
            continue;
        }
        *(if burner { &mut burners } else { &mut own }) += 1;
    }
    own + burners / BURNERS_AS_ONE
}

/// `P(X >= n)` of a Poisson variable with this mean, summed from `n` on: exact where it is small.
#[must_use]
#[expect(clippy::as_conversions, reason = "people of an hour")]
pub fn poisson_tail(n: usize, mean: f64) -> f64 {
    if n == 0 {
        return 1.0;
    }
    let log_factorial: f64 = (2..=n).map(|k| (k as f64).ln()).sum();
    let mut term = (n as f64).mul_add(mean.ln(), -mean - log_factorial).exp();
    let (mut sum, mut k) = (0.0, n as f64);
    while term > sum * 1e-17 && term > 0.0 {
        sum += term;
        k += 1.0;
        term *= mean / k;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn arrival(author: usize, minutes_ago: i64, negative: bool) -> Arrival {
        Arrival {
            author: format!("a{author}"),
            at: now() - TimeDelta::minutes(minutes_ago),
            negative,
            burner: false,
            words: None,
        }
    }

    /// `calm` people some hours ago, `angry` ones in the last hour.
    fn crowd(calm: usize, angry: usize) -> Vec<Arrival> {
        let calm = (0..calm).map(|n| arrival(n, 300, false));
        calm.chain((0..angry).map(|n| arrival(1_000 + n, 10, true))).collect()
    }

    #[test]
    fn the_tail_is_that_of_poisson() {
        for (n, mean, expected) in [
            (0, 1.0, 1.0),
            (1, 1.0, 0.632_120_558_828_558),
            (3, 0.5, 0.014_387_677_966_970),
            (4, 0.5, 0.001_751_622_556_290),
            (10, 3.0, 0.001_102_488_117_232),
            (200, 100.0, 9.343150e-19),
        ] {
            let found = poisson_tail(n, mean);
            assert!((found / expected - 1.0).abs() < 1e-4, "{n} of {mean}: {found}");
        }
    }

    #[test]
    fn thirty_people_and_an_unlikely_hour() {
        // Of 0.5 an hour, three have p = 0.014 and four p = 0.0018.
        let found = |calm, angry| spike(&crowd(calm, angry), 0.5, now());
        assert_eq!(found(27, 3), None);
        assert_eq!(found(25, 4), None, "29 people");
        let spike = found(26, 4).unwrap();
        assert_eq!((spike.repliers, spike.negatives, spike.in_hour), (30, 4, 4));
        assert!(!spike.is_critical());
        assert!(!found(0, 100).unwrap().is_critical());
        assert!(found(0, 101).unwrap().is_critical());
    }

    #[test]
    fn people_count_once_and_when_they_began() {
        let mut arrivals = crowd(30, 0);
        arrivals.extend((0..50).map(|n| arrival(5_000, n, true)));
        assert_eq!(spike(&arrivals, 0.5, now()), None, "one angry person");
        // Angry since hours: nothing new in this hour.
        let mut arrivals = crowd(30, 4);
        arrivals.extend((0..4).map(|n| arrival(1_000 + n, 90, true)));
        assert_eq!(spike(&arrivals, 0.5, now()), None);
        let edge = |minutes| {
            let mut arrivals = crowd(27, 3);
            arrivals.push(arrival(7, minutes, true));
            arrivals.push(arrival(8, 30, false));
            spike(&arrivals, 0.5, now()).map(|s| s.in_hour)
        };
        assert_eq!((edge(59), edge(60)), (Some(4), None));
        let day = |minutes| {
            let mut arrivals = crowd(25, 4);
            arrivals.push(arrival(99, minutes, false));
            spike(&arrivals, 0.5, now()).map(|s| s.repliers)
        };
        assert_eq!((day(24 * 60 - 1), day(24 * 60)), (Some(30), None));
    }

    #[test]
    fn a_mob_of_one_mind_is_one_voice() {
        let with = |change: fn(&mut Arrival)| {
            let mut arrivals = crowd(30, 12);
            arrivals.iter_mut().filter(|a| a.negative).for_each(change);
            spike(&arrivals, 0.5, now()).map(|s| s.in_hour)
        };
        assert_eq!(with(|_| {}), Some(12));
        assert_eq!(with(|a| a.words = Some(vec![1])), None, "one voice");
        assert_eq!(with(|a| a.burner = true), None, "three voices");
        let born = now() - TimeDelta::days(30);
        assert!(!is_burner(Some(born), 0, false, now()));
        assert!(is_burner(Some(born + TimeDelta::seconds(1)), 4, false, now()));
        assert!(!is_burner(Some(now()), 5, false, now()));
        assert!(!is_burner(Some(now()), 0, true, now()));
        assert!(!is_burner(None, 0, false, now()), "unknown");
    }

    #[test]
    fn a_baseline_is_shrunk_to_the_prior() {
        assert!((baseline(0, 0) - 0.5 / 24.0).abs() < 1e-12);
        assert!((baseline(100, 2_400) - 100.5 / 2_424.0).abs() < 1e-12);
    }
}
