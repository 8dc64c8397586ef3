//! `ops.embedding_models` and `ops.embeddings`: equal text is embedded once per model.

use half::f16;
use pgvector::HalfVector;
use sqlx::PgConnection;

use crate::embed::ModelInfo;

/// The id of the model, which is registered if new. Engines that compute the same weights share it.
///
/// # Errors
/// Those of the database.
pub async fn model_id(conn: &mut PgConnection, model: &ModelInfo) -> sqlx::Result<i16> {
    let dims = i32::try_from(model.dims).unwrap_or(i32::MAX);
    let known = sqlx::query_scalar(
        "select id from ops.embedding_models where name = $1 and weights_sha256 = $2",
    )
    .bind(&model.name)
    .bind(&model.weights_sha256)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    sqlx::query_scalar(
        "insert into ops.embedding_models (name, weights_sha256, dims) values ($1, $2, $3)
         on conflict (name, weights_sha256) do update set dims = excluded.dims
         returning id",
    )
    .bind(&model.name)
    .bind(&model.weights_sha256)
    .bind(dims)
    .fetch_one(conn)
    .await
}

/// Vectors of the hashes that are known, in no order.
///
/// # Errors
/// Those of the database.
pub async fn known(
    conn: &mut PgConnection,
    model_id: i16,
    hashes: &[Vec<u8>],
) -> sqlx::Result<Vec<(Vec<u8>, Vec<f32>)>> {
    let rows: Vec<(Vec<u8>, HalfVector)> = sqlx::query_as(
        "select content_hash, vector from ops.embeddings where model_id = $1 and content_hash = any ($2)",
    )
    .bind(model_id)
    .bind(hashes)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(hash, vector)| (hash, to_f32(&vector))).collect())
}

/// Stores vectors that `engine` made; a hash that is known already is left alone.
///
/// # Errors
/// Those of the database.
pub async fn store(
    conn: &mut PgConnection,
    model_id: i16,
    engine: &str,
    hashes: &[Vec<u8>],
    vectors: &[HalfVector],
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into ops.embeddings (model_id, content_hash, vector, engine)
         select $1, n.hash, n.vector, $4 from unnest($2::bytea[], $3::halfvec[]) as n (hash, vector)
         order by n.hash
         on conflict (model_id, content_hash) do nothing",
    )
    .bind(model_id)
    .bind(hashes)
    .bind(vectors)
    .bind(engine)
    .execute(conn)
    .await?;
    Ok(())
}

/// Drops the vectors of texts that no signal and no post says any more.
pub(crate) async fn forget(conn: &mut PgConnection, hashes: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query(
        "delete from ops.embeddings e where e.content_hash = any ($1)
           and not exists (select from signals.signals s where s.content_hash = e.content_hash)
           and not exists (select from social.posts p where p.content_hash = e.content_hash)",
    )
    .bind(hashes)
    .execute(conn)
    .await?;
    Ok(())
}

/// Widens a stored vector.
#[must_use]
pub fn to_f32(vector: &HalfVector) -> Vec<f32> {
    vector.as_slice().iter().copied().map(f16::to_f32).collect()
}
