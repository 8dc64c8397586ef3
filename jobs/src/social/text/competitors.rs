//! Who else is spoken of, and how.

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;

use super::{
    Folded, Span,
    phrases::{BadPhrase, Joined, Phrases},
};
use crate::social::profile::{Competition, Competitor, Profile, Satisfaction, Sentiment};

/// How sure a mention read by lists is.
const CONFIDENCE: f64 = 0.9;

/// The competitors, compiled to one automaton.
#[derive(Debug)]
pub struct Competitors {
    list: Vec<Competitor>,
    phrases: Phrases,
    /// For each phrase, its competitor.
    of: Vec<usize>,
}

impl Competitors {
    /// Compiles.
    ///
    /// # Errors
    /// Names that cannot match, or that two have.
    pub(in crate::social) fn new(list: Vec<Competitor>) -> Result<Self, BadPhrase> {
        let keywords = list.iter().flat_map(|competitor| competitor.keywords.iter().cloned());
        let phrases = Phrases::new(keywords.collect(), Joined::Either)?;
        let nths = list.iter().enumerate();
        let of = nths.flat_map(|(nth, c)| std::iter::repeat_n(nth, c.keywords.len())).collect();
        Ok(Self { list, phrases, of })
    }

    /// All of them, as they were written.
    #[must_use]
    pub fn list(&self) -> &[Competitor] {
        &self.list
    }
}

/// A competitor that a text speaks of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mention {
    /// Its name.
    pub competitor: String,
    /// How it was called, as the profile writes it.
    pub keyword: String,
    /// Where, in the original text.
    pub span: Span,
    /// The clause that was read for the rest.
    pub clause: Span,
    /// How it is spoken of.
    pub sentiment: Sentiment,
    /// Whether the author is content with it.
    pub satisfaction: Satisfaction,
    /// How much there is to gain by an answer, 0 to 1.
    pub opportunity: f64,
    /// How sure this is, 0 to 1.
    pub confidence: f64,
}

/// One mention per competitor: of several, the one with the largest opportunity, and of these the first.
/// In the order of the profile.
#[must_use]
pub fn mentions(text: &Folded<'_>, profile: &Profile) -> Vec<Mention> {
    let competitors = &profile.competitors;
    let hits: Vec<_> = competitors.phrases.find(text).collect();
    let names: Vec<_> = hits.iter().map(|hit| hit.at.clone()).collect();
    let clauses = if hits.is_empty() { Vec::new() } else { clauses(text, &names) };
    let mut best: BTreeMap<usize, Mention> = BTreeMap::new();
    let mut judged = BTreeMap::new();
    for hit in hits {
        let Some(nth) = competitors.of.get(hit.phrase).copied() else { continue };
        let Some(competitor) = competitors.list.get(nth) else { continue };
        // Clauses are in order, and each name lies in one.
        let after = clauses.partition_point(|clause| clause.end < hit.at.end);
        let clause = clauses.get(after).cloned().unwrap_or(0..text.text().len());
        let (sentiment, satisfaction) = *judged
            .entry(clause.start)
            .or_insert_with(|| judge(text.shown(&clause), &profile.competition));
        let opportunity = opportunity(sentiment, satisfaction);
        if best.get(&nth).is_some_and(|known| known.opportunity >= opportunity) {
            continue;
        }
        best.insert(
            nth,
            Mention {
                competitor: competitor.name.clone(),
                keyword: competitors.phrases.phrase(&hit).to_owned(),
                span: text.span(&hit.at),
                clause: text.span(&clause),
                sentiment,
                satisfaction,
                opportunity,
                confidence: CONFIDENCE,
            },
        );
    }
    best.into_values().collect()
}

/// What a clause says of whom it names. Blame is heard before praise, and who asks is undecided.
fn judge(clause: &str, lists: &Competition) -> (Sentiment, Satisfaction) {
    let clause = Folded::new(clause);
    let sentiment = if lists.negative.any(&clause) {
        Sentiment::Negative
    } else if lists.positive.any(&clause) {
        Sentiment::Positive
    } else {
        Sentiment::Neutral
    };
    let asks = clause.text().contains('?') && lists.questions.any(&clause);
    let satisfaction = if asks {
        Satisfaction::Questioning
    } else if lists.unsatisfied.any(&clause) {
        Satisfaction::Unsatisfied
    } else if lists.satisfied.any(&clause) {
        Satisfaction::Satisfied
    } else {
        Satisfaction::Questioning
    };
    (sentiment, satisfaction)
}

/// The source's table.
const fn opportunity(sentiment: Sentiment, satisfaction: Satisfaction) -> f64 {
    match (satisfaction, sentiment) {
        (Satisfaction::Unsatisfied, _) => 0.9,
        (Satisfaction::Questioning, _) => 0.7,
        (Satisfaction::Satisfied, Sentiment::Negative) => 0.8,
        (Satisfaction::Satisfied, Sentiment::Neutral) => 0.5,
        (Satisfaction::Satisfied, Sentiment::Positive) => 0.3,
    }
}

/// The clauses of a text, with their last mark. They end at `.`, `!`, `?`, at a line's end, and before
/// "but", "however" and "although"; the dots of a name and of a number end nothing.
fn clauses(text: &Folded<'_>, names: &[Range<usize>]) -> Vec<Range<usize>> {
    let folded = text.text();
    let mut cuts: Vec<usize> = text
        .words()
        .filter(|(_, word)| matches!(*word, "but" | "however" | "although"))
        .map(|(at, _)| at.start)
        .collect();
    for (at, c) in folded.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '!' | '?' => true,
            '.' => folded.get(end..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' ')),
            ' ' => text.shown(&(at..end)).contains(['\n', '\r']),
            _ => false,
        };
        if ends {
            cuts.push(end);
        }
    }
    cuts.sort_unstable();
    let mut names: Vec<_> = names.to_vec();
    names.sort_by_key(|name| name.start);
    let (mut clauses, mut from) = (Vec::new(), 0);
    let mut names = names.iter().peekable();
    for cut in cuts {
        while names.next_if(|name| name.end < cut).is_some() {}
        let inside = names.peek().is_some_and(|name| name.start < cut);
        if cut > from && !inside {
            clauses.push(from..cut);
            from = cut;
        }
    }
    clauses.push(from..folded.len());
    clauses
}

#[cfg(test)]
mod tests {
    use super::{Folded, Mention, Satisfaction, Sentiment, mentions};
    use crate::social::profile::vita;

    fn found(text: &str) -> Vec<Mention> {
        let profile = vita();
        mentions(&Folded::new(text), profile)
    }

    #[test]
    fn names_are_words_however_they_are_joined() {
        for (text, names) in [
            ("the raindrip dropped", vec![]),
            ("so tired after drinking", vec![]),
            ("afterdrink", vec!["AfterDrink"]),
            ("drip-drop and DripDrop and drip drop", vec!["Drip Drop"]),
            ("Liquid IV, liquid i.v., LiquidIV", vec!["Liquid I.V."]),
            ("#liquidiv #PedialytE", vec!["Liquid I.V.", "Pedialyte"]),
            ("cheers to you, and a waterboy joke", vec![]),
            ("Pеdіаlуtе", vec!["Pedialyte"]),
        ] {
            let named: Vec<_> = found(text).into_iter().map(|m| m.competitor).collect();
            assert_eq!(named, names, "{text}");
        }
    }

    #[test]
    fn a_clause_tells_what_is_meant() {
        use Satisfaction::{Questioning, Satisfied, Unsatisfied};
        use Sentiment::{Negative, Neutral, Positive};
        for (text, sentiment, satisfaction, opportunity) in [
            ("Pedialyte didn’t work", Negative, Unsatisfied, 0.9),
            ("Pedialyte saved me", Positive, Satisfied, 0.3),
            ("Pedialyte helped", Neutral, Satisfied, 0.5),
            ("Pedialyte is overpriced and helped", Negative, Satisfied, 0.8),
            ("Pedialyte is gross and amazing", Negative, Questioning, 0.7),
            ("does Pedialyte work?", Neutral, Questioning, 0.7),
            ("Pedialyte did nothing, why?", Negative, Questioning, 0.7),
            ("Pedialyte didn't work?", Negative, Unsatisfied, 0.9),
            ("bought Pedialyte", Neutral, Questioning, 0.7),
            // The clause ends before "but", at marks, and at the line.
            ("Pedialyte helped but the rest was terrible", Neutral, Satisfied, 0.5),
            ("terrible night. Pedialyte helped! it was awful", Neutral, Satisfied, 0.5),
            ("terrible night\nPedialyte helped\nawful", Neutral, Satisfied, 0.5),
            ("terrible night, Pedialyte helped", Negative, Satisfied, 0.8),
            ("at 4.50 Pedialyte is overpriced", Negative, Questioning, 0.7),
        ] {
            let found = found(text);
            let [mention] = found.as_slice() else { panic!("{text}: {found:?}") };
            assert_eq!(
                (mention.sentiment, mention.satisfaction),
                (sentiment, satisfaction),
                "{text}"
            );
            assert!((mention.opportunity - opportunity).abs() < 1e-12, "{text} {mention:?}");
        }
    }

    #[test]
    fn each_is_mentioned_once_where_there_is_most_to_gain() {
        let text = "Liquid I.V. saved me. LMNT is gross. But Liquid I.V. did nothing today. Liquid IV helped";
        let found = found(text);
        let names: Vec<_> = found.iter().map(|m| m.competitor.as_str()).collect();
        assert_eq!(names, ["Liquid I.V.", "LMNT"]);
        let shown = |span: super::Span| text.get(span.start..span.end).unwrap();
        assert_eq!(shown(found[0].clause).trim(), "But Liquid I.V. did nothing today.");
        assert_eq!(shown(found[0].span), "Liquid I.V.");
        assert_eq!((found[0].opportunity, found[0].keyword.as_str()), (0.9, "Liquid I.V."));
    }

    #[test]
    fn many_names_are_read_once_per_clause() {
        let long = "pedialyte ".repeat(50_000);
        assert_eq!(found(&long).len(), 1);
    }
}
