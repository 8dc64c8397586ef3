//! One workspace's view of the database: the second wall between tenants, behind the predicate of each statement.

use sqlx::{PgPool, Postgres, Transaction};

/// Connections that see nothing until they are told whose work they do.
#[derive(Debug, Clone)]
pub struct Tenants(PgPool);

impl Tenants {
    /// `pool` must not set `millrace.workspace`.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// A transaction that sees and writes the rows of this workspace and no others: Postgres adds the condition to
    /// every statement (`ops.wall`), also to one that forgot its own.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin(&self, workspace_id: &str) -> sqlx::Result<Transaction<'static, Postgres>> {
        let mut tx = self.0.begin().await?;
        sqlx::query("select set_config('millrace.workspace', $1, true)")
            .bind(workspace_id)
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }
}

/// What work of several transactions sees.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// All rows; the pool says so to Postgres.
    All(&'a PgPool),
    /// Those of a workspace.
    Of(&'a Tenants, &'a str),
}

impl View<'_> {
    /// The next transaction.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin(self) -> sqlx::Result<Transaction<'static, Postgres>> {
        match self {
            Self::All(pool) => pool.begin().await,
            Self::Of(tenants, workspace_id) => tenants.begin(workspace_id).await,
        }
    }
}
