//! Text of a PDF, behind guards: the parser is not ours and PDF files come from strangers.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::identity::hold;
use super::pdf_guard;
use crate::source::Hold;
use crate::{limits, text};

/// The text of all pages.
#[derive(Debug)]
pub(super) struct Pdf {
    pub(super) text: String,
    pub(super) pages: usize,
}

/// Read a PDF.
///
/// # Errors
/// A [`Hold`]: too many pages, streams that inflate beyond reason, encrypted, unreadable, no text.
pub(super) fn read(bytes: &[u8]) -> Result<Pdf, Hold> {
    let mut budget = limits::PDF_INFLATED_BYTES_MAX;
    if !inflates_within(bytes, &mut budget) {
        return Err(hold("pdf_too_large", "its streams inflate beyond the limit"));
    }
    // The parser panics on some broken files; nothing of it is used after that.
    let read = catch_unwind(AssertUnwindSafe(|| extract(bytes)));
    let pdf = read.map_err(|_| hold("pdf_unreadable", "the parser failed"))??;
    if pdf.text.trim().is_empty() {
        return Err(hold(
            "pdf_without_text",
            "no text on its pages; scans need to be recognised first",
        ));
    }
    Ok(pdf)
}

fn extract(bytes: &[u8]) -> Result<Pdf, Hold> {
    let unreadable = |_| hold("pdf_unreadable", "not a readable PDF");
    let document = pdf_extract::Document::load_mem(bytes)
        .map_err(|_| hold("pdf_unreadable", "not a readable PDF"))?;
    if document.is_encrypted() {
        return Err(hold("pdf_encrypted", "remove the password first"));
    }
    let pages = document.get_pages().len();
    if pages > limits::PDF_PAGES_MAX {
        return Err(hold("pdf_too_large", "too many pages"));
    }
    if !pdf_guard::is_tame(&document) {
        return Err(hold("pdf_unreadable", "its pages draw themselves without end"));
    }
    let mut text = String::new();
    let mut output = pdf_extract::PlainTextOutput::new(&mut text);
    pdf_extract::output_doc(&document, &mut output).map_err(unreadable)?;
    let text = text::cap(&text, limits::PDF_TEXT_BYTES_MAX);
    Ok(Pdf { text: tidy(text), pages })
}

/// The extractor breaks each line of print; a paragraph is what stands between blank lines.
fn tidy(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(text::collapse).filter(|p| !p.is_empty());
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Whether all deflated streams together stay within the budget, also those deflated twice.
fn inflates_within(bytes: &[u8], budget: &mut u64) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.windows(6).position(|w| w == b"stream") {
        rest = rest.get(at.saturating_add(6)..).unwrap_or(&[]);
        let data = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
        if !inflate(data, budget, 3) {
            return false;
        }
    }
    true
}

fn inflate(data: &[u8], budget: &mut u64, depth: u8) -> bool {
    // 0x78 begins every zlib stream that writers of PDF make.
    if data.first() != Some(&0x78) || depth == 0 {
        return true;
    }
    let mut head = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(data);
    // A broken stream ends early, here as for the parser; what came out before that counts.
    let whole = reader.by_ref().take(*budget).read_to_end(&mut head);
    tracing::trace!(whole = whole.is_ok(), "stream inflated");
    let length = u64::try_from(head.len()).unwrap_or(u64::MAX);
    *budget = budget.saturating_sub(length);
    *budget > 0 && inflate(&head, budget, depth.saturating_sub(1))
}
