//! `social.profile_versions`: each text of a brand profile that was in force.

use sqlx::PgExecutor;

use crate::social::brand::Brand;

/// A workspace has this profile; nothing if it had it last.
///
/// # Errors
/// Those of the database.
pub async fn record(
    db: impl PgExecutor<'_>,
    workspace_id: &str,
    brand: &Brand,
) -> sqlx::Result<()> {
    sqlx::query(
        "with last as (
           select sha256 from social.profile_versions where workspace_id = $1 order by loaded_at desc, id desc limit 1
         )
         insert into social.profile_versions (workspace_id, name, sha256, toml, loaded_by)
         select $1, $2, decode($3, 'hex'), $4, 'work'
         where not exists (select from last where sha256 = decode($3, 'hex'))",
    )
    .bind(workspace_id)
    .bind(&brand.name)
    .bind(&brand.profile.sha256)
    .bind(&brand.toml)
    .execute(db)
    .await?;
    Ok(())
}
