//! A text in the form in which it is matched, and the way back.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::letters;
use crate::social::score::Span;

/// Why a text cannot be judged by lists of English words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Odd {
    /// A quarter of it or more are controls, characters without meaning, or marks heaped on others.
    Unreadable,
    /// Most of its words have letters that are neither Latin nor drawn like Latin ones.
    Foreign,
}

/// A text as it is matched: compatibility forms, case, quotes, dashes, runs of space and letters that look
/// alike are one; what is not seen, and accents, are gone. Folding twice changes nothing.
#[derive(Debug)]
pub struct Folded<'a> {
    original: &'a str,
    text: String,
    /// For each byte of `text`, where it came from.
    origins: Vec<(u32, u32)>,
    odd: Option<Odd>,
}

impl<'a> Folded<'a> {
    /// Folds, in one pass. Spans are kept for the first 4 GiB.
    #[must_use]
    pub fn new(original: &'a str) -> Self {
        let mut folding = Folding {
            text: String::with_capacity(original.len()),
            origins: Vec::with_capacity(original.len()),
        };
        let mut census = Census::default();
        for (at, c) in original.char_indices() {
            let end = at + c.len_utf8();
            let origin = (narrow(at), narrow(end));
            census.count(c);
            match c {
                'a'..='z' | '0'..='9' => folding.push(c, origin),
                _ => letters::fold(c, &mut |part| folding.push(part, origin)),
            }
        }
        let odd = census.odd(&folding.text);
        Self { original, text: folding.text, origins: folding.origins, odd }
    }

    /// What is matched against.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it was made of.
    #[must_use]
    pub const fn original(&self) -> &'a str {
        self.original
    }

    /// Whether lists of words say nothing about it.
    #[must_use]
    pub const fn odd(&self) -> Option<Odd> {
        self.odd
    }

    /// Where a range of [`Self::text`] came from. An empty or foreign range is empty at the end.
    #[must_use]
    pub fn span(&self, folded: &Range<usize>) -> Span {
        let ends = |range: &[(u32, u32)]| Some((range.first()?.0, range.last()?.1));
        match self.origins.get(folded.clone()).and_then(ends) {
            Some((start, end)) => Span { start: wide(start), end: wide(end) },
            None => Span { start: self.original.len(), end: self.original.len() },
        }
    }

    /// The original between the ends of a range of [`Self::text`].
    #[must_use]
    pub fn shown(&self, folded: &Range<usize>) -> &'a str {
        let span = self.span(folded);
        self.original.get(span.start..span.end).unwrap_or_default()
    }

    /// Its words: letters, digits, and apostrophes between them; with their place in [`Self::text`].
    pub fn words(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = self.text.get(from..)?;
            let start = from + rest.find(is_word)?;
            let tail = self.text.get(start..)?;
            let mut end = start;
            for (at, c) in tail.char_indices() {
                let inner = c == '\'' && tail.get(at + 1..).is_some_and(|t| t.starts_with(is_word));
                if !is_word(c) && !inner {
                    break;
                }
                end = start + at + c.len_utf8();
            }
            from = end;
            Some((start..end, self.text.get(start..end)?))
        })
    }

    /// Whether a range of [`Self::text`] neither begins nor ends inside a word.
    #[must_use]
    pub fn bounded(&self, range: &Range<usize>) -> bool {
        let at = |index: Range<usize>| self.text.get(index);
        let first = at(range.start..range.end).and_then(|t| t.chars().next());
        let last = at(range.start..range.end).and_then(|t| t.chars().next_back());
        let before = at(0..range.start).and_then(|t| t.chars().next_back());
        let after = at(range.end..self.text.len()).and_then(|t| t.chars().next());
        let joined =
            |a: Option<char>, b: Option<char>| a.is_some_and(is_word) && b.is_some_and(is_word);
        !joined(before, first) && !joined(last, after)
    }
}

/// Letters and digits make words.
fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// A text folded, when nobody asks where it came from.
#[must_use]
pub fn fold(text: &str) -> String {
    Folded::new(text).text
}

struct Folding {
    text: String,
    origins: Vec<(u32, u32)>,
}

impl Folding {
    fn push(&mut self, c: char, origin: (u32, u32)) {
        if c == ' ' && self.text.ends_with(' ') {
            if let Some(last) = self.origins.last_mut() {
                last.1 = origin.1;
            }
            return;
        }
        self.text.push(c);
        self.origins.extend(std::iter::repeat_n(origin, c.len_utf8()));
    }
}

/// What is counted to tell whether a text can be read.
#[derive(Default)]
struct Census {
    characters: usize,
    strange: usize,
    marks_in_a_row: usize,
}

impl Census {
    fn count(&mut self, c: char) {
        self.characters += 1;
        // Joiners and variation selectors are parts of emoji.
        let of_emoji =
            matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}');
        let mark = letters::diacritic(c);
        self.marks_in_a_row = if mark { self.marks_in_a_row + 1 } else { 0 };
        let control = c.is_control() && !c.is_whitespace();
        let private =
            matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fffd}');
        let hidden = letters::unseen(c) && !of_emoji;
        if control || private || hidden || self.marks_in_a_row > 2 {
            self.strange += 1;
        }
    }

    fn odd(&self, folded: &str) -> Option<Odd> {
        if self.strange > 1 && self.strange * 4 >= self.characters {
            return Some(Odd::Unreadable);
        }
        let words = folded.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        let (latin, other) = words.fold((0, 0), |(latin, other): (usize, usize), word| {
            if word.is_ascii() { (latin + 1, other) } else { (latin, other + 1) }
        });
        (other > latin).then_some(Odd::Foreign)
    }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn wide(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Folded, Odd, Span, fold};

    /// Text as people evade with: letters of many scripts, marks, what is not seen, quotes, space.
    fn evasive() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof![
                any::<char>(),
                prop::char::range('a', 'z'),
                prop::sample::select(
                    "’‘“— \n\t\u{200b}\u{202e}\u{301}аеоѕіΝνＨ𝓱ﬁ™🅰İß½'-\u{0}\u{fdfa}"
                        .chars()
                        .collect::<Vec<_>>()
                ),
            ],
            0..200,
        )
        .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in evasive()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn every_part_comes_from_somewhere(text in evasive(), a in 0usize..400, b in 0usize..400) {
            let folded = Folded::new(&text);
            let span = folded.span(&(a.min(b)..a.max(b)));
            prop_assert!(span.start <= span.end && span.end <= text.len());
            prop_assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
            let mut reached = 0;
            for (at, c) in folded.text().char_indices() {
                let span = folded.span(&(at..at + c.len_utf8()));
                prop_assert!(span.start < span.end && span.end >= reached);
                prop_assert!(folded.shown(&(at..at + c.len_utf8())).len() == span.end - span.start);
                reached = span.end;
            }
        }

        #[test]
        fn words_are_whole(text in evasive()) {
            let folded = Folded::new(&text);
            for (at, word) in folded.words() {
                prop_assert!(!word.is_empty() && folded.bounded(&at), "{:?}", word);
            }
            let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).count();
            prop_assert_eq!(folded.words().map(|(_, w)| letters(w)).sum::<usize>(), letters(folded.text()));
        }
    }

    #[test]
    fn the_way_back_covers_what_was_dropped() {
        let text = "so  Hung\u{200b}o\u{301}ver—now";
        let folded = Folded::new(text);
        assert_eq!(folded.text(), "so hungover now");
        assert_eq!(folded.shown(&(3..11)), "Hung\u{200b}o\u{301}ver");
        assert_eq!(folded.shown(&(2..3)), "  ");
        assert_eq!(folded.span(&(0..2)), Span { start: 0, end: 2 });
        assert_eq!(folded.span(&(9..99)), Span { start: text.len(), end: text.len() });
    }

    #[test]
    fn words_keep_their_apostrophes() {
        let folded = Folded::new("I can’t—'really'—#cope @you_all 16-18");
        let words: Vec<_> = folded.words().map(|(_, word)| word).collect();
        assert_eq!(words, ["i", "can't", "really", "cope", "you", "all", "16", "18"]);
    }

    #[test]
    fn what_cannot_be_read_is_odd() {
        for (text, odd) in [
            ("I feel awful 🤢 👩‍👩‍👧 ❤️", None),
            ("", None),
            ("🍻🍻🍻", None),
            ("сегодня очень плохо", Some(Odd::Foreign)),
            ("二日酔い", Some(Odd::Foreign)),
            ("je suis épuisé", None),
            ("h\u{200b}e\u{200b}l\u{200b}p", Some(Odd::Unreadable)),
            ("hel\u{200b}p m", None),
            ("\u{e000}\u{e001}", Some(Odd::Unreadable)),
            ("h\u{301}\u{302}\u{303}\u{304}\u{305}i", Some(Odd::Unreadable)),
        ] {
            assert_eq!(Folded::new(text).odd(), odd, "{text:?}");
        }
    }
}
