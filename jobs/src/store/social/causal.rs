//! `randomized_experiments`: decisions whose mode was drawn, and what came of them. They are written with their decision.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    learning::causal::Row,
    social::mode::{ENGAGING, Mode},
};

#[derive(FromRow)]
struct Read {
    id: String,
    predicted: String,
    actual: String,
    tried: Vec<String>,
    sss: Option<f64>,
    ars: Option<f64>,
    evs: Option<f64>,
    trs: Option<f64>,
    predicted_outcome: Option<f64>,
    rewarded: bool,
}

fn mode(name: &str) -> Option<Mode> {
    ENGAGING.into_iter().find(|known| known.as_str() == name)
}

/// A row, unless nothing was to be said, or its features are not those of a decision.
fn row(read: Read) -> Option<Row> {
    Some(Row {
        id: read.id,
        predicted: mode(&read.predicted)?,
        actual: mode(&read.actual)?,
        tried: read.tried.iter().map(|name| mode(name)).collect::<Option<_>>()?,
        signals: [read.sss?, read.ars?, read.evs?, read.trs?],
        predicted_outcome: read.predicted_outcome?,
        rewarded: read.rewarded,
    })
}

/// Randomised decisions that were made after `since` and eight days or longer before `as_of`, in that order, with what
/// came of replies that were posted within a day: nothing said is nothing gained.
///
/// # Errors
/// Those of the database.
pub async fn randomised(
    conn: &mut PgConnection,
    workspace_id: &str,
    since: DateTime<Utc>,
    as_of: DateTime<Utc>,
) -> sqlx::Result<Vec<Row>> {
    let read: Vec<Read> = sqlx::query_as(
        "with good as materialized (
           select decision_id, posted_at from social.reply_results($1, $2, $3) where rewarded and not removed
         )
         select x.id, x.predicted_mode as predicted, x.actual_mode as actual,
                array(select distinct split_part(a.name, '/', 1) from jsonb_each_text(e.probabilities) as a (name, p)
                      where a.p::float8 > 0 and a.name <> 'DISENGAGED' order by 1) as tried,
                (e.features #>> '{signals,sss,score}')::float8 as sss, (e.features #>> '{signals,ars,score}')::float8 as ars,
                (e.features #>> '{signals,evs,signal,score}')::float8 as evs,
                (e.features #>> '{signals,trs,signal,score}')::float8 as trs, x.predicted_outcome,
                exists (select from good r where r.decision_id = x.decision_id
                          and r.posted_at <= e.created_at + interval '1 day') as rewarded
         from social.randomized_experiments x
         join social.decision_exposures e on e.workspace_id = $1 and e.decision_id = x.decision_id
         where x.workspace_id = $1 and e.created_at > $2 and e.created_at <= $3::timestamptz - interval '8 days'
         order by e.created_at, x.id",
    )
    .bind(workspace_id)
    .bind(since)
    .bind(as_of)
    .fetch_all(conn)
    .await?;
    Ok(read.into_iter().filter_map(row).collect())
}

/// Fill in what came of these rows; what was filled in before stays.
///
/// # Errors
/// Those of the database.
pub async fn fill(
    conn: &mut PgConnection,
    workspace_id: &str,
    outcomes: &[(String, f64)],
) -> sqlx::Result<()> {
    let (ids, values): (Vec<&str>, Vec<f64>) =
        outcomes.iter().map(|(id, value)| (id.as_str(), *value)).unzip();
    sqlx::query(
        "update social.randomized_experiments x set actual_outcome = o.value
         from unnest($2::text[], $3::float8[]) as o (id, value)
         where x.workspace_id = $1 and x.id = o.id and x.actual_outcome is null",
    )
    .bind(workspace_id)
    .bind(ids)
    .bind(values)
    .execute(conn)
    .await
    .map(drop)
}
