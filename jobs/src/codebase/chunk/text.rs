//! Files without a grammar: headings, sections and blank lines say where to cut.

use super::{
    Kind,
    lines::Lines,
    outline::{Definition, Outline},
};
use crate::codebase::language::Language;

/// Where a section begins, and what it is called.
type Heading = fn(&str) -> Option<String>;

pub(super) fn outline(lines: &Lines<'_>, language: Option<&Language>) -> Outline {
    let count = lines.count();
    let mut outline = Outline {
        imports: vec![false; count],
        comments: vec![false; count],
        costs: (0..count).map(|line| cost(lines, line)).collect(),
        definitions: Vec::new(),
    };
    let heading: Heading = match language.map(|l| l.name) {
        Some("markdown") => markdown,
        Some("toml") => table,
        Some("sql") => statement,
        _ => return outline,
    };
    let mut fenced = false;
    for line in 0..count {
        let text = lines.line(line);
        fenced ^= text.trim_start().starts_with("```");
        let Some(name) = heading(text).filter(|_| !fenced) else { continue };
        if let Some(cost) = outline.costs.get_mut(line) {
            *cost = 0;
        }
        if let Some(last) = outline.definitions.last_mut() {
            last.lines.end = line;
        }
        let lines = line..count;
        outline.definitions.push(Definition {
            kind: Kind::Block,
            name,
            holder: false,
            lines,
            parent: None,
        });
    }
    outline
}

/// Cheap after a blank line, dearer the further a line is indented.
fn cost(lines: &Lines<'_>, line: usize) -> u32 {
    let text = lines.line(line);
    let blanks = text.bytes().take_while(|b| matches!(b, b' ' | b'\t'));
    let indent: u32 = blanks.map(|b| if b == b'\t' { 4 } else { 1 }).take(64).sum();
    let after_blank = line > 0 && lines.is_blank(line - 1);
    1 + indent + if after_blank { 0 } else { 2 }
}

/// `## Install` is `Install`.
fn markdown(line: &str) -> Option<String> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let title = line.get(level..)?;
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| named(title))?
}

/// `[package]` is `package`.
fn table(line: &str) -> Option<String> {
    named(line.strip_prefix('[')?.trim_end().trim_matches(['[', ']']))
}

/// `create table if not exists a.b (` is `a.b`.
fn statement(line: &str) -> Option<String> {
    const WHAT: [&str; 9] =
        ["table", "view", "function", "procedure", "trigger", "index", "type", "schema", "policy"];
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    if words.first().is_none_or(|word| word != "create") {
        return None;
    }
    let what = words.iter().position(|word| WHAT.contains(&word.as_str()))?;
    let between = ["if", "not", "exists", "concurrently", "only"];
    let name = words.iter().skip(what + 1).find(|word| !between.contains(&word.as_str()))?;
    named(name.split('(').next()?)
}

fn named(text: &str) -> Option<String> {
    let name: String = text.trim().chars().take(120).collect();
    (!name.is_empty()).then_some(name)
}
