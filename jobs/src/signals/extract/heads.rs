//! Severity and frequency: a learner over sentence vectors, moved by cues.

use super::{
    Found, chars,
    cues::{Cue, FREQUENCY, SEVERITY},
};
use crate::signals::learn::{Example, Ridge};

const TRAINING: &str = include_str!("../../../models/extract.tsv");

const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
const FREQUENCIES: [&str; 3] = ["common", "occasional", "rare"];

/// Needed where words point at the class, and where only the vector does.
const CONFIDENT_WITH_CUE: f32 = 0.6;
const CONFIDENT_WITHOUT_CUE: f32 = 0.75;

/// The fitted heads. Without training vectors only cues speak.
#[derive(Debug, Default)]
pub struct Heads {
    severity: Option<Ridge>,
    frequency: Option<Ridge>,
}

/// The labelled sentences shipped with the service (our own words), in the order that
/// [`Heads::fit`] takes their vectors.
#[must_use]
pub fn training_texts() -> Vec<String> {
    rows().map(|(_, _, text)| text.to_owned()).collect()
}

/// Severity, frequency (`-`: the sentence does not say), text.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TRAINING.lines().filter(|l| !l.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        Some((columns.next()?, columns.next()?, columns.next()?))
    })
}

impl Heads {
    /// Learns from the vectors of [`training_texts`].
    #[must_use]
    pub fn fit(vectors: &[Vec<f32>]) -> Self {
        let head = |classes: &[&str], label: fn((&'static str, &'static str)) -> &'static str| {
            let example = |((s, f, _), vector): ((&'static str, &'static str, _), &Vec<f32>)| {
                let wanted = label((s, f));
                let class = classes.iter().position(|c| *c == wanted).unwrap_or(classes.len());
                Example { vector: vector.clone(), class, judges: true }
            };
            Ridge::fit(rows().zip(vectors).map(example).collect(), classes.len() + 1)
        };
        Self {
            severity: head(&SEVERITIES, |(severity, _)| severity),
            frequency: head(&FREQUENCIES, |(_, frequency)| frequency),
        }
    }

    pub(super) fn severity(&self, text: &str, vector: &[f32]) -> Option<Found> {
        judge(text, vector, self.severity.as_ref(), &SEVERITIES, &SEVERITY)
    }

    pub(super) fn frequency(&self, text: &str, vector: &[f32]) -> Option<Found> {
        judge(text, vector, self.frequency.as_ref(), &FREQUENCIES, &FREQUENCY)
    }
}

/// The learner's odds times the cues' weights, if one class stands out.
fn judge(
    text: &str,
    vector: &[f32],
    learner: Option<&Ridge>,
    classes: &[&str],
    cues: &[Cue],
) -> Option<Found> {
    let even = 1.0 / f32::from(u8::try_from(classes.len() + 2).unwrap_or(u8::MAX));
    let (mut odds, mut unknown) = match learner {
        Some(learner) => {
            let (mut p, none) = learner.probabilities(vector);
            let unsaid = p.pop().unwrap_or(0.0);
            (p, none + unsaid)
        }
        None => (vec![even; classes.len()], 2.0 * even),
    };
    let mut evidence = vec![None; classes.len()];
    for cue in cues {
        let Some(at) = cue.find(text) else { continue };
        if let (Some(odd), Some(place)) = (odds.get_mut(cue.class), evidence.get_mut(cue.class)) {
            // Even where the learner saw nothing, the words were said.
            *odd = odd.max(0.02) * cue.weight.exp();
            place.get_or_insert_with(|| chars(text, at));
        }
    }
    unknown = unknown.max(0.01);
    let all = odds.iter().sum::<f32>() + unknown;
    let (class, odd) = odds.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let (confidence, evidence) = (odd / all, evidence.get(class).copied().flatten());
    let needed = if evidence.is_some() { CONFIDENT_WITH_CUE } else { CONFIDENT_WITHOUT_CUE };
    let value = (*classes.get(class)?).to_owned();
    (confidence >= needed).then_some(Found { value, confidence, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_rows_are_well_formed_and_many() {
        let mut counts = std::collections::BTreeMap::new();
        for (severity, frequency, text) in rows() {
            assert!(severity == "-" || SEVERITIES.contains(&severity), "{text}");
            assert!(frequency == "-" || FREQUENCIES.contains(&frequency), "{text}");
            *counts.entry(severity).or_insert(0) += 1;
            *counts.entry(frequency).or_insert(0) += 1;
        }
        assert!(counts.values().all(|n| *n >= 20), "{counts:?}");
    }

    #[test]
    fn words_speak_without_a_learner_and_negations_do_not() {
        let heads = Heads::default();
        let found =
            heads.severity("Since noon there is an outage, we cannot log in.", &[]).unwrap();
        assert_eq!((found.value.as_str(), found.evidence), ("critical", Some((23, 29))));
        assert_eq!(heads.severity("The report lists all my invoices.", &[]), None);
        let found = heads.frequency("It happens every single morning.", &[]).unwrap();
        assert_eq!(found.value, "common");
        assert_eq!(heads.frequency("It is not always like that.", &[]), None);
    }
}
