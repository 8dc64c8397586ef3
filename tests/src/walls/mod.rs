//! The second wall between tenants, alone: every statement of the service, its own predicates taken out and its
//! parameters naming another tenant's rows, run as the service's role with one tenant's setting.
//!
//! Reads must not depend on what others have: they are run twice, before and after the others' rows are gone, and must
//! answer the same. Writes must leave the others' rows as they were.

mod fill;
pub mod http;

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::{
    AssertSqlSafe, Executor, PgConnection, Row, SqlSafeStr, TypeInfo, ValueRef, postgres::PgRow,
};

use crate::{Database, Pg, sql};

/// Three tenants, of whom each tries to reach the others.
const TENANTS: [&str; 3] = ["alder", "birch", "cedar"];
/// The setting of connections for which the wall is open.
const EVERYBODY: &str = "*";
/// Answers that are another every time.
const VOLATILE: &[&str] = &[
    "nextval",
    "nanoid",
    "gen_random",
    "clock_timestamp",
    "statement_timestamp",
    "pg_stat",
    "pg_lock",
    "advisory",
    "pg_notify",
];

/// What was found.
#[derive(Debug, Default)]
pub struct Walls {
    /// Statements of the service that were tried.
    pub statements: usize,
    /// Runs, each of one statement for one tenant with one choice of foreign ids.
    pub runs: usize,
    /// Of them refused by Postgres.
    pub refused: usize,
    /// Statements by which a tenant saw or changed foreign rows. None, if the wall stands.
    pub leaks: Vec<String>,
    /// Statements that did so where the wall was open: what the experiment is able to notice.
    pub noticed: BTreeMap<&'static str, usize>,
}

/// A statement of the service.
struct Tried {
    place: String,
    original: String,
    open: String,
    types: Vec<String>,
    writes: bool,
}

/// One run of a statement, for one tenant.
struct Run<'a> {
    of: &'a Tried,
    sql: String,
}

/// `runs` runs, divided between the tenants.
pub async fn run(runs: usize, seed: u64) -> Walls {
    let db = house().await;
    let tried = tried(&db).await;
    let mut random = StdRng::seed_from_u64(seed);
    let mut walls = Walls { statements: tried.len(), ..Walls::default() };
    for (nth, tenant) in TENANTS.into_iter().enumerate() {
        let share = runs / TENANTS.len() + usize::from(nth < runs % TENANTS.len());
        let chosen = chosen(&tried, walls.runs, share, tenant, &mut random);
        walls.runs += chosen.len();
        let (crossed, refused) = crossings(&db, tenant, tenant, &chosen).await;
        walls.refused += refused;
        walls
            .leaks
            .extend(crossed.iter().map(|run| format!("{tenant}: {}\n{}", run.of.place, run.sql)));
        let (crossed, _) = crossings(&db, tenant, EVERYBODY, &chosen).await;
        for run in crossed {
            let kind = if run.of.writes { "writes" } else { "reads" };
            *walls.noticed.entry(kind).or_default() += 1;
        }
    }
    walls
}

/// Each statement once, whoever is the tenant, then any; with ids of one of the others. So many runs were before.
fn chosen<'a>(
    tried: &'a [Tried],
    before: usize,
    runs: usize,
    tenant: &str,
    random: &mut StdRng,
) -> Vec<Run<'a>> {
    let others: Vec<&str> = TENANTS.into_iter().filter(|t| *t != tenant).collect();
    (before..before + runs)
        .map(|n| {
            let any = random.random_range(0..tried.len());
            let of = &tried[if n < tried.len() { n } else { any }];
            let victim = others[random.random_range(0..others.len())];
            let sql = fill::filled(&of.open, &of.original, &of.types, victim, random);
            Run { of, sql }
        })
        .collect()
}

/// A database with the three, and one model that all share.
#[expect(clippy::disallowed_methods, reason = "a script of ours")]
async fn house() -> Database {
    let db = Pg::database().await;
    sqlx::query(
        "insert into ops.embedding_models (name, dims, weights_sha256) values ('m', 3, 'x')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    for tenant in TENANTS {
        let script = include_str!("tenant.sql").replace("{w}", tenant);
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&db.pool).await.unwrap();
    }
    sqlx::raw_sql(include_str!("others.sql")).execute(&db.pool).await.unwrap();
    let empty: Vec<String> =
        sqlx::query_scalar("select name from foreign_rows('nobody') where digest = md5('')")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert!(empty.is_empty(), "tenant.sql has no rows for {empty:?}");
    db
}

/// The statements of the service, but for migrations and those that only the whole installation runs.
#[expect(clippy::disallowed_methods, reason = "statements of our own sources")]
async fn tried(db: &Database) -> Vec<Tried> {
    let mut conn = db.pool.acquire().await.unwrap();
    let mut tried = Vec::new();
    for statement in sql::all_statements() {
        if statement.place.contains("store/migrate.rs") {
            continue;
        }
        let original = statement.sql;
        let prepared =
            (&mut *conn).prepare(AssertSqlSafe(original.clone()).into_sql_str()).await.unwrap();
        let types = match sqlx::Statement::parameters(&prepared) {
            Some(sqlx::Either::Left(types)) => types.iter().map(|t| t.name().to_owned()).collect(),
            _ => Vec::new(),
        };
        let lower = original.to_lowercase();
        let writes = ["insert into", "update ", "delete from", "ops.enqueue"];
        let writes = writes.iter().any(|word| lower.contains(word));
        let open = fill::without_predicates(&original);
        tried.push(Tried { place: statement.place, original, open, types, writes });
    }
    tried
}

/// The runs by which `tenant`, under `setting`, saw or changed what is not its own, and how many Postgres refused.
async fn crossings<'a, 'r>(
    db: &Database,
    tenant: &str,
    setting: &str,
    runs: &'r [Run<'a>],
) -> (Vec<&'r Run<'a>>, usize) {
    let mut tx = db.pool.begin().await.unwrap();
    let untouched = others(&mut tx, tenant).await;
    let (mut crossed, mut refused, mut answers) = (Vec::new(), 0, Vec::new());
    for run in runs {
        begin(&mut tx, setting).await;
        let answer = ask(&mut tx, &run.sql).await;
        refused += usize::from(answer.is_err());
        if run.of.writes && answer.is_ok() {
            sqlx::query("reset role").execute(&mut *tx).await.unwrap();
            if others(&mut tx, tenant).await != untouched {
                crossed.push(run);
            }
        }
        sqlx::query("rollback to savepoint run").execute(&mut *tx).await.unwrap();
        answers.push(answer);
    }
    forget_others(&mut tx, tenant).await;
    for (run, answer) in runs.iter().zip(answers) {
        if run.of.writes || VOLATILE.iter().any(|word| run.sql.contains(word)) {
            continue;
        }
        begin(&mut tx, setting).await;
        if ask(&mut tx, &run.sql).await != answer {
            crossed.push(run);
        }
        sqlx::query("rollback to savepoint run").execute(&mut *tx).await.unwrap();
    }
    tx.rollback().await.unwrap();
    (crossed, refused)
}

/// From now until the savepoint is rolled back: the service's role, with this setting.
async fn begin(conn: &mut PgConnection, setting: &str) {
    sqlx::query("savepoint run").execute(&mut *conn).await.unwrap();
    sqlx::query("set local role millrace_app").execute(&mut *conn).await.unwrap();
    sqlx::query("select set_config('millrace.workspace', $1, true)")
        .bind(setting)
        .execute(conn)
        .await
        .unwrap();
}

/// The rows of an answer, sorted, or the code of the refusal.
#[expect(clippy::disallowed_methods, reason = "statements of our own sources")]
async fn ask(conn: &mut PgConnection, sql: &str) -> Result<Vec<String>, String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(conn).await;
    let rows = rows.map_err(|e| {
        let code = e.as_database_error().and_then(|e| e.code()).map(|code| code.into_owned());
        code.unwrap_or_else(|| panic!("{e}: {sql}"))
    })?;
    let mut rows: Vec<String> = rows.iter().map(text).collect();
    rows.sort_unstable();
    Ok(rows)
}

fn text(row: &PgRow) -> String {
    let cell = |n| match row.try_get_raw(n).unwrap() {
        value if value.is_null() => "null".to_owned(),
        value => value.as_str().unwrap().to_owned(),
    };
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

/// A digest of all rows that are not the tenant's, of every walled table.
async fn others(conn: &mut PgConnection, tenant: &str) -> String {
    sqlx::query_scalar("select string_agg(name || digest, ' ') from foreign_rows($1)")
        .bind(tenant)
        .fetch_one(conn)
        .await
        .unwrap()
}

/// As if there were no others.
#[expect(clippy::disallowed_methods, reason = "names of our own tables")]
async fn forget_others(conn: &mut PgConnection, tenant: &str) {
    let tables: Vec<String> = sqlx::query_scalar("select name from foreign_rows('nobody')")
        .fetch_all(&mut *conn)
        .await
        .unwrap();
    sqlx::query("set local session_replication_role = replica").execute(&mut *conn).await.unwrap();
    for table in tables {
        let column = if table == "signals.workspaces" { "id" } else { "workspace_id" };
        let sql = format!("delete from {table} where {column} <> '{tenant}'");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await.unwrap();
    }
}
