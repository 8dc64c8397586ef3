//! Words of the seed's enums that profiles use. The spelling is that of the columns.

use serde::{Deserialize, Serialize};

/// An enum whose variants are a column's values.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the variants are the column's values")]
        pub enum $name {
            $(#[serde(rename = $value)] $variant),+
        }

        impl $name {
            /// All of them, in the seed's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The column's value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }
        }
    };
}

names! {
    /// How a post is answered.
    Mode { Helpful = "HELPFUL", Engagement = "ENGAGEMENT", Hybrid = "HYBRID", Disengaged = "DISENGAGED" }
}

names! {
    /// What kind of text answers it.
    Archetype {
        Checklist = "CHECKLIST",
        Mythbust = "MYTHBUST",
        Coach = "COACH",
        Storylet = "STORYLET",
        HumorLight = "HUMOR_LIGHT",
        CredibilityAnchor = "CREDIBILITY_ANCHOR",
        ConfidentRecommender = "CONFIDENT_RECOMMENDER",
        ProblemSolutionDirect = "PROBLEM_SOLUTION_DIRECT",
    }
}

names! {
    /// What kind of remedy a competitor sells.
    CompetitorCategory {
        Rehydration = "REHYDRATION",
        HangoverPills = "HANGOVER_PILLS",
        IvTherapy = "IV_THERAPY",
        HomeRemedy = "HOME_REMEDY",
    }
}

names! {
    /// What it costs.
    PricePoint { Low = "LOW", Mid = "MID", High = "HIGH" }
}

names! {
    /// How a mention speaks of a competitor.
    Sentiment { Positive = "POSITIVE", Neutral = "NEUTRAL", Negative = "NEGATIVE" }
}

names! {
    /// Whether who mentions a competitor is content with it.
    Satisfaction { Satisfied = "SATISFIED", Unsatisfied = "UNSATISFIED", Questioning = "QUESTIONING" }
}

names! {
    /// What a figure is about.
    KpiType { Commercial = "COMMERCIAL", Love = "LOVE", Safety = "SAFETY" }
}
