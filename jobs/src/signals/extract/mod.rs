//! What a text says about severity, frequency, user segment and the underlying need: local heads that
//! abstain. Every answer has a confidence and, where words gave it away, their place in the text.

mod cues;
mod heads;
mod need;
mod segment;

use serde_json::{Value, json};

pub use self::heads::{Heads, training_texts};
pub(crate) use self::need::title;

/// Shorter texts say nothing (in characters, trimmed).
const CHARS_MIN: usize = 10;

/// One extracted value.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The column's value.
    pub value: String,
    /// Probability that it is right.
    pub confidence: f32,
    /// Characters of the verbatim that speak for it: first, and one past the last.
    pub evidence: Option<(usize, usize)>,
}

impl Found {
    /// As an entry of column `provenance`.
    #[must_use]
    pub fn provenance(&self, by: &str) -> Value {
        let confidence = (f64::from(self.confidence) * 1000.0).round() / 1000.0;
        match self.evidence {
            Some((from, to)) => {
                json!({ "by": by, "confidence": confidence, "evidence": [from, to] })
            }
            None => json!({ "by": by, "confidence": confidence }),
        }
    }
}

/// All fields; what is unknown is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// `critical`, `high`, `medium` or `low`.
    pub severity: Option<Found>,
    /// `common`, `occasional` or `rare`.
    pub frequency: Option<Found>,
    /// Who speaks, e.g. `enterprise admin`.
    pub user_segment: Option<Found>,
    /// The sentence that carries the need.
    pub interpretation: Option<Found>,
}

/// Extracts from `text`, whose vector is `vector`.
#[must_use]
pub fn extract(text: &str, vector: &[f32], heads: &Heads) -> Extraction {
    if text.trim().chars().count() < CHARS_MIN {
        return Extraction::default();
    }
    Extraction {
        severity: heads.severity(text, vector),
        frequency: heads.frequency(text, vector),
        user_segment: segment::find(text),
        interpretation: need::find(text),
    }
}

/// The persona's id of a segment: lower case, words joined by hyphens. `None` if nothing is left.
#[must_use]
pub fn persona_id(segment: &str) -> Option<String> {
    let mut id = String::new();
    for word in
        segment.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty())
    {
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(word);
        if id.len() > 80 {
            break;
        }
    }
    (!id.is_empty()).then_some(id)
}

/// Byte range to character range.
fn chars(text: &str, bytes: std::ops::Range<usize>) -> (usize, usize) {
    let upto = |end: usize| text.char_indices().take_while(|(at, _)| *at < end).count();
    (upto(bytes.start), upto(bytes.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personas_are_slugs() {
        assert_eq!(persona_id("Enterprise  Admin!").as_deref(), Some("enterprise-admin"));
        assert_eq!(persona_id("Größe & Co").as_deref(), Some("größe-co"));
        assert_eq!(persona_id(" -- "), None);
    }

    #[test]
    fn evidence_counts_characters() {
        let text = "Größe: data loss";
        let at = text.find("data loss").unwrap();
        assert_eq!(chars(text, at..at + 9), (7, 16));
    }
}
