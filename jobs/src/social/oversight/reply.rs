//! Words of `social.replies`, and a reply's text as the rules see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cadence::{Full, Wanted};
use crate::social::{
    profile::{Mode, Profile},
    record::Platform,
    text::{
        Folded,
        fold::fold,
        reply::{Reply, Violation, check, links},
    },
};

/// Who allowed a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Approval {
    Pending,
    Approved,
    Rejected,
    AutoApproved,
}

impl Approval {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
            Self::AutoApproved => "AUTO_APPROVED",
        }
    }

    pub(super) fn of(word: &str) -> Self {
        let all = [Self::Approved, Self::Rejected, Self::AutoApproved];
        all.into_iter().find(|known| known.as_str() == word).unwrap_or(Self::Pending)
    }
}

/// Why a person did not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Rejection {
    Safety,
    Irrelevant,
    LowQuality,
    Legal,
    Regenerate,
}

impl Rejection {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safety => "SAFETY",
            Self::Irrelevant => "IRRELEVANT",
            Self::LowQuality => "LOW_QUALITY",
            Self::Legal => "LEGAL",
            Self::Regenerate => "REGENERATE",
        }
    }
}

/// Why a reply is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum ReplyType {
    #[default]
    Standard,
    CompetitivePositioning,
    MythCorrection,
    KarmaBuilding,
}

impl ReplyType {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::CompetitivePositioning => "COMPETITIVE_POSITIONING",
            Self::MythCorrection => "MYTH_CORRECTION",
            Self::KarmaBuilding => "KARMA_BUILDING",
        }
    }
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// The workspace has none.
    NotFound(&'static str),
    /// There is no place for it.
    Full(Full),
    /// It breaks rules: all of them.
    Broken(Broken),
    /// The state of things forbids it: a name for programs, and a sentence.
    State(&'static str, String),
}

/// What a reply breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// Each rule, each place.
    pub violations: Vec<Violation>,
    /// How often it may be written anew before a person is called.
    pub regenerations_left: i64,
    /// A person was called.
    pub escalated: bool,
}

/// A reply's text, and what goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Signature included.
    pub content: &'a str,
    /// Where it goes.
    pub platform: Platform,
    /// Sent after it.
    pub link: Option<&'a str>,
    /// `utm_content` of the link.
    pub utm_code: Option<&'a str>,
    /// Of the decision.
    pub mode: Option<Mode>,
}

impl Text<'_> {
    /// All that is wrong with it.
    #[must_use]
    pub fn violations(&self, profile: &Profile) -> Vec<Violation> {
        let Self { content, platform, link, utm_code, mode } = *self;
        check(Reply { content, platform, link, utm_code, mode }, profile)
    }

    /// What place it wants.
    #[must_use]
    pub fn wants(&self, profile: &Profile, in_community: bool, builds_karma: bool) -> Wanted {
        let links = self.link.is_some() || links(self.content);
        let promotes = links || names(self.content, profile);
        Wanted { in_community, promotes, links, builds_karma }
    }
}

/// Whether a text names the brand, but in its signature.
fn names(content: &str, profile: &Profile) -> bool {
    let signature = &profile.brand.signature;
    let rest = match signature.is_empty() {
        true => content.to_owned(),
        false => content.replace(signature, "\n"),
    };
    let (text, name) = (Folded::new(&rest), fold(&profile.brand.name));
    let name = name.trim();
    !name.is_empty()
        && text.text().match_indices(name).any(|(at, found)| text.bounded(&(at..at + found.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_alone_promotes_nothing() {
        let profile = Profile::parse(Profile::shipped("vita").unwrap()).unwrap();
        let signature = &profile.brand.signature;
        let brand = &profile.brand.name;
        for (content, link, promotes, links) in [
            (format!("Drink some water. {signature}"), None, false, false),
            (format!("Try {brand}. {signature}"), None, true, false),
            (format!("Try {}. {signature}", brand.to_uppercase()), None, true, false),
            (format!("Re{brand}lize yourself. {signature}"), None, false, false),
            (format!("See https://example.com {signature}"), None, true, true),
            (format!("See this: {signature}"), Some("https://example.com"), true, true),
        ] {
            let text = Text {
                content: &content,
                platform: Platform::Reddit,
                link,
                utm_code: None,
                mode: None,
            };
            let wanted = text.wants(&profile, true, false);
            assert_eq!((wanted.promotes, wanted.links), (promotes, links), "{content}");
        }
    }
}
