//! Whether a post is about our subject, by the taxonomy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Folded, Span,
    fold::fold,
    phrases::{BadPhrase, Joined, Phrases},
};
use crate::social::{
    profile::{Category, Profile},
    trials::even,
    vocabulary::{Change, What},
};

/// The categories, compiled to one automaton.
#[derive(Debug)]
pub struct Taxonomy {
    categories: Vec<Category>,
    phrases: Phrases,
    /// For each phrase, the places of its categories, and whether it speaks for them alone.
    of: Vec<Vec<(usize, bool)>>,
    /// Terms that count in a share of texts only.
    tried: BTreeMap<String, f64>,
    /// Terms that are more urgent by one than their category.
    raised: BTreeSet<String>,
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
            Ok(phrases) if bad.is_empty() => Ok(Self {
                categories,
                phrases,
                of,
                tried: BTreeMap::new(),
                raised: BTreeSet::new(),
            }),
            _ => Err(BadPhrase::new(&bad)),
        }
    }

    /// With changes laid over it, in order. An addition that is there already, or to a category that is not, is none.
    ///
    /// # Errors
    /// Terms that cannot match.
    pub(in crate::social) fn changed(self, changes: &[Change]) -> Result<Self, BadPhrase> {
        let (mut categories, mut raised) = (self.categories, self.raised);
        let mut tried = self.tried;
        for change in changes {
            let term = &change.term;
            match change.what {
                What::Raise => drop(raised.insert(term.clone())),
                What::Retire => {
                    for category in &mut categories {
                        category.terms.retain(|known| known != term);
                        category.common.retain(|known| known != term);
                    }
                }
                What::Add => {
                    let known = |known: &String| fold(known).trim() == fold(term).trim();
                    if categories.iter().any(|of| of.terms.iter().chain(&of.common).any(known)) {
                        continue;
                    }
                    let of = |of: &&mut Category| Some(&of.name) == change.category.as_ref();
                    let Some(category) = categories.iter_mut().find(of) else { continue };
                    category.terms.push(term.clone());
                    if change.share < 1.0 {
                        tried.insert(term.clone(), change.share);
                    }
                }
            }
        }
        Ok(Self { tried, raised, ..Self::new(categories)? })
    }

    /// Whether a term counts in a text: one that is tried does in a share of them, always the same.
    fn counts(&self, term: &str, text: &Folded<'_>) -> bool {
        let share = self.tried.get(term);
        share.is_none_or(|share| even(&format!("keyword {term}"), text.text()) < *share)
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
        .filter(|(_, _, hit)| taxonomy.counts(taxonomy.phrases.phrase(hit), text))
        .filter_map(|(nth, alone, hit)| Some((nth, taxonomy.categories.get(nth)?, alone, hit)))
        .collect();
    let by_itself: BTreeSet<&str> = found
        .iter()
        .filter(|(_, _, alone, _)| *alone)
        .map(|(_, category, _, _)| category.name.as_str())
        .collect();
    let mut answer = Keywords::default();
    let mut present = BTreeSet::new();
    let mut raised = None;
    for (nth, category, alone, hit) in &found {
        if !alone && !category.beside.iter().any(|name| by_itself.contains(name.as_str())) {
            continue;
        }
        present.insert((category.priority, *nth));
        let term = taxonomy.phrases.phrase(hit);
        if taxonomy.raised.contains(term) {
            let before = category.priority.saturating_sub(1).max(1);
            raised = Some(raised.map_or(before, |least: u8| least.min(before)));
        }
        if !answer.matches.iter().any(|known| known == term) {
            answer.matches.push(term.to_owned());
        }
        answer.hits.push(KeywordHit {
            category: category.name.clone(),
            term: term.to_owned(),
            span: text.span(&hit.at),
        });
    }
    answer.priority =
        present.first().map(|(priority, _)| *priority).into_iter().chain(raised).min();
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
    use super::{Change, Folded, What, keywords};
    use crate::social::profile::{Profile, vita};

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
    fn changes_are_laid_over_in_order_and_a_trial_counts_in_its_share() {
        let change = |version, term: &str, what, category: Option<&str>, share| Change {
            version,
            term: term.into(),
            what,
            category: category.map(Into::into),
            share,
        };
        let laid = |changes: &[Change]| {
            Profile::parse(Profile::shipped("vita").unwrap()).unwrap().changed(changes).unwrap()
        };
        let profile = laid(&[
            change(1, "hungover", What::Retire, None, 1.0),
            change(2, "tried everything", What::Add, Some("recovery_intent"), 1.0),
            change(3, "tried everything", What::Raise, None, 1.0),
            change(4, "Tequila", What::Add, Some("slang"), 1.0),
            change(5, "lost weekend", What::Add, Some("nowhere"), 1.0),
        ]);
        assert_eq!((profile.keywords.len(), profile.keywords.get(..2)), (10, Some("+k")));
        let of = |text: &str| {
            let found = keywords(&Folded::new(text), &profile);
            (found.matches.join(","), found.priority)
        };
        assert_eq!(of("so hungover"), (String::new(), None));
        assert_eq!(of("tequila, tried everything"), ("tequila,tried everything".into(), Some(5)));
        assert_eq!(of("i tried everything").1, Some(5), "six is that of its category");
        assert_eq!(of("a lost weekend"), (String::new(), None));
        let trial = laid(&[change(1, "tried everything", What::Add, Some("slang"), 0.1)]);
        let found = (0..1000).filter(|nth| {
            keywords(&Folded::new(&format!("tried everything {nth}")), &trial).relevant
        });
        let found = found.count();
        assert!((70..140).contains(&found), "{found}");
        let again = laid(&[
            change(1, "tried everything", What::Add, Some("slang"), 1.0),
            change(2, "tried everything", What::Retire, None, 1.0),
        ]);
        assert!(!keywords(&Folded::new("tried everything"), &again).relevant);
        assert_ne!(trial.keywords, again.keywords);
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
