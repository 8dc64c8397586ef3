//! The file in an upload, and what kind it is.

use bytes::Bytes;

use super::identity::refuse;
use crate::source::Reject;
use crate::{form, limits, text};

/// What a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pdf,
    Csv,
    JsonLines,
    Text,
    Markdown,
    Captions,
}

/// An uploaded file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
    /// The uploader's remark.
    pub(super) interpretation: Option<String>,
}

/// Extension, content type, kind.
const KINDS: [(&str, &str, Kind); 9] = [
    ("pdf", "application/pdf", Kind::Pdf),
    ("csv", "text/csv", Kind::Csv),
    ("jsonl", "application/jsonl", Kind::JsonLines),
    ("ndjson", "application/x-ndjson", Kind::JsonLines),
    ("txt", "text/plain", Kind::Text),
    ("md", "text/markdown", Kind::Markdown),
    ("markdown", "text/x-markdown", Kind::Markdown),
    ("vtt", "text/vtt", Kind::Captions),
    ("srt", "application/x-subrip", Kind::Captions),
];

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Captions => "captions",
        }
    }

    /// By the name's extension, else by the stated type.
    fn of(name: &str, content_type: &str) -> Option<Self> {
        let extension =
            name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
        let stated = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let by_name = KINDS.iter().find(|(e, _, _)| *e == extension);
        by_name.or_else(|| KINDS.iter().find(|(_, t, _)| *t == stated)).map(|(_, _, kind)| *kind)
    }
}

impl File {
    /// Find the file in a request.
    ///
    /// # Errors
    /// A [`Reject`] in the words that uploaders know.
    pub(super) fn read<'h>(
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
    ) -> Result<Self, Reject> {
        let content_type = header("content-type").unwrap_or("");
        let (name, stated, bytes, interpretation) = if form::is_multipart(content_type) {
            let parts = form::parts(content_type, body)
                .map_err(|_| refuse("multipart_malformed", "File is required"))?;
            let remark = parts.iter().find(|p| p.name == "interpretation");
            let remark = remark.map(|p| String::from_utf8_lossy(&p.bytes).trim().to_owned());
            let file = parts.into_iter().find(|p| p.file_name.is_some());
            let file = file.ok_or(refuse("file_missing", "File is required"))?;
            (
                file.file_name.unwrap_or_default(),
                file.content_type.unwrap_or_default(),
                file.bytes,
                remark,
            )
        } else {
            let name = header("x-file-name").map(|n| form::unescape(n.as_bytes(), false));
            let name = name.map(|n| String::from_utf8_lossy(&n).into_owned());
            let name = name.or_else(|| header("content-disposition").and_then(disposition_name));
            (name.unwrap_or_default(), content_type.to_owned(), Bytes::copy_from_slice(body), None)
        };
        if bytes.is_empty() {
            let missing = name.is_empty();
            return Err(if missing {
                refuse("file_missing", "File is required")
            } else {
                refuse("file_empty", "File is empty")
            });
        }
        if bytes.len() > limits::UPLOAD_FILE_BYTES_MAX {
            return Err(refuse("file_too_large", "File too large. Maximum size is 5MB"));
        }
        let kind = Kind::of(&name, &stated).ok_or(refuse(
            "file_type_unknown",
            "Invalid file type. Accepted: PDF, CSV, TXT, MD, JSONL, VTT, SRT",
        ))?;
        // The mark may stand anywhere in the first kilobyte (ISO 32000-1, annex H.3.4.1).
        let head = bytes.get(..1_024).unwrap_or(&bytes);
        if kind == Kind::Pdf && !head.windows(5).any(|w| w == b"%PDF-") {
            return Err(refuse("pdf_malformed", "Invalid PDF file"));
        }
        Ok(Self {
            name: base_name(&name),
            kind,
            bytes,
            interpretation: interpretation.filter(|i| !i.is_empty()),
        })
    }
}

/// The last part of a path: some browsers send all of it.
fn base_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    text::cap(&text::clean(name).0, 255).to_owned()
}

fn disposition_name(value: &str) -> Option<String> {
    let (_, name) = value.split_once("filename=")?;
    Some(name.split(';').next()?.trim().trim_matches('"').to_owned())
}
