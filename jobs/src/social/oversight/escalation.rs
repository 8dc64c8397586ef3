//! Words of `social.escalations`. How grave a reason is and how long each priority may wait are in the database:
//! `social.escalation_reasons`, and the statement that opens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a person must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = EscalationReason)]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Reason {
    SafetyAmbiguity,
    ViralThread,
    ModeratorWarning,
    BacklashSpike,
    LowConfidence,
    ManualFlag,
}

impl Reason {
    /// All of them, in the seed's order.
    pub const ALL: [Self; 6] = [
        Self::SafetyAmbiguity,
        Self::ViralThread,
        Self::ModeratorWarning,
        Self::BacklashSpike,
        Self::LowConfidence,
        Self::ManualFlag,
    ];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SafetyAmbiguity => "SAFETY_AMBIGUITY",
            Self::ViralThread => "VIRAL_THREAD",
            Self::ModeratorWarning => "MODERATOR_WARNING",
            Self::BacklashSpike => "BACKLASH_SPIKE",
            Self::LowConfidence => "LOW_CONFIDENCE",
            Self::ManualFlag => "MANUAL_FLAG",
        }
    }
}

/// How soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = EscalationPriority)]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Priority {
    Critical,
    High,
    Medium,
    Low,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// Where it is in its life: `PENDING`, claimed, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = EscalationStatus)]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Status {
    Pending,
    InReview,
    Resolved,
    Dismissed,
}

impl Status {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Pending, Self::InReview, Self::Resolved, Self::Dismissed];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InReview => "IN_REVIEW",
            Self::Resolved => "RESOLVED",
            Self::Dismissed => "DISMISSED",
        }
    }
}

/// Something that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEscalation {
    /// Tenant.
    pub workspace_id: String,
    /// The post that it is about.
    pub post_id: Option<String>,
    /// The decision, and when it was made. While an escalation of it for this reason lives, another is not opened.
    pub decision: Option<(String, DateTime<Utc>)>,
    /// Our reply.
    pub reply_id: Option<String>,
    /// Why.
    pub reason: Reason,
    /// In words, for who looks.
    pub reason_text: Option<String>,
    /// Other than that of the reason.
    pub priority: Option<Priority>,
}
