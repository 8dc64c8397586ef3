//! TRS: whether the post is about the topic, or only uses its words.

use serde::{Deserialize, Serialize};

use super::{
    Evidence, Signal, Span, Terms, count,
    cues::{self, Cue},
    sss::sentences,
    unit,
};

/// Share of the text below which the topic is not what the post is about.
const SECONDARY_SHARE: f64 = 0.25;
/// Probability of a figure of speech where nobody says so and nothing speaks of a body.
const METAPHOR_PRIOR: f64 = 0.2;

/// What the topic's words are doing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// What they mean.
    Actual,
    /// The topic is mentioned in a long text about something else.
    Secondary,
    /// A figure of speech.
    Metaphor,
    /// A trade's own word.
    Jargon,
    /// A film, a song.
    Entertainment,
    /// Another thing of the same name.
    Collision,
    /// A matter for a physician.
    Medical,
    /// None of them is there.
    Absent,
}

/// The topic signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trs {
    /// Score by category, confidence, evidence.
    pub signal: Signal,
    /// Of the post.
    pub category: Category,
    /// A physician's matter, whatever the score.
    pub medical: bool,
}

/// By category (spec 3.1): entertainment 0, collision 0, medical 0 and flagged, metaphor 0.2, jargon 0.1,
/// secondary 0.3, actual `1 - p / 2`. A post is of the first three kinds of misuse only if *every* topic word
/// in it is; p is `p_metaphor` (a model's), else half the share of topic words in figures of speech, and
/// 0.2 more where neither a first person nor a symptom is near. A title is the topic word with a capital after
/// "The", in a text that speaks of films; never mere capitals or mere words before it.
///
/// Without topic words: 0.6 if the post is `addressed` to us, else 0.
#[must_use]
pub fn trs(text: &str, terms: &Terms, p_metaphor: Option<f64>, addressed: bool) -> Trs {
    let words = cues::words(text);
    let of = |category, score, confidence, evidence| Trs {
        signal: Signal::new(score, confidence, evidence),
        category,
        medical: !terms.medical.is_empty(),
    };
    let named = |what: &str, spans: &[Span]| {
        spans.iter().map(|span| Evidence::at(what, 0.0, *span)).collect::<Vec<_>>()
    };
    if !terms.medical.is_empty() {
        return of(Category::Medical, 0.0, 0.95, named("medical", &terms.medical));
    }
    let mut entertainment = terms.entertainment.clone();
    entertainment.extend(titles(text, &words, terms));
    let misuses = [
        (Category::Entertainment, 0.0, 0.9, "entertainment", &entertainment),
        (Category::Collision, 0.0, 0.9, "another thing of that name", &terms.collision),
        (Category::Metaphor, 0.2, 0.85, "figure of speech", &terms.metaphor),
        (Category::Jargon, 0.1, 0.8, "jargon", &terms.jargon),
    ];
    if terms.topic.is_empty() {
        let misuse = misuses.iter().find(|(.., spans)| !spans.is_empty());
        return match misuse {
            Some((category, score, confidence, what, spans)) => {
                of(*category, *score, *confidence, named(what, spans))
            }
            None if addressed => {
                of(Category::Absent, 0.6, 0.4, vec![Evidence::new("addressed", 0.6)])
            }
            None => of(Category::Absent, 0.0, 0.5, Vec::new()),
        };
    }
    let covered = |spans: &[Span], topic: Span| spans.iter().any(|span| span.meets(topic));
    let meant = |topic: &Span| misuses.iter().all(|(.., spans)| !covered(spans, *topic));
    let literal: Vec<Span> = terms.topic.iter().copied().filter(meant).collect();
    if literal.is_empty() {
        let misuse = |(.., spans): &&(_, _, _, _, &Vec<Span>)| {
            terms.topic.iter().any(|topic| covered(spans, *topic))
        };
        if let Some((category, score, confidence, what, spans)) = misuses.iter().find(misuse) {
            return of(*category, *score, *confidence, named(what, spans));
        }
    }
    let share = share(text, &literal, terms);
    if share < SECONDARY_SHARE {
        return of(Category::Secondary, 0.3, 0.7, vec![Evidence::new("share of the text", share)]);
    }
    let bodily = bodily(&words, terms);
    let (p, confidence) = match p_metaphor.filter(|p| p.is_finite()).map(unit) {
        Some(p) => (p, 0.6 + 0.35 * (2.0 * p - 1.0).abs()),
        None => {
            let figurative = 1.0 - count(literal.len()) / count(terms.topic.len());
            let prior = if bodily { 0.0 } else { METAPHOR_PRIOR };
            (unit(0.5 * figurative + prior), if bodily { 0.9 } else { 0.7 })
        }
    };
    let mut evidence = named("topic", &literal);
    evidence.push(Evidence::new("probability of a figure of speech", p));
    of(Category::Actual, 1.0 - 0.5 * p, confidence, evidence)
}

/// Topic words that are part of a title, where the text speaks of films.
fn titles(text: &str, words: &[cues::Word<'_>], terms: &Terms) -> Vec<Span> {
    if !cues::find(text, words).iter().any(|(cue, _)| *cue == Cue::Watching) {
        return Vec::new();
    }
    let titled = |pair: &[cues::Word<'_>]| match pair {
        [the, word] if the.raw == "The" && capital(word.raw) => Some(word.span),
        _ => None,
    };
    let named: Vec<Span> = words.windows(2).filter_map(titled).collect();
    terms.topic.iter().copied().filter(|topic| named.iter().any(|n| n.meets(*topic))).collect()
}

/// One capital, then small letters: a shouted word is no title.
fn capital(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.any(char::is_lowercase)
}

/// Share of the text in sentences that speak of the topic, of symptoms or pain.
fn share(text: &str, literal: &[Span], terms: &Terms) -> f64 {
    let speaking = [literal, &terms.symptom, &terms.pain, &terms.impairment];
    let (mut all, mut on_topic) = (0, 0);
    for (sentence, _) in sentences(text) {
        let length = sentence.end.saturating_sub(sentence.start);
        all += length;
        if speaking.iter().any(|spans| spans.iter().any(|span| span.meets(sentence))) {
            on_topic += length;
        }
    }
    // Spans that lie in no sentence are not of this text.
    if all == 0 || on_topic == 0 { 1.0 } else { count(on_topic) / count(all) }
}

/// Somebody speaks of himself, or of symptoms.
fn bodily(words: &[cues::Word<'_>], terms: &Terms) -> bool {
    let me = ["i", "i'm", "im", "i've", "my", "me", "we", "we're", "our"];
    !terms.symptom.is_empty()
        || !terms.pain.is_empty()
        || words.iter().any(|word| me.contains(&word.folded.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(text: &str, term: &str) -> Vec<Span> {
        let found = text.to_lowercase();
        found.match_indices(term).map(|(at, m)| Span { start: at, end: at + m.len() }).collect()
    }

    fn terms(text: &str) -> Terms {
        Terms { topic: spans(text, "hangover"), ..Terms::default() }
    }

    fn of(text: &str) -> (Category, f64) {
        let found = trs(text, &terms(text), None, false);
        (found.category, found.signal.score)
    }

    #[test]
    fn ordinary_words_before_the_topic_are_no_title() {
        for text in [
            "I have the worst hangover right now",
            "The worst Hangover of my year, watching tv all day",
            "THE HANGOVER IS KILLING ME, no movie helps",
            "my hangover is real",
            "watching a film with the worst hangover of my life",
        ] {
            assert_eq!(of(text), (Category::Actual, 1.0), "{text}");
        }
    }

    #[test]
    fn a_title_in_a_text_about_films_is_entertainment() {
        assert_eq!(of("Watching The Hangover tonight"), (Category::Entertainment, 0.0));
        assert_eq!(of("The Hangover Part II is the best movie"), (Category::Entertainment, 0.0));
        let both = of("Watching The Hangover with a hangover, help me");
        assert_eq!(both, (Category::Actual, 0.875), "one of two words is meant");
    }

    #[test]
    fn each_misuse_has_its_score() {
        let text = "the market has a hangover";
        let hit = spans(text, "a hangover");
        let with = |change: fn(&mut Terms, Vec<Span>)| {
            let mut terms = terms(text);
            change(&mut terms, hit.clone());
            let found = trs(text, &terms, None, false);
            (found.category, found.signal.score, found.medical)
        };
        assert_eq!(with(|t, s| t.metaphor = s), (Category::Metaphor, 0.2, false));
        assert_eq!(with(|t, s| t.jargon = s), (Category::Jargon, 0.1, false));
        assert_eq!(with(|t, s| t.entertainment = s), (Category::Entertainment, 0.0, false));
        assert_eq!(with(|t, s| t.collision = s), (Category::Collision, 0.0, false));
        assert_eq!(with(|t, s| t.medical = s), (Category::Medical, 0.0, true));
        assert_eq!(with(|_, _| {}), (Category::Actual, 0.9, false), "nobody speaks of himself");
    }

    #[test]
    fn a_quarter_of_the_text_is_enough() {
        let on = "hangover now";
        let rest = |n: usize| format!("{}. {on}", "x".repeat(n));
        assert_eq!(of(&rest(40)).0, Category::Secondary, "13 of 53, with the space");
        assert_eq!(of(&rest(39)).0, Category::Actual);
    }

    #[test]
    fn the_embeddings_have_the_word_where_there_is_one() {
        let text = "I have a hangover";
        let by = |p| trs(text, &terms(text), Some(p), false).signal;
        assert!((by(1.0).score - 0.5).abs() < 1e-9 && (by(0.0).score - 1.0).abs() < 1e-9);
        assert!(by(0.5).confidence < by(0.0).confidence);
        assert_eq!(by(f64::NAN), trs(text, &terms(text), None, false).signal);
    }

    #[test]
    fn without_topic_words_being_addressed_is_all_there_is() {
        let by = |addressed| trs("thank you", &Terms::default(), None, addressed).signal.score;
        assert!((by(true) - 0.6).abs() < 1e-9 && by(false).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn any_text_is_scored_in_range(text in ".{0,120}", start: usize, end: usize, p: Option<f64>) {
            let span = vec![Span { start, end }];
            let terms = Terms { topic: span.clone(), metaphor: span, ..terms(&text) };
            let found = trs(&text, &terms, p, false).signal;
            prop_assert!((0.0..=1.0).contains(&found.score));
            prop_assert!((0.0..=1.0).contains(&found.confidence));
        }
    }
}
