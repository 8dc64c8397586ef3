//! Schema versions: apply, check, list.

use sqlx::{PgPool, migrate::Migrator};

/// `migrations/*.sql`, compiled in.
static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Why the schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A newer release has migrated this database.
    #[error(
        "the database has schema version {found}, this release knows {known}: upgrade Millrace"
    )]
    Newer {
        /// Version in the database.
        found: i64,
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
    /// A migration failed or was changed after it had been applied.
    #[error("migration")]
    Migrate(#[from] sqlx::migrate::MigrateError),
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
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Schema version of the database; 0 if it was never migrated.
///
/// # Errors
/// If the database does not answer.
pub async fn version(pool: &PgPool) -> Result<i64, sqlx::Error> {
    let there: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(pool)
        .await?;
    if !there {
        return Ok(0);
    }
    sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(pool)
        .await
}

/// Applies what is missing. Concurrent callers wait for each other; running it again does nothing.
///
/// # Errors
/// [`SchemaError::Newer`] before anything is touched, or the failing migration (rolled back).
pub async fn run(pool: &PgPool) -> Result<(), SchemaError> {
    refuse_newer(version(pool).await?)?;
    Ok(MIGRATIONS.run(pool).await?)
}

/// Whether this release can work on the database as it is.
///
/// # Errors
/// [`SchemaError::Newer`] or [`SchemaError::Older`].
pub async fn check(pool: &PgPool) -> Result<(), SchemaError> {
    let found = version(pool).await?;
    refuse_newer(found)?;
    if found < known() {
        return Err(SchemaError::Older { found, known: known() });
    }
    Ok(())
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
    Ok(MIGRATIONS.iter().map(step).collect())
}

fn refuse_newer(found: i64) -> Result<(), SchemaError> {
    if found > known() {
        return Err(SchemaError::Newer { found, known: known() });
    }
    Ok(())
}
