//! What decisions depend on beside their post and its author: weights, and what was said of late.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// Weights in force for a segment.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "columns of segmented_weights and weight_versions")]
pub struct SegmentRow {
    pub segment_type: String,
    pub segment_key: String,
    pub sss_weight: f64,
    pub ars_weight: f64,
    pub evs_weight: f64,
    pub trs_weight: f64,
    pub sample_size: i32,
    /// 0 if somebody wrote the row by hand.
    pub version: i32,
    /// The version before, of one that is younger than a week, and its weights: for authors who are held back.
    pub before: Option<i32>,
    /// See `before`.
    pub weights_before: Option<Vec<f64>>,
}

/// All segments of a workspace that have weights.
///
/// # Errors
/// Those of the database.
pub async fn weights(conn: &mut PgConnection, workspace_id: &str) -> sqlx::Result<Vec<SegmentRow>> {
    sqlx::query_as(
        "select w.segment_type, w.segment_key, w.sss_weight, w.ars_weight, w.evs_weight, w.trs_weight, w.sample_size,
                coalesce(v.version, 0) as version, p.version as before, p.weights as weights_before
         from social.segmented_weights w
         left join social.weight_versions v on v.workspace_id = w.workspace_id and v.segment_type = w.segment_type
           and v.segment_key = w.segment_key and v.effective_to is null and v.approved_by is not null
         left join social.weight_versions p on p.workspace_id = v.workspace_id and p.id = v.parent_id
           and v.run_id is not null and v.effective_from > now() - interval '7 days'
         where w.workspace_id = $1 order by w.segment_type, w.segment_key",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}

/// What was said of late, as far as a decision on one post needs it.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Archetypes of the last replies to the author, the latest first.
    pub author: Vec<String>,
    /// And of the thread.
    pub thread: Vec<String>,
    /// Replies in the thread.
    pub thread_replies: i64,
}

#[derive(Debug, FromRow)]
struct SaidRow {
    post_id: String,
    author: Vec<String>,
    thread: Vec<String>,
    thread_replies: i64,
}

/// For each of these posts, what was said to its author and in its thread.
///
/// # Errors
/// Those of the database.
pub async fn said(conn: &mut PgConnection, ids: &[&str]) -> sqlx::Result<BTreeMap<String, Said>> {
    let rows: Vec<SaidRow> = sqlx::query_as(
        "select p.id as post_id,
                array(select r.archetype from social.replies r
                      where r.author_id = p.author_id and r.approval_status <> 'REJECTED' and r.archetype is not null
                      order by r.created_at desc limit 10) as author,
                array(select r.archetype from social.replies r
                      where r.workspace_id = p.workspace_id and r.platform = p.platform and r.thread = p.conversation
                        and r.approval_status <> 'REJECTED' and r.archetype is not null
                      order by r.created_at desc limit 10) as thread,
                (select count(*) from social.replies r
                 where r.workspace_id = p.workspace_id and r.platform = p.platform and r.thread = p.conversation
                   and r.approval_status <> 'REJECTED' and r.deleted_at is null) as thread_replies
         from social.posts p where p.id = any ($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let said = |row: SaidRow| {
        let said =
            Said { author: row.author, thread: row.thread, thread_replies: row.thread_replies };
        (row.post_id, said)
    };
    Ok(rows.into_iter().map(said).collect())
}

/// How much was said on a platform.
#[derive(Debug, Clone, Default, FromRow)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Volume {
    pub hour: i64,
    pub day: i64,
    /// Archetypes of the last replies, the latest first.
    pub archetypes: Vec<String>,
}

/// Replies of a workspace on a platform in the last hour and day.
///
/// # Errors
/// Those of the database.
pub async fn volume(
    conn: &mut PgConnection,
    workspace_id: &str,
    platform: &str,
) -> sqlx::Result<Volume> {
    sqlx::query_as(
        "select count(*) filter (where posted_at > now() - interval '1 hour') as hour, count(*) as day,
                array(select r.archetype from social.replies r
                      where r.workspace_id = $1 and r.platform = $2 and r.archetype is not null
                      order by r.posted_at desc nulls last limit 10) as archetypes
         from social.replies
         where workspace_id = $1 and platform = $2 and posted_at > now() - interval '1 day' and deleted_at is null",
    )
    .bind(workspace_id)
    .bind(platform)
    .fetch_one(conn)
    .await
}

/// Decisions beside each competitor since the brand's midnight that lead to a reply.
///
/// # Errors
/// Those of the database.
pub async fn beside_competitors(
    conn: &mut PgConnection,
    workspace_id: &str,
    midnight: DateTime<Utc>,
) -> sqlx::Result<BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select competitor_detected, count(*) from social.decisions
         where workspace_id = $1 and created_at >= $2 and competitor_detected is not null and mode <> 'DISENGAGED'
         group by 1",
    )
    .bind(workspace_id)
    .bind(midnight)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// How archetypes did in the last week: mean of what matured outcomes say, and how many there are.
///
/// # Errors
/// Those of the database.
pub async fn performance(
    conn: &mut PgConnection,
    workspace_id: &str,
) -> sqlx::Result<Vec<(String, f64, i64)>> {
    sqlx::query_as(
        "select r.archetype, avg(case when c.clicked then 1.0 else 0.0 end)::float8, count(*)
         from social.replies r
         cross join lateral (select exists (select from social.click_events k where k.reply_id = r.id) as clicked) c
         where r.workspace_id = $1 and r.archetype is not null and r.posted_at between now() - interval '8 days'
           and now() - interval '1 day'
         group by 1",
    )
    .bind(workspace_id)
    .fetch_all(conn)
    .await
}
