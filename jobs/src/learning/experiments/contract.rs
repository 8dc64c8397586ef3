//! When a variant is promoted, and when an experiment is over otherwise. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::finding::Finding;
use crate::learning::run::{ALPHA, SUCCESSES_MIN};

/// Observations of each variant that a promotion needs: the seed's floor for A/B tests.
pub const GATE: u32 = 200;
/// And that of its Thompson rule, for comparison.
pub const SEED_GATE: u32 = 50;
/// A split as far off as this is no chance.
const SAMPLE_RATIO_P: f64 = 0.001;

/// What has to be so before a variant is promoted, and is not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "gate", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "fields: what there is, and what is asked for")]
pub enum Missing {
    /// Observations of a variant.
    Units { have: u32, need: u32 },
    /// Rewards in a variant.
    Successes { have: u32, need: u32 },
    /// The always-valid p, after the false-discovery rule over the workspace's experiments.
    Evidence { p: f64, q: f64, need: f64 },
    /// The interval of the difference holds 0.
    Interval,
    /// A guardrail.
    Guardrail { name: &'static str },
}

/// Why an experiment is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Over {
    /// The variants have not got the authors that they should have.
    SampleRatioMismatch,
    /// B does harm: everything is as before.
    GuardrailRemovals,
    /// See `GuardrailRemovals`.
    GuardrailEscalations,
    /// See `GuardrailRemovals`.
    GuardrailSentiment,
    /// B is better, or A.
    BIsBetter,
    /// See `BIsBetter`.
    AIsBetter,
    /// Its time is over, and neither is better for sure.
    EndDate,
}

impl Over {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SampleRatioMismatch => "SAMPLE_RATIO_MISMATCH",
            Self::GuardrailRemovals => "GUARDRAIL_REMOVALS",
            Self::GuardrailEscalations => "GUARDRAIL_ESCALATIONS",
            Self::GuardrailSentiment => "GUARDRAIL_SENTIMENT",
            Self::BIsBetter => "B_IS_BETTER",
            Self::AIsBetter => "A_IS_BETTER",
            Self::EndDate => "END_DATE",
        }
    }

    /// The variant that won.
    #[must_use]
    pub const fn winner(self) -> Option<&'static str> {
        match self {
            Self::BIsBetter => Some("B"),
            Self::AIsBetter => Some("A"),
            Self::SampleRatioMismatch
            | Self::GuardrailRemovals
            | Self::GuardrailEscalations
            | Self::GuardrailSentiment
            | Self::EndDate => None,
        }
    }

    /// `experiments.status`.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::BIsBetter | Self::AIsBetter | Self::EndDate => "COMPLETED",
            Self::SampleRatioMismatch
            | Self::GuardrailRemovals
            | Self::GuardrailEscalations
            | Self::GuardrailSentiment => "CANCELLED",
        }
    }
}

/// Of the experiments of a workspace that run, with their ends: the false-discovery rule over all of them, what each still
/// misses, and which are over.
pub fn settle(findings: &mut [(Finding, Option<DateTime<Utc>>)], as_of: DateTime<Utc>) {
    let p: Vec<f64> = findings.iter().map(|(one, _)| one.p).collect();
    let q =
        millrace_stats::sequential::benjamini_hochberg(&p).unwrap_or_else(|_| vec![1.0; p.len()]);
    for ((one, end), q) in findings.iter_mut().zip(q) {
        one.q = q;
        one.missing = one.missing();
        let ended = end.is_some_and(|end| end <= as_of);
        one.over = one.over(ended);
        if one.over.is_some() {
            one.eta = None;
        }
    }
}

impl Finding {
    fn missing(&self) -> Vec<Missing> {
        let (a, b) = (&self.variant_a, &self.variant_b);
        let (units, successes) = (a.n.min(b.n), a.successes.min(b.successes));
        let zero = self.interval.is_none_or(|within| within.contains(0.0));
        let guards = [("removals", self.removals.ok), ("sentiment", self.sentiment.ok)];
        let gates = [
            (units < GATE).then_some(Missing::Units { have: units, need: GATE }),
            (successes < SUCCESSES_MIN)
                .then_some(Missing::Successes { have: successes, need: SUCCESSES_MIN }),
            (self.q >= ALPHA).then_some(Missing::Evidence { p: self.p, q: self.q, need: ALPHA }),
            zero.then_some(Missing::Interval),
        ];
        let guards = guards.into_iter().filter(|(_, ok)| !ok);
        gates
            .into_iter()
            .flatten()
            .chain(guards.map(|(name, _)| Missing::Guardrail { name }))
            .collect()
    }

    fn over(&self, ended: bool) -> Option<Over> {
        let b_won = self.interval.is_some_and(|within| within.low > 0.0);
        // Guardrails keep B out; where A is better there is nothing to keep out.
        let open = |one: &Missing| !matches!(one, Missing::Guardrail { .. });
        let won = if b_won { self.missing.is_empty() } else { !self.missing.iter().any(open) };
        let reasons = [
            (self.sample_ratio_p < SAMPLE_RATIO_P, Over::SampleRatioMismatch),
            (self.removals.harmed, Over::GuardrailRemovals),
            (self.escalations.harmed, Over::GuardrailEscalations),
            (self.sentiment.harmed, Over::GuardrailSentiment),
            (won && b_won, Over::BIsBetter),
            (won && !b_won, Over::AIsBetter),
            (ended, Over::EndDate),
        ];
        reasons.into_iter().find(|(is, _)| *is).map(|(_, over)| over)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;
    use crate::learning::experiments::finding::{Observation, find};

    /// So many authors of each variant, of whom so many of B have a reward and every tenth of A.
    fn authors(each: u32, b: u32) -> Vec<Observation> {
        let at = DateTime::UNIX_EPOCH;
        let one = |nth: u32, in_b: bool| Observation {
            in_b,
            propensity_b: 0.5,
            at: at + Duration::minutes(nth.into()),
            mature: true,
            reward: if in_b {
                nth * b / each != (nth + 1) * b / each
            } else {
                nth.is_multiple_of(10)
            },
            removed: false,
            escalated: false,
            praised: None,
        };
        (0..each).flat_map(|nth| [one(nth, false), one(nth, true)]).collect()
    }

    fn settled(all: &[Observation], ended: bool) -> Finding {
        let as_of = DateTime::UNIX_EPOCH + Duration::days(30);
        let mut found = [(find("engagement", all, as_of), ended.then_some(as_of))];
        settle(&mut found, as_of);
        let [(found, _)] = found;
        found
    }

    #[test]
    fn the_better_variant_wins_and_no_other() {
        assert_eq!(settled(&authors(800, 160), false).over, Some(Over::BIsBetter));
        assert_eq!(settled(&authors(800, 24), false).over, Some(Over::AIsBetter));
        let even = settled(&authors(800, 80), false);
        assert_eq!((even.over, even.missing.len()), (None, 2), "{even:?}");
        assert_eq!(settled(&authors(800, 80), true).over, Some(Over::EndDate));
        // However clear it is: the floors.
        let few = settled(&authors(150, 90), false);
        assert!(few.probability_b_better > 0.999 && few.over.is_none(), "{few:?}");
        assert!(few.missing.contains(&Missing::Units { have: 150, need: GATE }));
        let rare = settled(&authors(800, 19), false);
        assert_eq!((rare.p, rare.interval), (1.0, None), "{rare:?}");
    }

    #[test]
    fn what_is_harmful_is_not_promoted_but_harm_to_a_does_not_keep_b_out() {
        let mut all = authors(800, 160);
        for one in all.iter_mut().filter(|one| one.in_b).take(12) {
            one.removed = true;
        }
        assert_eq!(settled(&all, false).over, Some(Over::GuardrailRemovals));
        for one in &mut all {
            one.removed = !one.in_b && one.removed;
        }
        assert_eq!(settled(&all, false).over, Some(Over::BIsBetter));
        let mut blamed = authors(800, 160);
        let answered = blamed.iter_mut().filter(|one| one.in_b).take(8);
        answered.enumerate().for_each(|(nth, one)| one.praised = Some(nth < 4));
        let half = settled(&blamed, false);
        assert_eq!(half.missing, [Missing::Guardrail { name: "sentiment" }]);
        assert_eq!(half.over, None);
    }
}
