//! The sentence that carries the need: extractive, so that nothing is invented.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, chars};

/// Longest sentence worth quoting, and shortest that can carry a need, in bytes.
const BYTES_MAX: usize = 400;
const BYTES_MIN: usize = 15;
/// Words beyond which a name of an initiative is cut.
const NAME_WORDS_MAX: usize = 8;

/// Wishes weigh most, then what is impossible, then what hurts.
static WISH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:we|i|they) (?:really |just |all )?(?:need|want|wish|would (?:like|love|pay)|expect|require)\b|\b(?:please|could you|can you|it would (?:be|help|save)|would be|it should|you should|let us|let me|allow us)\b").ok()
});
static CANNOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:can(?:no|')?t|unable to|no way to|impossible to|have to|forced to|there is no|missing)\b").ok()
});
static HURTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:because|so that|costs? us|takes? (?:us|me)|lose|problem|issue|fails?|broken|wrong|slow)\b").ok()
});

/// The need, if one sentence of several stands out.
pub(super) fn find(text: &str) -> Option<Found> {
    let sentences = sentences(text);
    if sentences.len() < 2 {
        return None;
    }
    let scored = sentences.into_iter().map(|at| (score(text.get(at.clone()).unwrap_or("")), at));
    let mut ranked: Vec<_> = scored.filter(|(score, _)| *score > 0).collect();
    ranked.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), at.start));
    let (score, at) = ranked.first()?.clone();
    let ahead = ranked.get(1).is_none_or(|(second, _)| *second < score);
    let confidence = match (score, ahead) {
        (4.., true) => 0.85,
        (3, true) => 0.75,
        (3.., false) => 0.65,
        _ => return None,
    };
    let value = text.get(at.clone())?.to_owned();
    Some(Found { value, confidence, evidence: Some(chars(text, at)) })
}

/// A working title for a new initiative: the first words of the need, or of the text.
pub(crate) fn title(text: &str) -> String {
    let need = find(text).map(|f| f.value);
    let first = need.unwrap_or_else(|| {
        let at = sentences(text).into_iter().next();
        at.and_then(|at| text.get(at)).unwrap_or(text).to_owned()
    });
    let words: Vec<&str> = first.split_whitespace().collect();
    let cut = words.len() > NAME_WORDS_MAX;
    let kept = words.into_iter().take(NAME_WORDS_MAX).collect::<Vec<_>>().join(" ");
    let kept: String = kept.trim_end_matches(['.', '!', '?', ',']).chars().take(80).collect();
    if cut { format!("{kept} …") } else { kept }
}

fn score(sentence: &str) -> u32 {
    if !(BYTES_MIN..=BYTES_MAX).contains(&sentence.len()) {
        return 0;
    }
    let hit = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|p| p.is_match(sentence));
    3 * u32::from(hit(&WISH)) + 2 * u32::from(hit(&CANNOT)) + u32::from(hit(&HURTS))
}

/// Byte ranges of the sentences and lines, trimmed.
fn sentences(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, n)| *n);
        let ends = c == '\n'
            || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace))
            || next.is_none();
        if ends {
            let end = at + c.len_utf8();
            let part = text.get(start..end).unwrap_or("");
            let lead = part.len() - part.trim_start().len();
            if !part.trim().is_empty() {
                found.push(start + lead..start + lead + part.trim().len());
            }
            start = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_need_is_quoted_not_invented() {
        let text = "Hi team! The month end is busy. We need to export all invoices at once because our accountant waits. Thanks.";
        let found = find(text).unwrap();
        assert_eq!(
            found.value,
            "We need to export all invoices at once because our accountant waits."
        );
        let (from, to) = found.evidence.unwrap();
        assert_eq!(text.chars().skip(from).take(to - from).collect::<String>(), found.value);
        assert_eq!(find("We need an export."), None, "one sentence is its own interpretation");
        assert_eq!(find("Hello there. All is well."), None);
        assert_eq!(title(text), "We need to export all invoices at once …");
    }
}
