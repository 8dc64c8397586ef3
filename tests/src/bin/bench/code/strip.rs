//! A checkout without its doc comments, and those as questions: what a function's comment says is asked, the function is
//! to be found (the way of CodeSearchNet, Husain et al., 2019).

use std::collections::BTreeSet;

use tree_sitter::{Language, Node, Parser};

/// Words of a question.
const WORDS: std::ops::RangeInclusive<usize> = 4..=60;
/// Lines of a function that is worth finding.
const LINES_MIN: usize = 3;

/// What is asked, and where the answer is.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) path: String,
    /// First and last line of the function, from 1, in the file without comments.
    pub(super) lines: (usize, usize),
}

/// How a language writes what it says of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `///` and `//!`.
    Rust,
    /// `//` right above.
    Go,
    /// The first string of a body.
    Python,
    /// `/** */` right above.
    Star,
}

fn language(path: &str) -> Option<(Language, Style)> {
    Some(match path.rsplit('.').next()? {
        "rs" => (tree_sitter_rust::LANGUAGE.into(), Style::Rust),
        "go" => (tree_sitter_go::LANGUAGE.into(), Style::Go),
        "py" => (tree_sitter_python::LANGUAGE.into(), Style::Python),
        "java" => (tree_sitter_java::LANGUAGE.into(), Style::Star),
        "ts" => (tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(), Style::Star),
        "js" | "mjs" => (tree_sitter_javascript::LANGUAGE.into(), Style::Star),
        _ => return None,
    })
}

/// The text without doc comments, and the questions that they make.
pub(super) fn strip(path: &str, source: &str) -> (String, Vec<Question>) {
    let parsed = language(path).and_then(|(language, style)| {
        let mut parser = Parser::new();
        parser.set_language(&language).ok()?;
        Some((parser.parse(source, None)?, style))
    });
    let Some((tree, style)) = parsed else { return (source.to_owned(), Vec::new()) };
    let (mut found, mut gone) = (Vec::new(), BTreeSet::new());
    visit(tree.root_node(), style, source, &mut found, &mut gone);
    let kept = source.split_inclusive('\n').enumerate().filter(|(line, _)| !gone.contains(line));
    let text = kept.map(|(_, line)| line).collect();
    let aside = ["test", "example", "bench", "vendor", "mock"]
        .iter()
        .any(|word| path.to_lowercase().contains(word));
    let now = |line: usize| line + 1 - gone.range(..line).count();
    let question = |(doc, start, end): (String, usize, usize)| {
        let lines = (now(start), now(end));
        let long = lines.1 + 1 >= lines.0 + LINES_MIN;
        let asked = WORDS.contains(&doc.split(' ').count()) && long && !aside;
        asked.then(|| Question { text: doc, path: path.to_owned(), lines })
    };
    (text, found.into_iter().filter_map(question).collect())
}

fn visit(
    node: Node<'_>,
    style: Style,
    source: &str,
    found: &mut Vec<(String, usize, usize)>,
    gone: &mut BTreeSet<usize>,
) {
    let text = |node: &Node<'_>| source.get(node.byte_range()).unwrap_or_default();
    let rows = |node: &Node<'_>| {
        let end = node.end_position();
        node.start_position().row..end.row + usize::from(end.column > 0)
    };
    let is_doc = |node: &Node<'_>| match style {
        Style::Rust => text(node).starts_with("///") || text(node).starts_with("//!"),
        Style::Star => text(node).starts_with("/**"),
        Style::Go => text(node).starts_with("//") && !text(node).starts_with("//go:"),
        Style::Python => false,
    };
    if node.kind().contains("comment")
        && is_doc(&node)
        && (style != Style::Go || node.parent().is_some_and(|p| p.kind() == "source_file"))
    {
        gone.extend(rows(&node));
    }
    if style == Style::Python
        && let Some(doc) = docstring(&node)
    {
        gone.extend(rows(&doc));
    }
    if is_function(node.kind()) {
        let doc = match style {
            Style::Python => docstring(&node).map(|doc| text(&doc).to_owned()),
            Style::Rust | Style::Go | Style::Star => above(&node, &is_doc, &text),
        };
        let first = doc.as_deref().and_then(paragraph);
        found.extend(first.map(|first| (first, node.start_position().row, rows(&node).end - 1)));
    }
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        visit(child, style, source, found, gone);
    }
}

fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_item"
            | "function_definition"
            | "function_declaration"
            | "method_declaration"
            | "method_definition"
    )
}

/// The string at the beginning of a Python module, class or function.
fn docstring<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    let body = match node.kind() {
        "module" => *node,
        "function_definition" | "class_definition" => node.child_by_field_name("body")?,
        _ => return None,
    };
    let first = body.named_child(0).filter(|first| first.kind() == "expression_statement")?;
    first.named_child(0).filter(|string| string.kind() == "string")
}

/// Comments right above, attributes between them left out.
fn above<'s>(
    node: &Node<'_>,
    is_doc: &dyn Fn(&Node<'_>) -> bool,
    text: &dyn Fn(&Node<'_>) -> &'s str,
) -> Option<String> {
    let outer = node.parent().filter(|parent| parent.kind() == "export_statement");
    let (mut at, mut row, mut lines) =
        (outer.unwrap_or(*node), node.start_position().row, Vec::new());
    while let Some(before) = at.prev_sibling() {
        let touches = before.end_position().row + 1 >= row;
        let between = before.kind().contains("attribute") || before.kind() == "decorator";
        if !touches || !(between || is_doc(&before)) {
            break;
        }
        if !between {
            lines.push(text(&before));
        }
        (at, row) = (before, before.start_position().row);
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The first paragraph as one line of plain words.
fn paragraph(doc: &str) -> Option<String> {
    let doc = doc.trim_matches(['"', '\'', 'r', 'R', 'u']).trim();
    let mark = |line: &str| {
        line.trim().trim_start_matches(['/', '*', '!']).trim_end_matches("*/").trim().to_owned()
    };
    let lines = doc.lines().map(mark).skip_while(String::is_empty);
    let first: Vec<String> =
        lines.take_while(|line| !line.is_empty() && !line.starts_with(['@', ':', '#'])).collect();
    let text = first.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}
