//! Source secrets by the key that sealed them, and sealing them anew with the one that seals now.

use sqlx::PgPool;

use super::health::Unopened;
use crate::secrets::{KeyRing, sealed_with};

/// Rows per transaction.
const BATCH: i64 = 200;

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Resealed {
    /// Secrets sealed anew.
    pub sealed: usize,
    /// Secrets that do not open; they are as they were.
    pub closed: Vec<Unopened>,
}

/// Seal with the first key of `ring` all that another one sealed. Deliveries are taken meanwhile; a secret that is
/// replaced or ends meanwhile is left alone, and running it again finds what it missed.
///
/// # Errors
/// If the database does not answer.
pub async fn run(pool: &PgPool, ring: &KeyRing) -> anyhow::Result<Resealed> {
    let writer = ring.writer();
    let (mut done, mut after) = (Resealed::default(), String::new());
    loop {
        let rows: Vec<(String, String, Vec<u8>)> = sqlx::query_as(
            "select id, source_id, sealed from ops.source_secrets where id > $1 order by id limit $2",
        )
        .bind(&after)
        .bind(BATCH)
        .fetch_all(pool)
        .await?;
        let Some((last, ..)) = rows.last() else { return Ok(done) };
        after.clone_from(last);
        let (mut ids, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new());
        for (id, source_id, sealed) in rows {
            if sealed_with(&sealed) == Some(&writer) {
                continue;
            }
            match ring.open(&id, &sealed) {
                Ok(secret) => {
                    new.push(ring.seal(&id, &secret)?);
                    ids.push(id);
                    old.push(sealed);
                }
                Err(e) => done.closed.push(Unopened { source_id, why: e.to_string() }),
            }
        }
        let replaced = sqlx::query(
            "update ops.source_secrets x set sealed = n.new, key_id = $4
             from unnest($1::text[], $2::bytea[], $3::bytea[]) as n (id, old, new)
             where x.id = n.id and x.sealed = n.old",
        )
        .bind(ids)
        .bind(old)
        .bind(new)
        .bind(&writer)
        .execute(pool)
        .await?;
        done.sealed += usize::try_from(replaced.rows_affected())?;
    }
}

/// How many secrets each key sealed, those included that verify no more.
///
/// # Errors
/// If the database does not answer.
pub async fn by_key(pool: &PgPool) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as("select key_id, count(*) from ops.source_secrets group by key_id order by 1")
        .fetch_all(pool)
        .await
}
