//! Files of many rows: each row is a record of its own, the file is their parent.

use chrono::{DateTime, Utc};
use millrace_jobs::record::{Change, Content, Record};
use serde_json::{Map, Value, json};

use super::chunks::{Whole, common, parent};
use super::fields::{Fields, frequency_of, severity_of, tidy_tags, web_url, words};
use super::identity::hold;
use crate::json::Object;
use crate::source::{Hold, SourceConfig};
use crate::{limits, text, time};

/// What a column is by its name: canonical field, names as exports have them (without case, spaces
/// and signs).
const COLUMNS: [(&str, &[&str]); 9] = [
    (
        "verbatim",
        &[
            "verbatim",
            "feedback",
            "text",
            "comment",
            "comments",
            "message",
            "review",
            "quote",
            "body",
            "content",
            "description",
            "response",
            "answer",
        ],
    ),
    ("severity", &["severity", "priority"]),
    ("frequency", &["frequency"]),
    ("userSegment", &["usersegment", "segment", "plan", "persona"]),
    ("interviewee", &["interviewee", "customer", "name", "author", "user"]),
    ("interpretation", &["interpretation", "summary", "notes"]),
    ("sourceUrl", &["sourceurl", "url", "link"]),
    ("tags", &["tags", "labels"]),
    ("createdAt", &["createdat", "date", "created", "timestamp", "submittedat"]),
];

/// Counts of what a file's rows became.
#[derive(Default)]
struct Tally {
    rows: usize,
    blank: usize,
    /// Numbers of the rows that could not be read, the first twenty.
    faulty: Vec<usize>,
    faults: usize,
}

impl Tally {
    fn fault(&mut self, number: usize) {
        self.faults = self.faults.saturating_add(1);
        if self.faulty.len() < 20 {
            self.faulty.push(number);
        }
    }

    /// The parent before its rows; the report of the rows is in its metadata.
    fn family(
        self,
        whole: &Whole,
        mut base: Content,
        rows: Vec<Record>,
    ) -> Result<Vec<Record>, Hold> {
        if rows.is_empty() {
            return Err(hold("no_usable_rows", "no row holds any words"));
        }
        base.metadata.insert("rowCount".into(), json!(self.rows));
        base.metadata.insert("blankRows".into(), json!(self.blank));
        base.metadata.insert("rowErrors".into(), json!(self.faults));
        if !self.faulty.is_empty() {
            base.metadata.insert("faultyRows".into(), json!(self.faulty));
        }
        let mut records = vec![whole.record(parent(base, rows.len()))];
        records.extend(rows);
        Ok(records)
    }
}

/// Rows of a CSV file with a header line; comma, semicolon or tab.
pub(super) fn csv(whole: &Whole, mut base: Content, file: &str) -> Result<Vec<Record>, Hold> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter(file))
        .from_reader(file.as_bytes());
    let header = reader.headers().map_err(|_| hold("csv_unreadable", "no header line"))?.clone();
    if header.len() > limits::CSV_COLUMNS_MAX {
        return Err(hold("csv_unreadable", "too many columns"));
    }
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let canonical = canonical(&header);
    let shared = common(&base);
    let (mut tally, mut rows, mut lines) = (Tally::default(), Vec::new(), String::new());
    for (number, row) in (1_usize..).zip(reader.records()) {
        if rows.len() >= limits::RECORDS_MAX {
            return Err(hold("too_many_rows", "split the file"));
        }
        tally.rows = number;
        let Ok(row) = row else {
            tally.fault(number);
            continue;
        };
        let Some(content) = row_content(&shared, &header, &canonical, &row) else {
            tally.blank = tally.blank.saturating_add(1);
            continue;
        };
        if lines.len() < limits::PARENT_BYTES_MAX {
            lines.push_str(&format!("Row {number}: {}\n", joined(&header, &row)));
        }
        let mut content = content;
        content.metadata.insert("rowNumber".into(), json!(number));
        rows.push(whole.part(&format!("row-{number}"), content));
    }
    (base.verbatim, base.sanitized) = words(&lines);
    tally.family(whole, base, rows)
}

/// The commonest of the usual delimiters in the header line.
fn delimiter(file: &str) -> u8 {
    let header = file.lines().next().unwrap_or("");
    let count = |mark: u8| header.bytes().filter(|b| *b == mark).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

/// For each column what it is, the first of a kind only.
fn canonical(header: &[String]) -> Vec<Option<&'static str>> {
    let plain: Vec<String> = header.iter().map(|column| plain_name(column)).collect();
    let mut out = vec![None; header.len()];
    for (field, names) in COLUMNS {
        // In the order of the names: `verbatim` is meant more than `body`.
        let found = names.iter().find_map(|name| plain.iter().position(|column| column == name));
        if let Some(slot) = found.and_then(|at| out.get_mut(at)) {
            *slot = Some(field);
        }
    }
    out
}

fn plain_name(column: &str) -> String {
    text::cap(column, limits::TAG_BYTES_MAX)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// `None` for a row without words. Without a column of words the whole row speaks.
fn row_content(
    shared: &Content,
    header: &[String],
    canonical: &[Option<&'static str>],
    row: &csv::StringRecord,
) -> Option<Content> {
    let cell = |field: &str| {
        let at = canonical.iter().position(|f| *f == Some(field))?;
        let text = row.get(at)?.trim();
        (!text.is_empty()).then(|| text::clean(text).0.into_owned())
    };
    let line = |field: &str| cell(field).map(|t| text::cap(&t, limits::FIELD_BYTES_MAX).to_owned());
    let spoken = if canonical.contains(&Some("verbatim")) {
        cell("verbatim")
    } else {
        Some(joined(header, row))
    };
    let (verbatim, sanitized) = words(&spoken.filter(|t| !t.is_empty())?);
    let mut columns = Map::new();
    for ((name, field), value) in header.iter().zip(canonical).zip(row).take(64) {
        if *field != Some("verbatim") && !name.is_empty() && !value.trim().is_empty() {
            let name = text::cap(&text::clean(name).0, limits::TAG_BYTES_MAX).to_owned();
            columns.insert(name, Value::String(inert(value)));
        }
    }
    let mut content = Content {
        verbatim,
        sanitized,
        interpretation: line("interpretation"),
        severity: line("severity").as_deref().and_then(severity_of),
        frequency: line("frequency").as_deref().and_then(frequency_of),
        user_segment: line("userSegment"),
        interviewee: line("interviewee"),
        source_url: line("sourceUrl").as_deref().and_then(web_url),
        tags: tidy_tags(line("tags").iter().flat_map(|t| t.split([',', ';']))),
        occurred_at: line("createdAt").as_deref().and_then(time::parse),
        ..shared.clone()
    };
    if !columns.is_empty() {
        content.metadata.insert("columns".into(), Value::Object(columns));
    }
    Some(content)
}

/// `k: v, k: v` of the cells that hold something.
fn joined(header: &[String], row: &csv::StringRecord) -> String {
    let cells = row.iter().enumerate().filter(|(_, value)| !value.trim().is_empty());
    let cells = cells.map(|(at, value)| match header.get(at).filter(|n| !n.is_empty()) {
        Some(name) => format!("{name}: {}", value.trim()),
        None => value.trim().to_owned(),
    });
    cells.collect::<Vec<_>>().join(", ")
}

/// A cell that a spreadsheet would run as a formula gets a leading quote, so that exporting our
/// metadata again is safe. The user's words themselves are never changed.
fn inert(cell: &str) -> String {
    let (clean, _) = text::clean(cell.trim_matches([' ', '\n']));
    let clean = text::cap(&clean, limits::FIELD_BYTES_MAX);
    let formula =
        clean.starts_with(['=', '+', '-', '@', '\t', '\r']) && clean.parse::<f64>().is_err();
    if formula { format!("'{clean}") } else { clean.to_owned() }
}

/// One JSON object of the canonical fields per line.
pub(super) fn json_lines(
    whole: &Whole,
    mut base: Content,
    file: &str,
    config: &SourceConfig,
    received_at: DateTime<Utc>,
) -> Result<Vec<Record>, Hold> {
    let shared = common(&base);
    let (mut tally, mut rows) = (Tally::default(), Vec::new());
    for (number, line) in (1_usize..).zip(file.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if rows.len() >= limits::RECORDS_MAX {
            return Err(hold("too_many_rows", "split the file"));
        }
        tally.rows = tally.rows.saturating_add(1);
        let Ok(object) = Object::parse(line) else {
            tally.fault(number);
            continue;
        };
        let fields = Fields::new(object, config);
        let Some(content) = fields.content() else {
            tally.blank = tally.blank.saturating_add(1);
            continue;
        };
        let mut metadata = shared.metadata.clone();
        metadata.extend(content.metadata);
        metadata.insert("rowNumber".into(), json!(number));
        let content = Content { metadata, ..content };
        let mut record = whole.part(&format!("row-{number}"), content);
        // A row with a key of its own is the same object in every file that holds it.
        if let Some(own) = fields.source_ref() {
            record.source_ref = text::bounded_ref(&own);
            record.version =
                time::version(fields.version().and_then(|v| time::parse_us(&v)), received_at);
        }
        rows.push(record);
    }
    let first = rows.iter().filter_map(|r| match &r.change {
        Change::Signal(content) => Some(content.verbatim.as_str()),
        Change::Inbox(_) | Change::Delete => None,
    });
    let mut preview = String::new();
    for line in first.take_while({
        let mut bytes = 0_usize;
        move |line| {
            bytes = bytes.saturating_add(line.len());
            bytes <= limits::PARENT_BYTES_MAX
        }
    }) {
        preview.push_str(line);
        preview.push('\n');
    }
    (base.verbatim, base.sanitized) = words(&preview);
    if base.verbatim.is_empty() {
        base.verbatim =
            base.metadata.get("sourceName").and_then(Value::as_str).unwrap_or("upload").to_owned();
    }
    tally.family(whole, base, rows)
}
