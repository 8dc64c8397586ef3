//! `own_accounts`: who answers for us, as a platform knows them. No row: nobody asked it.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgExecutor, PgPool};

use crate::social::record::Platform;

/// What a platform says of an account of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Of posts and comments together; may be negative.
    pub karma: i64,
    /// When the account was made.
    pub since: DateTime<Utc>,
}

/// Make the accounts of a platform, of all tenants, those of these sources, given by workspace and id. That of a paused
/// source stays, and is soon not known any more: a pause shuts the gate.
///
/// # Errors
/// Those of the database.
pub async fn keep(
    pool: &PgPool,
    platform: Platform,
    sources: &[(String, String)],
) -> sqlx::Result<()> {
    let (workspaces, ids): (Vec<&str>, Vec<&str>) =
        sources.iter().map(|(workspace, id)| (&**workspace, &**id)).unzip();
    sqlx::query(
        "with gone as (delete from social.own_accounts where platform = $1 and source_id <> all($3)
           and not exists (select from ops.sources s where s.id = source_id and s.state = 'paused'))
         insert into social.own_accounts (workspace_id, source_id, platform)
         select a.workspace_id, a.source_id, $1 from unnest($2::text[], $3::text[]) as a(workspace_id, source_id)
         on conflict (workspace_id, source_id) do nothing",
    )
    .bind(platform.as_str())
    .bind(workspaces)
    .bind(ids)
    .execute(pool)
    .await
    .map(drop)
}

/// Note what the platform said of the account that a source asks with; an error unsays what was known.
///
/// # Errors
/// Those of the database.
pub async fn told(
    pool: &PgPool,
    (workspace_id, source_id): (&str, &str),
    said: Result<Standing, &str>,
) -> sqlx::Result<()> {
    let known = said.as_ref().ok();
    sqlx::query(
        "update social.own_accounts set karma = $3, since = $4, last_error = left($5, 500), seen_at = now()
         where workspace_id = $1 and source_id = $2",
    )
    .bind(workspace_id)
    .bind(source_id)
    .bind(known.map(|known| known.karma))
    .bind(known.map(|known| known.since))
    .bind(said.as_ref().err())
    .execute(pool)
    .await
    .map(drop)
}

/// An account of ours; nothing is known of it for longer than an hour.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub struct Account {
    /// See [`Standing`].
    pub karma: Option<i64>,
    /// Its age, days.
    pub age_days: Option<f64>,
}

/// The accounts of a workspace on a platform.
///
/// # Errors
/// Those of the database.
pub async fn of(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    platform: Platform,
) -> sqlx::Result<Vec<Account>> {
    sqlx::query_as(
        "select case when seen_at > now() - interval '60 minutes' then karma end as karma,
                extract(epoch from now() - since)::float8 / 86400 as age_days
         from social.own_accounts where workspace_id = $1 and platform = $2",
    )
    .bind(workspace_id)
    .bind(platform.as_str())
    .fetch_all(db)
    .await
}
