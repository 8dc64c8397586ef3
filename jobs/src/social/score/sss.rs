//! SSS: how far somebody seeks a solution, rather than comments.

use super::{
    Evidence, Signal, Span, Terms,
    cues::{self, Cue},
    unit,
};

/// Where a text without any cue stands (spec 3.1).
const BASE: f64 = 0.4;
/// Questions that count.
const QUESTIONS_MAX: usize = 2;
/// Share of the distance to the semantic opinion that is gone, and the furthest it may move the score.
const SEMANTIC_SHARE: f64 = 0.3;
const SEMANTIC_MAX: f64 = 0.15;
/// Sum of weights at which 63 % of the possible confidence is reached.
const AMOUNT: f64 = 0.35;

/// `clamp(0.4 + sum of the cues)`, each kind of cue once (questions twice): spec 3.1, the deterministic definition.
///
/// `semantic` is how near the text is to help-seeking (1) rather than commentary (0) by local embeddings or a model; it
/// moves the score by 0.3 of the difference, at most by 0.15. Confidence is 0.4 where no cue was found, up to
/// 0.95 as the cues are many and agree, and moves by up to 0.1 as the two opinions agree or not; an empty text
/// has 0. The cues are English: another language has none.
#[must_use]
pub fn sss(text: &str, terms: &Terms, semantic: Option<f64>) -> Signal {
    let words = cues::words(text);
    if words.is_empty() {
        return Signal::default();
    }
    let mut evidence = evidence(text, &words, terms);
    let sum: f64 = evidence.iter().map(|e| e.weight).sum();
    let strength: f64 = evidence.iter().map(|e| e.weight.abs()).sum();
    let rule = unit(BASE + sum);
    let agreement = if strength > 0.0 { sum.abs() / strength } else { 0.0 };
    let confidence = 0.4 + 0.55 * agreement * (1.0 - (-strength / AMOUNT).exp());
    let Some(semantic) = semantic.filter(|s| s.is_finite()).map(unit) else {
        return Signal::new(rule, confidence, evidence);
    };
    let shift = (SEMANTIC_SHARE * (semantic - rule)).clamp(-SEMANTIC_MAX, SEMANTIC_MAX);
    evidence.push(Evidence::new("second opinion", shift));
    let confidence = confidence + 0.1 * (1.0 - 2.0 * (semantic - rule).abs());
    Signal::new(rule + shift, confidence.clamp(0.0, 0.95), evidence)
}

fn evidence(text: &str, words: &[cues::Word<'_>], terms: &Terms) -> Vec<Evidence> {
    let mut found: Vec<(Cue, Span)> = cues::find(text, words);
    let known = [
        (Cue::Pain, &terms.pain),
        (Cue::Symptom, &terms.symptom),
        (Cue::Impairment, &terms.impairment),
    ];
    found.extend(known.iter().flat_map(|(cue, spans)| spans.iter().map(|span| (*cue, *span))));
    let asked = questions(text, &found);
    found.retain(|(cue, _)| !matches!(cue, Cue::Question | Cue::Watching));
    found.extend(asked.into_iter().map(|span| (Cue::Question, span)));
    found.sort_by_key(|(cue, span)| (*cue, *span));
    let mut evidence = Vec::new();
    let (mut last, mut times) = (None, 0);
    for (cue, span) in found {
        times = if last == Some(cue) { times + 1 } else { 1 };
        last = Some(cue);
        let most = if cue == Cue::Question { QUESTIONS_MAX } else { 1 };
        if times <= most {
            let (what, weight) = cue.of_sss();
            evidence.push(Evidence::at(what, weight, span));
        }
    }
    evidence
}

/// Sentences that end in a question mark, less the rhetorical ones; without any mark, the first question phrase.
fn questions(text: &str, found: &[(Cue, Span)]) -> Vec<Span> {
    let rhetorical = |span: Span| found.iter().any(|(c, s)| *c == Cue::Rhetorical && s.meets(span));
    let asked: Vec<Span> =
        sentences(text).into_iter().filter(|(_, end)| *end == '?').map(|(span, _)| span).collect();
    if asked.is_empty() {
        let phrase = found.iter().find(|(cue, _)| *cue == Cue::Question);
        return phrase.map(|(_, span)| *span).into_iter().collect();
    }
    asked.into_iter().filter(|span| !rhetorical(*span)).collect()
}

/// The sentences with words in them, and the mark that ends each (a space where none does).
pub(super) fn sentences(text: &str) -> Vec<(Span, char)> {
    let mut sentences = Vec::new();
    let (mut start, mut worded) = (0, false);
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        worded |= c.is_alphanumeric();
        if !matches!(c, '.' | '!' | '?' | '\n') {
            continue;
        }
        if worded {
            let mark = if c == '\n' { ' ' } else { c };
            sentences.push((Span { start, end: at }, mark));
        } else if c == '?'
            && let Some((_, mark)) = sentences.last_mut()
        {
            // "really!?" asks.
            *mark = '?';
        }
        (start, worded) = (at + c.len_utf8(), false);
    }
    sentences
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn score(text: &str) -> f64 {
        sss(text, &Terms::default(), None).score
    }

    #[test]
    fn each_kind_of_cue_counts_as_the_brief_says() {
        for (text, expected) in [
            ("a plain remark", 0.4),
            ("is it over?", 0.65),
            ("is it over? really? or not?", 0.9),
            ("how do i get through this", 0.65),
            ("why did i do that?", 0.4),
            ("send me anything asap", 0.55),
            ("asap asap asap", 0.55),
            ("it hurts", 0.6),
            ("it hurts lol", 0.5),
            ("lol oh well", 0.22),
            ("this hurts, please help, what helps?", 1.0),
            ("I'm shaking", 0.5),
            ("i have work in the morning", 0.52),
            ("remember when we danced", 0.32),
            ("haha i'm dead, literally, i never learn, oh well, good times", 0.0),
        ] {
            assert!((score(text) - expected).abs() < 1e-9, "{text}: {}", score(text));
        }
    }

    #[test]
    fn an_empty_text_says_nothing() {
        assert_eq!(sss("", &Terms::default(), Some(0.9)), Signal::default());
        assert_eq!(sss("?!?", &Terms::default(), None), Signal::default());
    }

    #[test]
    fn facts_of_the_profile_count_once_and_keep_their_place() {
        let span = Span { start: 2, end: 5 };
        let terms = Terms { symptom: vec![span, span], ..Terms::default() };
        let signal = sss("oh woe", &terms, None);
        assert!((signal.score - 0.5).abs() < 1e-9);
        assert_eq!(signal.evidence, [Evidence::at("symptoms", 0.10, span)]);
    }

    #[test]
    fn cues_that_agree_make_sure_and_cues_that_do_not_unsure() {
        let confidence = |text| sss(text, &Terms::default(), None).confidence;
        assert!((confidence("a plain remark") - 0.4).abs() < 1e-9);
        assert!(confidence("it hurts, please help, what helps?") > 0.75);
        assert!(confidence("it hurts lol literally") < 0.45);
    }

    #[test]
    fn the_semantic_opinion_is_bounded() {
        let terms = Terms::default();
        let by = |s| sss("a plain remark", &terms, s);
        assert!((by(Some(1.0)).score - 0.55).abs() < 1e-9, "0.3 of 0.6 would be 0.18");
        assert!((by(Some(0.6)).score - 0.46).abs() < 1e-9);
        assert_eq!(by(Some(f64::NAN)), by(None));
        assert!(by(Some(0.4)).confidence > by(None).confidence);
        assert!(by(Some(1.0)).confidence < by(None).confidence);
    }

    proptest! {
        #[test]
        fn any_text_is_scored_in_range(text in ".{0,200}", semantic: Option<f64>, start: usize, end: usize) {
            let terms = Terms { pain: vec![Span { start, end }], ..Terms::default() };
            let signal = sss(&text, &terms, semantic);
            prop_assert!((0.0..=1.0).contains(&signal.score));
            prop_assert!((0.0..=1.0).contains(&signal.confidence));
        }

        #[test]
        fn a_nearer_meaning_never_scores_less(text in "[a-z ?!]{0,60}", a in 0.0..1.0, b in 0.0..1.0) {
            let by = |s| sss(&text, &Terms::default(), Some(s)).score;
            prop_assert!(by(f64::min(a, b)) <= by(f64::max(a, b)));
        }
    }
}
