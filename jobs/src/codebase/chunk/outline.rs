//! What a syntax tree says about the lines of a file.

use std::ops::Range;

use tree_sitter::{Node, Parser, TreeCursor};

use super::{Kind, lines::Lines};
use crate::codebase::grammar::{Grammar, Role};

/// Nodes that lie deeper are not looked at: no code that a person reads nests so far.
const DEPTH_MAX: u32 = 500;
/// Definitions in definitions; deeper ones belong to the innermost that counts.
const NESTED_MAX: usize = 32;
/// A byte order mark, which no grammar knows.
const BOM: &str = "\u{feff}";

/// A definition.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) kind: Kind,
    /// Qualified.
    pub(super) name: String,
    /// Its members are definitions, too.
    pub(super) holder: bool,
    /// With the comments and attributes above it.
    pub(super) lines: Range<usize>,
    /// Where in the list the one around it is.
    pub(super) parent: Option<usize>,
}

/// All that matters for cutting.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// In the order in which they begin.
    pub(super) definitions: Vec<Definition>,
    /// What a cut before each line costs.
    pub(super) costs: Vec<u32>,
    /// Lines that import.
    pub(super) imports: Vec<bool>,
    /// Lines that hold nothing but comments and attributes.
    pub(super) comments: Vec<bool>,
}

impl Outline {
    /// None if more than a quarter of the file is no such language.
    pub(super) fn parse(grammar: &Grammar, source: &str, lines: &Lines<'_>) -> Option<Self> {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter::Language::new(grammar.language)).ok()?;
        let tree = match source.strip_prefix(BOM) {
            Some(rest) => parser.parse(format!("   {rest}"), None)?,
            None => parser.parse(source, None)?,
        };
        let mut walk = Walk::new(grammar, lines);
        walk.all(&mut tree.walk());
        (walk.broken * 4 <= source.len()).then(|| walk.finish())
    }
}

/// A wrapper whose definition is still to come.
struct Wrapped {
    lines: Range<usize>,
    end: usize,
}

struct Walk<'a> {
    grammar: &'a Grammar,
    lines: &'a Lines<'a>,
    outline: Outline,
    /// How many more nodes are open from a line on; its sums are the depths.
    opened: Vec<i32>,
    /// Definitions around the current node, with the byte where each ends.
    around: Vec<(usize, usize)>,
    wrapped: Option<Wrapped>,
    /// Bytes in errors near the root.
    broken: usize,
}

impl<'a> Walk<'a> {
    fn new(grammar: &'a Grammar, lines: &'a Lines<'a>) -> Self {
        let count = lines.count();
        let outline = Outline {
            imports: vec![false; count],
            comments: vec![false; count],
            ..Outline::default()
        };
        Self {
            grammar,
            lines,
            outline,
            opened: vec![0; count + 2],
            around: Vec::new(),
            wrapped: None,
            broken: 0,
        }
    }

    /// Without recursion: a file may nest as deep as it is long.
    fn all(&mut self, cursor: &mut TreeCursor<'_>) {
        loop {
            let inside = self.enter(&cursor.node(), cursor.depth());
            if inside && cursor.depth() < DEPTH_MAX && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Whether to look inside: nothing on a single line is a place to cut.
    fn enter(&mut self, node: &Node<'_>, depth: u32) -> bool {
        let rows = self.rows(node);
        if node.is_error() && depth <= 3 && node.byte_range().len() >= 8 {
            self.broken += node.byte_range().len();
        }
        let several = rows.len() > 1;
        if several && depth > 0 {
            self.open(&rows);
        }
        match self.grammar.role(node) {
            Some(Role::Import) => self.mark(&rows, |o| &mut o.imports),
            Some(Role::Comment) if self.begins_line(node) => {
                self.mark(&rows, |o| &mut o.comments);
            }
            Some(Role::Wrapper) if self.wrapped.is_none() => {
                self.wrapped = Some(Wrapped { lines: rows, end: node.end_byte() });
                return true;
            }
            Some(Role::Holder(kind)) => self.define(node, kind, true, rows),
            Some(Role::Leaf(kind)) => self.define(node, kind, false, rows),
            _ => {}
        }
        several || self.wrapped.as_ref().is_some_and(|w| w.end >= node.end_byte())
    }

    /// Lines that a node touches. Some end behind their newline, which is no line of theirs.
    fn rows(&self, node: &Node<'_>) -> Range<usize> {
        let (start, end) = (node.start_position(), node.end_position());
        let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
        start.row..(last + 1).min(self.lines.count())
    }

    fn open(&mut self, rows: &Range<usize>) {
        for (row, change) in [(rows.start + 1, 1), (rows.end, -1)] {
            if let Some(opened) = self.opened.get_mut(row) {
                *opened += change;
            }
        }
    }

    fn mark(&mut self, rows: &Range<usize>, which: impl Fn(&mut Outline) -> &mut Vec<bool>) {
        which(&mut self.outline).iter_mut().take(rows.end).skip(rows.start).for_each(|m| *m = true);
    }

    fn begins_line(&self, node: &Node<'_>) -> bool {
        let start = node.start_position();
        let line = self.lines.line(start.row);
        line.get(..start.column).is_some_and(|before| before.trim().is_empty())
    }

    fn define(&mut self, node: &Node<'_>, kind: Kind, holder: bool, rows: Range<usize>) {
        while self.around.last().is_some_and(|(_, end)| *end <= node.start_byte()) {
            self.around.pop();
        }
        let parent = self.around.last().and_then(|(at, _)| self.outline.definitions.get(*at));
        let local = parent.is_some_and(|p| !p.holder);
        if (local && kind == Kind::Block) || self.around.len() >= NESTED_MAX {
            return;
        }
        let Some((name, kind)) = name(node, kind, self.lines.source) else { return };
        let member = parent.is_some_and(|p| p.holder && p.kind != Kind::Block);
        let kind = if member && kind == Kind::Function { Kind::Method } else { kind };
        let name = match parent {
            Some(parent) => format!("{}{}{name}", parent.name, self.grammar.separator),
            None => name,
        };
        let wrapped =
            self.wrapped.take_if(|w| w.end <= node.start_byte() || w.end >= node.end_byte());
        let lines = wrapped.filter(|w| w.end >= node.end_byte()).map_or(rows, |w| w.lines);
        let parent = self.around.last().map(|(at, _)| *at);
        self.around.push((self.outline.definitions.len(), node.end_byte()));
        self.outline.definitions.push(Definition { kind, name, holder, lines, parent });
    }

    fn finish(mut self) -> Outline {
        let mut open = 0;
        for (line, change) in self.opened.iter().take(self.lines.count()).enumerate() {
            open += change;
            let depth = u32::try_from(open).unwrap_or(0);
            let after_blank = line > 0 && self.lines.is_blank(line - 1);
            // What is said of a line should stand with it.
            let after_comment = line > 0 && self.outline.comments.get(line - 1) == Some(&true);
            let cost = depth * 2 + u32::from(!after_blank) + if after_comment { 6 } else { 0 };
            self.outline.costs.push(cost);
        }
        for at in 0..self.outline.definitions.len() {
            self.attach(at);
        }
        self.outline
    }

    /// Comments and attributes right above a definition are its own.
    fn attach(&mut self, at: usize) {
        let Some(definition) = self.outline.definitions.get(at) else { return };
        let parent = definition.parent.and_then(|p| self.outline.definitions.get(p));
        let floor = parent.map_or(0, |p| p.lines.start + 1);
        let mut start = definition.lines.start;
        while start > floor && self.outline.comments.get(start - 1) == Some(&true) {
            start -= 1;
        }
        if let Some(definition) = self.outline.definitions.get_mut(at) {
            definition.lines.start = start;
        }
    }
}

/// The name of what a node defines, and what that is when the value says more than the node; none if it has no name.
fn name(node: &Node<'_>, kind: Kind, source: &str) -> Option<(String, Kind)> {
    if let Some(receiver) = node.child_by_field_name("receiver") {
        let method = text(&node.child_by_field_name("name")?, source)?;
        let written = source.get(receiver.byte_range())?;
        let holder = written.trim_matches(['(', ')']).split_whitespace().next_back()?;
        let holder = holder.trim_start_matches('*').split('[').next()?;
        return Some((format!("{holder}.{method}"), Kind::Method));
    }
    if let Some(named) = node.child_by_field_name("name") {
        return Some((text(&named, source)?, kind));
    }
    if node.kind() == "impl_item" {
        return Some((text(&node.child_by_field_name("type")?, source)?, kind));
    }
    if let Some(declared) = declarator(node, source) {
        return Some((declared, kind));
    }
    let mut cursor = node.walk();
    let part =
        node.named_children(&mut cursor).find(|part| part.child_by_field_name("name").is_some())?;
    let value = part.child_by_field_name("value").map(|value| value.kind());
    let is_function = matches!(
        value,
        Some("arrow_function" | "function_expression" | "function" | "generator_function")
    );
    let kind = match part.child_by_field_name("type").map(|t| t.kind()) {
        Some("interface_type") => Kind::Interface,
        _ if is_function => Kind::Function,
        _ => kind,
    };
    Some((text(&part.child_by_field_name("name")?, source)?, kind))
}

/// Of C and its kin: the name stands inside pointers, parameters and initialisers.
fn declarator(node: &Node<'_>, source: &str) -> Option<String> {
    let mut inner = node.child_by_field_name("declarator")?;
    while let Some(next) = inner.child_by_field_name("declarator") {
        inner = next;
    }
    text(&inner, source)
}

/// A name as people write it: one line, without type parameters.
fn text(node: &Node<'_>, source: &str) -> Option<String> {
    let written = source.get(node.byte_range())?;
    let name = written.split(['<', '(', '\n']).next()?.trim();
    (!name.is_empty()).then(|| name.chars().take(120).collect())
}
