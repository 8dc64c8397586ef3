//! Which mode and archetype are worth most where: a policy that learns from outcomes among the actions that the rules
//! leave open. It looks on first, then takes a share, then most; what goes wrong takes it back.

pub mod features;
pub mod judge;
mod models;
pub mod nightly;
pub mod simulate;

use std::fmt;

pub use models::{InForce, Models};
use serde::{Deserialize, Serialize};

/// How much of a say it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// None: what it would do is written down.
    Shadow,
    /// One decision in twenty.
    Share,
    /// All but one in ten, which the rules keep so that there is something to compare with.
    Full,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Shadow, Self::Share, Self::Full];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow => "SHADOW",
            Self::Share => "SHARE",
            Self::Full => "FULL",
        }
    }

    /// Of the decisions that leave a choice.
    #[must_use]
    pub const fn share(self) -> f64 {
        match self {
            Self::Shadow => 0.0,
            Self::Share => 0.05,
            Self::Full => 0.9,
        }
    }

    /// The next one.
    #[must_use]
    pub const fn up(self) -> Option<Self> {
        match self {
            Self::Shadow => Some(Self::Share),
            Self::Share => Some(Self::Full),
            Self::Full => None,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
