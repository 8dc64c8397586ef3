//! `kpi_metrics`: the figures of days, and the counts that they are made from.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgExecutor};

use crate::social::outcomes::kpi::Facts;

/// Counts by day and platform; what is on no platform has none.
pub type Days = BTreeMap<(NaiveDate, Option<String>), Facts>;

#[derive(Debug, FromRow)]
struct Counted {
    day: NaiveDate,
    platform: Option<String>,
    #[sqlx(flatten)]
    facts: Facts,
}

/// What happened since a moment, by day of a time zone (its IANA name).
///
/// # Errors
/// Those of the database.
pub async fn facts(
    conn: &mut PgConnection,
    workspace: &str,
    time_zone: &str,
    since: DateTime<Utc>,
) -> sqlx::Result<Days> {
    let mut days = Days::new();
    let replies: Vec<Counted> = sqlx::query_as(include_str!("replies.sql"))
        .bind(workspace)
        .bind(time_zone)
        .bind(since)
        .fetch_all(&mut *conn)
        .await?;
    let besides: Vec<Counted> = sqlx::query_as(include_str!("days.sql"))
        .bind(workspace)
        .bind(time_zone)
        .bind(since)
        .fetch_all(conn)
        .await?;
    for counted in replies.into_iter().chain(besides) {
        *days.entry((counted.day, counted.platform)).or_default() += counted.facts;
    }
    Ok(days)
}

/// Somebody answered one of our replies.
#[derive(Debug, Clone, FromRow)]
pub struct Answered {
    /// Day on which the reply was posted.
    pub day: NaiveDate,
    /// Where.
    pub platform: String,
    /// What they said.
    pub content: String,
}

/// Answers, in their first seven days, to replies posted since a moment; the newest so many.
///
/// # Errors
/// Those of the database.
pub async fn answers(
    conn: &mut PgConnection,
    workspace: &str,
    time_zone: &str,
    since: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Answered>> {
    sqlx::query_as(
        "select (r.posted_at at time zone $2)::date as day, r.platform, a.content
         from social.replies r
         join social.posts a on a.workspace_id = $1 and a.platform = r.platform and a.in_reply_to = r.platform_post_id
         where r.workspace_id = $1 and r.posted_at >= $3 and a.posted_at <= r.posted_at + interval '7 days'
           and not a.spam_filtered and a.superseded_by is null and a.deleted_at is null
         order by a.posted_at desc limit $4",
    )
    .bind(workspace)
    .bind(time_zone)
    .bind(since)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// A figure of a day.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct KpiRow {
    /// The day, of the profile's time zone.
    pub date: NaiveDate,
    /// Platform; absent: all of them.
    pub platform: Option<String>,
    /// `COMMERCIAL`, `LOVE`, `SAFETY`.
    pub metric_type: String,
    /// Its name.
    pub metric_name: String,
    /// What it is.
    pub value: f64,
}

/// Make the figures with these names from `since` on be these: others go.
///
/// # Errors
/// Those of the database.
pub async fn write(
    conn: &mut PgConnection,
    workspace: &str,
    since: NaiveDate,
    names: &[&str],
    rows: &[KpiRow],
) -> sqlx::Result<()> {
    sqlx::query(
        "with fresh as (
           select * from unnest($4::date[], $5::text[], $6::text[], $7::text[], $8::double precision[])
             as t (date, platform, metric_type, metric_name, value)
         ), gone as (
           delete from social.kpi_metrics m
           where m.workspace_id = $1 and m.date >= $2 and m.metric_name = any ($3)
             and not exists (select from fresh f where f.date = m.date and f.platform is not distinct from m.platform
                             and f.metric_type = m.metric_type and f.metric_name = m.metric_name)
         )
         insert into social.kpi_metrics as m (workspace_id, date, platform, metric_type, metric_name, value)
         select $1, f.date, f.platform, f.metric_type, f.metric_name, f.value from fresh f
         on conflict on constraint kpi_metrics_key do update set value = excluded.value where m.value <> excluded.value",
    )
    .bind(workspace)
    .bind(since)
    .bind(names)
    .bind(rows.iter().map(|r| r.date).collect::<Vec<_>>())
    .bind(rows.iter().map(|r| r.platform.as_deref()).collect::<Vec<_>>())
    .bind(rows.iter().map(|r| r.metric_type.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|r| r.metric_name.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|r| r.value).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map(drop)
}

/// Figures from a day on, of one platform or of all together.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    workspace: &str,
    platform: Option<&str>,
    since: NaiveDate,
) -> sqlx::Result<Vec<KpiRow>> {
    sqlx::query_as(
        "select date, platform, metric_type, metric_name, value from social.kpi_metrics
         where workspace_id = $1 and platform is not distinct from $2 and date >= $3
         order by metric_type, metric_name, date",
    )
    .bind(workspace)
    .bind(platform)
    .bind(since)
    .fetch_all(db)
    .await
}

/// A competitor's part of what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Voice {
    /// Its name; absent: we ourselves.
    pub competitor: Option<String>,
    /// Posts that speak of it.
    pub mentions: i64,
    /// Of them: kindly,
    pub positive: i64,
    /// and unkindly.
    pub negative: i64,
    /// Of them: answered by us.
    pub replied: i64,
}

/// Who is spoken of since a moment, the most first.
///
/// # Errors
/// Those of the database.
pub async fn voices(
    db: impl PgExecutor<'_>,
    workspace: &str,
    platform: Option<&str>,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Voice>> {
    sqlx::query_as(
        "select x.competitor, x.mentions, x.positive, x.negative, x.replied from (
           select c.name as competitor, count(*) as mentions, count(*) filter (where m.sentiment = 'POSITIVE') as positive,
             count(*) filter (where m.sentiment = 'NEGATIVE') as negative, count(*) filter (where m.replied) as replied
           from social.competitive_mentions m
           join social.competitors c on c.workspace_id = $1 and c.id = m.competitor_id
           join social.posts p on p.workspace_id = $1 and p.id = m.post_id
           where m.workspace_id = $1 and m.created_at >= $3 and ($2::text is null or p.platform = $2)
           group by c.name
           union all
           select null, count(*), 0, 0, 0 from social.posts p
           where p.workspace_id = $1 and p.detected_at >= $3 and p.addressed and not p.spam_filtered
             and ($2::text is null or p.platform = $2)
         ) x where x.mentions > 0 order by x.mentions desc, x.competitor",
    )
    .bind(workspace)
    .bind(platform)
    .bind(since)
    .fetch_all(db)
    .await
}

/// Workspaces with posts or replies.
///
/// # Errors
/// Those of the database.
pub async fn workspaces(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select w.id from signals.workspaces w
         where exists (select from social.posts p where p.workspace_id = w.id)
            or exists (select from social.replies r where r.workspace_id = w.id)
         order by w.id",
    )
    .fetch_all(db)
    .await
}
