//! The house rules that neither the compiler nor clippy can hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use millrace_tests::{
    Pg, root,
    sql::{ROOMS, all_statements, files, sources},
};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

/// One concept per file; past this it is two.
const LINES_MAX: usize = 450;

/// Nothing that can wait, look around or tell the time.
const IMPURE: &[&str] = &[
    "tokio",
    "sqlx",
    "reqwest",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Clock",
    ".await",
    "async fn",
    "async move",
];

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |(path, text): &(String, String)| {
        let lines = text.lines().count();
        (path.ends_with(".rs") && lines > LINES_MAX).then(|| format!("{path}: {lines} lines"))
    };
    none(&files().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn nothing_unfinished_and_nothing_of_one_machine() {
    // Put together here, so that this file does not find itself.
    let banned = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["XX", "X:"],
        ["HA", "CK:"],
        ["place", "holder"],
        ["for n", "ow"],
        ["#[ign", "ore"],
        ["todo", "!("],
        ["unimplemented", "!("],
        ["crates", ".io"],
        ["pypi", ".org"],
        ["python", "hosted.org"],
        ["/ro", "ot/"],
        ["/wo", "rk/"],
    ]
    .map(|halves| halves.concat());
    let mut problems = Vec::new();
    for (path, text) in files() {
        if path.ends_with("Cargo.lock")
            || path.contains("/fixtures/")
            || path.contains("/snapshots/")
        {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let found = banned.iter().filter(|word| line.contains(word.as_str()));
            problems.extend(found.map(|word| format!("{path}:{number}: {word}")));
        }
    }
    none(&problems);
}

#[test]
fn sql_stays_in_its_rooms() {
    let marks =
        ["sqlx::query", "sqlx::raw_sql", "QueryBuilder", "use sqlx::{query", "AssertSqlSafe"];
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let at_home = ROOMS.iter().any(|room| path.starts_with(room));
        for (number, line) in (1..).zip(text.lines()) {
            for mark in marks.iter().filter(|mark| line.contains(*mark)) {
                if !at_home || *mark != "sqlx::query" {
                    problems.push(format!("{path}:{number}: {mark}"));
                }
            }
        }
    }
    none(&problems);
}

#[test]
fn the_environment_is_read_in_config_only() {
    let reads = |(path, text): &(String, String)| {
        let reads = text.contains("env::var") && !path.starts_with("config/src/");
        reads.then(|| format!("{path} reads the environment"))
    };
    none(&sources().iter().filter_map(reads).collect::<Vec<_>>());
}

#[test]
fn sources_are_pure() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        if path.starts_with("ingest/src/sources/") || path.starts_with("ingest/src/verify") {
            let found = IMPURE.iter().filter(|word| {
                text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(*word))
            });
            problems.extend(found.map(|word| format!("{path}: {word}")));
        }
    }
    none(&problems);
}

#[test]
fn every_source_has_its_fixtures() {
    let without = millrace_ingest::sources::ALL.iter().map(|source| source.name()).filter(|name| {
        let folder = fs::read_dir(root().join("tests/fixtures").join(name));
        folder.map_or(true, |files| files.count() == 0)
    });
    none(&without.map(|name| format!("tests/fixtures/{name} is empty")).collect::<Vec<_>>());
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "statements of our own sources, read from them")]
async fn every_statement_prepares_against_the_schema() {
    let db = Pg::database().await;
    let mut connection = db.pool.acquire().await.unwrap();
    let mut problems = Vec::new();
    for statement in all_statements() {
        let sql = AssertSqlSafe(statement.sql.clone()).into_sql_str();
        if let Err(error) = (&mut *connection).prepare(sql).await {
            problems.push(format!("{}: {error}\n{}", statement.place, statement.sql));
        }
    }
    none(&problems);
}

/// The queue, the events and the registry are modules of several files; in the store every file, or folder
/// of that name, is one.
fn module(file: &str) -> String {
    if let Some(rest) = file.strip_prefix("jobs/src/store/") {
        return format!("store/{}", rest.split(['/', '.']).next().unwrap());
    }
    ROOMS.iter().find(|room| file.starts_with(*room)).unwrap().to_string()
}

#[test]
fn every_table_is_written_by_one_module() {
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in all_statements() {
        let file = statement.place.split(':').next().unwrap();
        for table in statement.written() {
            writers.entry(table).or_default().insert(module(file));
        }
    }
    let shared = writers.iter().filter(|(_, modules)| modules.len() > 1);
    none(
        &shared
            .map(|(table, modules)| format!("{table} is written by {modules:?}"))
            .collect::<Vec<_>>(),
    );
}
