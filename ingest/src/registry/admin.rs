//! Adding, changing and rotating sources.

use chrono::{DateTime, Utc};
use millrace_config::SecretString;
use millrace_jobs::store::{new_id, random_id};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{credentials, keys};
use crate::{
    poll::{access::Credentials, plan},
    secrets::{KeyRing, SecretError},
    sources,
    verify::{self, Scheme, Secret},
};

/// Why a source cannot be added or changed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// There is no such source.
    #[error("no source {0:?}; `millrace source ls` shows them")]
    NotFound(String),
    /// The secret cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SecretError),
    /// The database refused or does not answer.
    #[error("database")]
    Database(#[from] sqlx::Error),
}

/// A source to be added.
#[derive(Debug, Clone, Default)]
pub struct NewSource {
    /// Tenant.
    pub workspace_id: String,
    /// Name of a source kind.
    pub kind: String,
    /// Name given by people, unique in the workspace.
    pub name: String,
    /// Signature scheme; the kind's default if absent.
    pub scheme: Option<String>,
    /// The record of a custom scheme.
    pub scheme_spec: Option<Value>,
    /// Canonical field -> JSON pointer.
    pub field_map: Option<Value>,
    /// Vendor account.
    pub external_id: Option<String>,
    /// Options of the kind.
    pub options: Option<Value>,
    /// What it polls with.
    pub credentials: Option<Credentials>,
}

/// A row of `ops.sources` for people.
#[derive(Debug, Clone, sqlx::FromRow, serde::Serialize)]
pub struct SourceRow {
    /// Id.
    pub id: String,
    /// Tenant.
    pub workspace_id: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Unguessable part of its URL.
    pub path_id: String,
    /// Signature scheme.
    pub scheme: String,
    /// Vendor account.
    pub external_id: Option<String>,
    /// `active`, `paused` or `uninstalled`.
    pub state: String,
    /// Secrets and keys that verify now.
    pub secrets: i64,
    /// When one of them last did.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// A source and the secret that was made for it, shown once.
#[derive(Debug)]
pub struct Added {
    /// The source.
    pub source: SourceRow,
    /// Its secret or API key; absent if the caller brought its own.
    pub secret: Option<SecretString>,
}

/// Add a source with `secret`, or with one made here.
///
/// # Errors
/// If kind or scheme are unknown, the secret does not fit, or the name is taken.
pub async fn add(
    pool: &PgPool,
    ring: &KeyRing,
    new: &NewSource,
    secret: Option<&str>,
) -> Result<Added, AdminError> {
    let kind = sources::by_name(&new.kind).ok_or_else(|| {
        AdminError::Invalid(format!("no source kind {:?}; see `millrace source kinds`", new.kind))
    })?;
    let scheme_name = new.scheme.as_deref().unwrap_or_else(|| kind.default_scheme());
    let scheme = scheme(scheme_name, new.scheme_spec.as_ref())?;
    check_options(&new.kind, new.options.as_ref())?;
    let mut tx = pool.begin().await?;
    let id: String = sqlx::query_scalar(
        "insert into ops.sources (workspace_id, kind, name, path_id, scheme, scheme_spec, field_map, external_id, options)
         values ($1, $2, $3, $4, $5, $6, coalesce($7, '{}'::jsonb), $8, coalesce($9, '{}'::jsonb))
         returning id",
    )
    .bind(&new.workspace_id)
    .bind(&new.kind)
    .bind(&new.name)
    .bind(random_id(32))
    .bind(scheme_name)
    .bind(&new.scheme_spec)
    .bind(&new.field_map)
    .bind(&new.external_id)
    .bind(&new.options)
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| explain(e, new))?;
    let made = add_secret(&mut tx, ring, &new.workspace_id, &id, &scheme, secret).await?;
    if let Some(credentials) = &new.credentials {
        credentials::give(&mut tx, ring, (&new.workspace_id, &id), credentials).await?;
    }
    tx.commit().await?;
    Ok(Added { source: get(pool, &id).await?, secret: made })
}

/// Queries that its platform does not take are told where they are given.
fn check_options(kind: &str, options: Option<&Value>) -> Result<(), AdminError> {
    let Some(Value::Object(options)) = options else { return Ok(()) };
    plan::queries(kind, options).map(drop).map_err(AdminError::Invalid)
}

fn scheme(name: &str, spec: Option<&Value>) -> Result<Scheme, AdminError> {
    match (verify::scheme(name), spec) {
        (Some(scheme), None) => Ok(scheme.clone()),
        (None, Some(spec)) if name == "custom" => Scheme::custom(spec).map_err(AdminError::Invalid),
        _ => Err(AdminError::Invalid(format!(
            "no signature scheme {name:?}; see `millrace source schemes`"
        ))),
    }
}

fn explain(e: sqlx::Error, new: &NewSource) -> AdminError {
    let constraint = e.as_database_error().and_then(|d| d.constraint()).unwrap_or_default();
    match constraint {
        "sources_workspace_name" => {
            AdminError::Invalid(format!("the workspace has a source named {:?} already", new.name))
        }
        "sources_workspace_fk" => AdminError::Invalid(format!(
            "no workspace {:?}; `millrace workspace ls`",
            new.workspace_id
        )),
        _ => AdminError::Database(e),
    }
}

/// Store `secret`, or a fresh one, which is returned.
async fn add_secret(
    conn: &mut PgConnection,
    ring: &KeyRing,
    workspace_id: &str,
    source_id: &str,
    scheme: &Scheme,
    secret: Option<&str>,
) -> Result<Option<SecretString>, AdminError> {
    if scheme.is_api_key() {
        if secret.is_some() {
            return Err(AdminError::Invalid(
                "API keys are made here, not brought: leave --secret away".into(),
            ));
        }
        let scopes = [keys::INGEST.to_owned()];
        let (_, text) =
            keys::create(conn, workspace_id, Some(source_id), "ingest", &scopes).await?;
        return Ok(Some(text));
    }
    let (text, made) = match secret {
        Some(text) => (text.to_owned(), None),
        None => {
            let text = verify::fresh_secret(scheme).ok_or_else(|| {
                AdminError::Invalid(
                    "this scheme verifies with the vendor's public key: give it with --secret"
                        .into(),
                )
            })?;
            (text.clone(), Some(SecretString::from(text)))
        }
    };
    Secret::text(text.as_bytes()).check(scheme).map_err(|e| AdminError::Invalid(e.into()))?;
    let id = new_id();
    let sealed = ring.seal(&id, text.as_bytes())?;
    sqlx::query(
        "insert into ops.source_secrets (id, workspace_id, source_id, sealed, key_id) values ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(workspace_id)
    .bind(source_id)
    .bind(sealed)
    .bind(ring.writer())
    .execute(conn)
    .await?;
    Ok(made)
}

/// A source by id, name or path id.
///
/// # Errors
/// If there is none.
pub async fn get(pool: &PgPool, which: &str) -> Result<SourceRow, AdminError> {
    let found = list(pool, None, Some(which)).await?;
    found.into_iter().next().ok_or_else(|| AdminError::NotFound(which.into()))
}

/// Sources of a workspace (or all), oldest first.
///
/// # Errors
/// If the database does not answer.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace_id: Option<&str>,
    which: Option<&str>,
) -> Result<Vec<SourceRow>, sqlx::Error> {
    sqlx::query_as(
        "select s.id, s.workspace_id, s.kind, s.name, s.path_id, s.scheme, s.external_id, s.state, s.created_at,
                (select count(*) from ops.source_secrets x where x.source_id = s.id and x.purpose = 'verify' and (x.not_after is null or x.not_after > now()))
                + (select count(*) from ops.api_keys k where k.source_id = s.id and k.revoked_at is null) as secrets,
                greatest((select max(x.last_used_at) from ops.source_secrets x where x.source_id = s.id),
                         (select max(k.last_used_at) from ops.api_keys k where k.source_id = s.id)) as last_used_at
         from ops.sources s
         where ($1::text is null or s.workspace_id = $1)
           and ($2::text is null or $2 in (s.id, s.name, s.path_id))
         order by s.created_at, s.id",
    )
    .bind(workspace_id)
    .bind(which)
    .fetch_all(db)
    .await
}

/// What to change of a source; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Name, unique in the workspace.
    pub name: Option<String>,
    /// The whole field map.
    pub field_map: Option<Value>,
    /// All options of its kind.
    pub options: Option<Value>,
    /// Vendor account.
    pub external_id: Option<String>,
    /// Largest body it takes, 1 byte to 100 MiB.
    pub body_bytes_max: Option<i64>,
    /// Deliveries per second it takes.
    pub rate_per_s: Option<i32>,
}

/// Change a source; receivers notice within `ingest.source_cache_ms`.
///
/// # Errors
/// If there is none, the name is taken or a limit is out of range.
pub async fn set(pool: &PgPool, id: &str, change: &Change) -> Result<SourceRow, AdminError> {
    check_options(&get(pool, id).await?.kind, change.options.as_ref())?;
    let done = sqlx::query(
        "update ops.sources
         set name = coalesce($2, name), field_map = coalesce($3, field_map), options = coalesce($4, options),
             external_id = coalesce($5, external_id), body_bytes_max = coalesce($6, body_bytes_max),
             rate_per_s = coalesce($7, rate_per_s), updated_at = now()
         where id = $1",
    )
    .bind(id)
    .bind(&change.name)
    .bind(&change.field_map)
    .bind(&change.options)
    .bind(&change.external_id)
    .bind(change.body_bytes_max)
    .bind(change.rate_per_s)
    .execute(pool)
    .await;
    match done {
        Ok(_) => get(pool, id).await,
        Err(e) => {
            let constraint = e.as_database_error().and_then(|d| d.constraint());
            Err(match constraint {
                Some("sources_workspace_name") => {
                    AdminError::Invalid("the workspace has a source of that name already".into())
                }
                Some("sources_body_bytes_max_check") => {
                    AdminError::Invalid("--body-bytes-max must be between 1 and 104857600".into())
                }
                Some("sources_rate_per_s_check") => {
                    AdminError::Invalid("--rate-per-s must be at least 1".into())
                }
                _ => AdminError::Database(e),
            })
        }
    }
}

/// Pause or resume a source.
///
/// # Errors
/// If there is none.
pub async fn set_paused(pool: &PgPool, which: &str, paused: bool) -> Result<SourceRow, AdminError> {
    let source = get(pool, which).await?;
    sqlx::query(
        "update ops.sources set state = case when $2 then 'paused' else 'active' end, updated_at = now()
         where id = $1 and state <> 'uninstalled'",
    )
    .bind(&source.id)
    .bind(paused)
    .execute(pool)
    .await?;
    get(pool, &source.id).await
}

/// End sources for good and erase their secrets.
///
/// # Errors
/// If the database does not answer.
pub async fn uninstall(conn: &mut PgConnection, source_ids: &[String]) -> Result<(), sqlx::Error> {
    if source_ids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with secrets as (delete from ops.source_secrets where source_id = any($1)),
              keys as (update ops.api_keys set revoked_at = now() where source_id = any($1) and revoked_at is null)
         update ops.sources set state = 'uninstalled', updated_at = now() where id = any($1)",
    )
    .bind(source_ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Give a source a new secret; those it had stay valid for `grace_hours`, and of them only the newest.
///
/// # Errors
/// If there is no such source or the secret does not fit its scheme.
pub async fn rotate(
    pool: &PgPool,
    ring: &KeyRing,
    which: &str,
    secret: Option<&str>,
    grace_hours: i32,
) -> Result<Added, AdminError> {
    let source = get(pool, which).await?;
    let spec: Option<Value> =
        sqlx::query_scalar("select scheme_spec from ops.sources where id = $1")
            .bind(&source.id)
            .fetch_one(pool)
            .await?;
    let scheme = scheme(&source.scheme, spec.as_ref())?;
    let mut tx = pool.begin().await?;
    // Two active at most: the newest of the old ones keeps its grace, the rest end now.
    sqlx::query(
        "with old as (
           select id, row_number() over (order by created_at desc, id) as nth
           from ops.source_secrets where source_id = $1 and purpose = 'verify' and (not_after is null or not_after > now())
         ), ended as (
           update ops.source_secrets x
           set not_after = case when old.nth = 1 then least(x.not_after, now() + make_interval(hours => $2)) else now() end
           from old where x.id = old.id
         ), keys as (
           select id, row_number() over (order by created_at desc, id) as nth
           from ops.api_keys where source_id = $1 and revoked_at is null
         )
         update ops.api_keys k set revoked_at = now() from keys where k.id = keys.id and keys.nth > 1",
    )
    .bind(&source.id)
    .bind(grace_hours)
    .execute(&mut *tx)
    .await?;
    let made = add_secret(&mut tx, ring, &source.workspace_id, &source.id, &scheme, secret).await?;
    tx.commit().await?;
    Ok(Added { source: get(pool, &source.id).await?, secret: made })
}
