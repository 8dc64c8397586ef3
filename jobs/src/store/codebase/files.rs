//! `factory.codebase_files` and `factory.codebase_skips`.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::connections::Connection;
use crate::codebase::{select::Skip, tree::Entry};

/// A file as it was indexed.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct File {
    /// Id.
    #[serde(skip)]
    pub id: Uuid,
    /// From the root.
    pub file_path: String,
    /// Object id of its content.
    pub file_hash: String,
    /// What it is written in.
    pub language: Option<String>,
    /// Bytes.
    pub size_bytes: i64,
}

/// A file that is not looked into.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
pub struct Skipped {
    /// From the root.
    pub file_path: String,
    /// Object id of its content.
    pub file_hash: String,
    /// Why; a name of `codebase::select::Skip`.
    pub reason: String,
}

/// Files of a connection, by path.
///
/// # Errors
/// Those of the database.
pub async fn all(conn: &mut PgConnection, connection_id: Uuid) -> sqlx::Result<Vec<File>> {
    sqlx::query_as(
        "select id, file_path, file_hash, language, size_bytes from factory.codebase_files
         where connection_id = $1 order by file_path",
    )
    .bind(connection_id)
    .fetch_all(conn)
    .await
}

/// Files of a connection that are not looked into, by path.
///
/// # Errors
/// Those of the database.
pub async fn skipped(conn: &mut PgConnection, connection_id: Uuid) -> sqlx::Result<Vec<Skipped>> {
    sqlx::query_as(
        "select file_path, file_hash, reason from factory.codebase_skips where connection_id = $1 order by file_path",
    )
    .bind(connection_id)
    .fetch_all(conn)
    .await
}

/// A file as it is now; chunks of it as it was are dropped by whoever writes the new ones.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// From the root.
    pub path: &'a str,
    /// Object id of its content.
    pub hash: &'a str,
    /// What it is written in.
    pub language: Option<&'a str>,
    /// Bytes.
    pub size: i64,
}

/// Insert or change files; their ids, in this order. What was skipped under their paths is not any more.
///
/// # Errors
/// Those of the database.
pub async fn put(
    conn: &mut PgConnection,
    of: &Connection,
    files: &[NewFile<'_>],
) -> sqlx::Result<Vec<Uuid>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<&str> = files.iter().map(|f| f.path).collect();
    sqlx::query(
        "delete from factory.codebase_skips where connection_id = $1 and file_path = any ($2)",
    )
    .bind(of.id)
    .bind(&paths)
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar(
        "with given as (
           select * from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) with ordinality
             as g (path, hash, language, size, nth)
         ), put as (
           insert into factory.codebase_files (connection_id, project_id, file_path, file_hash, language, size_bytes)
           select $1, $2, path, hash, language, size from given
           on conflict (connection_id, file_path) do update
             set file_hash = excluded.file_hash, language = excluded.language, size_bytes = excluded.size_bytes
           returning id, file_path
         )
         select put.id from given join put on put.file_path = given.path order by given.nth",
    )
    .bind(of.id)
    .bind(of.project_id)
    .bind(&paths)
    .bind(files.iter().map(|f| f.hash).collect::<Vec<_>>())
    .bind(files.iter().map(|f| f.language).collect::<Vec<_>>())
    .bind(files.iter().map(|f| f.size).collect::<Vec<_>>())
    .fetch_all(conn)
    .await
}

/// Files that are gone go with their chunks.
///
/// # Errors
/// Those of the database.
pub async fn delete(
    conn: &mut PgConnection,
    connection_id: Uuid,
    paths: &[&str],
) -> sqlx::Result<()> {
    sqlx::query(
        "with skips as (
           delete from factory.codebase_skips where connection_id = $1 and file_path = any ($2)
         )
         delete from factory.codebase_files where connection_id = $1 and file_path = any ($2)",
    )
    .bind(connection_id)
    .bind(paths)
    .execute(conn)
    .await?;
    Ok(())
}

/// Files that are not looked into; chunks that they had before go.
///
/// # Errors
/// Those of the database.
pub async fn skip(
    conn: &mut PgConnection,
    of: &Connection,
    skipped: &[(&Entry, Skip)],
) -> sqlx::Result<()> {
    if skipped.is_empty() {
        return Ok(());
    }
    let paths: Vec<&str> = skipped.iter().map(|(entry, _)| entry.path.as_str()).collect();
    sqlx::query(
        "delete from factory.codebase_files where connection_id = $1 and file_path = any ($2)",
    )
    .bind(of.id)
    .bind(&paths)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into factory.codebase_skips (connection_id, project_id, file_path, file_hash, reason)
         select $1, $2, * from unnest($3::text[], $4::text[], $5::text[])
         on conflict (connection_id, file_path) do update set file_hash = excluded.file_hash, reason = excluded.reason",
    )
    .bind(of.id)
    .bind(of.project_id)
    .bind(&paths)
    .bind(skipped.iter().map(|(entry, _)| entry.hash.as_str()).collect::<Vec<_>>())
    .bind(skipped.iter().map(|(_, skip)| skip.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The same content under another name: chunks and vectors stay, the words of the path change.
///
/// # Errors
/// Those of the database.
pub async fn rename(
    conn: &mut PgConnection,
    connection_id: Uuid,
    renamed: &[(&str, &str)],
    path_words: &[String],
) -> sqlx::Result<()> {
    sqlx::query(
        "with renamed as (
           update factory.codebase_files f set file_path = r.after
           from unnest($2::text[], $3::text[], $4::text[]) as r (before, after, words)
           where f.connection_id = $1 and f.file_path = r.before
           returning f.id, r.words
         )
         update factory.code_chunks c
         set names = factory.chunk_names(r.words, c.symbol_words, c.words)
         from renamed r where c.file_id = r.id",
    )
    .bind(connection_id)
    .bind(renamed.iter().map(|(before, _)| *before).collect::<Vec<_>>())
    .bind(renamed.iter().map(|(_, after)| *after).collect::<Vec<_>>())
    .bind(path_words)
    .execute(conn)
    .await?;
    Ok(())
}
