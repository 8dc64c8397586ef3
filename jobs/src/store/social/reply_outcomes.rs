//! `reply_outcomes`: what platforms showed of our replies, once for each window.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, types::Json};

use crate::social::outcomes::windows::{LATEST, Look, Shown, Window};

/// A reply that can be looked at.
#[derive(Debug, Clone, FromRow)]
pub struct Posted {
    /// Tenant.
    pub workspace_id: String,
    /// `TWITTER`, `REDDIT`, `THREADS`.
    pub platform: String,
    /// Its id there.
    pub platform_post_id: String,
    /// When it was posted.
    pub posted_at: DateTime<Utc>,
}

/// The reply of a look; none if it is not posted, gone by our own hand, or was looked at.
///
/// # Errors
/// Those of the database.
pub async fn due(conn: &mut PgConnection, look: &Look) -> sqlx::Result<Option<Posted>> {
    sqlx::query_as(
        "select r.workspace_id, r.platform, r.platform_post_id, r.posted_at from social.replies r
         where r.id = $1 and r.posted_at is not null and r.platform_post_id is not null and r.deleted_at is null
           and not exists (select from social.reply_outcomes o where o.reply_id = r.id and o.\"window\" = $2)",
    )
    .bind(&look.reply_id)
    .bind(look.window.as_str())
    .fetch_optional(conn)
    .await
}

/// Ids on a platform of what we have posted there since then and not taken back, and when; the newest 150.
///
/// # Errors
/// Those of the database.
pub async fn posted_since(
    conn: &mut PgConnection,
    (workspace_id, platform): (&str, &str),
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<(String, DateTime<Utc>)>> {
    sqlx::query_as(
        "select platform_post_id, posted_at from social.replies
         where workspace_id = $1 and platform = $2 and posted_at > $3 and platform_post_id is not null and deleted_at is null
         order by posted_at desc, id limit 150",
    )
    .bind(workspace_id)
    .bind(platform)
    .bind(since)
    .fetch_all(conn)
    .await
}

/// Write what was seen, and show it in `replies.metrics_json`. A window has one row: a second look adds nothing.
/// `captured_at` says how late it was; `complete`, that the platform told all that it has.
///
/// # Errors
/// Those of the database.
pub async fn record(
    conn: &mut PgConnection,
    look: &Look,
    captured_at: DateTime<Utc>,
    shown: &Shown,
    complete: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "with seen as (
           insert into social.reply_outcomes (workspace_id, reply_id, \"window\", captured_at, metrics, complete)
           select r.workspace_id, r.id, $2, $3, $4, $5 from social.replies r where r.id = $1
           on conflict (reply_id, \"window\") do nothing
           returning reply_id, \"window\", captured_at, metrics
         )
         update social.replies r
         set metrics_json = coalesce(r.metrics_json, '{}') || jsonb_build_object(s.\"window\", s.metrics || jsonb_build_object('captured_at', s.captured_at))
         from seen s where r.id = s.reply_id",
    )
    .bind(&look.reply_id)
    .bind(look.window.as_str())
    .bind(captured_at)
    .bind(Json(shown))
    .bind(complete)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A look that nobody has had.
#[derive(Debug, Clone, FromRow)]
pub struct Missed {
    /// Tenant.
    pub workspace_id: String,
    /// `social.replies.id`.
    pub reply_id: String,
    /// When it was posted.
    pub posted_at: DateTime<Utc>,
}

/// Replies that nobody has looked at in a window which is due, or will be in an hour, and not too long ago.
///
/// # Errors
/// Those of the database.
pub async fn missed(
    conn: &mut PgConnection,
    window: Window,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Missed>> {
    let posted = now - window.after();
    sqlx::query_as(
        "select r.workspace_id, r.id as reply_id, r.posted_at from social.replies r
         where r.posted_at > $2 and r.posted_at < $3::timestamptz + interval '1 hour' and r.posted_at <= $4
           and r.platform_post_id is not null and r.deleted_at is null
           and not exists (select from social.reply_outcomes o where o.reply_id = r.id and o.\"window\" = $1)
         order by r.posted_at limit 10000",
    )
    .bind(window.as_str())
    .bind(posted - LATEST)
    .bind(posted)
    .bind(now)
    .fetch_all(conn)
    .await
}
