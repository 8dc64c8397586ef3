//! A file as it is stored: read, cut, described.

use super::{
    chunk::{self, Sizes},
    language,
    select::{Skip, by_content},
    tokens::Tokens,
    tree::{Content, Entry},
    words::words,
};
use crate::{embed::content_hash, store::codebase::chunks::NewChunk};

/// Tokens that are kept free for the header of a chunk's text.
const HEADER_TOKENS: usize = 24;

/// A file that is cut.
#[derive(Debug)]
pub struct Cut {
    /// The file, with the id of what was read.
    pub entry: Entry,
    /// Bytes.
    pub size: i64,
    /// What it is written in.
    pub language: Option<&'static str>,
    /// All of it.
    pub chunks: Vec<NewChunk>,
    /// What the model reads, in the order of `chunks`.
    pub texts: Vec<String>,
}

/// What became of a file that was read.
#[derive(Debug)]
pub enum Taken {
    /// Cut.
    Cut(Cut),
    /// Its content is a reason not to look into it.
    Skipped(Entry, Skip),
    /// It went away meanwhile, or cannot be read.
    Failed(String, anyhow::Error),
}

/// Cut what was read.
#[must_use]
pub fn take(entry: Entry, read: anyhow::Result<Content>, tokens: &Tokens) -> Taken {
    let (hash, content) = match read {
        Ok(Content::Bytes { hash, bytes }) => (hash, bytes),
        Ok(Content::TooLarge) => return Taken::Skipped(entry, Skip::TooLarge),
        Ok(Content::Gone) => return Taken::Failed(entry.path, anyhow::anyhow!("it is gone")),
        Err(error) => return Taken::Failed(entry.path, error),
    };
    let entry = Entry { hash, ..entry };
    let text = match by_content(&entry.path, &content) {
        Ok(text) => text,
        Err(skip) => return Taken::Skipped(entry, skip),
    };
    let language = language::of(&entry.path, &text);
    let sizes = Sizes::of(tokens.window(), HEADER_TOKENS);
    let parts = chunk::split(&text, language, sizes, &|text| tokens.count(text));
    let path_words = words(&entry.path);
    let mut cut = Cut {
        size: i64::try_from(content.len()).unwrap_or(i64::MAX),
        language: language.map(|l| l.name),
        chunks: Vec::with_capacity(parts.len()),
        texts: Vec::with_capacity(parts.len()),
        entry,
    };
    for part in parts {
        let code = text.get(part.bytes.clone()).unwrap_or_default();
        let embedded = embedded(part.symbol.as_deref(), code);
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        cut.chunks.push(NewChunk {
            kind: part.kind.as_str(),
            name: part.symbol,
            lines: (number(part.lines.0), number(part.lines.1)),
            start_byte: i32::try_from(part.bytes.start).unwrap_or(i32::MAX),
            content: code.to_owned(),
            symbol_words: words(&part.symbols.join(" ")),
            symbols: part.symbols,
            content_hash: content_hash(&embedded).to_vec(),
            words: words(code),
            path_words: path_words.clone(),
        });
        cut.texts.push(embedded);
    }
    Taken::Cut(cut)
}

/// What the model reads: what it is, then the code. No path and no line number, so that neither a rename nor an edit
/// further up changes it.
fn embedded(symbol: Option<&str>, code: &str) -> String {
    symbol.map_or_else(|| code.to_owned(), |symbol| format!("{}\n{code}", words(symbol)))
}
