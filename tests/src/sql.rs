//! The repository's files, and the SQL statements in Rust sources: the literal argument of every `sqlx::query*` call.

use std::{fs, path::Path};

use crate::root;

/// The rooms that may hold SQL.
pub const ROOMS: &[&str] = &[
    "jobs/src/queue/",
    "jobs/src/store/",
    "ingest/src/events",
    "ingest/src/registry",
    "ingest/src/poll/store",
];

/// One statement and where it stands.
#[derive(Debug)]
pub struct Statement {
    /// `file:line`.
    pub place: String,
    /// As Postgres gets it.
    pub sql: String,
}

impl Statement {
    /// The tables it writes, `schema.table` in lower case.
    pub fn written(&self) -> Vec<String> {
        let flat = self.sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let after = |mark: &str| -> Vec<String> {
            let tables = flat.match_indices(mark).filter_map(|(at, _)| {
                let rest = flat.get(at + mark.len()..)?;
                let name =
                    rest.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_')).next()?;
                name.contains('.').then(|| name.to_owned())
            });
            tables.collect()
        };
        [after("insert into "), after("update "), after("delete from ")].concat()
    }
}

/// All statements of one file, or what could not be read: a statement that is not a literal.
pub fn statements(root: &Path, path: &str, text: &str) -> Result<Vec<Statement>, Vec<String>> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (at, mark) in text.match_indices("sqlx::query") {
        let place = format!("{path}:{}", text.get(..at).unwrap().matches('\n').count() + 1);
        let rest = text.get(at + mark.len()..).unwrap();
        let name_end =
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let Some(argument) = argument(rest.get(name_end..).unwrap()) else { continue };
        match literal(root, path, argument) {
            Some(sql) => found.push(Statement { place, sql }),
            None => problems.push(format!("{place}: the statement is not a literal")),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// What follows the opening parenthesis, past a turbofish; `None` for a path such as `sqlx::query::Query`.
fn argument(text: &str) -> Option<&str> {
    let text = text.trim_start();
    if let Some(call) = text.strip_prefix('(') {
        return Some(call.trim_start());
    }
    let generics = text.strip_prefix("::<")?;
    let mut depth = 1;
    for (at, c) in generics.char_indices() {
        depth += match c {
            '<' => 1,
            '>' => -1,
            _ => 0,
        };
        if depth == 0 {
            return argument(generics.get(at + 1..)?);
        }
    }
    None
}

/// The value of a string literal or of an `include_str!`.
fn literal(root: &Path, path: &str, text: &str) -> Option<String> {
    if let Some(file) = text.strip_prefix("include_str!(") {
        let name = literal(root, path, file.trim_start())?;
        return fs::read_to_string(root.join(path).parent()?.join(name)).ok();
    }
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw.get(hashes..)?.strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(body.get(..body.find(&end)?)?.to_owned());
    }
    let mut out = String::new();
    let mut rest = text.strip_prefix('"')?.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return Some(out),
            '\\' => match rest.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                // A line continuation swallows the indentation that follows.
                '\n' => rest = rest.as_str().trim_start().chars(),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

/// Files of the repository (path from the root, text), binary ones left out.
///
/// # Panics
/// If they cannot be read.
#[must_use]
pub fn files() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if [".git", "target", ".millrace", "node_modules"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    assert!(found.len() > 30, "the repository was not found");
    found
}

/// Rust sources of the service itself, without its tests and what it is compared with.
#[must_use]
pub fn sources() -> Vec<(String, String)> {
    let crates = ["config/src/", "jobs/src/", "ingest/src/", "worker/src/"];
    let mut files = files();
    files.retain(|(path, _)| path.ends_with(".rs") && crates.iter().any(|c| path.starts_with(c)));
    for (_, text) in &mut files {
        if let Some(at) = text.find("#[cfg(test)]\nmod tests {") {
            text.truncate(at);
        }
    }
    files
}

/// Every statement of the service, from its rooms.
///
/// # Panics
/// If one is not a literal, or there are none.
#[must_use]
pub fn all_statements() -> Vec<Statement> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for (path, text) in sources() {
        if ROOMS.iter().any(|room| path.starts_with(room)) {
            match statements(&root(), &path, &text) {
                Ok(found) => all.extend(found),
                Err(found) => problems.extend(found),
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    assert!(!all.is_empty(), "no statement was found: the search is broken");
    all
}

#[test]
fn statements_are_found_however_they_are_written() {
    let text = r##"
        use sqlx::query::Query;
        sqlx::query("insert into a.b \
                     values (1, '\"')").execute(x);
        sqlx::query_as::<_, (Vec<u8>, i64)>(
            r#"update only a.c set "x" = 1"#,
        );
        sqlx::query_scalar("select 1; delete from a.d")
    "##;
    let found = statements(Path::new("."), "f.rs", text).unwrap();
    let sql: Vec<_> = found.iter().map(|s| s.sql.as_str()).collect();
    assert_eq!(
        sql,
        [
            "insert into a.b values (1, '\"')",
            "update only a.c set \"x\" = 1",
            "select 1; delete from a.d"
        ]
    );
    assert_eq!(found[0].written(), ["a.b"]);
    assert_eq!(found[2].written(), ["a.d"]);
    assert!(statements(Path::new("."), "f.rs", "sqlx::query(&text)").is_err());
}
