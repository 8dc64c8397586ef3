//! Schema versions: apply, check, list.

use std::time::Duration;

use sqlx::{
    PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
};

/// Session lock of whoever migrates.
const LOCK: i64 = 0x6d69_6c6c_7261_6365;
/// Between two looks at it while another migrator holds it.
const LOCK_POLL: Duration = Duration::from_millis(200);
/// Tries of a migration that does not get its table lock within its `lock_timeout`.
const TRIES_MAX: u32 = 60;
/// Between two tries: those who queued up behind the last one get through.
const PAUSE: Duration = Duration::from_secs(1);

const LOCK_NOT_AVAILABLE: &str = "55P03";
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// `migrations/*.sql`, compiled in.
#[must_use]
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../migrations");
    migrator.dangerous_set_table_name("ops.migrations");
    // Its own lock waits inside a statement, for whose snapshot `create index concurrently` would wait in turn.
    migrator.set_locking(false);
    migrator
}

/// Why the schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A newer release has migrated this database, and taken away what this one needs.
    #[error(
        "the database has schema version {found} and needs a release that knows {oldest}, this one knows {known}: upgrade Millrace"
    )]
    Newer {
        /// Version in the database.
        found: i64,
        /// What a release must know (`ops.oldest_release`).
        oldest: i64,
        /// Newest version compiled in.
        known: i64,
    },
    /// Migrations are waiting.
    #[error(
        "the database has schema version {found}, this release needs {known}: run `millrace migrate`"
    )]
    Older {
        /// Version in the database; 0 if empty.
        found: i64,
        /// Newest version compiled in.
        known: i64,
    },
    /// Only the owner of the schemas may migrate.
    #[error(
        "migrations are run by the owner of the schemas ops and signals (`millrace roles`), and this is not it"
    )]
    NotOwner(#[source] MigrateError),
    /// A migration failed or was changed after it had been applied.
    #[error("migration")]
    Migrate(#[from] MigrateError),
    /// The database did not answer.
    #[error("schema version")]
    Database(#[from] sqlx::Error),
}

/// One migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// Leading number of the file name.
    pub version: i64,
    /// Rest of the file name.
    pub name: String,
    /// Applied completely.
    pub applied: bool,
}

/// Newest schema version this release knows.
#[must_use]
pub fn known() -> i64 {
    newest(&migrator())
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Schema version of the database; 0 if it was never migrated.
///
/// # Errors
/// If the database does not answer.
pub async fn version(pool: &PgPool) -> Result<i64, sqlx::Error> {
    found(&mut *pool.acquire().await?).await
}

async fn found(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let there: bool = sqlx::query_scalar("select to_regclass('ops.migrations') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !there {
        return Ok(0);
    }
    sqlx::query_scalar("select coalesce(max(version), 0) from ops.migrations where success")
        .fetch_one(conn)
        .await
}

/// Applies what is missing and grants the roles their rights. Concurrent callers wait for each other; running it again
/// does nothing, nor does an older release that can work on what it finds.
///
/// # Errors
/// [`SchemaError::Newer`] before anything is touched, or the failing migration (rolled back).
pub async fn run(pool: &PgPool) -> Result<(), SchemaError> {
    run_with(pool, &migrator()).await
}

/// As [`run`], with these migrations: tests have some of releases to come.
///
/// # Errors
/// As those of [`run`].
pub async fn run_with(pool: &PgPool, migrator: &Migrator) -> Result<(), SchemaError> {
    let mut conn = pool.acquire().await?;
    // Its lock and its timeouts end with it.
    conn.close_on_drop();
    sqlx::query("select set_config('statement_timeout', '0', false), set_config('lock_timeout', '1s', false),
                set_config('millrace.workspace', '*', false)")
        .execute(&mut *conn)
        .await?;
    while !sqlx::query_scalar::<_, bool>("select pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *conn)
        .await?
    {
        tokio::time::sleep(LOCK_POLL).await;
    }
    match found(&mut conn).await? {
        found if found > newest(migrator) => return newer(&mut conn, found).await,
        found if found < newest(migrator) => apply(&mut conn, migrator).await?,
        _ => {}
    }
    sqlx::query(include_str!("../../../migrations/grants.sql")).execute(&mut *conn).await?;
    Ok(())
}

/// A migration waits for a table lock no longer than it says itself, for everybody else waits behind it then. It is
/// rolled back and tried again.
async fn apply(conn: &mut PgConnection, migrator: &Migrator) -> Result<(), SchemaError> {
    let mut tries = 0;
    loop {
        let error = match pass(&mut *conn, migrator).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match code(&error).as_deref() {
            Some(LOCK_NOT_AVAILABLE) if tries < TRIES_MAX => {
                tries += 1;
                tracing::warn!(%error, tries, "a table is in use; the migration is tried again");
                tokio::time::sleep(PAUSE).await;
            }
            Some(INSUFFICIENT_PRIVILEGE) => return Err(SchemaError::NotOwner(error)),
            _ => return Err(error.into()),
        }
    }
}

async fn pass(conn: &mut PgConnection, migrator: &Migrator) -> Result<(), MigrateError> {
    sqlx::query(include_str!("prepare.sql")).execute(&mut *conn).await?;
    migrator.run_direct(None, conn, false).await
}

fn code(error: &MigrateError) -> Option<String> {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return None;
    };
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether this release can work on the database as it is: it knows its schema, or a newer one has only added to it.
///
/// # Errors
/// [`SchemaError::Newer`] or [`SchemaError::Older`].
pub async fn check(pool: &PgPool) -> Result<(), SchemaError> {
    let mut conn = pool.acquire().await?;
    match found(&mut conn).await? {
        found if found > known() => newer(&mut conn, found).await,
        found if found < known() => Err(SchemaError::Older { found, known: known() }),
        _ => Ok(()),
    }
}

/// All migrations, oldest first.
///
/// # Errors
/// If the database does not answer.
pub async fn status(pool: &PgPool) -> Result<Vec<Step>, SchemaError> {
    let found = version(pool).await?;
    let step = |m: &sqlx::migrate::Migration| Step {
        version: m.version,
        name: m.description.to_string(),
        applied: m.version <= found,
    };
    Ok(migrator().iter().map(step).collect())
}

/// Of a schema that this release does not know.
async fn newer(conn: &mut PgConnection, found: i64) -> Result<(), SchemaError> {
    let oldest: i64 = sqlx::query_scalar("select ops.oldest_release()").fetch_one(conn).await?;
    if oldest > known() {
        return Err(SchemaError::Newer { found, oldest, known: known() });
    }
    Ok(())
}
