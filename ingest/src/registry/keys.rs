//! API keys: stored as SHA-256 of 256 random bits, shown once.

use chrono::{DateTime, Utc};
use millrace_config::SecretString;
use sqlx::{PgConnection, PgPool};

use crate::verify::hash_key;

/// Scope of keys that may only deliver to their source.
pub const INGEST: &str = "ingest";
/// Every scope a key can have, with what it allows.
pub const SCOPES: [(&str, &str); 7] = [
    (INGEST, "deliver to sources of the workspace"),
    ("read", "read signals, projects, sources, events, jobs and dead letters"),
    ("search", "search the code of the workspace's projects"),
    ("write", "link, accept and dismiss suggestions, change projects"),
    ("operate", "retry and cancel jobs, replay events and dead letters"),
    ("reply", "check and write replies to posts, say what became of them"),
    ("moderate", "claim and end escalations, allow and refuse replies"),
];

/// A row of `ops.api_keys`, without its hash.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct ApiKey {
    /// Id.
    pub id: String,
    /// Tenant.
    pub workspace_id: String,
    /// The source it delivers to, if it is an ingest key.
    pub source_id: Option<String>,
    /// Name given by people.
    pub name: String,
    /// First characters, for recognition.
    pub prefix: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Make a key. The text is returned once and cannot be read again.
///
/// # Errors
/// If the workspace or source does not exist, or the database does not answer.
pub async fn create(
    conn: &mut PgConnection,
    workspace_id: &str,
    source_id: Option<&str>,
    name: &str,
    scopes: &[String],
) -> Result<(ApiKey, SecretString), sqlx::Error> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let kind = if source_id.is_some() { "wk" } else { "mr" };
    let text = format!("{kind}_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let prefix: String = text.chars().take(9).collect();
    let key = sqlx::query_as(
        "insert into ops.api_keys (workspace_id, source_id, name, prefix, hash, scopes)
         values ($1, $2, $3, $4, $5, $6)
         returning id, workspace_id, source_id, name, prefix, scopes, created_at, last_used_at, revoked_at",
    )
    .bind(workspace_id)
    .bind(source_id)
    .bind(name)
    .bind(prefix)
    .bind(hash_key(text.as_bytes()).as_slice())
    .bind(scopes)
    .fetch_one(conn)
    .await?;
    Ok((key, text.into()))
}

/// The living key with this text.
///
/// # Errors
/// If the database does not answer.
pub async fn find(pool: &PgPool, text: &str) -> Result<Option<ApiKey>, sqlx::Error> {
    sqlx::query_as(
        "select id, workspace_id, source_id, name, prefix, scopes, created_at, last_used_at, revoked_at
         from ops.api_keys where hash = $1 and revoked_at is null",
    )
    .bind(hash_key(text.as_bytes()).as_slice())
    .fetch_optional(pool)
    .await
}

/// Stamp a key as used, once a minute at most.
///
/// # Errors
/// If the database does not answer.
pub async fn touch(pool: &PgPool, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update ops.api_keys set last_used_at = now()
         where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(())
}

/// Keys of a workspace, or all.
///
/// # Errors
/// If the database does not answer.
pub async fn list(pool: &PgPool, workspace_id: Option<&str>) -> Result<Vec<ApiKey>, sqlx::Error> {
    sqlx::query_as(
        "select id, workspace_id, source_id, name, prefix, scopes, created_at, last_used_at, revoked_at
         from ops.api_keys where $1::text is null or workspace_id = $1 order by created_at, id",
    )
    .bind(workspace_id)
    .fetch_all(pool)
    .await
}

/// Revoke a key; false if there is no living one with this id.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke(pool: &PgPool, id: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update ops.api_keys set revoked_at = now() where id = $1 and revoked_at is null",
    )
    .bind(id)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
