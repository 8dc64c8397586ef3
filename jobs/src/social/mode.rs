//! The two choices of a decision: how to take part, and in which manner.

use serde::{Deserialize, Serialize};

/// How to take part in a conversation; each is more helpful than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// Not at all.
    Disengaged,
    /// A kind word; never a product or a link.
    Engagement,
    /// A kind word with a soft mention.
    Hybrid,
    /// Help.
    Helpful,
}

impl Mode {
    /// All of them, least helpful first.
    pub const ALL: [Self; 4] = [Self::Disengaged, Self::Engagement, Self::Hybrid, Self::Helpful];
    /// Those in which something is said.
    pub const ENGAGING: [Self; 3] = [Self::Engagement, Self::Hybrid, Self::Helpful];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disengaged => "DISENGAGED",
            Self::Engagement => "ENGAGEMENT",
            Self::Hybrid => "HYBRID",
            Self::Helpful => "HELPFUL",
        }
    }

    /// Its place in `ALL`.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Disengaged => 0,
            Self::Engagement => 1,
            Self::Hybrid => 2,
            Self::Helpful => 3,
        }
    }
}

/// The manner of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Archetype {
    Checklist,
    Mythbust,
    Coach,
    Storylet,
    HumorLight,
    CredibilityAnchor,
    ConfidentRecommender,
    ProblemSolutionDirect,
}

impl Archetype {
    /// All of them, in the seed's order.
    pub const ALL: [Self; 8] = [
        Self::Checklist,
        Self::Mythbust,
        Self::Coach,
        Self::Storylet,
        Self::HumorLight,
        Self::CredibilityAnchor,
        Self::ConfidentRecommender,
        Self::ProblemSolutionDirect,
    ];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checklist => "CHECKLIST",
            Self::Mythbust => "MYTHBUST",
            Self::Coach => "COACH",
            Self::Storylet => "STORYLET",
            Self::HumorLight => "HUMOR_LIGHT",
            Self::CredibilityAnchor => "CREDIBILITY_ANCHOR",
            Self::ConfidentRecommender => "CONFIDENT_RECOMMENDER",
            Self::ProblemSolutionDirect => "PROBLEM_SOLUTION_DIRECT",
        }
    }

    /// Out of place in a grave matter, and beside a competitor.
    #[must_use]
    pub const fn is_light(self) -> bool {
        matches!(self, Self::HumorLight | Self::Storylet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_columns_values() {
        for mode in Mode::ALL {
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
            assert_eq!(Mode::ALL[mode.index()], mode);
        }
        for archetype in Archetype::ALL {
            assert_eq!(serde_json::to_value(archetype).unwrap(), archetype.as_str());
        }
    }
}
