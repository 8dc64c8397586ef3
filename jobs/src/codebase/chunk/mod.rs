//! A file becomes chunks: one symbol each where a grammar knows the language, and without a gap, so that the chunks of a
//! file put together are the file.
//!
//! Cuts are between lines; only a line that is too long by itself is cut inside. Definitions are found first
//! (`outline`), laid out as pieces (`layout`), and pieces that are too large are cut where the fewest nodes are open,
//! those that are too small are joined. Measured reason for one symbol per chunk, sized by what the model reads:
//! spec/codeindex.md, section 4.

mod layout;
mod lines;
mod outline;
mod text;

use std::ops::Range;

use self::{lines::Lines, outline::Outline};
use super::language::Language;

/// What a chunk is, in the seed's words and those of its search API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A function.
    Function,
    /// A function of a class, an `impl`, an interface.
    Method,
    /// A class, a struct, an `impl`.
    Class,
    /// An interface, a trait.
    Interface,
    /// A name for a type.
    TypeAlias,
    /// An enumeration.
    Enum,
    /// Names of other files.
    Import,
    /// Anything else.
    Block,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Function,
        Self::Method,
        Self::Class,
        Self::Interface,
        Self::TypeAlias,
        Self::Enum,
        Self::Import,
        Self::Block,
    ];

    /// As it is stored in `code_chunks.chunk_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Class => "class",
            Self::Interface => "interface",
            Self::TypeAlias => "type_alias",
            Self::Enum => "enum",
            Self::Import => "import",
            Self::Block => "block",
        }
    }
}

/// How large chunks are, in tokens of the embedding model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// No chunk has more.
    pub most: usize,
    /// Neighbours are joined up to this.
    pub joined: usize,
    /// What has fewer belongs to a neighbour, whatever it is.
    pub least: usize,
}

impl Sizes {
    /// For a model that reads `window` tokens, of which `header` are taken.
    #[must_use]
    pub fn of(window: usize, header: usize) -> Self {
        let most = window.saturating_sub(header).max(16);
        Self { most, joined: most / 2, least: most / 12 }
    }
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What it is.
    pub kind: Kind,
    /// Qualified name of what it defines, or of what it is a part of.
    pub symbol: Option<String>,
    /// Names of all that is defined in it, qualified.
    pub symbols: Vec<String>,
    /// Where it is, in bytes of the file.
    pub bytes: Range<usize>,
    /// First and last line, from 1.
    pub lines: (u32, u32),
}

/// The chunks of a file, in order, together all of it; none of an empty one. `count` says how many tokens a text has, and
/// counts lines one by one.
#[must_use]
pub fn split(
    source: &str,
    language: Option<&Language>,
    sizes: Sizes,
    count: &dyn Fn(&str) -> usize,
) -> Vec<Chunk> {
    if source.is_empty() {
        return Vec::new();
    }
    let lines = Lines::new(source, count);
    let parsed = language.and_then(|l| l.grammar).and_then(|g| Outline::parse(g, source, &lines));
    let outline = parsed.unwrap_or_else(|| text::outline(&lines, language));
    let pieces = layout::pieces(&outline, &lines, sizes);
    pieces.into_iter().flat_map(|piece| piece.into_chunks(&lines, sizes, count)).collect()
}

#[cfg(test)]
mod tests;
