//! Least privilege: the service does its work as a role that may do just that. (Every other test here runs the
//! binary as that role, too.)

use std::collections::BTreeMap;

use millrace_tests::{App, Database, Pg, roles, sql::all_statements};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

async fn as_role(db: &Database, role: &str) -> PgConnection {
    PgConnection::connect(&db.url_as(role)).await.unwrap()
}

/// The SQLSTATE of what Postgres says; empty if it does it.
#[expect(clippy::disallowed_methods, reason = "statements of this file")]
async fn state(conn: &mut PgConnection, sql: &str) -> String {
    match sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await {
        Ok(_) => String::new(),
        Err(e) => e.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

#[expect(clippy::disallowed_methods, reason = "scripts of ours")]
async fn administer(db: &Database, script: String) {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
}

/// Planning does not ask for rights, but starting the plan does, even to explain it.
#[tokio::test]
async fn every_statement_of_the_service_is_allowed_to_its_role() {
    let db = Pg::database().await;
    let mut conn = as_role(&db, roles::APP).await;
    let (mut explained, mut denied) = (0, Vec::new());
    for statement in all_statements() {
        if statement.place.contains("store/migrate.rs") {
            continue;
        }
        let explain = format!("explain (generic_plan) {}", statement.sql);
        let refused = state(&mut conn, &explain).await;
        if !refused.is_empty() {
            denied.push(format!("{} {}\n{}", refused, statement.place, statement.sql));
        }
        explained += 1;
    }
    assert!(denied.is_empty(), "{}", denied.join("\n"));
    assert!(explained > 150, "{explained} statements were found");
}

/// What tables a statement names after `mark`.
fn named(sql: &str, mark: &str) -> Vec<String> {
    let flat = format!(" {}", sql.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    let name = |(at, _): (usize, &str)| {
        let rest = flat.get(at + mark.len()..).unwrap();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'));
        rest.get(..end.unwrap_or(rest.len())).unwrap().to_owned()
    };
    flat.match_indices(mark).map(name).filter(|name| name.contains('.')).collect()
}

#[tokio::test]
async fn it_has_no_right_that_no_statement_uses() {
    let db = Pg::database().await;
    let triggers =
        std::fs::read_to_string(millrace_tests::root().join("migrations/0002_signals.sql"));
    let enqueue =
        std::fs::read_to_string(millrace_tests::root().join("migrations/0003_enqueue.sql"));
    let mut texts: Vec<String> = all_statements().into_iter().map(|s| s.sql).collect();
    texts.extend([triggers.unwrap(), enqueue.unwrap()]);
    let mut used: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for sql in &texts {
        for (mark, verb) in [
            ("insert into ", "insert"),
            ("update ", "update"),
            ("delete from ", "delete"),
            ("from ", "select"),
            ("join ", "select"),
        ] {
            for table in named(sql, mark) {
                used.entry(table).or_default().push(verb);
            }
        }
        if sql.contains("do update") {
            // The table is that of the insert.
            for table in named(sql, "insert into ") {
                used.entry(table).or_default().push("update");
            }
        }
    }
    let rights: Vec<(String, String)> =
        sqlx::query_as("select relation, unnest(app) from ops.rights")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    let unused: Vec<_> = rights
        .iter()
        .filter(|(table, verb)| {
            // Returning what was written, and looking for a conflict, is reading.
            !used.get(table).is_some_and(|verbs| verbs.contains(&verb.as_str()) || verb == "select")
        })
        .filter(|(table, _)| table != "ops.rights")
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[tokio::test]
async fn every_table_and_view_says_who_may_what() {
    let db = Pg::database().await;
    let silent: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         where c.relnamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm')
           and not c.relispartition and not exists (select from ops.rights r where to_regclass(r.relation) = c.oid)",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert!(silent.is_empty(), "not in ops.rights: {silent:?}");
}

#[tokio::test]
async fn the_service_cannot_change_tables_nor_what_is_for_ever() {
    const DENIED: &str = "42501";
    let db = Pg::database().await;
    let mut app = as_role(&db, roles::APP).await;
    for sql in [
        "drop table ops.events",
        "alter table ops.events add column x int",
        "create table ops.mine (x int)",
        "create table public.mine (x int)",
        "create schema mine",
        "truncate ops.jobs",
        "delete from ops.events",
        "delete from ops.event_bodies",
        "select * from ops.event_bodies_default",
        "update ops.audit set actor = 'nobody'",
        "delete from ops.audit",
        "update ops.rights set app = '{delete}'",
        "alter table ops.events disable row level security",
        "drop policy workspace on ops.events",
        "select ops.wall('ops.workers')",
        "set role millrace_owner",
        "set session authorization millrace_owner",
    ] {
        assert_eq!(state(&mut app, sql).await, DENIED, "{sql}");
    }
    // What it needs of all this, it may have done by the owner's functions.
    for sql in [
        "select ops.ensure_partitions(9)",
        "select social.ensure_partitions(3)",
        "select ops.drop_partitions('event_bodies', current_date - 30)",
        "select ops.drop_partitions('job_history', current_date - 14)",
        "insert into ops.embedding_models (name, dims, weights_sha256) values ('m', 3, 'x')",
        "select ops.index_embeddings(id) from ops.embedding_models",
    ] {
        assert_eq!(state(&mut app, sql).await, "", "{sql}");
    }
    let mut reader = as_role(&db, roles::READER).await;
    for sql in [
        "select * from ops.source_secrets",
        "select * from ops.api_keys",
        "select path_id from ops.sources",
        "select * from ops.event_bodies",
        "select ops.ensure_partitions(9)",
    ] {
        assert_eq!(state(&mut reader, sql).await, DENIED, "{sql}");
    }
    assert_eq!(state(&mut reader, "select * from signals.signals").await, "");
    assert_eq!(state(&mut reader, "delete from signals.signals").await, "25006", "read only");
}

/// The bytes that came on a day without its own partition expire as well.
#[tokio::test]
async fn what_the_default_partitions_caught_expires() {
    let db = Pg::database().await;
    sqlx::raw_sql(
        "insert into ops.event_bodies (event_id, workspace_id, received_at, headers, body)
           select gen_random_uuid(), 'w', now() - days * interval '1 day', '{}', '' from unnest(array[29, 40]) days;
         insert into ops.job_history (id, workspace_id, kind, outcome, attempt, crashes, created_at, finished_at)
           select 1, 'w', 'k', 'done', 1, 0, now(), now() - days * interval '1 day' from unnest(array[13, 40]) days;",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let settings = millrace_tests::rig::settings();
    let pool = millrace_worker::db::pool(&with_url(settings, &db.url), "test", 0..=2).unwrap();
    for (parent, days) in [("event_bodies", 30), ("job_history", 14)] {
        millrace_jobs::store::partitions::drop_old(&pool, parent, days).await.unwrap();
    }
    let left: Vec<i64> = sqlx::query_scalar(
        "select count(*) from ops.event_bodies_default union all select count(*) from ops.job_history_default",
    )
    .fetch_all(&db.pool)
    .await
    .unwrap();
    assert_eq!(left, [1, 1]);
}

fn with_url(mut settings: millrace_config::Settings, url: &str) -> millrace_config::Settings {
    settings.database.url = url.to_owned().into();
    settings
}

#[tokio::test]
async fn migrations_are_the_owners() {
    let db = Pg::empty_database().await;
    let app = App::new(&db, &[]);
    let refused = app.run(&["migrate"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("run by the owner"), "{}", refused.stderr);
    let script = app.run(&["roles"]).await.stdout;
    administer(&db, script).await;
    let owner = App::new(&db, &[]).env("DATABASE_URL", &db.url_as(roles::OWNER));
    owner.run_json(&["--json", "migrate"]).await;
    // Nothing is missing now, so there is nothing to refuse.
    app.run_json(&["--json", "migrate"]).await;
    app.run_json(&["--json", "workspace", "add", "Acme", "--id", "acme"]).await;
    let star = app.run(&["workspace", "add", "All", "--id", "*"]).await;
    assert_eq!(star.status.code(), Some(1), "the name of all workspaces is no workspace");
}

/// One role owned everything until now, and it was no superuser.
#[tokio::test]
async fn an_installation_of_one_role_changes_hands() {
    let db = Pg::empty_database().await;
    let name = format!("single_{}", uuid::Uuid::now_v7().simple());
    let script = format!(
        "create role {name} login password '{}';
         grant create on database {} to {name};
         create extension vector;",
        reqwest::Url::parse(&db.url).unwrap().password().unwrap(),
        db.pool.connect_options().get_database().unwrap(),
    );
    administer(&db, script).await;
    let single = App::new(&db, &["all"]).env("DATABASE_URL", &db.url_as(&name));
    single.run_json(&["--json", "migrate"]).await;
    let mut single = single.ready().await;
    single.run_json(&["--json", "workspace", "add", "Acme", "--id", "acme"]).await;
    let report = single.run_json(&["--json", "doctor"]).await;
    assert!(report.to_string().contains("the owner of the tables"), "{report}");
    single.kill();

    let app = App::new(&db, &["all"]);
    let script = app.run(&["roles"]).await.stdout;
    administer(&db, script).await;
    App::new(&db, &[])
        .env("DATABASE_URL", &db.url_as(roles::OWNER))
        .run_json(&["--json", "migrate"])
        .await;
    let app = app.ready().await;
    let workspaces = app.run_json(&["--json", "workspace", "ls"]).await;
    assert_eq!(workspaces[0]["id"], "acme");
    let left: i64 = sqlx::query_scalar(
        "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner
         where c.relnamespace in ('ops'::regnamespace, 'signals'::regnamespace, 'social'::regnamespace) and r.rolname <> 'millrace_owner'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(left, 0, "all of it has changed hands");
}
