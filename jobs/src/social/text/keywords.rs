//! Whether a post is about our subject, by the taxonomy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Folded, Span,
    phrases::{BadPhrase, Joined, Phrases},
};
use crate::social::profile::{Category, Profile};

/// The categories, compiled to one automaton.
#[derive(Debug)]
pub struct Taxonomy {
    categories: Vec<Category>,
    phrases: Phrases,
    /// For each phrase, the places of its categories, and whether it speaks for them alone.
    of: Vec<Vec<(usize, bool)>>,
}

impl Taxonomy {
    /// Compiles.
    ///
    /// # Errors
    /// Terms that cannot match or are twice in a category, and companions that are no category.
    pub(in crate::social) fn new(categories: Vec<Category>) -> Result<Self, BadPhrase> {
        let names: BTreeSet<_> = categories.iter().map(|category| category.name.as_str()).collect();
        let mut bad = Vec::new();
        // A term may speak for several categories.
        let mut terms = BTreeMap::<&str, Vec<(usize, bool)>>::new();
        for (nth, category) in categories.iter().enumerate() {
            for strange in category.beside.iter().filter(|name| !names.contains(name.as_str())) {
                bad.push(format!("{}: beside {strange:?}, which is no category", category.name));
            }
            let alone = category.terms.iter().map(|term| (term, true));
            for (term, alone) in alone.chain(category.common.iter().map(|term| (term, false))) {
                let of = terms.entry(term).or_default();
                if of.last().is_some_and(|(known, _)| *known == nth) {
                    bad.push(format!("{}: {term:?} is there twice", category.name));
                }
                of.push((nth, alone));
            }
        }
        let (list, of) = terms.into_iter().map(|(term, of)| (term.to_owned(), of)).unzip();
        let phrases = Phrases::new(list, Joined::Spaced);
        bad.extend(phrases.as_ref().err().map(ToString::to_string));
        match phrases {
            Ok(phrases) if bad.is_empty() => Ok(Self { categories, phrases, of }),
            _ => Err(BadPhrase::new(&bad)),
        }
    }

    /// The categories as they were written.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }
}

/// A term that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeywordHit {
    /// The category; empty for exclusions and disclaimers.
    pub category: String,
    /// The term, as the profile writes it.
    pub term: String,
    /// Where, in the original text.
    pub span: Span,
}

/// What the taxonomy says of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Keywords {
    /// All hits that count, in the order of their ends.
    pub hits: Vec<KeywordHit>,
    /// Their terms, each once, in that order: `posts.keyword_matches`.
    pub matches: Vec<String>,
    /// Categories with a hit, the most urgent first: `posts.keyword_categories`.
    pub categories: Vec<String>,
    /// Of the most urgent one; 1 is most.
    pub priority: Option<u8>,
    /// What makes it none of ours.
    pub exclusions: Vec<KeywordHit>,
    /// What makes it medical.
    pub disclaimers: Vec<KeywordHit>,
    /// It is ours: a category, and no exclusion.
    pub relevant: bool,
    /// It is ours and medical: a person looks before anybody answers.
    pub medical: bool,
}

/// Matches.
#[must_use]
pub fn keywords(text: &Folded<'_>, profile: &Profile) -> Keywords {
    let taxonomy = &profile.taxonomy;
    let found: Vec<_> = taxonomy
        .phrases
        .find(text)
        .flat_map(|hit| {
            let of = taxonomy.of.get(hit.phrase).into_iter().flatten();
            of.map(move |(nth, alone)| (*nth, *alone, hit.clone()))
        })
        .filter_map(|(nth, alone, hit)| Some((nth, taxonomy.categories.get(nth)?, alone, hit)))
        .collect();
    let by_itself: BTreeSet<&str> = found
        .iter()
        .filter(|(_, _, alone, _)| *alone)
        .map(|(_, category, _, _)| category.name.as_str())
        .collect();
    let mut answer = Keywords::default();
    let mut present = BTreeSet::new();
    for (nth, category, alone, hit) in &found {
        if !alone && !category.beside.iter().any(|name| by_itself.contains(name.as_str())) {
            continue;
        }
        present.insert((category.priority, *nth));
        let term = taxonomy.phrases.phrase(hit);
        if !answer.matches.iter().any(|known| known == term) {
            answer.matches.push(term.to_owned());
        }
        answer.hits.push(KeywordHit {
            category: category.name.clone(),
            term: term.to_owned(),
            span: text.span(&hit.at),
        });
    }
    answer.priority = present.first().map(|(priority, _)| *priority);
    let names = present.iter().filter_map(|(_, nth)| taxonomy.categories.get(*nth));
    answer.categories = names.map(|category| category.name.clone()).collect();
    answer.exclusions = flags(&profile.relevance.exclusions, text);
    answer.disclaimers = flags(&profile.relevance.disclaimers, text);
    answer.relevant = !answer.categories.is_empty() && answer.exclusions.is_empty();
    answer.medical = answer.relevant && !answer.disclaimers.is_empty();
    answer
}

fn flags(list: &Phrases, text: &Folded<'_>) -> Vec<KeywordHit> {
    let hit = |hit| KeywordHit {
        category: String::new(),
        term: list.phrase(&hit).to_owned(),
        span: text.span(&hit.at),
    };
    list.find(text).map(hit).collect()
}

#[cfg(test)]
mod tests {
    use super::{Folded, keywords};
    use crate::social::profile::vita;

    const HIGH: &str = include_str!("examples/high.txt");
    const LOW: &str = include_str!("examples/low.txt");
    const UNRELATED: &str = include_str!("examples/unrelated.txt");

    #[test]
    fn the_taxonomy_finds_what_it_is_for_and_little_else() {
        let profile = vita();
        let relevant = |text: &&str| keywords(&Folded::new(text), profile).relevant;
        let [high, low, unrelated] = [HIGH, LOW, UNRELATED].map(|set| {
            let (found, missed): (Vec<_>, Vec<_>) = set.lines().partition(relevant);
            println!("found {found:#?}\nmissed {missed:#?}");
            (found.len(), set.lines().count())
        });
        println!("high {high:?}, low {low:?}, unrelated {unrelated:?}");
        assert!(high.1 >= 60 && low.1 >= 60 && unrelated.1 >= 70);
        assert!(high.0 * 100 >= high.1 * 90 && low.0 * 100 >= low.1 * 75);
        assert!(unrelated.0 * 100 <= unrelated.1 * 5);
    }

    /// Sentences that were written after the terms, avoiding them, and the terms not changed for them: lists
    /// alone find half at best.
    #[test]
    fn the_taxonomy_holds_for_sentences_it_was_not_written_for() {
        let fresh =
            include_str!("examples/held_out.txt").lines().filter_map(|l| l.split_once('\t'));
        let mut counts = std::collections::BTreeMap::<_, (usize, usize)>::new();
        for (kind, text) in fresh {
            let found = keywords(&Folded::new(text), vita()).relevant;
            let of = counts.entry(kind).or_default();
            *of = (of.0 + usize::from(found), of.1 + 1);
        }
        println!("{counts:?}");
        assert!(counts.values().all(|of| of.1 == 20));
        assert!(
            counts["high"].0 >= 7 && counts["low"].0 >= 8 && counts["unrelated"].0 <= 3,
            "{counts:?}"
        );
    }

    #[test]
    fn all_hits_are_recorded_and_the_priority_is_the_least() {
        let text = "Wine-night was great. HUNGOVER now, so much tequila; dizzy, and hungover still";
        let found = keywords(&Folded::new(text), vita());
        let shown: Vec<_> =
            found.hits.iter().map(|hit| text.get(hit.span.start..hit.span.end).unwrap()).collect();
        assert_eq!(shown, ["Wine", "HUNGOVER", "tequila", "dizzy", "hungover"]);
        assert_eq!(found.matches, ["wine", "hungover", "tequila", "dizzy"]);
        let names = ["direct_hangover", "physical_symptoms_primary", "drinking_context"];
        assert_eq!((found.categories, found.priority), (names.map(str::to_owned).into(), Some(1)));
    }

    #[test]
    fn common_words_need_company() {
        let profile = vita();
        for (text, categories) in [
            ("so dizzy today", vec![]),
            ("dizzy from the tequila", vec!["physical_symptoms_primary", "drinking_context"]),
            // Two common words are no company for each other.
            ("a dizzy wedding party", vec![]),
            ("that song is lit", vec![]),
            ("took an L", vec![]),
            ("I can’t focus since the pub crawl", vec!["cognitive_emotional", "drinking_context"]),
            ("I cant focus since the pub crawl", vec!["cognitive_emotional", "drinking_context"]),
        ] {
            assert_eq!(keywords(&Folded::new(text), profile).categories, categories, "{text}");
        }
    }

    #[test]
    fn exclusions_and_disclaimers_are_applied() {
        let profile = vita();
        for (text, relevant, medical, exclusions) in [
            ("hungover", true, false, 0),
            ("hungover on my new medication", true, true, 0),
            ("my new medication", false, false, 0),
            ("hungover, watching the hangover movie", false, false, 1),
            ("hungover, watching the hangover movies", true, false, 0),
        ] {
            let found = keywords(&Folded::new(text), profile);
            let told = (found.relevant, found.medical, found.exclusions.len());
            assert_eq!(told, (relevant, medical, exclusions), "{text}");
        }
    }

    #[test]
    fn evasion_changes_nothing() {
        let profile = vita();
        let plain =
            keywords(&Folded::new("can't function, hungover after tequila"), profile).matches;
        for text in [
            "can’t function, hung\u{200b}over after tequila",
            "CAN'T FUNCTION, НUNGОVЕR AFTER TEQUILA",
            "can't  function, ｈｕｎｇｏｖｅｒ after 𝓽𝓮𝓺𝓾𝓲𝓵𝓪",
            "cant function, hüngøver after téquila",
        ] {
            assert_eq!(keywords(&Folded::new(text), profile).matches, plain, "{text}");
        }
    }
}
