//! What our replies were shown, a day after each was posted.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    learning::{
        drift::{Reply, series::Shown},
        rows::DAYPARTS,
    },
    social::record::Platform,
};

#[derive(FromRow)]
struct Read {
    platform: String,
    posted_at: DateTime<Utc>,
    daypart: String,
    views: Option<f64>,
    engagement: f64,
}

/// Replies that were posted in that time and looked at after a day, as it was known at `as_of`; in the order in which
/// they were posted.
///
/// # Errors
/// Those of the database.
pub async fn shown(
    conn: &mut PgConnection,
    workspace_id: &str,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<Reply>> {
    let rows: Vec<Read> = sqlx::query_as(
        "select r.platform, r.posted_at,
                coalesce(upper(e.daypart),
                  (array['NIGHT','MORNING','AFTERNOON','EVENING'])[1 + extract(hour from r.posted_at at time zone 'utc')::int / 6]) as daypart,
                (o.metrics ->> 'views')::float8 as views,
                (coalesce((o.metrics ->> 'likes')::float8, 0) + coalesce((o.metrics ->> 'replies')::float8, 0)
                  + coalesce((o.metrics ->> 'shares')::float8, 0)) as engagement
         from social.replies r
         join social.reply_outcomes o on o.workspace_id = r.workspace_id and o.reply_id = r.id and o.\"window\" = '24h'
         left join social.decision_exposures e on e.workspace_id = r.workspace_id and e.decision_id = r.decision_id
         where r.workspace_id = $1 and r.posted_at >= $2 and r.posted_at < $3 and o.captured_at <= $4
           and o.metrics ->> 'removed' is distinct from 'true'
         order by r.posted_at, r.id",
    )
    .bind(workspace_id)
    .bind(since)
    .bind(until)
    .bind(as_of)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(reply).collect())
}

fn reply(read: Read) -> Option<Reply> {
    Some(Reply {
        platform: Platform::ALL.into_iter().find(|known| known.as_str() == read.platform)?,
        shown: Shown {
            at: read.posted_at,
            daypart: DAYPARTS.into_iter().find(|known| known.as_str() == read.daypart)?,
            // Votes against can outweigh those for.
            figure: read.engagement.max(0.0),
        },
        views: read.views,
    })
}
