//! Text from strangers: repaired, bounded, freed of markup.

use std::borrow::Cow;

use ring::digest;

use crate::limits;

/// Replace what Postgres refuses (NUL) by U+FFFD; says whether it did, or whether the text already
/// carries a replacement.
#[must_use]
pub fn clean(text: &str) -> (Cow<'_, str>, bool) {
    if text.contains('\0') {
        return (Cow::Owned(text.replace('\0', "\u{fffd}")), true);
    }
    (Cow::Borrowed(text), text.contains('\u{fffd}'))
}

/// Text from bytes that are UTF-8 but for surrogates in three bytes; each fault becomes one U+FFFD.
#[must_use]
pub fn from_wtf8(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                break;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                out.push_str(std::str::from_utf8(good).unwrap_or_default());
                out.push('\u{fffd}');
                let surrogate = matches!(bad, [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..]);
                let skip = if surrogate { 3 } else { error.error_len().unwrap_or(bad.len()) };
                rest = bad.get(skip..).unwrap_or(&[]);
            }
        }
    }
    out
}

/// The text, cut at a character boundary at or below `bytes_max`.
#[must_use]
pub fn cap(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// An object key of at most [`limits::REF_BYTES_MAX`] bytes. A longer one keeps its head and ends in
/// `~` and the SHA-256 of the whole, so different keys stay different.
#[must_use]
pub fn bounded_ref(key: &str) -> String {
    let (key, _) = clean(key);
    if key.len() <= limits::REF_BYTES_MAX {
        return key.into_owned();
    }
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let head = cap(&key, limits::REF_BYTES_MAX.saturating_sub(65));
    format!("{head}~{}", hex::encode(hash.as_ref()))
}

/// Plain text of HTML: tags become spaces, scripts and styles vanish, entities are resolved once,
/// white space collapses. Linear in the input.
#[must_use]
pub fn strip_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len().min(limits::VERBATIM_BYTES_MAX));
    // Nothing after the last `>` can be a tag; without this, `<a<a<a` would be searched n times.
    let (mut rest, tail) = html.split_at(html.rfind('>').map_or(0, |at| at.saturating_add(1)));
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        rest = match after_tag(tag) {
            Some(after) => {
                out.push(' ');
                after
            }
            None => {
                // A bare `<` in prose.
                out.push('<');
                tag.get(1..).unwrap_or("")
            }
        };
    }
    out.push_str(rest);
    out.push_str(tail);
    collapse(&entities(&out))
}

/// What follows a tag, a comment, or a script or style with its content.
fn after_tag(tag: &str) -> Option<&str> {
    if let Some(comment) = tag.strip_prefix("<!--") {
        return Some(comment.split_once("-->").map_or("", |(_, after)| after));
    }
    let next = tag.chars().nth(1)?;
    if !(next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
        return None;
    }
    let (head, after) = tag.split_once('>')?;
    for (open, close) in [("<script", "</script"), ("<style", "</style")] {
        if head.get(..open.len()).is_some_and(|h| h.eq_ignore_ascii_case(open)) {
            let end = find_ignore_case(after, close).unwrap_or(after.len());
            let tail = after.get(end..).unwrap_or("");
            return Some(tail.split_once('>').map_or("", |(_, rest)| rest));
        }
    }
    Some(after)
}

fn find_ignore_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Resolve the entities that occur in mail and tickets; each once, so `&amp;lt;` stays `&lt;`.
#[must_use]
pub fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = tail.as_bytes().iter().take(12).position(|b| *b == b';');
        let name = end.and_then(|end| tail.get(1..end));
        if let (Some(end), Some(c)) = (end, name.and_then(entity)) {
            out.push(c);
            rest = tail.get(end.saturating_add(1)..).unwrap_or("");
        } else {
            out.push('&');
            rest = tail.get(1..).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        "nbsp" => return Some(' '),
        "mdash" => return Some('\u{2014}'),
        "ndash" => return Some('\u{2013}'),
        "hellip" => return Some('\u{2026}'),
        "lsquo" => return Some('\u{2018}'),
        "rsquo" => return Some('\u{2019}'),
        "ldquo" => return Some('\u{201c}'),
        "rdquo" => return Some('\u{201d}'),
        _ => name.strip_prefix('#')?,
    };
    let number = match code.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => code.parse().ok()?,
    };
    char::from_u32(number).filter(|c| *c != '\0')
}

/// Runs of white space become one space; none at the ends.
#[must_use]
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
