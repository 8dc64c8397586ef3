//! Posts of which their platform is asked whether they are still there: its terms want ours gone within a day of theirs.

use sqlx::PgConnection;

/// Ids, on the platform, of posts that it was not asked for in so many seconds; the longest ago first.
///
/// # Errors
/// Those of the database.
pub async fn due(
    conn: &mut PgConnection,
    (workspace_id, platform): (&str, &str),
    older_s: f64,
    limit: usize,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select platform_post_id from social.posts
         where workspace_id = $1 and platform = $2 and deleted_at is null and superseded_by is null
           and checked_at < now() - make_interval(secs => $3)
         order by checked_at limit $4",
    )
    .bind(workspace_id)
    .bind(platform)
    .bind(older_s)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(conn)
    .await
}

/// Posts that were found last, but for these: if any are still there, they are.
///
/// # Errors
/// Those of the database.
pub async fn newest(
    conn: &mut PgConnection,
    (workspace_id, platform): (&str, &str),
    but: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select platform_post_id from social.posts
         where workspace_id = $1 and platform = $2 and deleted_at is null and superseded_by is null
           and platform_post_id <> all ($3)
         order by detected_at desc limit 20",
    )
    .bind(workspace_id)
    .bind(platform)
    .bind(but)
    .fetch_all(conn)
    .await
}

/// The platform was asked for these.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn checked(
    conn: &mut PgConnection,
    (workspace_id, platform): (&str, &str),
    ids: &[String],
) -> sqlx::Result<()> {
    // In order of id, as everybody locks them.
    sqlx::query(
        "with found as (
           select id from social.posts where workspace_id = $1 and platform = $2 and platform_post_id = any ($3)
           order by id for no key update
         )
         update social.posts p set checked_at = now() from found f where p.id = f.id",
    )
    .bind(workspace_id)
    .bind(platform)
    .bind(ids)
    .execute(conn)
    .await?;
    Ok(())
}
