//! Chunks of a connection by what is asked: three rankings, each with the same filters before its limit.

use pgvector::HalfVector;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// Which chunks may be found at all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A POSIX regular expression that the whole path matches (`codebase::glob`).
    pub path: Option<String>,
    /// Languages.
    pub languages: Option<Vec<String>>,
    /// Chunk types.
    pub kinds: Option<Vec<String>>,
    /// Cosine of question and chunk, at least.
    pub cosine_min: Option<f32>,
}

/// A chunk and how well it fits, in the unit of its ranking: more is better.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Ranked {
    /// Chunk.
    pub id: Uuid,
    /// Score.
    pub score: f32,
}

/// A chunk that was found.
#[derive(Debug, Clone, FromRow)]
pub struct Found {
    /// Chunk.
    pub id: Uuid,
    /// File, from the root.
    pub file_path: String,
    /// Its language.
    pub language: Option<String>,
    /// Place in the file.
    pub ordinal: i32,
    /// The seed's `chunk_type`.
    pub chunk_type: String,
    /// Qualified name.
    pub name: Option<String>,
    /// First line, from 1.
    pub start_line: i32,
    /// Last line.
    pub end_line: i32,
    /// The code.
    pub content: String,
    /// Equal for equal texts.
    pub content_hash: Vec<u8>,
}

/// Chunks whose vectors are nearest, by cosine; every vector of the connection is looked at.
///
/// # Errors
/// Those of the database.
pub async fn nearest(
    conn: &mut PgConnection,
    connection_id: Uuid,
    model_id: i16,
    vector: &HalfVector,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<Vec<Ranked>> {
    sqlx::query_as(
        "select c.id, (1 - (v.vector <=> $3))::real as score
         from factory.code_vectors v
         join factory.code_chunks c on c.connection_id = v.connection_id and c.content_hash = v.content_hash
         join factory.codebase_files f on f.id = c.file_id
         where v.connection_id = $1 and v.model_id = $2
           and ($4::text is null or f.file_path ~ $4)
           and ($5::text[] is null or f.language = any ($5))
           and ($6::text[] is null or c.chunk_type = any ($6))
         order by v.vector <=> $3, c.id
         limit $7",
    )
    .bind(connection_id)
    .bind(model_id)
    .bind(vector)
    .bind(&filter.path)
    .bind(&filter.languages)
    .bind(&filter.kinds)
    .bind(limit)
    .persistent(false)
    .fetch_all(conn)
    .await
}

/// How near these chunks are.
///
/// # Errors
/// Those of the database.
pub async fn cosines(
    conn: &mut PgConnection,
    connection_id: Uuid,
    model_id: i16,
    vector: &HalfVector,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Ranked>> {
    sqlx::query_as(
        "select c.id, (1 - (v.vector <=> $3))::real as score
         from factory.code_chunks c
         join factory.code_vectors v on v.connection_id = c.connection_id and v.model_id = $2
           and v.content_hash = c.content_hash
         where c.id = any ($4) and c.connection_id = $1",
    )
    .bind(connection_id)
    .bind(model_id)
    .bind(vector)
    .bind(ids)
    .fetch_all(conn)
    .await
}

/// Chunks that say any of the words, those that say them most in the least text first; once by the code alone, and once
/// where words of the path and of the symbols count most.
///
/// # Errors
/// Those of the database.
pub async fn by_text(
    conn: &mut PgConnection,
    connection_id: Uuid,
    words: &str,
    filter: &Filter,
    limit: i64,
) -> sqlx::Result<[Vec<Ranked>; 2]> {
    let rows: Vec<(bool, Uuid, f32)> = sqlx::query_as(
        "with found as materialized (
           select c.id, ts_rank(c.words, q, 1) as by_words, ts_rank(c.names, q, 1) as by_names
           from (select replace(plainto_tsquery('english', $2)::text, ' & ', ' | ')::tsquery as q) asked,
                factory.code_chunks c join factory.codebase_files f on f.id = c.file_id
           where c.connection_id = $1 and c.names @@ q -- has the words of the code, too
             and ($3::text is null or f.file_path ~ $3)
             and ($4::text[] is null or f.language = any ($4))
             and ($5::text[] is null or c.chunk_type = any ($5))
         )
         (select true as by_code, id, by_words as score from found where by_words > 0 order by score desc, id limit $6)
         union all
         (select false, id, by_names from found order by by_names desc, id limit $6)
         order by by_code, score desc, id",
    )
    .bind(connection_id)
    .bind(words)
    .bind(&filter.path)
    .bind(&filter.languages)
    .bind(&filter.kinds)
    .bind(limit)
    .persistent(false)
    .fetch_all(conn)
    .await?;
    let ranking = |wanted| {
        let of = rows.iter().filter(|(by_code, ..)| *by_code == wanted);
        of.map(|(_, id, score)| Ranked { id: *id, score: *score }).collect()
    };
    Ok([ranking(true), ranking(false)])
}

/// The chunks of a connection with these ids, in no order.
///
/// # Errors
/// Those of the database.
pub async fn load(
    conn: &mut PgConnection,
    connection_id: Uuid,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Found>> {
    sqlx::query_as(
        "select c.id, f.file_path, f.language, c.ordinal, c.chunk_type, c.name, c.start_line, c.end_line, c.content,
                c.content_hash
         from factory.code_chunks c join factory.codebase_files f on f.id = c.file_id
         where c.id = any ($1) and c.connection_id = $2",
    )
    .bind(ids)
    .bind(connection_id)
    .fetch_all(conn)
    .await
}
