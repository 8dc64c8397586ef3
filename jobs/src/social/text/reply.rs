//! What is wrong with a reply, before anybody sends it.

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Folded, Span, fold::fold};
use crate::social::{
    profile::{Claims, Mode, Profile},
    record::Platform,
};

/// A reply as it would be sent.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The text, signature included.
    pub content: &'a str,
    /// Where it goes.
    pub platform: Platform,
    /// A link that is sent after the text, beyond those in it.
    pub link: Option<&'a str>,
    /// `utm_content` of that link.
    pub utm_code: Option<&'a str>,
    /// Why it is sent.
    pub mode: Option<Mode>,
}

/// Which rule a reply breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The seed: 10 UTF-16 units at least.
    TooShort,
    /// The seed: 1000 UTF-16 units at most.
    TooLong,
    /// The seed: the signature is in it.
    Signature,
    /// The seed: a claim anywhere, inside words too.
    SeedClaim,
    /// A claim, as words, that is in no approved phrase.
    Claim,
    /// The platform's length, link included.
    Length,
    /// The seed: `^[a-z0-9_-]+$`.
    Utm,
    /// Hashtags.
    Hashtags,
    /// Emoji.
    Emoji,
    /// A link where none may be.
    Link,
}

/// A rule that is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// For people: the seed's message where it has one.
    pub message: String,
    /// Where, in the content.
    pub span: Option<Span>,
}

const CLAIMS: &str = "Reply contains prohibited medical claims";
const TOO_LONG: &str = "Reply exceeds maximum length";
/// The seed's bounds, in UTF-16 units as its validator counts.
const UNITS: std::ops::RangeInclusive<usize> = 10..=1000;
/// What X counts a link as, however long it is.
const X_LINK: usize = 23;

static EMOJI: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let one = r"[\p{Extended_Pictographic}--[©®™]][\x{FE0F}\x{1F3FB}-\x{1F3FF}]*";
    Regex::new(&format!(r"{one}(?:\x{{200D}}{one})*|[\x{{1F1E6}}-\x{{1F1FF}}]{{2}}")).ok()
});
static LINK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\bhttps?://\S+|\bwww\.\S+").ok());
static HASHTAG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:^|[^\w&#])(#\w+)").ok());

/// Whether a text has a link in it.
#[must_use]
pub fn links(text: &str) -> bool {
    LINK.iter().any(|link| link.is_match(text))
}

/// Everything that is wrong; nothing if it may be sent.
#[must_use]
pub fn check(reply: Reply<'_>, profile: &Profile) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut say = |rule, message: &str, span| {
        broken.push(Violation { rule, message: message.to_owned(), span });
    };
    let units = reply.content.encode_utf16().count();
    if units < *UNITS.start() {
        say(Rule::TooShort, "Reply too short", None);
    }
    if units > *UNITS.end() {
        say(Rule::TooLong, TOO_LONG, None);
    }
    if !reply.content.contains(&profile.brand.signature) {
        say(Rule::Signature, "Reply must include signature", None);
    }
    let text = Folded::new(reply.content);
    for span in seed_claims(&text, &profile.claims.seed) {
        say(Rule::SeedClaim, CLAIMS, Some(span));
    }
    for span in claims(&text, &profile.claims, units <= *UNITS.end()) {
        say(Rule::Claim, CLAIMS, Some(span));
    }
    let utm = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    if reply.utm_code.is_some_and(|code| code.is_empty() || !code.chars().all(utm)) {
        say(Rule::Utm, "Invalid UTM code", None);
    }
    let links = LINK.iter().flat_map(|link| link.find_iter(reply.content));
    let first = links.map(|link| Span { start: link.start(), end: link.end() }).next();
    if reply.mode == Some(Mode::Engagement) && (first.is_some() || reply.link.is_some()) {
        say(Rule::Link, "Reply must not link in ENGAGEMENT", first);
    }
    broken.extend(shape(reply, profile));
    broken
}

/// The platform's rules.
fn shape(reply: Reply<'_>, profile: &Profile) -> Vec<Violation> {
    let Some(shape) = profile.reply(reply.platform) else { return Vec::new() };
    let place = reply.platform.as_str();
    let mut broken = Vec::new();
    let sent = reply
        .link
        .map_or_else(|| reply.content.to_owned(), |link| format!("{} {link}", reply.content));
    let length = length(reply.platform, &sent);
    if length > shape.length_max {
        broken.push(Violation {
            rule: Rule::Length,
            message: format!("{TOO_LONG}: {length} of {} on {place}", shape.length_max),
            span: None,
        });
    }
    let emoji = EMOJI.iter().flat_map(|emoji| emoji.find_iter(reply.content)).map(|m| m.range());
    let hashtags = HASHTAG.iter().flat_map(|tag| tag.captures_iter(reply.content));
    let hashtags = hashtags.filter_map(|found| found.get(1)).map(|m| m.range());
    for (rule, what, found, most) in [
        (Rule::Hashtags, "hashtags", hashtags.collect::<Vec<_>>(), shape.hashtags_max),
        (Rule::Emoji, "emoji", emoji.collect(), shape.emoji_max),
    ] {
        if let Some(one_more) = found.get(most) {
            broken.push(Violation {
                rule,
                message: format!("Too many {what}: {} of {most} on {place}", found.len()),
                span: Some(Span { start: one_more.start, end: one_more.end }),
            });
        }
    }
    broken
}

/// A text's length as its platform counts: X weighs characters and links (its "Counting characters", weights of
/// configuration 3, an emoji sequence two), the others count characters.
#[must_use]
pub fn length(platform: Platform, text: &str) -> usize {
    if platform != Platform::Twitter {
        return text.chars().count();
    }
    let (mut length, mut rest) = (0, String::new());
    let mut from = 0;
    for link in LINK.iter().flat_map(|link| link.find_iter(text)) {
        rest.push_str(text.get(from..link.start()).unwrap_or_default());
        length += X_LINK;
        from = link.end();
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    let emoji = EMOJI.iter().flat_map(|emoji| emoji.find_iter(&rest)).map(|m| m.range());
    let mut plain = 0;
    for emoji in emoji {
        length += 2 + weight(rest.get(plain..emoji.start).unwrap_or_default());
        plain = emoji.end;
    }
    length + weight(rest.get(plain..).unwrap_or_default())
}

fn weight(text: &str) -> usize {
    let light = |c| matches!(u32::from(c), 0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247);
    text.chars().map(|c| if light(c) { 1 } else { 2 }).sum()
}

/// Where the seed's claims are, on folded text, also with marks or hyphens set between their letters.
fn seed_claims(text: &Folded<'_>, claims: &[String]) -> Vec<Span> {
    let (squeezed, places) = squeeze(text);
    let mut found = BTreeSet::new();
    for claim in claims.iter().map(|claim| fold(claim)) {
        let claim = claim.trim();
        for (at, _) in text.text().match_indices(claim) {
            found.insert((at, at + claim.len()));
        }
        for (at, _) in squeezed.match_indices(claim) {
            let ends = places.get(at).zip(places.get(at + claim.len() - 1));
            found.extend(ends.map(|(first, last)| (*first, last + 1)));
        }
    }
    found.into_iter().map(|(start, end)| text.span(&(start..end))).collect()
}

/// The text without what stands inside words: `pre-vent`, `c.u.r.e`. And for each byte, its place.
fn squeeze(text: &Folded<'_>) -> (String, Vec<usize>) {
    let (mut squeezed, mut places) = (String::new(), Vec::new());
    let mut before = false;
    let mut rest = text.text().char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        // A space that was none is a hyphen.
        let apart = text.shown(&(at..at + c.len_utf8())).contains(char::is_whitespace);
        let inside = before && after && !c.is_alphanumeric() && !apart;
        before = c.is_alphanumeric();
        if !inside {
            squeezed.push(c);
            places.extend(at..at + c.len_utf8());
        }
    }
    (squeezed, places)
}

/// Where forbidden words are that no approved phrase holds.
fn claims(text: &Folded<'_>, claims: &Claims, approve: bool) -> Vec<Span> {
    let words: Vec<_> = text.words().map(|(at, _)| at).collect();
    let approved: Vec<_> = claims.approved.iter().map(|phrase| fold(phrase)).collect();
    let held = |at: &Range<usize>| {
        let held = |phrase: &String| holds(text, &words, at, phrase.trim(), claims.similarity);
        approve && approved.iter().any(held)
    };
    let found = claims.terms.find(text).map(|hit| hit.at).filter(|at| !held(at));
    let distinct: BTreeSet<_> = found.map(|at| (at.start, at.end)).collect();
    distinct.into_iter().map(|(start, end)| text.span(&(start..end))).collect()
}

/// Whether as many words as the phrase has, around the claim, are nearly that phrase.
fn holds(
    text: &Folded<'_>,
    words: &[Range<usize>],
    at: &Range<usize>,
    phrase: &str,
    similarity: f64,
) -> bool {
    let count = Folded::new(phrase).words().count().max(1);
    let first = words.partition_point(|word| word.end <= at.start);
    let last = words.partition_point(|word| word.start < at.end);
    let from = last.saturating_sub(count);
    let starts = (first + 1).saturating_sub(from);
    let windows = words.get(from..).unwrap_or_default().windows(count).take(starts);
    windows
        .filter_map(|window| text.text().get(window.first()?.start..window.last()?.end))
        .any(|window| strsim::normalized_levenshtein(window, phrase) >= similarity)
}

#[cfg(test)]
mod tests;
