//! Long texts and files of many rows: one parent record and its parts.

use millrace_jobs::record::{Change, Content, Origin, Record};
use serde_json::{Map, Value, json};

use super::fields::words;
use crate::{limits, text};

/// A part of a longer text.
#[derive(Debug, Clone, Default)]
pub(super) struct Segment {
    pub(super) text: String,
    /// Where it stands: `charOffset`, `videoTimestamp`, `speaker`, ...
    pub(super) metadata: Map<String, Value>,
}

/// Key and version that a text's records share.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) origin: Origin,
    pub(super) source_ref: String,
    pub(super) version: i64,
}

impl Whole {
    pub(super) fn record(&self, content: Content) -> Record {
        Record {
            origin: self.origin,
            source_ref: text::bounded_ref(&self.source_ref),
            version: self.version,
            change: Change::Signal(Box::new(content)),
        }
    }

    /// A part of it, under a key of its own; what the sender said of the whole holds for the part.
    pub(super) fn part(&self, key: &str, content: Content) -> Record {
        let parent = text::bounded_ref(&self.source_ref);
        let part = Whole { source_ref: format!("{parent}/{key}"), ..self.clone() };
        part.record(Content { parent_ref: Some(parent), ..content })
    }

    /// The text as one record, or as a parent with its segments if it is long.
    pub(super) fn text(&self, content: Content, segments: Vec<Segment>) -> Vec<Record> {
        if content.verbatim.len() <= limits::CHUNK_ABOVE_BYTES || segments.len() < 2 {
            return vec![self.record(content)];
        }
        let count = segments.len();
        let common = common(&content);
        let parts = segments.into_iter().zip(1_u32..).map(|(segment, number)| {
            let (verbatim, sanitized) = words(&segment.text);
            let mut part = Content { verbatim, sanitized, ..common.clone() };
            part.metadata.extend(segment.metadata);
            part.metadata.insert("chunkIndex".into(), json!(number));
            part.metadata.insert("chunkCount".into(), json!(count));
            self.part(&format!("chunk-{number}"), part)
        });
        let parts: Vec<Record> = parts.filter(has_words).take(limits::RECORDS_MAX).collect();
        let mut records = vec![self.record(parent(content.clone(), count))];
        records.extend(parts);
        records
    }
}

/// What is true of every part because it is true of the whole.
pub(super) fn common(whole: &Content) -> Content {
    const KEYS: [&str; 7] = [
        "sourceName",
        "sourceUrl",
        "videoUrl",
        "videoPlatform",
        "fileType",
        "interviewee",
        "interviewDate",
    ];
    let kept = whole.metadata.iter().filter(|(key, _)| KEYS.contains(&key.as_str()));
    Content {
        verbatim: String::new(),
        interpretation: None,
        metadata: kept.map(|(k, v)| (k.clone(), v.clone())).collect(),
        severity: whole.severity,
        frequency: whole.frequency,
        user_segment: whole.user_segment.clone(),
        source_url: whole.source_url.clone(),
        interview_date: whole.interview_date,
        interviewee: whole.interviewee.clone(),
        tags: whole.tags.clone(),
        occurred_at: whole.occurred_at,
        parent_ref: None,
        parts: None,
        sanitized: false,
    }
}

/// The parent: the beginning of the text, marked as such.
pub(super) fn parent(mut content: Content, parts: usize) -> Content {
    content.verbatim = text::cap(&content.verbatim, limits::PARENT_BYTES_MAX).trim_end().to_owned();
    content.metadata.insert("role".into(), json!("parent"));
    content.metadata.insert("parts".into(), json!(parts));
    content.parts = Some(parts);
    content
}

fn has_words(record: &Record) -> bool {
    matches!(&record.change, Change::Signal(content) if !content.verbatim.is_empty())
}

/// Cut prose at paragraphs, else at sentences, else at spaces, into pieces that one embedding can
/// hold. `charOffset` counts characters from the start of the text.
pub(super) fn prose(text: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut offset = 0_usize;
    while !rest.is_empty() && out.len() < limits::RECORDS_MAX {
        let window = text::cap(rest, limits::CHUNK_BYTES_MAX);
        let end = if window.len() == rest.len() { rest.len() } else { cut(window) };
        let (head, tail) = rest.split_at(end);
        let lead = head.len().saturating_sub(head.trim_start().len());
        let start = offset.saturating_add(head.get(..lead).unwrap_or("").chars().count());
        let mut metadata = Map::new();
        metadata.insert("charOffset".into(), json!(start));
        if !head.trim().is_empty() {
            out.push(Segment { text: head.trim().to_owned(), metadata });
        }
        offset = offset.saturating_add(head.chars().count());
        rest = tail;
    }
    out
}

/// Where to cut a full window: after the last paragraph, sentence or word in its second half.
fn cut(window: &str) -> usize {
    let half = window.len() / 2;
    for mark in ["\n\n", "\n", ". ", "? ", "! ", " "] {
        if let Some(at) = window.rfind(mark).filter(|at| *at >= half) {
            return at.saturating_add(mark.len());
        }
    }
    window.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn chunks_keep_every_word_and_know_where_they_stand(text in "(\\PC{0,40}[ .\\n]{1,3}){0,200}") {
            let chunks = prose(&text);
            let all: String = chunks.iter().map(|c| c.text.as_str()).collect();
            let bare = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(bare(&all), bare(&text));
            for chunk in &chunks {
                proptest::prop_assert!(chunk.text.len() <= limits::CHUNK_BYTES_MAX);
                let offset = usize::try_from(chunk.metadata["charOffset"].as_u64().unwrap()).unwrap();
                let there: String = text.chars().skip(offset).take(chunk.text.chars().count()).collect();
                proptest::prop_assert_eq!(&there, &chunk.text);
            }
        }
    }
}
