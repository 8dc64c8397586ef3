//! Files: PDF, CSV row by row, JSON lines, text, Markdown, captions. As `multipart/form-data` (field
//! `file`, optional `interpretation`) or as the raw body with its name in `X-File-Name`.

use millrace_jobs::record::{Content, Origin, Record};
use serde_json::{Map, Value, json};

use super::chunks::{self, Segment, Whole};
use super::fields::{cleaned, keep, words};
use super::identity::{self, common_reply, common_wire, hold};
use super::upload_file::{File, Kind};
use super::{pdf, table, transcript};
use crate::source::{
    Accepted, Delivery, Hold, Normalized, Receipt, Reject, Source, SourceConfig, Stored, Wire,
};
use crate::{json, limits};

/// See the module.
#[derive(Debug)]
pub(super) struct Upload;

impl Source for Upload {
    fn name(&self) -> &'static str {
        "upload"
    }

    fn about(&self) -> &'static str {
        "Files: PDF, CSV (a signal per row), JSONL, TXT, Markdown, VTT/SRT"
    }

    fn default_scheme(&self) -> &'static str {
        "api-key"
    }

    fn wire(&self, _: &SourceConfig) -> Wire {
        common_wire(limits::UPLOAD_BODY_BYTES_MAX)
    }

    fn accept(&self, delivery: &Delivery<'_>, _: &SourceConfig) -> Result<Accepted, Reject> {
        let header = |name: &str| identity::header(delivery, name);
        let file = File::read(header, delivery.body)?;
        let key = match header("idempotency-key").filter(|id| !id.trim().is_empty()) {
            Some(_) => identity::key(delivery, None),
            // Not the body: a multipart boundary is new each time.
            None => {
                [identity::parts(&["file", &file.name]), identity::hash_key(&file.bytes)].concat()
            }
        };
        Ok(identity::event(key, Some(file.kind.name())))
    }

    fn reply(&self, receipt: &Receipt) -> Value {
        common_reply(receipt, "File received, processing async")
    }

    fn normalize(&self, stored: &Stored<'_>, config: &SourceConfig) -> Result<Normalized, Hold> {
        let file = File::read(|name| identity::stored_header(stored, name), stored.body)
            .map_err(|reject| hold(reject.code, reject.message))?;
        let whole = Whole {
            origin: Origin::Upload,
            source_ref: identity::own_ref("upload", stored),
            version: stored.received_at.timestamp_micros(),
        };
        let mut about = Map::new();
        keep(&mut about, "sourceName", Some(file.name.clone()));
        keep(&mut about, "fileName", Some(file.name.clone()));
        about.insert("fileSize".into(), json!(file.bytes.len()));
        about.insert("fileType".into(), json!(file.kind.name()));
        let base = Content {
            interpretation: cleaned(file.interpretation.clone()),
            metadata: about,
            ..Content::default()
        };
        let records = match file.kind {
            Kind::Csv => table::csv(&whole, base, &file.text()?)?,
            Kind::JsonLines => {
                table::json_lines(&whole, base, &file.text()?, config, stored.received_at)?
            }
            Kind::Pdf => pages(&whole, base, &file.bytes)?,
            Kind::Captions => captions(&whole, base, &file.text()?)?,
            Kind::Text | Kind::Markdown => prose(&whole, base, &file.text()?),
        };
        Ok(if records.is_empty() {
            Normalized::Ignored("empty")
        } else {
            Normalized::Records(records)
        })
    }
}

fn pages(whole: &Whole, mut base: Content, bytes: &[u8]) -> Result<Vec<Record>, Hold> {
    let pdf = pdf::read(bytes)?;
    base.metadata.insert("pageCount".into(), json!(pdf.pages));
    Ok(prose(whole, base, &pdf.text))
}

fn captions(whole: &Whole, base: Content, text: &str) -> Result<Vec<Record>, Hold> {
    let cues =
        transcript::parse(text).ok_or_else(|| hold("no_captions", "no timed line was found"))?;
    Ok(spoken(whole, base, &cues))
}

/// A transcript as one record, or a parent with timed parts.
pub(super) fn spoken(whole: &Whole, base: Content, cues: &[transcript::Cue]) -> Vec<Record> {
    let (verbatim, sanitized) = words(&transcript::lines(cues));
    whole.text(Content { verbatim, sanitized, ..base }, transcript::segments(cues))
}

/// A text as one record, or a parent with its chunks; empty for a blank one. A title (first Markdown
/// heading, or `title:` of the front matter) is its interpretation unless the sender gave one.
pub(super) fn prose(whole: &Whole, mut base: Content, text: &str) -> Vec<Record> {
    let (clean, _) = crate::text::clean(text.trim());
    let segments: Vec<Segment> = chunks::prose(clean.trim());
    let (verbatim, sanitized) = words(&clean);
    if verbatim.is_empty() {
        return Vec::new();
    }
    if base.metadata.get("fileType").and_then(Value::as_str) == Some(Kind::Markdown.name()) {
        base.interpretation = base.interpretation.or_else(|| title(&verbatim));
    }
    base.metadata.insert("charCount".into(), json!(clean.chars().count()));
    whole.text(Content { verbatim, sanitized, ..base }, segments)
}

fn title(markdown: &str) -> Option<String> {
    let mut lines = markdown.lines().take(60);
    let line = lines.find_map(|l| l.strip_prefix("# ").or_else(|| l.strip_prefix("title:")))?;
    let line = line.trim().trim_matches('"');
    (!line.is_empty()).then(|| crate::text::cap(line, limits::FIELD_BYTES_MAX).to_owned())
}

impl File {
    /// The file as text: UTF-8 or UTF-16 by its byte order mark.
    fn text(&self) -> Result<String, Hold> {
        let utf16 = |pairs: &[u8], read: fn([u8; 2]) -> u16| {
            let units = pairs
                .chunks_exact(2)
                .map(|p| read([p.first().copied().unwrap_or(0), p.get(1).copied().unwrap_or(0)]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        let text = match self.bytes.as_ref() {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            bytes => json::decode(bytes).into_owned(),
        };
        let binary = text.chars().take(4_096).filter(|c| *c == '\0').count() > 8;
        if binary { Err(hold("not_text", "the file holds binary data")) } else { Ok(text) }
    }
}
