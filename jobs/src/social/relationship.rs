//! What was between an author and us, as one number: a fold over events that each count once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where everybody starts.
const BASE: f64 = 0.5;
/// Days after which an event counts half: a kindness fades in a season, a grievance in a year. A choice of ours.
const HALF_LIFE_GOOD: f64 = 90.0;
const HALF_LIFE_BAD: f64 = 365.0;
/// Hostile events from which on an author is a troll; one report or block of ours counts as two.
const TROLL: usize = 3;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventKind {
    Thanks,
    Click,
    Purchase,
    Like,
    Question,
    DirectMessage,
    Block,
    Report,
    Hostile,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Thanks,
        Self::Click,
        Self::Purchase,
        Self::Like,
        Self::Question,
        Self::DirectMessage,
        Self::Block,
        Self::Report,
        Self::Hostile,
    ];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thanks => "thanks",
            Self::Click => "click",
            Self::Purchase => "purchase",
            Self::Like => "like",
            Self::Question => "question",
            Self::DirectMessage => "direct_message",
            Self::Block => "block",
            Self::Report => "report",
            Self::Hostile => "hostile",
        }
    }

    /// What it adds (spec 2.5; question and direct message after the brief).
    #[must_use]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Thanks => 0.15,
            Self::Click | Self::DirectMessage => 0.10,
            Self::Purchase => 0.25,
            Self::Like => 0.05,
            Self::Question => 0.06,
            Self::Block => -0.30,
            Self::Report => -0.40,
            Self::Hostile => -0.20,
        }
    }

    fn half_life_days(self) -> f64 {
        if self.weight() < 0.0 { HALF_LIFE_BAD } else { HALF_LIFE_GOOD }
    }
}

/// One of them. It is the same as another of its kind with the same source id, however often it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Unique among its kind: `source_event_id`.
    pub source_id: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What was between us.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Relationship {
    /// 0..=1; 0.5 says nothing.
    pub score: f64,
    /// Distinct events.
    pub events: usize,
    /// The author blocked or reported us, ever: no reply any more.
    pub rejected: bool,
    /// Hostile again and again.
    pub troll: bool,
}

/// `clamp(0.5 + sum w 2^(-age / half-life))` over distinct events; half-life 90 days, of blocks, reports and
/// hostility 365. Of two readings of one event the earlier time counts; an event of the future has age 0. The
/// order of the events is nothing, to the last bit.
#[must_use]
pub fn fold(events: &[Event], now: DateTime<Utc>) -> Relationship {
    let mut distinct: BTreeMap<(EventKind, &str), DateTime<Utc>> = BTreeMap::new();
    for event in events {
        let at = distinct.entry((event.kind, &event.source_id)).or_insert(event.at);
        *at = event.at.min(*at);
    }
    let (mut score, mut hostility, mut rejected) = (BASE, 0, false);
    for ((kind, _), at) in &distinct {
        score += kind.weight() * 0.5_f64.powf(days(now, *at) / kind.half_life_days());
        let refused = matches!(kind, EventKind::Block | EventKind::Report);
        rejected |= refused;
        hostility += if refused { 2 } else { usize::from(*kind == EventKind::Hostile) };
    }
    Relationship {
        score: score.clamp(0.0, 1.0),
        events: distinct.len(),
        rejected,
        troll: hostility >= TROLL,
    }
}

fn days(now: DateTime<Utc>, at: DateTime<Utc>) -> f64 {
    let seconds = (now - at).num_seconds().max(0);
    f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) / 86_400.0
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn event(kind: EventKind, id: &str, days_ago: i64) -> Event {
        Event { kind, source_id: id.into(), at: now() - TimeDelta::days(days_ago) }
    }

    fn score(events: &[Event]) -> f64 {
        fold(events, now()).score
    }

    #[test]
    fn each_event_adds_its_weight_once() {
        assert!((score(&[]) - 0.5).abs() < 1e-12);
        for kind in EventKind::ALL {
            let expected = (0.5 + kind.weight()).clamp(0.0, 1.0);
            assert!((score(&[event(kind, "a", 0)]) - expected).abs() < 1e-12);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let thanks = event(EventKind::Thanks, "a", 0);
        let read_again: Vec<Event> = std::iter::repeat_n(thanks, 24).collect();
        assert!((score(&read_again) - 0.65).abs() < 1e-12, "it was 1.0 after four readings");
    }

    #[test]
    fn kindness_fades_in_a_season_and_a_grievance_in_a_year() {
        assert!((score(&[event(EventKind::Purchase, "a", 90)]) - 0.625).abs() < 1e-9);
        assert!((score(&[event(EventKind::Report, "a", 365)]) - 0.3).abs() < 1e-9);
        assert!((score(&[event(EventKind::Like, "a", -5)]) - 0.55).abs() < 1e-9, "of the future");
    }

    #[test]
    fn who_rejected_us_is_remembered() {
        let of = |events: &[Event]| {
            let r = fold(events, now());
            (r.rejected, r.troll)
        };
        assert_eq!(
            of(&[event(EventKind::Hostile, "a", 1), event(EventKind::Hostile, "b", 1)]),
            (false, false)
        );
        assert_eq!(of(&[event(EventKind::Block, "a", 4_000)]), (true, false));
        assert_eq!(
            of(&[event(EventKind::Block, "a", 1), event(EventKind::Hostile, "a", 1)]),
            (true, true)
        );
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let one = (0_usize..9, 0_u8..6, -10_i64..900)
            .prop_map(|(kind, id, ago)| event(EventKind::ALL[kind], &id.to_string(), ago));
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn order_and_repetition_are_nothing(events in events(), shuffled in Just(()).prop_perturb(|(), rng| rng)) {
            let mut again = [events.clone(), events.clone()].concat();
            let mut rng = shuffled;
            for n in (1..again.len()).rev() {
                again.swap(n, usize::try_from(rng.next_u32()).unwrap() % (n + 1));
            }
            prop_assert_eq!(fold(&events, now()), fold(&again, now()));
        }

        #[test]
        fn the_score_is_in_range_and_a_kindness_never_lowers_it(events in events()) {
            let before = score(&events);
            prop_assert!((0.0..=1.0).contains(&before));
            let kinder = [events, vec![event(EventKind::Thanks, "new", 0)]].concat();
            prop_assert!(score(&kinder) >= before);
        }
    }
}
