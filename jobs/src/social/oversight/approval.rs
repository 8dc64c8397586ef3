//! Which replies may be sent without a person.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// From this confidence on nobody is asked.
pub const AUTO: f64 = 0.90;
/// Below this one somebody is called.
pub const REVIEW: f64 = 0.85;
/// Above this one several may be allowed at once.
pub const BULK: f64 = 0.90;
/// So many replies of a workspace are sent by people first.
pub const MANUAL_FIRST: i64 = 1000;
/// Then one of so many.
const SAMPLED_OF: u64 = 10;
/// So often a reply that breaks rules may be written anew; then a person is called.
pub const REGENERATIONS_MAX: i64 = 2;

/// Why a person must allow a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Confidence under 0.85, or unknown: somebody is called.
    LowConfidence,
    /// Confidence under 0.90.
    BelowAuto,
    /// The decision says so.
    DecisionReview,
    /// An escalation of the decision has not ended.
    Escalated,
    /// The workspace has sent fewer than 1000.
    First,
    /// It is one of the tenth that is looked at.
    Sampled,
}

impl Why {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LowConfidence => "low_confidence",
            Self::BelowAuto => "below_auto",
            Self::DecisionReview => "decision_review",
            Self::Escalated => "escalated",
            Self::First => "first",
            Self::Sampled => "sampled",
        }
    }
}

/// What is known of a reply that breaks no rule.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its id; of it the sample is drawn.
    pub id: &'a str,
    /// How sure the decision and the writer are, 0 to 1: the smaller.
    pub confidence: Option<f64>,
    /// Replies that the workspace has sent before.
    pub sent: i64,
    /// The decision asks for a person.
    pub needs_review: bool,
    /// An escalation of the decision lives.
    pub escalated: bool,
}

/// Why a person must allow it; `None`: nobody must.
#[must_use]
pub fn review(reply: Candidate<'_>) -> Option<Why> {
    let confidence = reply.confidence.unwrap_or(0.0);
    let all = [
        (confidence.is_nan() || confidence < REVIEW, Why::LowConfidence),
        (confidence < AUTO, Why::BelowAuto),
        (reply.needs_review, Why::DecisionReview),
        (reply.escalated, Why::Escalated),
        (reply.sent < MANUAL_FIRST, Why::First),
        (sampled(reply.id), Why::Sampled),
    ];
    all.into_iter().find_map(|(holds, why)| holds.then_some(why))
}

/// The same answer for the same id, whoever asks and how often: the first 64 bits of SHA-256, modulo ten.
#[must_use]
pub fn sampled(id: &str) -> bool {
    let digest: [u8; 32] = Sha256::digest(format!("approval sample {id}")).into();
    let first = digest.first_chunk().map_or(0, |bits| u64::from_be_bytes(*bits));
    first.is_multiple_of(SAMPLED_OF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Candidate<'_> = Candidate {
        id: "2",
        confidence: Some(0.9),
        sent: 1000,
        needs_review: false,
        escalated: false,
    };

    fn of(confidence: f64) -> Option<Why> {
        review(Candidate { confidence: Some(confidence), ..SURE })
    }

    #[test]
    fn confidence_decides_at_its_boundaries() {
        assert!(!sampled(SURE.id), "or the others say nothing");
        for (confidence, expected) in [
            (0.0, Some(Why::LowConfidence)),
            (0.85_f64.next_down(), Some(Why::LowConfidence)),
            (0.85, Some(Why::BelowAuto)),
            (0.90_f64.next_down(), Some(Why::BelowAuto)),
            (0.90, None),
            (1.0, None),
            (f64::NAN, Some(Why::LowConfidence)),
        ] {
            assert_eq!(of(confidence), expected, "{confidence}");
        }
        assert_eq!(review(Candidate { confidence: None, ..SURE }), Some(Why::LowConfidence));
    }

    #[test]
    fn the_first_thousand_are_peoples() {
        for (sent, expected) in [(0, Some(Why::First)), (999, Some(Why::First)), (1000, None)] {
            assert_eq!(review(Candidate { sent, ..SURE }), expected, "after {sent}");
        }
        assert_eq!(review(Candidate { needs_review: true, ..SURE }), Some(Why::DecisionReview));
        assert_eq!(review(Candidate { escalated: true, ..SURE }), Some(Why::Escalated));
    }

    #[test]
    fn a_tenth_is_sampled_and_always_the_same() {
        let ids: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        let sample: Vec<&String> = ids.iter().filter(|id| sampled(id)).collect();
        // Five standard deviations of a binomial with p = 0.1.
        assert!((850..=1150).contains(&sample.len()), "{}", sample.len());
        assert!(sample.iter().all(|id| review(Candidate { id, ..SURE }) == Some(Why::Sampled)));
    }
}
