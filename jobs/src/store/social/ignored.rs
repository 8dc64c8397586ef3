//! Decisions to say nothing, as they were made, for a second look.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, types::Json};

use crate::social::decide::Inputs;

/// The inputs of one in twenty of the decisions of that time to say nothing (by hash, so always the same), in order; those
/// that are not as they are made today are left out.
///
/// # Errors
/// Those of the database.
pub async fn ignored(
    conn: &mut PgConnection,
    workspace_id: &str,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    most: i64,
) -> sqlx::Result<Vec<Inputs>> {
    let rows: Vec<Json<serde_json::Value>> = sqlx::query_scalar(
        "select features from social.decision_exposures
         where workspace_id = $1 and created_at > $2 and created_at <= $3 and action = 'DISENGAGED'
           and get_byte(sha256(convert_to('bias ' || decision_id, 'utf8')), 0) < 13
         order by created_at desc, decision_id limit $4",
    )
    .bind(workspace_id)
    .bind(since)
    .bind(until)
    .bind(most)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|Json(row)| serde_json::from_value(row).ok()).collect())
}
