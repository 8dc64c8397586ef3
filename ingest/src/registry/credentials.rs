//! Sources that poll, and the tokens they poll with.

use millrace_jobs::store::new_id;
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgPool};

use super::admin::AdminError;
use crate::{
    poll::access::Credentials,
    secrets::{KeyRing, SecretError},
};

/// Kinds of sources that poll.
pub const KINDS: [&str; 3] = ["x", "reddit", "threads"];

/// A source that may poll.
#[derive(Debug, Clone)]
pub(crate) struct Polled {
    pub(crate) id: String,
    pub(crate) workspace_id: String,
    pub(crate) kind: String,
    pub(crate) options: Map<String, Value>,
}

/// All that are active, or the one with this id if it is.
///
/// # Errors
/// Those of the database.
pub(crate) async fn polled(pool: &PgPool, id: Option<&str>) -> sqlx::Result<Vec<Polled>> {
    let rows: Vec<(String, String, String, Value)> = sqlx::query_as(
        "select id, workspace_id, kind, options from ops.sources
         where state = 'active' and kind = any($1) and ($2::text is null or id = $2) order by created_at, id",
    )
    .bind(KINDS)
    .bind(id)
    .fetch_all(pool)
    .await?;
    let polled = rows.into_iter().map(|(id, workspace_id, kind, options)| {
        let options = if let Value::Object(map) = options { map } else { Map::new() };
        Polled { id, workspace_id, kind, options }
    });
    Ok(polled.collect())
}

/// Credentials with the row they are sealed in.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) credentials: Credentials,
    row: String,
    sealed: Vec<u8>,
}

impl Kept {
    /// Nothing was renewed in between.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.sealed == other.sealed
    }
}

/// What a source polls with, if it was given anything.
///
/// # Errors
/// If it does not open, or the database does not answer.
pub(crate) async fn load(
    pool: &PgPool,
    ring: &KeyRing,
    source_id: &str,
) -> Result<Option<Kept>, AdminError> {
    let row: Option<(String, Vec<u8>)> = sqlx::query_as(
        "select id, sealed from ops.source_secrets where source_id = $1 and purpose = 'poll'
         order by created_at desc, id limit 1",
    )
    .bind(source_id)
    .fetch_optional(pool)
    .await?;
    let Some((row, sealed)) = row else { return Ok(None) };
    let text = ring.open(&row, &sealed)?;
    let credentials = serde_json::from_slice(&text).map_err(|_| SecretError::Damaged)?;
    Ok(Some(Kept { credentials, row, sealed }))
}

/// Give a source what to poll with, instead of what it had.
///
/// # Errors
/// If it cannot be sealed, or the database does not answer.
pub async fn give(
    conn: &mut PgConnection,
    ring: &KeyRing,
    (workspace_id, source_id): (&str, &str),
    credentials: &Credentials,
) -> Result<(), AdminError> {
    let id = new_id();
    let sealed = ring.seal(&id, text(credentials)?.as_bytes())?;
    sqlx::query(
        "with had as (delete from ops.source_secrets where source_id = $3 and purpose = 'poll')
         insert into ops.source_secrets (id, workspace_id, source_id, sealed, key_id, purpose) values ($1, $2, $3, $4, $5, 'poll')",
    )
    .bind(id)
    .bind(workspace_id)
    .bind(source_id)
    .bind(sealed)
    .bind(ring.writer())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keep renewed credentials, unless somebody else has renewed them meanwhile: theirs are as good.
///
/// # Errors
/// If they cannot be sealed, or the database does not answer.
pub(crate) async fn renew(
    pool: &PgPool,
    ring: &KeyRing,
    kept: &Kept,
    credentials: &Credentials,
) -> Result<(), AdminError> {
    let sealed = ring.seal(&kept.row, text(credentials)?.as_bytes())?;
    sqlx::query(
        "update ops.source_secrets set sealed = $3, key_id = $4, last_used_at = now() where id = $1 and sealed = $2",
    )
    .bind(&kept.row)
    .bind(&kept.sealed)
    .bind(sealed)
    .bind(ring.writer())
    .execute(pool)
    .await?;
    Ok(())
}

fn text(credentials: &Credentials) -> Result<String, AdminError> {
    serde_json::to_string(credentials).map_err(|e| AdminError::Invalid(e.to_string()))
}
