//! Captions and transcripts with times: WebVTT, SubRip, and lines that begin with `[M:SS]`.

use serde_json::{Map, json};

use super::chunks::Segment;
use crate::{limits, text};

/// What was said from one moment on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) start_ms: u64,
    pub(super) speaker: Option<String>,
    pub(super) text: String,
}

/// The cues of a captions text; `None` if it has none.
pub(super) fn parse(captions: &str) -> Option<Vec<Cue>> {
    let captions = captions.replace("\r\n", "\n").replace('\r', "\n");
    let mut cues: Vec<Cue> = Vec::new();
    let mut lines = captions.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        let cue = if let Some((start, _)) = line.split_once("-->") {
            let Some(start_ms) = clock_ms(start.trim()) else { continue };
            let mut said = String::new();
            while let Some(next) = lines.next_if(|l| !l.trim().is_empty() && !l.contains("-->")) {
                said.push_str(next.trim());
                said.push(' ');
            }
            cue(start_ms, &said)
        } else if let Some((start, said)) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            let Some(start_ms) = clock_ms(start.trim()) else { continue };
            cue(start_ms, said)
        } else {
            continue;
        };
        // Rolling captions repeat the line that is still on the screen.
        let repeated =
            cues.last().is_some_and(|last| last.text == cue.text && last.speaker == cue.speaker);
        if !cue.text.is_empty() && !repeated {
            cues.push(cue);
        }
    }
    (!cues.is_empty()).then_some(cues)
}

/// A cue's payload: `<v Name>` (WebVTT) or `Name: ` tells who speaks.
fn cue(start_ms: u64, said: &str) -> Cue {
    let said = said.trim();
    let voice = said
        .strip_prefix("<v")
        .filter(|rest| rest.starts_with([' ', '.']))
        .and_then(|rest| rest.split_once('>'));
    if let Some((name, rest)) = voice {
        let name = name.split_once(' ').map_or("", |(_, name)| name);
        return Cue { start_ms, speaker: speaker(name), text: text::strip_html(rest) };
    }
    let said = text::strip_html(said);
    match said.split_once(": ") {
        Some((name, rest)) if is_name(name) => {
            Cue { start_ms, speaker: speaker(name), text: rest.trim().to_owned() }
        }
        _ => Cue { start_ms, speaker: None, text: said },
    }
}

fn speaker(name: &str) -> Option<String> {
    let name = text::cap(name.trim(), 64);
    (!name.is_empty()).then(|| name.to_owned())
}

/// One to four words, the first with a capital letter: a speaker rather than prose.
fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.split_whitespace().count() <= 4
        && text.chars().next().is_some_and(char::is_uppercase)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '\'' | '-'))
}

/// `SS`, `MM:SS` or `HH:MM:SS`, with an optional fraction after a point or a comma.
fn clock_ms(clock: &str) -> Option<u64> {
    let (whole, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let mut seconds = 0_u64;
    for part in whole.split(':') {
        if part.is_empty() || part.len() > 4 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    if !whole.contains(':') || whole.split(':').count() > 3 {
        return None;
    }
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(3).collect();
    let millis: u64 = format!("{digits:0<3}").parse().ok()?;
    seconds.checked_mul(1_000)?.checked_add(millis)
}

/// `M:SS`, from one hour on `H:MM:SS`.
pub(super) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// The whole as lines `[M:SS] Name: words`.
pub(super) fn lines(cues: &[Cue]) -> String {
    let mut out = String::new();
    for cue in cues {
        out.extend(["[", &clock(cue.start_ms), "] ", &said(cue), "\n"]);
    }
    out.truncate(out.trim_end().len());
    out
}

fn said(cue: &Cue) -> String {
    match &cue.speaker {
        Some(name) => format!("{name}: {}", cue.text),
        None => cue.text.clone(),
    }
}

/// Cues joined to pieces that one embedding can hold, each with its time and who speaks in it.
pub(super) fn segments(cues: &[Cue]) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let mut group: Vec<&Cue> = Vec::new();
    let mut bytes = 0_usize;
    for cue in cues {
        let more = cue.text.len().saturating_add(64);
        if bytes.saturating_add(more) > limits::CHUNK_BYTES_MAX && !group.is_empty() {
            out.extend(segment(&group));
            group.clear();
            bytes = 0;
        }
        bytes = bytes.saturating_add(more);
        group.push(cue);
    }
    out.extend(segment(&group));
    out
}

fn segment(group: &[&Cue]) -> Option<Segment> {
    let first = group.first()?;
    let mut speakers: Vec<&str> = group.iter().filter_map(|c| c.speaker.as_deref()).collect();
    speakers.sort_unstable();
    speakers.dedup();
    let mut metadata = Map::new();
    metadata.insert("videoTimestamp".into(), json!(clock(first.start_ms)));
    metadata.insert("startMs".into(), json!(first.start_ms));
    if !speakers.is_empty() {
        metadata.insert("speaker".into(), json!(speakers.join(", ")));
    }
    let text = group.iter().map(|c| said(c)).collect::<Vec<_>>().join("\n");
    Some(Segment { text, metadata })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue_of(start_ms: u64, speaker: Option<&str>, text: &str) -> Cue {
        Cue { start_ms, speaker: speaker.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn three_kinds_of_captions_read_the_same() {
        let expected = vec![
            cue_of(1_500, Some("Ana"), "The export stops."),
            cue_of(3_661_000, None, "Every time & always."),
        ];
        let vtt = "WEBVTT\n\nNOTE by hand\n\n1\n00:01.500 --> 00:04.000 align:start\n<v Ana>The <c>export</c>\nstops.</v>\n\n01:01:01.000 --> 01:01:05.000\nEvery time &amp; always.\n\n01:01:05.000 --> 01:01:06.000\nEvery time &amp; always.\n";
        let srt = "1\r\n00:00:01,500 --> 00:00:04,000\r\nAna: The export\r\nstops.\r\n\r\n2\r\n01:01:01,000 --> 01:01:05,000\r\nEvery time & always.\r\n";
        assert_eq!(parse(vtt), Some(expected));
        assert_eq!(parse(srt), parse(vtt));
        let lines_of = lines(&parse(vtt).unwrap());
        assert_eq!(lines_of, "[0:01] Ana: The export stops.\n[1:01:01] Every time & always.");
        assert_eq!(parse(&lines_of).map(|c| c.len()), Some(2));
    }

    #[test]
    fn prose_is_no_captions() {
        for text in
            ["", "Just words.", "[a] b", "a --> b", "[99999:00] x", "[1:2:3:4] x", "12:30 lunch"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "([0-9:.,\\[\\]<>v -]{0,20}(-->)?[\\PC]{0,10}\\n){0,30}") {
            if let Some(cues) = parse(&text) {
                proptest::prop_assert!(!segments(&cues).is_empty());
            }
        }
    }
}
