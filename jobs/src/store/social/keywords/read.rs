//! What is learned of keywords: counts by term, and texts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::social::vocabulary::What;

/// Posts that have a term and so many terms in all.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct TallyRow {
    /// As `posts.keyword_matches` has it.
    pub term: String,
    /// Terms of each of these posts, this one among them.
    pub k: i32,
    /// They are of the seed's window.
    pub recent: bool,
    /// Posts.
    pub n: i64,
    /// Of them, with what is counted.
    pub hits: i64,
}

/// Answered posts by term, as of `as_of`; the hits are rewards. See `replied.sql`.
///
/// # Errors
/// Those of the database.
pub async fn replied(
    conn: &mut PgConnection,
    workspace_id: &str,
    (since, recent, as_of): (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<Vec<TallyRow>> {
    sqlx::query_as(include_str!("replied.sql"))
        .bind(workspace_id)
        .bind(since)
        .bind(as_of)
        .bind(recent)
        .fetch_all(conn)
        .await
}

/// Posts that were decided upon by term; the hits are those that were ours after all: their context passed `gate`. See
/// `decided.sql`.
///
/// # Errors
/// Those of the database.
pub async fn decided(
    conn: &mut PgConnection,
    workspace_id: &str,
    (since, recent, as_of): (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>),
    gate: f64,
) -> sqlx::Result<Vec<TallyRow>> {
    sqlx::query_as(include_str!("decided.sql"))
        .bind(workspace_id)
        .bind(since)
        .bind(as_of)
        .bind(recent)
        .bind(gate)
        .fetch_all(conn)
        .await
}

/// Posts that came in that time, by term, answered or not.
///
/// # Errors
/// Those of the database.
pub async fn hits(
    conn: &mut PgConnection,
    workspace_id: &str,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select t.term, count(*) from social.posts p cross join unnest(p.keyword_matches) as t (term)
         where p.workspace_id = $1 and p.detected_at > $2 and p.detected_at <= $3 group by 1",
    )
    .bind(workspace_id)
    .bind(since)
    .bind(as_of)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// What an author said, and whether our reply was rewarded.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct PostRow {
    /// The text.
    pub content: String,
    /// `posts.keyword_categories`, the most urgent first.
    pub categories: Vec<String>,
    /// A reward came, and it was not taken down.
    pub rewarded: bool,
}

/// Answered posts, one of each author, the latest first. See `texts.sql`.
///
/// # Errors
/// Those of the database.
pub async fn texts(
    conn: &mut PgConnection,
    workspace_id: &str,
    (since, as_of): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> sqlx::Result<Vec<PostRow>> {
    sqlx::query_as(include_str!("texts.sql"))
        .bind(workspace_id)
        .bind(since)
        .bind(as_of)
        .bind(most)
        .fetch_all(conn)
        .await
}

/// A change, as it was at a time.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Heard {
    /// Of `keyword_changes`.
    pub id: String,
    /// See `Change`.
    pub version: i32,
    /// The term.
    pub term: String,
    /// The change.
    pub what: What,
    /// Of an addition.
    pub category: Option<String>,
    /// Of texts.
    pub share: f64,
    /// It was refused, taken back or replaced.
    pub over: bool,
    /// It was in force.
    pub in_force: bool,
    /// Since then.
    pub since: Option<DateTime<Utc>>,
}

/// Changes as they were just before `as_of`: proposed, in force, and those that ended after `over_since`; in order.
///
/// # Errors
/// Those of the database.
pub async fn heard(
    conn: &mut PgConnection,
    workspace_id: &str,
    (over_since, as_of): (DateTime<Utc>, DateTime<Utc>),
) -> sqlx::Result<Vec<Heard>> {
    sqlx::query_as(
        "select id, version, term, what, category, share, coalesce(effective_to < $3, false) as over,
                coalesce(effective_from < $3, false) and coalesce(effective_to >= $3, true) as in_force, effective_from as since
         from social.keyword_changes
         where workspace_id = $1 and created_at < $3
           and (effective_to is null or effective_to > $2)
         order by version",
    )
    .bind(workspace_id)
    .bind(over_since)
    .bind(as_of)
    .fetch_all(conn)
    .await
}
