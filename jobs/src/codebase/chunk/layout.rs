//! Pieces of a file: definitions and what lies between them, none too large, none needlessly small.

use std::ops::Range;

use super::{Chunk, Kind, Sizes, lines::Lines, outline::Outline};

/// Lines that belong together.
#[derive(Debug)]
pub(super) struct Piece {
    kind: Kind,
    symbol: Option<String>,
    symbols: Vec<String>,
    lines: Range<usize>,
    /// The definition around it; pieces of different ones stay apart.
    scope: Option<usize>,
}

/// All lines, in order.
pub(super) fn pieces(outline: &Outline, lines: &Lines<'_>, sizes: Sizes) -> Vec<Piece> {
    let mut members = vec![Vec::new(); outline.definitions.len() + 1];
    for (at, definition) in outline.definitions.iter().enumerate() {
        let around = definition.parent.map_or(0, |parent| parent + 1);
        if let Some(list) = members.get_mut(around) {
            list.push(at);
        }
    }
    let mut layout = Layout { outline, lines, sizes, members, pieces: Vec::new() };
    layout.lay(0..lines.count(), None);
    let whole = layout.pieces.into_iter().flat_map(|piece| cut(piece, outline, lines, sizes));
    join(whole, lines, sizes)
}

struct Layout<'a> {
    outline: &'a Outline,
    lines: &'a Lines<'a>,
    sizes: Sizes,
    /// Definitions in each definition; the file's own first.
    members: Vec<Vec<usize>>,
    pieces: Vec<Piece>,
}

impl Layout<'_> {
    /// The lines of `scope`, or of the file. Nested at most as deep as definitions may be.
    fn lay(&mut self, range: Range<usize>, scope: Option<usize>) {
        let mut at = range.start;
        let mut head = scope;
        let members = self.members.get(scope.map_or(0, |s| s + 1)).cloned().unwrap_or_default();
        for member in members {
            let Some(definition) = self.outline.definitions.get(member) else { continue };
            let lines = definition.lines.start.max(at)..definition.lines.end.min(range.end);
            if lines.start >= lines.end {
                // It begins and ends where something else does: that line is taken.
                if let Some(last) = self.pieces.last_mut() {
                    last.symbols.push(definition.name.clone());
                }
                continue;
            }
            let start = self.loose(at..lines.start, scope, head.take());
            at = lines.end;
            let lines = start..lines.end;
            if self.is_opened(member, &lines) {
                self.lay(lines, Some(member));
                continue;
            }
            self.pieces.push(Piece {
                kind: definition.kind,
                symbol: Some(definition.name.clone()),
                symbols: self.names(member),
                lines,
                scope,
            });
        }
        let rest = self.loose(at..range.end, scope, head);
        if rest < range.end {
            // Blank lines at the end.
            match self.pieces.last_mut() {
                Some(last) => last.lines.end = range.end,
                None => self.push_loose(rest..range.end, scope, None),
            }
        }
    }

    /// What lies between definitions; where it ended: blank lines before a definition are left to it.
    fn loose(&mut self, lines: Range<usize>, scope: Option<usize>, head: Option<usize>) -> usize {
        let mut end = lines.end;
        while end > lines.start && self.lines.is_blank(end - 1) {
            end -= 1;
        }
        if end == lines.start && head.is_none() {
            return lines.start;
        }
        self.push_loose(lines.start..end, scope, head);
        end
    }

    fn push_loose(&mut self, lines: Range<usize>, scope: Option<usize>, head: Option<usize>) {
        let imports = |line| {
            self.outline.imports.get(line) == Some(&true)
                || self.outline.comments.get(line) == Some(&true)
                || self.lines.is_blank(line)
        };
        let some = lines.clone().any(|line| self.outline.imports.get(line) == Some(&true));
        let kind = if some && lines.clone().all(imports) { Kind::Import } else { Kind::Block };
        let of = |at: usize| self.outline.definitions.get(at);
        let head = head.and_then(of);
        self.pieces.push(Piece {
            kind: head.map_or(kind, |holder| holder.kind),
            symbol: scope.and_then(of).map(|around| around.name.clone()),
            symbols: head.map(|holder| holder.name.clone()).into_iter().collect(),
            lines,
            scope,
        });
    }

    /// Its members stand alone: one symbol per chunk, unless all of it is short.
    fn is_opened(&self, at: usize, lines: &Range<usize>) -> bool {
        let members = self.members.get(at + 1).is_some_and(|members| !members.is_empty());
        let holder = self.outline.definitions.get(at).is_some_and(|d| d.holder);
        let most = if holder { self.sizes.joined } else { self.sizes.most };
        members && self.lines.tokens(lines) > most
    }

    /// Of a definition and all in it.
    fn names(&self, at: usize) -> Vec<String> {
        let (mut names, mut left) = (Vec::new(), vec![at]);
        while let Some(at) = left.pop() {
            names.extend(self.outline.definitions.get(at).map(|d| d.name.clone()));
            left.extend(self.members.get(at + 1).into_iter().flatten().rev());
        }
        names
    }
}

/// A piece that is too large, cut where it costs least.
fn cut(piece: Piece, outline: &Outline, lines: &Lines<'_>, sizes: Sizes) -> Vec<Piece> {
    let Range { mut start, end } = piece.lines;
    let mut parts = Vec::new();
    while lines.tokens(&(start..end)) > sizes.most {
        let last = lines.fitting(start, end, sizes.most);
        let first = lines.fitting(start, end, sizes.most / 3).min(last);
        let cost = |line: &usize| outline.costs.get(*line).copied().unwrap_or(0);
        // Of equal ones the last: fewer parts.
        let at = (first..=last).rev().filter(|at| *at < end).min_by_key(cost).unwrap_or(end);
        parts.push(start..at);
        start = at;
    }
    if start < end {
        parts.push(start..end);
    }
    let part = |lines| Piece {
        kind: piece.kind,
        symbol: piece.symbol.clone(),
        symbols: piece.symbols.clone(),
        lines,
        scope: piece.scope,
    };
    parts.into_iter().map(part).collect()
}

/// Neighbours of one scope that are small together, and scraps with whatever stands before them.
fn join(pieces: impl Iterator<Item = Piece>, lines: &Lines<'_>, sizes: Sizes) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        let Some(last) = joined.last_mut() else {
            joined.push(piece);
            continue;
        };
        let (before, own) = (lines.tokens(&last.lines), lines.tokens(&piece.lines));
        let scrap = before < sizes.least || own < sizes.least;
        let kin = last.scope == piece.scope
            && (last.kind == Kind::Import) == (piece.kind == Kind::Import);
        let most = match (scrap, kin) {
            (true, _) => sizes.most,
            (false, true) => sizes.joined,
            (false, false) => 0,
        };
        if before + own <= most {
            last.take(piece, own > before);
        } else {
            joined.push(piece);
        }
    }
    joined
}

impl Piece {
    /// What follows becomes part of it, and says what it is if it is the larger one.
    fn take(&mut self, next: Self, larger: bool) {
        if (larger && next.symbol.is_some()) || self.symbol.is_none() {
            (self.kind, self.symbol) = (next.kind, next.symbol);
        }
        self.symbols.extend(next.symbols);
        self.lines.end = next.lines.end;
        if larger {
            self.scope = next.scope;
        }
    }

    /// One, unless it is a single line that is too long.
    pub(super) fn into_chunks(
        self,
        lines: &Lines<'_>,
        sizes: Sizes,
        count: &dyn Fn(&str) -> usize,
    ) -> Vec<Chunk> {
        let all = lines.bytes(&self.lines);
        let number = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
        let chunk = |bytes| Chunk {
            kind: self.kind,
            symbol: self.symbol.clone(),
            symbols: self.symbols.clone(),
            bytes,
            lines: (number(self.lines.start + 1), number(self.lines.end)),
        };
        if lines.tokens(&self.lines) <= sizes.most {
            return vec![chunk(all)];
        }
        let (mut chunks, mut start) = (Vec::new(), all.start);
        while start < all.end {
            let end = start
                + fitting(lines.source.get(start..all.end).unwrap_or_default(), sizes.most, count);
            chunks.push(chunk(start..end));
            start = end;
        }
        chunks
    }
}

/// How many bytes from the start have at most `most` tokens, or nearly so; at least one character.
fn fitting(text: &str, most: usize, count: &dyn Fn(&str) -> usize) -> usize {
    let boundary = |at: usize| text.floor_char_boundary(at);
    // Few tokens are longer than eight bytes in the mean.
    let mut end = boundary((most * 8).min(text.len()));
    while count(text.get(..end).unwrap_or_default()) > most {
        end = boundary(end / 4 * 3);
    }
    if end == 0 { text.chars().next().map_or(text.len(), char::len_utf8) } else { end }
}
