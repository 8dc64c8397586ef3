//! `factory.code_chunks` and `factory.code_vectors`.

use pgvector::HalfVector;
use sqlx::{PgConnection, PgPool, Postgres, Row, postgres::PgArguments, query::Query};
use uuid::Uuid;

use super::connections::Connection;

/// A chunk to be stored.
#[derive(Debug)]
pub struct NewChunk {
    /// The seed's `chunk_type`.
    pub kind: &'static str,
    /// Qualified name.
    pub name: Option<String>,
    /// First and last line, from 1.
    pub lines: (i32, i32),
    /// Where it begins, bytes.
    pub start_byte: i32,
    /// The code.
    pub content: String,
    /// All names defined in it.
    pub symbols: Vec<String>,
    /// SHA-256 of the text that is embedded.
    pub content_hash: Vec<u8>,
    /// The code as words.
    pub words: String,
    /// Path and symbols as words.
    pub path_words: String,
    /// Symbols as words.
    pub symbol_words: String,
}

/// The chunks of some files in place of those that they had.
///
/// # Errors
/// Those of the database.
pub async fn replace(
    conn: &mut PgConnection,
    of: &Connection,
    files: &[(Uuid, &[NewChunk])],
) -> sqlx::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = files.iter().map(|(id, _)| *id).collect();
    sqlx::query("delete from factory.code_chunks where file_id = any ($1)")
        .bind(&ids)
        .execute(&mut *conn)
        .await?;
    let all = || files.iter().flat_map(|(id, chunks)| chunks.iter().map(move |_| *id));
    let insert = sqlx::query(
        "insert into factory.code_chunks (project_id, connection_id, file_id, ordinal, chunk_type, name, start_line,
           end_line, start_byte, content, symbols, content_hash, symbol_words, words, names)
         select $1, $2, t.file_id, t.ordinal, t.kind, t.name, t.start_line, t.end_line, t.start_byte, t.content,
                array(select jsonb_array_elements_text(t.symbols)), t.hash, t.symbol_words, w.words,
                factory.chunk_names(t.path_words, t.symbol_words, w.words)
         from unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[], $10::text[],
                     $11::jsonb[], $12::bytea[], $13::text[], $14::text[], $15::text[])
           as t (file_id, ordinal, kind, name, start_line, end_line, start_byte, content, symbols, hash, words, path_words,
                 symbol_words)
         cross join lateral (select to_tsvector('english', t.words) as words) w",
    );
    let insert = insert.bind(of.project_id).bind(of.id).bind(all().collect::<Vec<_>>());
    bind(insert, files.iter().map(|(_, chunks)| *chunks)).execute(conn).await?;
    Ok(())
}

/// Bind the columns of the chunks of some files, of each from ordinal 0.
fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    files: impl Iterator<Item = &'q [NewChunk]>,
) -> Query<'q, Postgres, PgArguments> {
    let (ordinals, all): (Vec<i32>, Vec<&NewChunk>) =
        files.flat_map(|chunks| (0_i32..).zip(chunks)).unzip();
    fn each<'q, T>(all: &[&'q NewChunk], column: impl Fn(&'q NewChunk) -> T) -> Vec<T> {
        all.iter().map(|chunk| column(chunk)).collect()
    }
    query
        .bind(ordinals)
        .bind(each(&all, |c| c.kind))
        .bind(each(&all, |c| c.name.as_deref()))
        .bind(each(&all, |c| c.lines.0))
        .bind(each(&all, |c| c.lines.1))
        .bind(each(&all, |c| c.start_byte))
        .bind(each(&all, |c| c.content.as_str()))
        .bind(each(&all, |c| serde_json::json!(c.symbols)))
        .bind(each(&all, |c| c.content_hash.as_slice()))
        .bind(each(&all, |c| c.words.as_str()))
        .bind(each(&all, |c| c.path_words.as_str()))
        .bind(each(&all, |c| c.symbol_words.as_str()))
}

/// Of these hashes, those for which there is no vector, neither of this connection nor of another; what another has is
/// copied. With `mend`, vectors that are not as they were written count as missing.
///
/// # Errors
/// Those of the database.
pub async fn without_vector(
    conn: &mut PgConnection,
    of: &Connection,
    model_id: i16,
    hashes: &[&[u8]],
    mend: bool,
) -> sqlx::Result<Vec<Vec<u8>>> {
    if mend {
        sqlx::query(
            "delete from factory.code_vectors
             where connection_id = $1 and model_id = $2 and content_hash = any ($3) and md5(vector::text)::uuid <> written",
        )
        .bind(of.id)
        .bind(model_id)
        .bind(hashes)
        .execute(&mut *conn)
        .await?;
    }
    sqlx::query_scalar(
        "with wanted as (
           select distinct h from unnest($4::bytea[]) h
           where not exists (select from factory.code_vectors v
                             where v.connection_id = $1 and v.model_id = $3 and v.content_hash = h)
         ), copied as (
           insert into factory.code_vectors (connection_id, project_id, model_id, content_hash, vector, engine, written)
           select distinct on (w.h) $1, $2, $3, w.h, v.vector, v.engine, v.written
           from wanted w join factory.code_vectors v on v.content_hash = w.h and v.model_id = $3
           where not $5 or md5(v.vector::text)::uuid = v.written
           on conflict do nothing
           returning content_hash
         )
         select h from wanted where h not in (select content_hash from copied)",
    )
    .bind(of.id)
    .bind(of.project_id)
    .bind(model_id)
    .bind(hashes)
    .bind(mend)
    .fetch_all(conn)
    .await
}

/// The paths of those files whose rows are what they would be if they were written now.
///
/// # Errors
/// Those of the database.
pub async fn alike(
    conn: &mut PgConnection,
    of: &Connection,
    files: &[(&str, &str, &[NewChunk])],
) -> sqlx::Result<Vec<String>> {
    let paths = || files.iter().map(|(path, ..)| *path).collect::<Vec<_>>();
    let of_chunks = files.iter().flat_map(|(path, _, chunks)| chunks.iter().map(move |_| *path));
    let alike = sqlx::query(
        "with given as (
           select t.*, to_tsvector('english', t.words) as as_words
           from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[], $8::int[], $9::text[],
                       $10::jsonb[], $11::bytea[], $12::text[], $13::text[], $14::text[])
             as t (path, ordinal, kind, name, start_line, end_line, start_byte, content, symbols, hash, words, path_words,
                   symbol_words)
         ), expected as (
           select path, count(*) as chunks from given group by path
         ), stored as (
           select f.file_path as path, count(c.id) as chunks,
                  count(*) filter (where c.chunk_type = g.kind and c.name is not distinct from g.name
                    and c.start_line = g.start_line and c.end_line = g.end_line and c.start_byte = g.start_byte
                    and c.content = g.content and to_jsonb(c.symbols) = g.symbols and c.content_hash = g.hash
                    and c.symbol_words = g.symbol_words and c.words = g.as_words
                    and c.names = factory.chunk_names(g.path_words, g.symbol_words, g.as_words)) as good
           from factory.codebase_files f
           join unnest($15::text[], $16::text[]) as w (path, hash) on w.path = f.file_path and w.hash = f.file_hash
           left join factory.code_chunks c on c.file_id = f.id
           left join given g on g.path = f.file_path and g.ordinal = c.ordinal
           where f.connection_id = $1
           group by f.file_path
         )
         select path from stored join expected using (path)
         where stored.chunks = expected.chunks and stored.good = expected.chunks",
    );
    let alike = alike.bind(of.id).bind(of_chunks.collect::<Vec<_>>());
    let alike = bind(alike, files.iter().map(|(.., chunks)| *chunks))
        .bind(paths())
        .bind(files.iter().map(|(_, hash, _)| *hash).collect::<Vec<_>>());
    alike.fetch_all(conn).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Store vectors that `engine` made.
///
/// # Errors
/// Those of the database.
pub async fn put_vectors(
    conn: &mut PgConnection,
    of: &Connection,
    model_id: i16,
    engine: &str,
    vectors: &[(&[u8], Vec<f32>)],
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into factory.code_vectors (connection_id, project_id, model_id, content_hash, vector, engine, written)
         select $1, $2, $3, v.hash, v.vector, $6, md5(v.vector::text)::uuid
         from unnest($4::bytea[], $5::halfvec[]) as v (hash, vector) on conflict do nothing",
    )
    .bind(of.id)
    .bind(of.project_id)
    .bind(model_id)
    .bind(vectors.iter().map(|(hash, _)| *hash).collect::<Vec<_>>())
    .bind(vectors.iter().map(|(_, v)| HalfVector::from_f32_slice(v)).collect::<Vec<_>>())
    .bind(engine)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drop vectors that no chunk of the connection says any more, and those of other models.
///
/// # Errors
/// Those of the database.
pub async fn sweep(
    conn: &mut PgConnection,
    connection_id: Uuid,
    model_id: i16,
) -> sqlx::Result<u64> {
    let swept = sqlx::query(
        "delete from factory.code_vectors v where v.connection_id = $1
           and (v.model_id <> $2
                or not exists (select from factory.code_chunks c
                               where c.connection_id = $1 and c.content_hash = v.content_hash))",
    )
    .bind(connection_id)
    .bind(model_id)
    .execute(conn)
    .await?;
    Ok(swept.rows_affected())
}

/// An index over the vectors of a connection that has more than `exact_max`, none over those of a smaller one. Building
/// it takes about a minute per 100,000.
///
/// # Errors
/// Those of the database.
pub async fn index(
    pool: &PgPool,
    connection_id: Uuid,
    model_id: i16,
    exact_max: i64,
) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    let vectors: i64 = sqlx::query_scalar(
        "select count(*) from factory.code_vectors where connection_id = $1 and model_id = $2",
    )
    .bind(connection_id)
    .bind(model_id)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query("select set_config('statement_timeout', '0', true)").execute(&mut *tx).await?;
    sqlx::query("select factory.index_vectors($1, $2, $3)")
        .bind(connection_id)
        .bind(model_id)
        .bind(vectors > exact_max)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
