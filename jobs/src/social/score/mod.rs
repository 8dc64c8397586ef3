//! What a post, its author and its counts say: four signals, each with how sure it is and why.
//!
//! Every function is total: what is not finite, out of order or out of range yields a documented value.

mod ars;
mod cues;
mod evs;
mod sss;
mod trs;

use serde::{Deserialize, Serialize};

pub use ars::{AuthorFacts, Persona, ars, personas};
pub use evs::{EngagementClass, Evs, Prior, Snapshot, Watched, daypart_factor, evs, log_form};
pub use sss::sss;
pub use trs::{Category, Trs, trs};

/// Bytes `start..end` of the text that was scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl Span {
    /// They share a byte.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// One thing that spoke for or against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name.
    pub what: String,
    /// What it added to the score; for a measurement, its value.
    pub weight: f64,
    /// Where the text says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl Evidence {
    pub(crate) fn new(what: impl Into<String>, weight: f64) -> Self {
        Self { what: what.into(), weight: finite(weight, 0.0), span: None }
    }

    pub(crate) fn at(what: impl Into<String>, weight: f64, span: Span) -> Self {
        Self { span: Some(span), ..Self::new(what, weight) }
    }
}

/// A score in 0..=1 (EVS: its logarithmic form), how sure it is in 0..=1, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// 0..=1.
    pub score: f64,
    /// 0..=1; 0 says nothing is known.
    pub confidence: f64,
    /// In the order in which it was found.
    pub evidence: Vec<Evidence>,
}

impl Signal {
    /// With its numbers in range; what is not a number is 0.
    #[must_use]
    pub fn new(score: f64, confidence: f64, evidence: Vec<Evidence>) -> Self {
        Self { score: unit(score), confidence: unit(confidence), evidence }.settled()
    }

    /// The same in range: a score that is no number is 0 and nothing is known of it.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.confidence = if self.score.is_nan() { 0.0 } else { unit(self.confidence) };
        self.score = unit(self.score);
        for evidence in &mut self.evidence {
            evidence.weight = finite(evidence.weight, 0.0);
        }
        self
    }
}

/// What a brand profile found in the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// What the brand is about: every keyword that was found.
    pub topic: Vec<Span>,
    /// Symptoms.
    pub symptom: Vec<Span>,
    /// Pain.
    pub pain: Vec<Span>,
    /// What somebody cannot do for it.
    pub impairment: Vec<Span>,
    /// Figures of speech that use a topic word.
    pub metaphor: Vec<Span>,
    /// Films, songs, shows.
    pub entertainment: Vec<Span>,
    /// A trade's own use of a topic word.
    pub jargon: Vec<Span>,
    /// Other brands or things of the same name.
    pub collision: Vec<Span>,
    /// Matters for a physician.
    pub medical: Vec<Span>,
}

/// Into 0..=1; what is not a number is 0.
#[must_use]
pub fn unit(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) }
}

/// `x`, or `otherwise` where it is not finite.
#[must_use]
pub fn finite(x: f64, otherwise: f64) -> f64 {
    if x.is_finite() { x } else { otherwise }
}

pub(crate) fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
