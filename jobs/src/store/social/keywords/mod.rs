//! `keyword_changes` and `keyword_locks`: what was changed of a profile's keywords; and what is learned of them.

mod read;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgExecutor, types::Json};

pub use read::{Heard, PostRow, TallyRow, decided, heard, hits, replied, texts};

use crate::social::vocabulary::{Change, What};

/// Changes of a workspace's keywords that are in force, in order.
///
/// # Errors
/// Those of the database.
pub async fn in_force(db: impl PgExecutor<'_>, workspace_id: &str) -> sqlx::Result<Vec<Change>> {
    sqlx::query_as(
        "select version, term, what, category, share from social.keyword_changes
         where workspace_id = $1 and effective_from <= now() and effective_to is null order by version",
    )
    .bind(workspace_id)
    .fetch_all(db)
    .await
}

/// A change to be proposed, or put into force at once.
#[derive(Debug)]
pub struct New<'a> {
    /// Whose.
    pub workspace_id: &'a str,
    /// As matches name it.
    pub term: &'a str,
    /// What is done with it.
    pub what: What,
    /// Of an addition only.
    pub category: Option<&'a str>,
    /// Of texts; 1 is all.
    pub share: f64,
    /// Why.
    pub evidence: &'a Value,
    /// The run that found it; none if a person did.
    pub run_id: Option<&'a str>,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Who let it in; none: it is proposed only.
    pub approved_by: Option<&'a str>,
}

impl New<'_> {
    /// Write it; its version, or none if there is one like it that is not over.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<Option<i32>> {
        one_at_a_time(conn, self.workspace_id).await?;
        sqlx::query_scalar(
            "insert into social.keyword_changes (workspace_id, version, term, what, category, share, evidence, created_at,
               effective_from, approved_by, run_id)
             select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7,
                    case when $8::text is not null then $7::timestamptz end, $8, $9
             from social.keyword_changes where workspace_id = $1
             on conflict (workspace_id, term, what) where effective_to is null do nothing
             returning version",
        )
        .bind(self.workspace_id)
        .bind(self.term)
        .bind(self.what)
        .bind(self.category)
        .bind(self.share)
        .bind(Json(self.evidence))
        .bind(self.at)
        .bind(self.approved_by)
        .bind(self.run_id)
        .fetch_optional(conn)
        .await
    }
}

/// Versions of a workspace are counted one after the other.
async fn one_at_a_time(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<()> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended('social.keyword_changes ' || $1, 0))",
    )
    .bind(workspace_id)
    .execute(conn)
    .await
    .map(drop)
}

/// A proposed change comes into force, for this share of texts and (an addition) in this category; its version, if there
/// is one.
///
/// # Errors
/// Those of the database.
pub async fn approve(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    (category, share): (Option<&str>, f64),
    (who, at): (&str, DateTime<Utc>),
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "update social.keyword_changes set effective_from = $6, approved_by = $5, category = coalesce($3, category), share = $4
         where workspace_id = $1 and id = $2 and effective_to is null and approved_by is null
         returning version",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(category)
    .bind(share)
    .bind(who)
    .bind(at)
    .fetch_optional(conn)
    .await
}

/// A change, proposed or in force, is over; its version, if it was not yet.
///
/// # Errors
/// Those of the database.
pub async fn end(
    conn: &mut PgConnection,
    (workspace_id, id): (&str, &str),
    (who, at): (&str, DateTime<Utc>),
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "update social.keyword_changes set effective_to = greatest(effective_from, $4), ended_by = $3
         where workspace_id = $1 and id = $2 and effective_to is null returning version",
    )
    .bind(workspace_id)
    .bind(id)
    .bind(who)
    .bind(at)
    .fetch_optional(conn)
    .await
}

/// A change, for people.
#[derive(Debug, Clone, FromRow, Serialize)]
#[expect(missing_docs, reason = "columns of keyword_changes and keyword_locks")]
pub struct ChangeRow {
    pub id: String,
    pub version: i32,
    pub term: String,
    pub what: What,
    pub category: Option<String>,
    pub share: f64,
    pub evidence: Value,
    pub effective_from: Option<DateTime<Utc>>,
    pub effective_to: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub ended_by: Option<String>,
    pub run_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub locked_by: Option<String>,
}

impl ChangeRow {
    /// Nobody has said yes or no yet.
    #[must_use]
    pub const fn is_proposed(&self) -> bool {
        self.approved_by.is_none() && self.effective_to.is_none()
    }

    /// It is in force, for some texts or all.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.approved_by.is_some() && self.effective_to.is_none()
    }

    /// It is an addition that is tried on a share of texts.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.is_in_force() && self.share < 1.0
    }
}

/// Changes in force or proposed, in order; all there were, if `all`.
///
/// # Errors
/// Those of the database.
pub async fn changes(
    conn: &mut PgConnection,
    workspace_id: &str,
    all: bool,
) -> sqlx::Result<Vec<ChangeRow>> {
    sqlx::query_as(
        "select c.id, c.version, c.term, c.what, c.category, c.share, c.evidence, c.effective_from, c.effective_to, c.approved_by,
                c.ended_by, c.run_id, c.created_at, l.locked_by
         from social.keyword_changes c
         left join social.keyword_locks l on l.workspace_id = c.workspace_id and l.term = c.term
         where c.workspace_id = $1 and ($2 or c.effective_to is null) order by c.version",
    )
    .bind(workspace_id)
    .bind(all)
    .fetch_all(conn)
    .await
}

/// Terms that learning leaves alone, and who said so, in the order of terms.
///
/// # Errors
/// Those of the database.
pub async fn locks(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "select term, locked_by from social.keyword_locks where workspace_id = $1 order by term",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// Nobody but `who` changes a term from now on, or (`None`) learning may again.
///
/// # Errors
/// Those of the database.
pub async fn lock(
    conn: &mut PgConnection,
    (workspace_id, term): (&str, &str),
    who: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("delete from social.keyword_locks where workspace_id = $1 and term = $2")
        .bind(workspace_id)
        .bind(term)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "insert into social.keyword_locks (workspace_id, term, locked_by)
         select $1, $2, $3 where $3::text is not null on conflict do nothing",
    )
    .bind(workspace_id)
    .bind(term)
    .bind(who)
    .execute(conn)
    .await
    .map(drop)
}
