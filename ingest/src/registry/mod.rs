//! Sources with their opened secrets, looked up by what a request carries.

pub mod admin;
pub mod credentials;
pub mod health;
pub mod keys;
pub mod reseal;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use millrace_config::point::{Point, may_fail};
use moka::future::Cache;
use serde_json::{Map, Value};
use sqlx::{PgPool, Row, postgres::PgRow};

use crate::{
    secrets::KeyRing,
    source::{Source, SourceConfig, Wire},
    sources,
    verify::{self, Scheme, Secret},
};

/// Entries kept; a flood of made-up paths evicts only itself.
const CACHE_ENTRIES_MAX: u64 = 10_000;
/// How long a delivery waits for a source that nobody has asked for before ...
const UNKNOWN_MAX: Duration = Duration::from_millis(1500);
/// ... and for one that may have changed: what was known serves as well, and storing takes its time too.
const KNOWN_MAX: Duration = Duration::from_millis(200);
/// A try that has not come back by then is followed by another.
const TRY_MAX: Duration = Duration::from_secs(5);
/// Deliveries that no secret has signed make us ask for the secrets again, once in this time for each look-up.
const RENEW_EVERY: Duration = Duration::from_millis(50);

/// What a request says about its source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// The unguessable part of `/hooks/{path_id}`.
    Path(String),
    /// SHA-256 of an ingest key.
    Key([u8; 32]),
    /// (kind, vendor account).
    External(&'static str, String),
    /// (kind, workspace).
    Workspace(&'static str, String),
}

impl Lookup {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Path(text) | Self::External(_, text) | Self::Workspace(_, text) => Some(text),
            Self::Key(_) => None,
        }
    }
}

/// Is a source taking deliveries?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Active,
    /// Not now: senders are told to retry.
    Paused,
    /// Never again.
    Uninstalled,
}

/// A row of `ops.sources`, ready to verify with.
#[derive(Debug)]
pub struct LiveSource {
    /// `ops.sources.id`.
    pub id: Arc<str>,
    /// Tenant.
    pub workspace_id: Arc<str>,
    /// The code of this kind.
    pub kind: &'static dyn Source,
    /// Signature scheme.
    pub scheme: Scheme,
    /// Active secrets or key hashes; empty refuses everything.
    pub secrets: Vec<Secret>,
    /// Ids of `secrets`, in order.
    pub secret_ids: Vec<Arc<str>>,
    /// What the pure functions see.
    pub config: SourceConfig,
    /// Body cap, bytes.
    pub body_bytes_max: usize,
    /// Deliveries per second, if capped.
    pub rate_per_s: Option<u32>,
    /// Taking deliveries?
    pub state: State,
}

impl LiveSource {
    /// Statuses and caps of its platform.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.kind.wire(&self.config)
    }
}

#[derive(Debug, Clone)]
struct Entry {
    loaded: Instant,
    sources: Arc<[Arc<LiveSource>]>,
}

/// Cached look-ups.
#[derive(Debug, Clone)]
pub struct Registry {
    pool: PgPool,
    ring: Arc<KeyRing>,
    cache: Cache<Lookup, Entry>,
    fresh: Duration,
    /// Postgres did not answer: nobody asks again before this moment, but for one who tries.
    away: Arc<Mutex<Option<Instant>>>,
    asked: Arc<Mutex<HashSet<Lookup>>>,
    /// What was asked for again because a signature did not match.
    renewed: Cache<Lookup, Entry>,
}

/// One look-up of something known, under way.
struct Asking {
    lookup: Lookup,
    asked: Arc<Mutex<HashSet<Lookup>>>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.asked).remove(&self.lookup);
    }
}

/// What is under these locks is whole after any panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Look up through `pool`, opening secrets with `ring`; entries are trusted for `fresh`, and for `stale`
    /// while Postgres does not answer.
    #[must_use]
    pub fn new(pool: PgPool, ring: Arc<KeyRing>, fresh: Duration, stale: Duration) -> Self {
        let cache =
            Cache::builder().max_capacity(CACHE_ENTRIES_MAX).time_to_live(stale.max(fresh)).build();
        let renewed =
            Cache::builder().max_capacity(CACHE_ENTRIES_MAX).time_to_live(RENEW_EVERY).build();
        Self { pool, ring, cache, fresh, away: Arc::default(), asked: Arc::default(), renewed }
    }

    /// Sources that match, oldest first; several only for [`Lookup::Workspace`].
    ///
    /// # Errors
    /// If Postgres is away and nothing was known before.
    pub async fn find(&self, lookup: &Lookup) -> Result<Arc<[Arc<LiveSource>]>, sqlx::Error> {
        // Postgres holds no text with NUL, and would call the question an error.
        if lookup.text().is_some_and(|text| text.contains('\0')) {
            return Ok(Arc::default());
        }
        let Some(known) = self.cache.get(lookup).await else {
            return self.first(lookup).await;
        };
        if known.loaded.elapsed() < self.fresh {
            return Ok(known.sources);
        }
        if !self.worth_asking() {
            return Ok(stale(known));
        }
        // One asks; for the others a moment more or less does not matter.
        let Some(asking) = self.begin(lookup) else { return Ok(known.sources) };
        // Goes on when nobody waits any more: a slow answer is good for the next delivery.
        let registry = self.clone();
        let answer = tokio::spawn(async move {
            let entry = registry.ask(&asking.lookup).await?;
            registry.cache.insert(asking.lookup.clone(), entry.clone()).await;
            Ok::<_, sqlx::Error>(entry.sources)
        });
        match tokio::time::timeout(KNOWN_MAX, answer).await {
            Ok(Ok(Ok(sources))) => Ok(sources),
            late_or_failed => {
                self.away_for(if late_or_failed.is_err() { TRY_MAX } else { self.fresh });
                Ok(stale(known))
            }
        }
    }

    /// As it is now in the database, for a delivery that no known secret has signed: it may be a secret of a moment ago.
    /// Whoever sends nonsense makes us ask once in [`RENEW_EVERY`]. Nothing if Postgres does not answer soon.
    pub async fn renew(&self, lookup: &Lookup) -> Option<Arc<[Arc<LiveSource>]>> {
        let loaded = self.renewed.try_get_with(lookup.clone(), self.ask(lookup));
        let entry = tokio::time::timeout(KNOWN_MAX, loaded).await.ok()?.ok()?;
        self.cache.insert(lookup.clone(), entry.clone()).await;
        Some(entry.sources)
    }

    /// Of a source that nobody has asked for before; however many ask at once, Postgres is asked once.
    async fn first(&self, lookup: &Lookup) -> Result<Arc<[Arc<LiveSource>]>, sqlx::Error> {
        let loaded = self.cache.try_get_with(lookup.clone(), self.ask(lookup));
        let silent = || sqlx::Error::PoolTimedOut;
        match tokio::time::timeout(UNKNOWN_MAX, loaded).await {
            Ok(Ok(entry)) => Ok(entry.sources),
            Ok(Err(shared)) => Err(Arc::try_unwrap(shared).unwrap_or_else(|_| silent())),
            Err(_) => Err(silent()),
        }
    }

    async fn ask(&self, lookup: &Lookup) -> Result<Entry, sqlx::Error> {
        let loaded = tokio::time::timeout(TRY_MAX, self.load(lookup)).await;
        let sources = loaded.unwrap_or(Err(sqlx::Error::PoolTimedOut))?.into();
        *lock(&self.away) = None;
        Ok(Entry { loaded: Instant::now(), sources })
    }

    /// Nothing if it is being asked for already.
    fn begin(&self, lookup: &Lookup) -> Option<Asking> {
        let asked = lock(&self.asked).insert(lookup.clone());
        asked.then(|| Asking { lookup: lookup.clone(), asked: self.asked.clone() })
    }

    fn away_for(&self, time: Duration) {
        *lock(&self.away) = Some(Instant::now() + time);
    }

    /// While Postgres is away, one look-up in a while tries and waits; the others do not.
    fn worth_asking(&self) -> bool {
        let mut away = lock(&self.away);
        match *away {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                *away = Some(Instant::now() + TRY_MAX);
                true
            }
            None => true,
        }
    }

    async fn load(&self, lookup: &Lookup) -> Result<Vec<Arc<LiveSource>>, sqlx::Error> {
        may_fail(Point::SourceRead)?;
        let none: Option<&str> = None;
        let (path, key, kind, external, workspace) = match lookup {
            Lookup::Path(path) => (Some(path.as_str()), None, none, none, none),
            Lookup::Key(hash) => (none, Some(hash.as_slice()), none, none, none),
            Lookup::External(kind, id) => (none, None, Some(*kind), Some(id.as_str()), none),
            Lookup::Workspace(kind, id) => (none, None, Some(*kind), none, Some(id.as_str())),
        };
        let rows = sqlx::query(
            "select s.id, s.workspace_id, s.kind, s.scheme, s.scheme_spec, s.field_map, s.external_id, s.options,
                    s.body_bytes_max, s.rate_per_s, s.state,
                    array(select x.id from ops.source_secrets x where x.source_id = s.id and x.purpose = 'verify'
                          and (x.not_after is null or x.not_after > now()) order by x.created_at desc, x.id) as secret_ids,
                    array(select x.sealed from ops.source_secrets x where x.source_id = s.id and x.purpose = 'verify'
                          and (x.not_after is null or x.not_after > now()) order by x.created_at desc, x.id) as sealed,
                    array(select k.id from ops.api_keys k where k.source_id = s.id and k.revoked_at is null
                          order by k.created_at desc, k.id) as key_ids,
                    array(select k.hash from ops.api_keys k where k.source_id = s.id and k.revoked_at is null
                          order by k.created_at desc, k.id) as key_hashes
             from ops.sources s
             where s.id in (
               select id from ops.sources where path_id = $1
               union all select source_id from ops.api_keys where hash = $2 and revoked_at is null
               union all select id from ops.sources where kind = $3 and external_id = $4
               union all select id from ops.sources where kind = $3 and workspace_id = $5)
             order by s.created_at, s.id
             limit 50",
        )
        .bind(path)
        .bind(key)
        .bind(kind)
        .bind(external)
        .bind(workspace)
        .fetch_all(&self.pool)
        .await?;
        let mut live = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(source) = self.live(&row)? {
                live.push(Arc::new(source));
            }
        }
        Ok(live)
    }

    /// `None` (logged) when the row needs code or a scheme that this binary does not have.
    fn live(&self, row: &PgRow) -> Result<Option<LiveSource>, sqlx::Error> {
        let id: Arc<str> = row.try_get::<String, _>("id")?.into();
        let kind: String = row.try_get("kind")?;
        let scheme: String = row.try_get("scheme")?;
        let spec: Option<Value> = row.try_get("scheme_spec")?;
        let Some(kind) = sources::by_name(&kind) else {
            tracing::error!(source_id = %id, kind, "source of an unknown kind is ignored");
            return Ok(None);
        };
        let scheme = match (verify::scheme(&scheme), spec) {
            (Some(built_in), _) => built_in.clone(),
            (None, Some(spec)) if scheme == "custom" => match Scheme::custom(&spec) {
                Ok(custom) => custom,
                Err(e) => {
                    tracing::error!(source_id = %id, error = e, "source with a broken custom scheme is ignored");
                    return Ok(None);
                }
            },
            _ => {
                tracing::error!(source_id = %id, scheme, "source with an unknown signature scheme is ignored");
                return Ok(None);
            }
        };
        let (secret_ids, secrets) = self.secrets(&id, &scheme, row)?;
        let config = config(row)?;
        let cap: Option<i64> = row.try_get("body_bytes_max")?;
        let rate: Option<i32> = row.try_get("rate_per_s")?;
        let state: String = row.try_get("state")?;
        Ok(Some(LiveSource {
            workspace_id: row.try_get::<String, _>("workspace_id")?.into(),
            secrets,
            secret_ids,
            body_bytes_max: cap
                .and_then(|c| usize::try_from(c).ok())
                .unwrap_or_else(|| kind.wire(&config).body_bytes_max),
            rate_per_s: rate.and_then(|r| u32::try_from(r).ok()),
            state: match state.as_str() {
                "active" => State::Active,
                "paused" => State::Paused,
                _ => State::Uninstalled,
            },
            id,
            kind,
            scheme,
            config,
        }))
    }

    fn secrets(
        &self,
        source_id: &str,
        scheme: &Scheme,
        row: &PgRow,
    ) -> Result<(Vec<Arc<str>>, Vec<Secret>), sqlx::Error> {
        let mut ids = Vec::new();
        let mut secrets = Vec::new();
        if scheme.is_api_key() {
            let key_ids: Vec<String> = row.try_get("key_ids")?;
            let hashes: Vec<Vec<u8>> = row.try_get("key_hashes")?;
            for (id, hash) in key_ids.into_iter().zip(hashes) {
                if let Ok(hash) = <[u8; 32]>::try_from(hash) {
                    ids.push(id.into());
                    secrets.push(Secret::Sha256(hash));
                }
            }
            return Ok((ids, secrets));
        }
        let secret_ids: Vec<String> = row.try_get("secret_ids")?;
        let sealed: Vec<Vec<u8>> = row.try_get("sealed")?;
        for (id, sealed) in secret_ids.into_iter().zip(sealed) {
            match self.ring.open(&id, &sealed) {
                Ok(secret) => {
                    ids.push(id.into());
                    secrets.push(Secret::text(secret));
                }
                Err(e) => {
                    tracing::error!(source_id, secret_id = id, error = %e, "secret cannot be used")
                }
            }
        }
        Ok((ids, secrets))
    }
}

/// The part of a source row that pure functions see.
pub(crate) fn config(row: &PgRow) -> Result<SourceConfig, sqlx::Error> {
    Ok(SourceConfig {
        external_id: row.try_get("external_id")?,
        field_map: object(row.try_get("field_map")?),
        options: object(row.try_get("options")?),
    })
}

/// Good enough to verify, and to know the platform's statuses.
fn stale(known: Entry) -> Arc<[Arc<LiveSource>]> {
    metrics::counter!("millrace_source_lookups_stale_total").increment(1);
    known.sources
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// Stamp secrets and keys as used now.
pub(crate) async fn touch_secrets(
    pool: &PgPool,
    ids: &HashSet<Arc<str>>,
) -> Result<(), sqlx::Error> {
    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
    sqlx::query(
        "with keys as (update ops.api_keys set last_used_at = now() where id = any($1))
         update ops.source_secrets set last_used_at = now() where id = any($1)",
    )
    .bind(&ids)
    .execute(pool)
    .await?;
    Ok(())
}
