//! The schema: from nothing, again, after a kill, never backwards, and with the seed's names.

mod social;

use std::collections::BTreeSet;

use millrace_jobs::store::migrate::{self, SchemaError};
use millrace_tests::{App, Pg, root, schema};

#[tokio::test]
async fn an_empty_database_is_migrated_and_again_is_nothing() {
    let db = Pg::empty_database().await;
    assert_eq!(migrate::version(&db.pool).await.unwrap(), 0);
    assert!(matches!(migrate::check(&db.pool).await, Err(SchemaError::Older { found: 0, .. })));
    migrate::run(&db.pool).await.unwrap();
    migrate::run(&db.pool).await.unwrap();
    migrate::check(&db.pool).await.unwrap();
    assert!(migrate::status(&db.pool).await.unwrap().iter().all(|step| step.applied));
}

#[tokio::test]
async fn several_processes_may_migrate_at_once() {
    let db = Pg::empty_database().await;
    let (a, b, c) =
        tokio::join!(migrate::run(&db.pool), migrate::run(&db.pool), migrate::run(&db.pool));
    for outcome in [a, b, c] {
        outcome.unwrap();
    }
    migrate::check(&db.pool).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_when_it_took_something_away() {
    let db = Pg::database().await;
    let newer = migrate::known() + 1;
    sqlx::query(
        "insert into ops.migrations (version, description, success, checksum, execution_time)
         values ($1, 'from the future', true, '\\x00', 0)",
    )
    .bind(newer)
    .execute(&db.pool)
    .await
    .unwrap();
    // It only added: a release of before runs on, and may be started again.
    migrate::check(&db.pool).await.unwrap();
    migrate::run(&db.pool).await.unwrap();
    let app = App::new(&db, &["all"]).ready().await;
    assert_eq!(app.run(&["doctor"]).await.status.code(), Some(0));
    sqlx::query("create or replace function ops.oldest_release() returns bigint language sql immutable as 'select max(version) from ops.migrations'")
        .execute(&db.pool)
        .await
        .unwrap();
    assert_eq!(app.run(&["serve"]).await.status.code(), Some(1));
    for outcome in [migrate::check(&db.pool).await, migrate::run(&db.pool).await] {
        assert!(matches!(outcome, Err(SchemaError::Newer { found, .. }) if found == newer));
    }
}

/// `make schema` writes it anew.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "says whether to compare or to write")]
async fn the_schema_is_the_committed_one() {
    let db = Pg::empty_database().await;
    migrate::run(&db.pool).await.unwrap();
    let Some(found) = schema::dump(&db).await else {
        println!("skipped: no pg_dump beside the Postgres of scripts/setup");
        return;
    };
    let path = root().join("migrations/schema.sql");
    if std::env::var_os("MILLRACE_WRITE_SCHEMA").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs =
        found.lines().zip(committed.lines()).find(|(found, committed)| found != committed);
    assert_eq!(differs, None, "found and committed differ; after a new migration: `make schema`");
    assert_eq!(
        found.lines().count(),
        committed.lines().count(),
        "after a new migration: `make schema`"
    );
}

#[test]
fn the_linter_has_nothing_to_say() {
    let Some(said) = schema::lint() else {
        println!("skipped: no squawk in the state folder (scripts/setup --tests fetches it)");
        return;
    };
    assert_eq!(said, "");
}

/// Tables and columns of the signals seed, exactly as it names them.
const SEED_COLUMNS: &[(&str, &str)] = &[
    (
        "signals",
        "id workspace_id verbatim interpretation severity frequency user_segment source source_ref \
         source_metadata status embedding ai_classification inbox_item_id created_at updated_at processed_at",
    ),
    ("signal_projects", "id signal_id project_id linked_at linked_by link_reason confidence"),
    ("signal_personas", "id signal_id persona_id linked_at linked_by"),
];

/// The columns that the seed allows to be null; all others are `not null`.
const SEED_NULLABLE: &str = "interpretation severity frequency user_segment source_ref source_metadata \
     embedding ai_classification inbox_item_id processed_at linked_by link_reason confidence";

/// Foreign keys of the seed: column, table it points at, what happens on delete.
const SEED_REFERENCES: &[(&str, &str, &str, &str)] = &[
    ("signals", "workspace_id", "workspaces", "CASCADE"),
    ("signals", "inbox_item_id", "inbox_items", "SET NULL"),
    ("signal_projects", "signal_id", "signals", "CASCADE"),
    ("signal_projects", "project_id", "projects", "CASCADE"),
    ("signal_projects", "linked_by", "users", "SET NULL"),
    ("signal_personas", "signal_id", "signals", "CASCADE"),
    ("signal_personas", "linked_by", "users", "SET NULL"),
];

#[tokio::test]
async fn the_seeds_columns_are_there_as_written() {
    let db = Pg::database().await;
    for (table, columns) in SEED_COLUMNS {
        let found: Vec<(String, bool)> = sqlx::query_as(
            "select column_name::text, is_nullable = 'YES' from information_schema.columns
             where table_schema = 'signals' and table_name = $1",
        )
        .bind(table)
        .fetch_all(&db.pool)
        .await
        .unwrap();
        for column in columns.split_whitespace() {
            let there = found.iter().find(|(name, _)| name == column);
            let (_, nullable) = there.unwrap_or_else(|| panic!("{table}.{column} is missing"));
            let expected = SEED_NULLABLE.split_whitespace().any(|name| name == column);
            assert_eq!(*nullable, expected, "{table}.{column}: nullable");
        }
    }
}

#[tokio::test]
async fn the_seeds_references_uniques_and_indexes_are_there() {
    let db = Pg::database().await;
    let constraints: Vec<(String, String)> = sqlx::query_as(
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
         where connamespace = 'signals'::regnamespace",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    let has = |table: &str, definition: &str| {
        let table = format!("signals.{table}");
        constraints.iter().any(|(of, is)| *of == table && is.starts_with(definition))
    };
    for (table, column, target, on_delete) in SEED_REFERENCES {
        let definition =
            format!("FOREIGN KEY ({column}) REFERENCES signals.{target}(id) ON DELETE {on_delete}");
        assert!(has(table, &definition), "{table}: {definition}");
    }
    assert!(has("signal_projects", "UNIQUE (signal_id, project_id)"));
    assert!(has("signal_personas", "UNIQUE (signal_id, persona_id)"));
    let indexes: BTreeSet<String> =
        sqlx::query_scalar("select indexname::text from pg_indexes where schemaname = 'signals'")
            .fetch_all(&db.pool)
            .await
            .unwrap()
            .into_iter()
            .collect();
    for index in [
        "signals_workspace_status_idx",
        "signals_workspace_source_idx",
        "signals_workspace_created_idx",
    ] {
        assert!(indexes.contains(index), "{index}");
    }
}

#[tokio::test]
async fn the_seeds_vocabularies_are_taken_and_nothing_else() {
    let db = Pg::database().await;
    sqlx::query("insert into signals.workspaces (id, name) values ('w', 'W')")
        .execute(&db.pool)
        .await
        .unwrap();
    let vocabularies = [
        ("source", "webhook upload paste video slack pylon email interview other"),
        ("status", "new reviewed linked archived"),
        ("severity", "critical high medium low"),
        ("frequency", "common occasional rare"),
    ];
    for (column, words) in vocabularies {
        for word in words.split_whitespace().chain(["unheard-of"]) {
            let outcome = sqlx::query(
                "insert into signals.signals (workspace_id, verbatim, source, status, severity, frequency)
                 values ('w', 'x', case $1 when 'source' then $2 else 'other' end,
                         case $1 when 'status' then $2 else 'new' end,
                         case $1 when 'severity' then $2 end, case $1 when 'frequency' then $2 end)",
            )
            .bind(column)
            .bind(word)
            .execute(&db.pool)
            .await;
            assert_eq!(outcome.is_ok(), word != "unheard-of", "{column} = {word}: {outcome:?}");
        }
    }
}

/// An id that began with a hyphen was an unknown option to every command that takes one.
#[tokio::test]
async fn ids_are_the_seeds_and_no_options() {
    let db = Pg::database().await;
    let mut ids: Vec<String> =
        sqlx::query_scalar("select ops.nanoid() from generate_series(1, 5000)")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    ids.extend((0..5000).map(|_| millrace_jobs::store::new_id()));
    let fits = |id: &String| {
        id.len() == 21
            && id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    assert!(ids.iter().all(fits));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 10_000);
}
