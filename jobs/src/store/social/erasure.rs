//! The right to be forgotten, in the database: `social.erase` does it in one transaction, and says so in the audit.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgExecutor, types::Json};

use crate::store::embeddings;

/// An author who wants to be forgotten.
#[derive(Debug, Clone, FromRow)]
pub struct Known {
    /// `social.authors.id`.
    pub id: String,
    /// The account's id.
    pub platform_id: String,
    /// Its name.
    pub handle: String,
}

/// Whom to look for, and what they said: to take it out wherever it stands.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// `social.authors.id`.
    pub ids: Vec<String>,
    /// Ids of accounts.
    pub accounts: Vec<String>,
    /// Handles.
    pub names: Vec<String>,
    /// Texts.
    pub said: Vec<String>,
    /// `social.posts.id`.
    pub posts: Vec<String>,
    /// Ids of posts on the platform.
    pub native: Vec<String>,
    /// `social.decisions.id`.
    pub decisions: Vec<String>,
    /// Numbers of archived audit entries that were redacted.
    pub redacted: Vec<i64>,
}

/// Authors of that handle (in whatever case) or account.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: impl PgExecutor<'_>,
    workspace: &str,
    platform: &str,
    name: &str,
) -> sqlx::Result<Vec<Known>> {
    sqlx::query_as(
        "select a.id, a.platform_id, a.handle from social.authors a
         where a.workspace_id = $1 and a.platform = $2 and (lower(a.handle) = lower($3) or a.platform_id = $3)
           and a.handle <> '[deleted]' or a.workspace_id = $1 and a.platform = $2 and a.platform_id = $3",
    )
    .bind(workspace)
    .bind(platform)
    .bind(name)
    .fetch_all(db)
    .await
}

/// Ids of authors that are erased.
///
/// # Errors
/// Those of the database.
pub async fn gone(db: impl PgExecutor<'_>, workspace: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select jsonb_array_elements_text(l.details_json -> 'authors') from social.audit_logs l
         where l.workspace_id = $1 and l.entity_type = 'author' and l.action = 'erased'",
    )
    .bind(workspace)
    .fetch_all(db)
    .await
}

/// How this person is remembered, and whether they are already.
///
/// # Errors
/// Those of the database.
pub async fn remembered(
    db: impl PgExecutor<'_>,
    workspace: &str,
    platform: &str,
    name: &str,
) -> sqlx::Result<(String, bool)> {
    sqlx::query_as(
        "select e.name, exists (select from social.tombstones t where t.workspace_id = $1 and t.platform = $2
                                  and t.kind = 'author' and t.platform_id = e.name)
         from social.erased_as($1, $2, lower($3)) e (name)",
    )
    .bind(workspace)
    .bind(platform)
    .bind(name)
    .fetch_one(db)
    .await
}

/// Nothing of these accounts is stored any more, once this is committed: whoever stores posts of the platform waits.
///
/// # Errors
/// Those of the database.
pub async fn remember(
    conn: &mut PgConnection,
    workspace: &str,
    platform: &str,
    subjects: &[String],
) -> sqlx::Result<()> {
    alone(conn, workspace, platform).await?;
    sqlx::query(
        "insert into social.tombstones (workspace_id, platform, kind, platform_id, reason, for_good)
         select $1, $2, 'author', social.erased_as($1, $2, s), 'erased', true from unnest($3::text[]) s
         on conflict do nothing",
    )
    .bind(workspace)
    .bind(platform)
    .bind(subjects)
    .execute(conn)
    .await
    .map(drop)
}

/// Who stores outcomes or posts of the place waits for us.
async fn alone(conn: &mut PgConnection, workspace: &str, platform: &str) -> sqlx::Result<()> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('social.outcomes ' || $1, 0)),
                pg_advisory_xact_lock(hashtextextended('social ' || $1 || ' ' || $2, 0))",
    )
    .bind(workspace)
    .bind(platform)
    .execute(conn)
    .await
    .map(drop)
}

/// What these authors said, as far as it is in tables.
///
/// # Errors
/// Those of the database.
pub async fn said(
    db: impl PgExecutor<'_>,
    ids: &[String],
) -> sqlx::Result<Vec<(String, String, Vec<String>)>> {
    sqlx::query_as(
        "select p.id, p.platform_post_id,
                p.content || array(select v.content from social.post_versions v where v.post_id = p.id)
         from social.posts p where p.author_id = any ($1)",
    )
    .bind(ids)
    .fetch_all(db)
    .await
}

/// Raw deliveries of a workspace that name somebody go; how many did, and how many could not, for nobody has read them yet.
///
/// # Errors
/// Those of the database.
pub async fn erase_bodies(
    db: impl PgExecutor<'_>,
    workspace: &str,
    names: &[String],
) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as("select b.erased, b.waiting from ops.erase_bodies($1, $2) b")
        .bind(workspace)
        .bind(names)
        .fetch_one(db)
        .await
}

/// Posts of others that speak to these people.
///
/// # Errors
/// Those of the database.
pub async fn mentions(
    db: impl PgExecutor<'_>,
    workspace: &str,
    names: &[String],
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from social.posts p where p.workspace_id = $1 and p.content ~* social.names_pattern($2)",
    )
    .bind(workspace)
    .bind(names)
    .fetch_one(db)
    .await
}

/// Take them out of the tables, in the caller's transaction; what was done, in numbers.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn erase(
    conn: &mut PgConnection,
    (workspace, platform): (&str, &str),
    of: &Traces,
    actor: &str,
) -> sqlx::Result<Value> {
    alone(conn, workspace, platform).await?;
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar(
        "select p.content_hash from social.posts p where p.author_id = any ($1) and p.content_hash is not null",
    )
    .bind(&of.ids)
    .fetch_all(&mut *conn)
    .await?;
    let done: Json<Value> =
        sqlx::query_scalar("select social.erase($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            .bind(workspace)
            .bind(platform)
            .bind(&of.ids)
            .bind(&of.accounts)
            .bind(&of.names)
            .bind(&of.said)
            .bind(&of.posts)
            .bind(&of.native)
            .bind(&of.decisions)
            .bind(&of.redacted)
            .bind(actor)
            .fetch_one(&mut *conn)
            .await?;
    embeddings::forget(conn, &hashes).await?;
    Ok(done.0)
}

/// Archived audit entries without these people: the numbers and new lines of those that change, and the numbers alone of
/// those that were redacted before.
///
/// # Errors
/// Those of the database.
pub async fn redacted(
    db: impl PgExecutor<'_>,
    workspace: &str,
    lines: &[String],
    of: &Traces,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(i64, Option<String>)>> {
    sqlx::query_as(
        "select (e ->> 'seq')::bigint, case when r.details is distinct from e -> 'details_json' then
                  (e || jsonb_build_object('details_json', r.details, 'redacted_at', $5::timestamptz(3)))::text end
         from (select t::jsonb as e from unnest($2::text[]) t) g
         cross join lateral (select social.without(e -> 'details_json', social.names_pattern($3), $4) as details) r
         where e ->> 'workspace_id' = $1
           and (r.details is distinct from e -> 'details_json' or e ->> 'redacted_at' is not null)",
    )
    .bind(workspace)
    .bind(lines)
    .bind(&of.names)
    .bind(&of.said)
    .bind(now)
    .fetch_all(db)
    .await
}
