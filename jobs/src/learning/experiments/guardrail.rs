//! What an experiment must not cost.

use millrace_stats::{
    guard::{self, Event},
    means::Moments,
    policy::Assignment,
    sequential,
};
use serde::Serialize;

use super::finding::Observation;
use crate::learning::run::{ALPHA, REMOVAL_MARGIN};

/// The seed's: less praise than this, of praise and blame, and the experiment is over.
const PRAISE_MIN: f64 = 0.65;
/// Tuned so that the interval is narrowest about there.
const TUNED_FOR: f64 = 3_000.0;

/// Events of B beside those of A.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Guardrail {
    /// Authors of A to whom it happened.
    pub a: u32,
    /// And of B.
    pub b: u32,
    /// In B at least so many times as frequent, at all times at once with 95 %; 0 while nothing is known.
    pub ratio_low: f64,
    /// Upper end of what it may be more in B, in shares of authors.
    pub more_at_most: Option<f64>,
    /// B does harm, for sure: 1 is below `ratio_low`.
    pub harmed: bool,
    /// B cannot cost more than a point.
    pub ok: bool,
}

impl Guardrail {
    /// Of all authors so far: harm is to be seen at once, not after a week.
    pub(super) fn of(all: &[Observation], happened: impl Fn(&Observation) -> bool) -> Self {
        let event = |one: &Observation| Event { treated: one.in_b, propensity: one.propensity_b };
        let events: Vec<Event> = all.iter().filter(|one| happened(one)).map(event).collect();
        let count = |in_b: bool| {
            let found = events.iter().filter(|one| one.treated == in_b).count();
            u32::try_from(found).unwrap_or(u32::MAX)
        };
        let ratio_low = guard::ratio_low(&events, ALPHA).unwrap_or(0.0);
        let more_at_most = more_at_most(all, events.len(), happened);
        Self {
            a: count(false),
            b: count(true),
            ratio_low,
            more_at_most,
            harmed: ratio_low > 1.0,
            ok: more_at_most.is_some_and(|more| more <= REMOVAL_MARGIN),
        }
    }
}

/// Upper end of the confidence sequence of the difference, of authors of whom all is known; without any event so far three in
/// as many of B (Hanley and Lippman-Hand 1983).
fn more_at_most(
    all: &[Observation],
    events: usize,
    happened: impl Fn(&Observation) -> bool,
) -> Option<f64> {
    let mature = || all.iter().filter(|one| one.mature);
    if events == 0 {
        let in_b: f64 = mature().filter(|one| one.in_b).map(|_| 1.0).sum();
        return (in_b > 0.0).then(|| 3.0 / in_b);
    }
    let (mut seen, mut sum, mut moments) = (0.0, 0.0, Moments::default());
    for one in mature() {
        let reward = f64::from(u8::from(happened(one)));
        let expected = if seen > 0.0 { sum / seen } else { 0.0 };
        let (treated, propensity) = (one.in_b, one.propensity_b);
        let scored = Assignment { treated, propensity, reward, m1: expected, m0: expected };
        moments = moments.with(scored.score().ok()?).ok()?;
        (seen, sum) = (seen + 1.0, sum + reward);
    }
    let rho = sequential::rho_for(TUNED_FOR, ALPHA).ok()?;
    sequential::confidence_sequence(&moments, rho, ALPHA).ok().map(|within| within.high)
}

/// What is answered to B.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sentiment {
    /// Authors of A whose answers praise more than they blame, and those who do the opposite.
    pub a: [u32; 2],
    /// And of B.
    pub b: [u32; 2],
    /// Less than 65 % of B praise, for sure: at all times at once with 95 %.
    pub harmed: bool,
    /// As far as it is known, 65 % of B praise.
    pub ok: bool,
}

impl Sentiment {
    pub(super) fn of(all: &[Observation]) -> Self {
        let count = |in_b: bool, praised: bool| {
            let found = all.iter().filter(|one| one.in_b == in_b && one.praised == Some(praised));
            u32::try_from(found.count()).unwrap_or(u32::MAX)
        };
        let of = |in_b: bool| [count(in_b, true), count(in_b, false)];
        let b @ [praise, blame] = of(true);
        let (praise, blame) = (f64::from(praise), f64::from(blame));
        let ln_e = guard::ln_e_below(praise, blame, PRAISE_MIN).unwrap_or(0.0);
        Self {
            a: of(false),
            b,
            harmed: ln_e > -ALPHA.ln(),
            ok: praise >= PRAISE_MIN * (praise + blame),
        }
    }
}
