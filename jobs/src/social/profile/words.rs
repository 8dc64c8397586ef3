//! Sections that are lists of words.

use serde::Deserialize;

use super::{
    names::{CompetitorCategory, PricePoint},
    read::{Section, Wrong},
};
use crate::social::text::phrases::{Patterns, Phrases};

/// A category of the taxonomy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name, as in `posts.keyword_categories`.
    pub name: String,
    /// 1 is the most urgent.
    pub priority: u8,
    /// What speaks for it.
    pub terms: Vec<String>,
    /// What is too common to speak for it alone,
    #[serde(default)]
    pub common: Vec<String>,
    /// but does beside one of the `terms` of these categories.
    #[serde(default)]
    pub beside: Vec<String>,
}

impl Section for Category {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        wrong.within("priority", self.priority.into(), 1.0, 99.0);
        if self.terms.is_empty() && self.common.is_empty() {
            wrong.at("terms", "is empty", "write what speaks for it");
        }
        if !self.common.is_empty() && self.beside.is_empty() {
            let advice = "name the categories beside whose terms the common ones count";
            wrong.at("beside", "is empty", advice);
        }
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// What makes a post none of ours, or one for careful hands, whatever else it says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relevance {
    /// With one of these a post is none of ours.
    pub exclusions: Phrases,
    /// With one of these it is medical: nobody answers it without a person having looked.
    pub disclaimers: Phrases,
}

impl Section for Relevance {}

/// What is tagged as spam. Posts are kept, whatever they are tagged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpamLists {
    /// More links than this are spam.
    pub urls_max: usize,
    /// How sure that is.
    pub urls_level: SpamLevel,
    /// Lists of phrases.
    #[serde(default)]
    pub lists: Vec<SpamList>,
    /// Words that are spam only together.
    #[serde(default)]
    pub pairs: Vec<SpamPair>,
    /// Verified accounts with more followers than this are tagged.
    pub large_account_followers: i64,
    /// How sure that is.
    pub large_account_level: SpamLevel,
    /// Whether the tag filters them: they are the very accounts that the tiers prize.
    pub large_account_filters: bool,
}

impl Section for SpamLists {
    fn check(&self, wrong: &mut Wrong<'_>) {
        if self.large_account_followers < 0 {
            wrong.at("large_account_followers", "is negative", "write a number of followers");
        }
    }
}

/// How sure it is that something is spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpamLevel {
    /// Passes.
    Low,
    /// Probably.
    Medium,
    /// Surely.
    High,
}

/// Phrases that are spam by themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpamList {
    /// The tag, as in `posts.spam_reason`.
    pub reason: String,
    /// How sure it is.
    pub level: SpamLevel,
    /// The phrases.
    pub phrases: Phrases,
}

/// Two lists that are spam when each has a hit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpamPair {
    /// The tag.
    pub reason: String,
    /// How sure it is.
    pub level: SpamLevel,
    /// One of these,
    pub first: Phrases,
    /// and one of these.
    pub second: Phrases,
}

/// A competitor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Competitor {
    /// Its name, as in `competitors.name`.
    pub name: String,
    /// What it sells.
    pub category: CompetitorCategory,
    /// How that is to work.
    pub mechanism: String,
    /// What it costs.
    pub price_point: PricePoint,
    /// How it is called; spaces and hyphens may be missing.
    pub keywords: Vec<String>,
}

impl Section for Competitor {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        if self.keywords.is_empty() {
            wrong.at("keywords", "is empty", "write how it is called");
        }
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// How people speak of competitors, and how often we answer that.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Competition {
    /// Praise.
    pub positive: Phrases,
    /// Blame; heard before praise.
    pub negative: Phrases,
    /// It worked for them.
    pub satisfied: Phrases,
    /// It did not.
    pub unsatisfied: Phrases,
    /// With a question mark, they ask.
    pub questions: Phrases,
    /// Answers a day beside one competitor.
    pub per_competitor_day: u32,
    /// Answers a day beside all of them,
    pub per_day: u32,
    /// but for opportunities above this.
    pub over_cap_opportunity: f64,
    /// An alert from this many mentions of one a day.
    pub alert_mentions_day: u32,
    /// A person looks from this many answers in 24 h.
    pub human_replies_day: u32,
}

impl Section for Competition {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.within("over_cap_opportunity", self.over_cap_opportunity, 0.0, 1.0);
    }
}

/// How grave a category of safety is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Gravity {
    /// Mostly a manner of speaking.
    Medium,
    /// A reason not to sell anything.
    High,
    /// Nobody asks a model first.
    Critical,
}

/// A category of safety.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Danger {
    /// Its name, as in `decisions.safety_flags`.
    pub name: String,
    /// How grave.
    pub level: Gravity,
    /// What speaks for it.
    pub phrases: Phrases,
    /// What speaks for it, as regular expressions over folded text.
    #[serde(default)]
    pub patterns: Patterns,
    /// A hit that overlaps one of these is none.
    #[serde(default)]
    pub exceptions: Phrases,
    /// The same, as regular expressions.
    #[serde(default)]
    pub exception_patterns: Patterns,
}

impl Section for Danger {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// Words by which other signals are read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// They make distress worse.
    pub intensifiers: Phrases,
    /// Symptoms, for the need in a post.
    pub symptoms: Phrases,
    /// Pain, for the need in a post.
    pub pain: Phrases,
    /// What somebody cannot do for it.
    #[serde(default)]
    pub impairment: Phrases,
    /// Our subject as a figure of speech: `hungover from the election`.
    pub metaphor: Phrases,
    /// Films, songs and shows around our subject.
    pub entertainment: Phrases,
    /// Titles that mean nothing else: not `the hangover`, which people have.
    pub titles: Phrases,
    /// Other things that are called as our brand is.
    pub brand_collisions: Phrases,
    /// Trades that use a word of ours for something else.
    pub jargon: Phrases,
    /// In a bio, they make a creator.
    pub creators: Phrases,
}

impl Section for Cues {}

/// A kind of author, by how they speak of themselves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// Its name, as in `authors.archetype_tags`.
    pub name: String,
    /// What the signal ARS starts from, 0 to 1.
    pub baseline: f64,
    /// Words in a bio, a display name or a post.
    pub cues: Phrases,
    /// Archetypes preferred for it, with their factors.
    #[serde(default)]
    pub prefers: std::collections::BTreeMap<super::Archetype, f64>,
}

impl Section for Persona {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        wrong.within("baseline", self.baseline, 0.0, 1.0);
        for (archetype, factor) in &self.prefers {
            wrong.within(&format!("prefers.{}", archetype.as_str()), *factor, 0.0, 10.0);
        }
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// What a reply may not claim.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Forbidden anywhere, inside words too: the seed's contract.
    pub seed: Vec<String>,
    /// Forbidden as words.
    pub terms: Phrases,
    /// Sentences in which such words were approved.
    pub approved: Vec<String>,
    /// How much a sentence may differ from an approved one: normalised Levenshtein similarity, 0 to 1.
    pub similarity: f64,
}

impl Section for Claims {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.within("similarity", self.similarity, 0.5, 1.0);
        for blank in self.seed.iter().filter(|claim| claim.trim().is_empty()) {
            wrong.at("seed", format!("{blank:?} forbids every reply"), "take it out");
        }
    }
}
