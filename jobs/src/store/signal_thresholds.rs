//! `signals.threshold_versions` and `threshold_locks`: thresholds that were learned, and what they are learned from.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};

use crate::{
    learning::suggestions::Row,
    signals::thresholds::{Learned, is_same},
};

/// Workspaces in which somebody has said something to a suggestion.
///
/// # Errors
/// Those of the database.
pub async fn judged_workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select w.id from signals.workspaces w
         where exists (select from signals.suggestion_feedback f where f.workspace_id = w.id) order by w.id",
    )
    .fetch_all(pool)
    .await
}

#[derive(FromRow)]
struct Read {
    confidence: f64,
    is_right: bool,
    said: bool,
    asked_anyway: bool,
    born: DateTime<Utc>,
}

/// What was suggested or linked until `born_until`, and what people had said to it by `as_of`: of suggestions those with a
/// verdict, of automatic links all that stand. In the order of their making.
///
/// # Errors
/// Those of the database.
pub async fn judged(
    conn: &mut PgConnection,
    workspace_id: &str,
    as_of: DateTime<Utc>,
    born_until: DateTime<Utc>,
) -> sqlx::Result<Vec<Row>> {
    let rows: Vec<Read> = sqlx::query_as(
        "select * from (
           select f.confidence::float8 as confidence, f.verdict = 'accepted' as is_right, true as said,
                  signals.asked_anyway(f.signal_id, f.project_id) as asked_anyway,
                  coalesce(s.processed_at, s.created_at) at time zone 'utc' as born, f.signal_id, f.project_id
           from signals.suggestion_feedback f join signals.signals s on s.id = f.signal_id
           where f.workspace_id = $1 and f.confidence is not null and s.deleted_at is null
             and f.created_at <= $2::timestamptz at time zone 'utc'
           union all
           select l.confidence::float8, true, false, signals.asked_anyway(l.signal_id, l.project_id),
                  l.linked_at at time zone 'utc', l.signal_id, l.project_id
           from signals.signal_projects l join signals.signals s on s.id = l.signal_id
           where l.workspace_id = $1 and l.origin = 'auto' and l.confidence is not null and s.deleted_at is null
             and not exists (select from signals.suggestion_feedback f where f.signal_id = l.signal_id and f.project_id = l.project_id)
         ) r
         where r.born <= $3::timestamptz order by r.born, r.signal_id, r.project_id",
    )
    .bind(workspace_id)
    .bind(as_of)
    .bind(born_until)
    .fetch_all(conn)
    .await?;
    let row = |read: Read| Row {
        // Single precision made a longer number of it.
        confidence: (read.confidence * 1e6).round() / 1e6,
        is_right: read.is_right,
        said: read.said,
        asked_anyway: read.asked_anyway,
        born: read.born,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A threshold as it was at some time.
#[derive(Debug, FromRow)]
#[expect(missing_docs, reason = "columns")]
pub struct KnownRow {
    pub name: String,
    pub above: Option<f64>,
    pub promise: Option<f64>,
    pub since: Option<DateTime<Utc>>,
    pub locked: bool,
}

impl KnownRow {
    /// What is in force for this promise, and since when.
    #[must_use]
    pub fn in_force(&self, promise: f64) -> Option<(f64, DateTime<Utc>)> {
        let same = self.promise.is_some_and(|of| is_same(of, promise));
        self.above.zip(self.since).filter(|_| same)
    }
}

/// Thresholds that were in force just before `as_of`, and which of them a person holds now.
///
/// # Errors
/// Those of the database.
pub async fn known(
    conn: &mut PgConnection,
    workspace_id: &str,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<KnownRow>> {
    sqlx::query_as(
        "select n.name, v.above, v.promise, v.effective_from as since, l.name is not null as locked
         from unnest(array['SUGGESTIONS', 'AUTO_LINKS']) as n (name)
         left join signals.threshold_locks l on l.workspace_id = $1 and l.name = n.name
         left join lateral (
           select t.above, t.promise, t.effective_from from signals.threshold_versions t
           where t.workspace_id = $1 and t.name = n.name and t.approved_by is not null and t.effective_from < $2
           order by t.version desc limit 1
         ) v on true",
    )
    .bind(workspace_id)
    .bind(as_of)
    .fetch_all(conn)
    .await
}

/// Thresholds in force of these workspaces: workspace, name, promise, and what was learned.
pub(crate) async fn in_force(
    db: impl PgExecutor<'_>,
    workspace_ids: &[&str],
) -> sqlx::Result<Vec<(String, String, f64, f64)>> {
    sqlx::query_as(
        "select workspace_id, name, promise, above from signals.threshold_versions
         where workspace_id = any ($1) and effective_to is null and approved_by is not null",
    )
    .bind(workspace_ids)
    .fetch_all(db)
    .await
}

/// Another threshold.
#[derive(Debug, Clone, Copy)]
pub struct NewVersion<'a> {
    /// Whose.
    pub workspace_id: &'a str,
    /// Which.
    pub of: Learned,
    /// What it is to keep.
    pub promise: f64,
    /// What it is to be.
    pub above: f64,
    /// The run that found it; none if a person did.
    pub run_id: Option<&'a str>,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Who let it in; none: it is proposed only.
    pub approved_by: Option<&'a str>,
}

impl NewVersion<'_> {
    /// Write it, after the setting as the first version if there was none. Its id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<String> {
        sqlx::query(
            "insert into signals.threshold_versions (workspace_id, name, version, above, promise, effective_from, approved_by)
             select $1, $2, 1, $3, $3, 'epoch', 'setting'
             where not exists (select from signals.threshold_versions where workspace_id = $1 and name = $2)",
        )
        .bind(self.workspace_id)
        .bind(self.of.as_str())
        .bind(self.promise)
        .execute(&mut *conn)
        .await?;
        if self.approved_by.is_some() {
            sqlx::query(
                "update signals.threshold_versions set effective_to = $3
                 where workspace_id = $1 and name = $2 and effective_to is null",
            )
            .bind(self.workspace_id)
            .bind(self.of.as_str())
            .bind(self.at)
            .execute(&mut *conn)
            .await?;
        }
        sqlx::query_scalar(
            "insert into signals.threshold_versions (workspace_id, name, version, above, promise, effective_from, parent_id,
               approved_by, run_id)
             select $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5,
                    (array_agg(id order by version desc) filter (where approved_by is not null))[1], $6, $7
             from signals.threshold_versions where workspace_id = $1 and name = $2
             returning id",
        )
        .bind(self.workspace_id)
        .bind(self.of.as_str())
        .bind(self.above)
        .bind(self.promise)
        .bind(self.at)
        .bind(self.approved_by)
        .bind(self.run_id)
        .fetch_one(conn)
        .await
    }
}

/// A threshold, for people.
#[derive(Debug, Clone, FromRow, serde::Serialize)]
#[expect(missing_docs, reason = "columns of threshold_versions and threshold_locks")]
pub struct VersionRow {
    pub id: String,
    pub name: String,
    pub version: i32,
    pub above: f64,
    pub promise: f64,
    pub effective_from: DateTime<Utc>,
    pub effective_to: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub run_id: Option<String>,
    pub locked_by: Option<String>,
}

/// Thresholds that are in force or proposed; all there were, if `all`.
///
/// # Errors
/// Those of the database.
pub async fn versions(
    conn: &mut PgConnection,
    workspace_id: &str,
    all: bool,
) -> sqlx::Result<Vec<VersionRow>> {
    sqlx::query_as(
        "select v.id, v.name, v.version, v.above, v.promise, v.effective_from, v.effective_to, v.approved_by, v.run_id,
                l.locked_by
         from signals.threshold_versions v
         left join signals.threshold_locks l on l.workspace_id = v.workspace_id and l.name = v.name
         where v.workspace_id = $1 and ($2 or v.effective_to is null)
         order by v.name, v.version",
    )
    .bind(workspace_id)
    .bind(all)
    .fetch_all(conn)
    .await
}

/// Nobody but `who` changes a threshold from now on, or (`None`) learning may again.
///
/// # Errors
/// Those of the database.
pub async fn lock(
    conn: &mut PgConnection,
    workspace_id: &str,
    of: Learned,
    who: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "with free as (
           delete from signals.threshold_locks where workspace_id = $1 and name = $2 and $3::text is null
         )
         insert into signals.threshold_locks (workspace_id, name, locked_by) select $1, $2, $3 where $3::text is not null
         on conflict (workspace_id, name) do update set locked_by = excluded.locked_by, locked_at = now()",
    )
    .bind(workspace_id)
    .bind(of.as_str())
    .bind(who)
    .execute(conn)
    .await
    .map(drop)
}
