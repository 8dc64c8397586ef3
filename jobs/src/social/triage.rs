//! What is found out about a post before it is stored. Pure.

use super::{
    profile::Profile,
    record::{Platform, Post},
    text::{
        Folded,
        competitors::mentions,
        keywords::{Keywords, keywords},
        spam::{Account, spam},
    },
};
use crate::embed::content_hash;

/// Characters of a post, at most: the seed's rule.
pub const CONTENT_CHARS_MAX: usize = 5000;
const POST_ID_CHARS_MAX: usize = 100;
const HANDLE_CHARS_MAX: usize = 50;
/// Keywords of a post, at most: the seed's rule.
const KEYWORDS_MAX: usize = 50;

/// What was found out about a post.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Triage {
    /// Keywords of the brand's taxonomy that it has, at most 50.
    pub keyword_matches: Vec<String>,
    /// Their categories.
    pub keyword_categories: Vec<String>,
    /// Of the most urgent of them, 1 to 9; 1 is first.
    pub keyword_priority: Option<i16>,
    /// Why it is spam. Such a post is stored and tagged, and not decided upon.
    pub spam_reason: Option<String>,
    /// Competitors it speaks of, each once.
    pub mentions: Vec<Mention>,
    /// It is not stored at all.
    pub refused: Option<Refusal>,
    /// SHA-256 of the normalised text: equal for texts that differ only in how they are written.
    pub content_norm_hash: [u8; 32],
}

/// A competitor that a post speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// `competitors.name`.
    pub competitor: String,
    /// `POSITIVE`, `NEUTRAL` or `NEGATIVE`.
    pub sentiment: &'static str,
    /// `SATISFIED`, `UNSATISFIED` or `QUESTIONING`.
    pub satisfaction: &'static str,
    /// How good an occasion it is, 0 to 1.
    pub opportunity: f64,
}

/// Why a post is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the rule, stable.
    pub rule: &'static str,
    /// The seed's message, where the rule is the seed's.
    pub message: &'static str,
}

impl Refusal {
    /// Only its words are not ours: what it replaces is not said any more all the same.
    #[must_use]
    pub fn is_of_words(&self) -> bool {
        self.leaves_topic() || self.rule == "keywords_many"
    }

    /// It is not about us: as a first version it is nothing to store, as a later one it is what its author says now.
    #[must_use]
    pub fn leaves_topic(&self) -> bool {
        matches!(self.rule, "no_keyword" | "excluded")
    }
}

const fn refusal(rule: &'static str, message: &'static str) -> Option<Refusal> {
    Some(Refusal { rule, message })
}

/// The seed's rules for posts, and what the brand's lists say.
#[must_use]
pub fn triage(post: &Post, profile: &Profile) -> Triage {
    if let Some(refusal) = refused(post) {
        return Triage { refused: Some(refusal), ..Triage::default() };
    }
    let text = Folded::new(&post.content);
    let found = keywords(&text, profile);
    let account = Account { followers: post.author.followers, verified: post.author.verified };
    let spam = spam(&text, account, profile);
    let tag = spam.reasons.iter().find(|reason| reason.filters).filter(|_| spam.filtered);
    let mention = |of: super::text::competitors::Mention| Mention {
        competitor: of.competitor,
        sentiment: of.sentiment.as_str(),
        satisfaction: of.satisfaction.as_str(),
        opportunity: of.opportunity,
    };
    Triage {
        refused: unmatched(post, &found),
        spam_reason: tag.map(|reason| reason.reason.clone()),
        mentions: mentions(&text, profile).into_iter().map(mention).collect(),
        keyword_priority: found.priority.map(Into::into),
        keyword_matches: found.matches,
        keyword_categories: found.categories,
        content_norm_hash: content_hash(text.text()),
    }
}

/// Only what is ours is stored: it has a keyword and none that excludes it, or it speaks to us.
fn unmatched(post: &Post, found: &Keywords) -> Option<Refusal> {
    if found.matches.len() > KEYWORDS_MAX {
        return refusal("keywords_many", "Too many keyword matches");
    }
    if post.addressed || found.relevant {
        return None;
    }
    if found.matches.is_empty() {
        return refusal("no_keyword", "Must match at least one keyword");
    }
    refusal("excluded", "Post has a keyword that excludes it")
}

/// The first rule that the post breaks, in the seed's order.
#[must_use]
pub fn refused(post: &Post) -> Option<Refusal> {
    let fits = |text: &str, max: usize, allowed: &dyn Fn(char) -> bool| {
        (1..=max).contains(&text.chars().count()) && text.chars().all(allowed)
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let of_handles = |c: char| match post.platform {
        Platform::Twitter => plain(c),
        Platform::Reddit => plain(c) || c == '-',
        Platform::Threads => plain(c) || c == '.',
    };
    if post.content.is_empty() {
        return refusal("content_empty", "Post content cannot be empty");
    }
    if post.content.chars().count() > CONTENT_CHARS_MAX {
        return refusal("content_length", "Post content exceeds maximum length");
    }
    if post.content.contains('\0') {
        return refusal("content_nul", "Post content contains a null byte");
    }
    if !fits(&post.platform_post_id, POST_ID_CHARS_MAX, &|c| plain(c) || c == '-') {
        return refusal("post_id_format", "Invalid post ID format");
    }
    let handle = post.author.handle.as_deref();
    if handle.is_some_and(|handle| !fits(handle, HANDLE_CHARS_MAX, &of_handles)) {
        return refusal("handle_format", "Invalid handle format");
    }
    if post.author.platform_id.is_empty() {
        return refusal("author_missing", "Post has no author");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::record::{Author, Metrics};

    fn post(platform: Platform) -> Post {
        Post {
            platform,
            platform_post_id: "1".into(),
            supersedes: Vec::new(),
            author: Author {
                platform_id: "9".into(),
                handle: Some("ann".into()),
                ..Author::default()
            },
            content: "hello".into(),
            posted_at: None,
            edited_at: None,
            lang: None,
            in_reply_to: None,
            conversation: None,
            community: None,
            url: None,
            addressed: false,
            metrics: Metrics::default(),
            seen_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_seeds_rules_hold_on_both_sides() {
        let rule = |change: &dyn Fn(&mut Post)| {
            let mut post = post(Platform::Twitter);
            change(&mut post);
            refused(&post).map(|r| r.rule)
        };
        for (chars, expected) in
            [(0, Some("content_empty")), (1, None), (5000, None), (5001, Some("content_length"))]
        {
            assert_eq!(rule(&|p| p.content = "é".repeat(chars)), expected, "{chars} characters");
        }
        assert_eq!(rule(&|p| p.content = "a\0b".into()), Some("content_nul"));
        for (id, expected) in [
            ("", Some("post_id_format")),
            ("t3_1a-Z", None),
            ("a.b", Some("post_id_format")),
            ("é", Some("post_id_format")),
            ("x\n", Some("post_id_format")),
        ] {
            assert_eq!(rule(&|p| p.platform_post_id = id.into()), expected, "{id:?}");
        }
        assert_eq!(rule(&|p| p.platform_post_id = "x".repeat(100)), None);
        assert_eq!(rule(&|p| p.platform_post_id = "x".repeat(101)), Some("post_id_format"));
        assert_eq!(rule(&|p| p.author.handle = Some("x".repeat(50))), None);
        assert_eq!(rule(&|p| p.author.handle = Some("x".repeat(51))), Some("handle_format"));
        assert_eq!(rule(&|p| p.author.handle = None), None, "unknown is not wrong");
        assert_eq!(rule(&|p| p.author.platform_id = String::new()), Some("author_missing"));
    }

    #[test]
    fn handles_are_as_their_platform_makes_them() {
        let takes = |platform, handle: &str| {
            let mut post = post(platform);
            post.author.handle = Some(handle.into());
            refused(&post).is_none()
        };
        for (handle, platforms) in [
            ("a_B9", [true, true, true]),
            ("a-b", [false, true, false]),
            ("a.b", [false, false, true]),
            ("", [false; 3]),
            ("a b", [false; 3]),
        ] {
            assert_eq!(Platform::ALL.map(|p| takes(p, handle)), platforms, "{handle:?}");
        }
    }

    #[test]
    fn texts_that_are_only_written_otherwise_have_one_hash() {
        let neutral = Profile::parse(Profile::shipped("neutral").unwrap()).unwrap();
        let hash = |content: &str| {
            let mut post = post(Platform::Threads);
            post.content = content.into();
            triage(&post, &neutral).content_norm_hash
        };
        assert_eq!(hash("Ｈello  World"), hash("hello world"));
        assert_ne!(hash("hello world"), hash("hello there"));
    }
}
