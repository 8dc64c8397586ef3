//! Changes of a profile's keywords, laid over it. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What is done with a term.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum What {
    /// It speaks for a category, by itself.
    Add,
    /// Posts that have it are as urgent as those of the category before its own.
    Raise,
    /// It is no keyword any more.
    Retire,
}

impl What {
    /// As in `keyword_changes.what`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Raise => "RAISE",
            Self::Retire => "RETIRE",
        }
    }
}

/// A change that is in force.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Change {
    /// Each has its own in a workspace; the later ones are laid over the earlier.
    pub version: i32,
    /// As `posts.keyword_matches` has it.
    pub term: String,
    /// What is done with it.
    pub what: What,
    /// Of an addition: what it speaks for.
    pub category: Option<String>,
    /// Of an addition: the share of texts that it counts in, above 0; 1 is all.
    pub share: f64,
}

/// Names the changes that are in force, for the version of the policy: `+k` and eight digits; nothing without any.
#[must_use]
pub fn version(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let all: Vec<String> = changes.iter().map(|one| one.version.to_string()).collect();
    let digest = hex::encode(Sha256::digest(all.join(".")));
    format!("+k{}", digest.get(..8).unwrap_or_default())
}
