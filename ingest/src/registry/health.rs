//! What `millrace doctor` asks about sources and their secrets. Reads only.

use sqlx::PgPool;

use crate::secrets::{KeyRing, sealed_with};

/// A sealed secret that cannot be used.
#[derive(Debug, Clone)]
pub struct Unopened {
    /// The source it belongs to.
    pub source_id: String,
    /// Why it does not open.
    pub why: String,
}

/// How the living secrets are.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// All of them.
    pub all: usize,
    /// Those that do not open.
    pub closed: Vec<Unopened>,
    /// Sealed with a key that seals no more.
    pub older: usize,
}

/// Look at all living secrets.
///
/// # Errors
/// If the database does not answer.
pub async fn secrets(pool: &PgPool, ring: &KeyRing) -> sqlx::Result<Secrets> {
    let rows: Vec<(String, String, Vec<u8>)> = sqlx::query_as(
        "select id, source_id, sealed from ops.source_secrets where not_after is null or not_after > now() order by source_id, id",
    )
    .fetch_all(pool)
    .await?;
    let closed = rows.iter().filter_map(|(id, source_id, sealed)| {
        let why = ring.open(id, sealed).err()?.to_string();
        Some(Unopened { source_id: source_id.clone(), why })
    });
    let closed = closed.collect();
    let writer = ring.writer();
    let older = rows.iter().filter(|(_, _, sealed)| sealed_with(sealed) != Some(&writer)).count();
    Ok(Secrets { all: rows.len(), closed, older })
}

/// Names of living sources of all workspaces, by what is noteworthy about them.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// All that are active or paused.
    pub living: usize,
    /// Refuse everything: no secret and no key.
    pub without_secret: Vec<String>,
    /// Turn deliveries away until resumed.
    pub paused: Vec<String>,
    /// Never had a delivery.
    pub silent: Vec<String>,
}

/// Look at all living sources.
///
/// # Errors
/// If the database does not answer.
pub async fn sources(pool: &PgPool) -> sqlx::Result<Sources> {
    let rows: Vec<(String, bool, bool, bool)> = sqlx::query_as(
        "select s.name, s.state = 'paused',
                exists (select from ops.source_secrets x where x.source_id = s.id and x.purpose = 'verify' and (x.not_after is null or x.not_after > now()))
                or exists (select from ops.api_keys k where k.source_id = s.id and k.revoked_at is null),
                exists (select from ops.events e where e.workspace_id = s.workspace_id and e.source_id = s.id)
         from ops.sources s where s.state <> 'uninstalled' order by s.created_at, s.id",
    )
    .fetch_all(pool)
    .await?;
    let mut found = Sources { living: rows.len(), ..Sources::default() };
    for (name, paused, armed, heard) in rows {
        if !heard {
            found.silent.push(name.clone());
        }
        if paused {
            found.paused.push(name.clone());
        }
        if !armed {
            found.without_secret.push(name);
        }
    }
    Ok(found)
}
