//! A list of phrases, found in folded text at the bounds of words.

use std::{collections::BTreeSet, ops::Range};

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::fold::{Folded, fold};

/// How the words of a phrase may be joined in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// By a space (or hyphen: folding makes it one); without it only in a hashtag (`#sundayscaries`).
    Spaced,
    /// As in a name: with or without (`Drip Drop`, `DripDrop`).
    Either,
}

/// Where a phrase was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Which phrase of the list.
    pub phrase: usize,
    /// Where, in the folded text.
    pub at: Range<usize>,
}

/// A list that cannot be compiled, and which of it is to blame.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadPhrase(String);

impl BadPhrase {
    pub(super) fn new(problems: &[String]) -> Self {
        Self(problems.join(", "))
    }
}

/// Phrases, matched all at once. Apostrophes may be missing in the text (`cant`).
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Phrases {
    list: Vec<String>,
    automaton: Option<AhoCorasick>,
    /// For each pattern, its phrase.
    of: Vec<usize>,
}

impl TryFrom<Vec<String>> for Phrases {
    type Error = BadPhrase;

    fn try_from(list: Vec<String>) -> Result<Self, BadPhrase> {
        Self::new(list, Joined::Spaced)
    }
}

impl Phrases {
    /// Compiles a list; hits name phrases by their place in it.
    ///
    /// # Errors
    /// Phrases that fold to nothing or to the same, or too many of them for one automaton.
    pub fn new(list: Vec<String>, joined: Joined) -> Result<Self, BadPhrase> {
        let (mut patterns, mut of, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (nth, phrase) in list.iter().enumerate() {
            let folded = fold(phrase);
            let folded = folded.trim();
            if folded.is_empty() {
                bad.push(format!("nothing is left of {phrase:?} when it is folded"));
            } else if !seen.insert(folded.to_owned()) {
                bad.push(format!("{phrase:?} is there twice"));
            }
            for pattern in ways(folded, joined) {
                patterns.push(pattern);
                of.push(nth);
            }
        }
        if !bad.is_empty() {
            return Err(BadPhrase::new(&bad));
        }
        let build = || AhoCorasick::builder().match_kind(MatchKind::Standard).build(&patterns);
        let automaton = (!patterns.is_empty()).then(build).transpose();
        Ok(Self { list, automaton: automaton.map_err(|e| BadPhrase(e.to_string()))?, of })
    }

    /// The phrases as they were written.
    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.list
    }

    /// All hits at the bounds of words, overlapping ones too, in the order of their ends.
    pub fn find<'f>(&'f self, text: &'f Folded<'_>) -> impl Iterator<Item = Hit> + 'f {
        let all = self.automaton.iter().flat_map(|a| a.find_overlapping_iter(text.text()));
        all.filter_map(|found| {
            let hit = Hit { phrase: *self.of.get(found.pattern().as_usize())?, at: found.range() };
            text.bounded(&hit.at).then_some(hit)
        })
    }

    /// Whether any phrase is there.
    #[must_use]
    pub fn any(&self, text: &Folded<'_>) -> bool {
        self.find(text).next().is_some()
    }

    /// The phrase of a hit, as it was written.
    #[must_use]
    pub fn phrase(&self, hit: &Hit) -> &str {
        self.list.get(hit.phrase).map_or("", String::as_str)
    }
}

/// Regular expressions over folded text (lower case, no dashes), matched at the bounds of words.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Patterns(Vec<Regex>);

impl TryFrom<Vec<String>> for Patterns {
    type Error = BadPhrase;

    fn try_from(list: Vec<String>) -> Result<Self, BadPhrase> {
        let build = |pattern: &String| RegexBuilder::new(pattern).size_limit(1 << 20).build();
        let built: Result<_, _> = list.iter().map(build).collect();
        built.map(Self).map_err(|e| BadPhrase(e.to_string()))
    }
}

impl Patterns {
    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where each matches, in the folded text.
    pub fn find<'f>(&'f self, text: &'f Folded<'_>) -> impl Iterator<Item = Range<usize>> + 'f {
        let all = self.0.iter().flat_map(|pattern| pattern.find_iter(text.text()));
        all.map(|found| found.range()).filter(|at| !at.is_empty() && text.bounded(at))
    }
}

/// The forms in which a folded phrase is looked for.
fn ways(folded: &str, joined: Joined) -> BTreeSet<String> {
    let mut ways = BTreeSet::from([folded.to_owned()]);
    if folded.contains('\'') {
        ways.insert(folded.replace('\'', ""));
    }
    let spaced: Vec<_> = ways.iter().filter(|way| way.contains(' ')).cloned().collect();
    for way in spaced {
        match joined {
            Joined::Spaced => {
                ways.insert(format!("#{}", way.replace([' ', '\''], "")));
            }
            Joined::Either => {
                let mut forms = vec![String::new()];
                for word in way.split(' ') {
                    // Long names are written as a whole or spaced.
                    let apart = forms.first().is_some_and(|first| !first.is_empty());
                    let more = forms.iter().filter(|_| apart && way.matches(' ').count() <= 4);
                    let mut more: Vec<_> = more.map(|form| format!("{form} {word}")).collect();
                    forms.iter_mut().for_each(|form| form.push_str(word));
                    forms.append(&mut more);
                }
                ways.extend(forms);
            }
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::{Folded, Joined, Patterns, Phrases};

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn found(list: &[&str], joined: Joined, text: &str) -> Vec<String> {
        let phrases = Phrases::new(owned(list), joined).unwrap();
        let text = Folded::new(text);
        phrases.find(&text).map(|hit| format!("{}:{}", hit.phrase, text.shown(&hit.at))).collect()
    }

    #[test]
    fn phrases_are_found_at_the_bounds_of_words() {
        let list = ["hangover", "can't stop", "sunday scaries", "i feel", "feel like death", "$5"];
        for (text, hits) in [
            ("Hangover! hangovers, #hangover", vec!["0:Hangover", "0:hangover"]),
            ("I can’t  stop; cant stop; cannot stop", vec!["1:can’t  stop", "1:cant stop"]),
            (
                "Sunday-Scaries #SundayScaries sundayscaries",
                vec!["2:Sunday-Scaries", "2:#SundayScaries"],
            ),
            ("I feel like death", vec!["3:I feel", "4:feel like death"]),
            ("for $5 or $50", vec!["5:$5"]),
            ("_hangover_ hangover's", vec!["0:hangover", "0:hangover"]),
        ] {
            assert_eq!(found(&list, Joined::Spaced, text), hits, "{text}");
        }
    }

    #[test]
    fn names_are_found_however_they_are_joined() {
        for (text, hits) in
            [("Drip Drop drip-drop DripDrop", 3), ("the raindrip dropped", 0), ("drip dropped", 0)]
        {
            assert_eq!(found(&["Drip Drop"], Joined::Either, text).len(), hits, "{text}");
        }
        for text in ["liquid i.v.", "LiquidI.V.", "Liquid-I.V. is"] {
            assert_eq!(found(&["Liquid I.V."], Joined::Either, text).len(), 1, "{text}");
        }
        assert_eq!(found(&["a b c"], Joined::Either, "abc; a bc; ab c; a b c").len(), 4);
    }

    #[test]
    fn what_cannot_match_is_refused_all_of_it() {
        let bad = Phrases::try_from(owned(&["a b", "\u{200b}—", "A-b"])).unwrap_err().to_string();
        assert_eq!(
            bad,
            "nothing is left of \"\\u{200b}—\" when it is folded, \"A-b\" is there twice"
        );
        assert!(!Phrases::try_from(vec![]).unwrap().any(&Folded::new("a")));
        assert!(Patterns::try_from(owned(&["(a"])).is_err());
    }

    #[test]
    fn patterns_are_found_at_the_bounds_of_words() {
        let patterns = Patterns::try_from(owned(&["i'?m 1[0-7]", "x*"])).unwrap();
        let at = |text| patterns.find(&Folded::new(text)).count();
        assert_eq!([at("I’m 16."), at("im 16"), at("I'm 160"), at("trim 16")], [1, 1, 0, 0]);
    }
}
