//! `signals.inbox_items`.

use sqlx::{PgConnection, types::Json};

use super::signals::{Applied, Arrival, Outcome, Target};
use crate::record::Change;

/// Inserts the item, or updates it if this version is newer. `None` if the record is no inbox item.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    arrival: &Arrival<'_>,
) -> sqlx::Result<Option<Applied>> {
    let Change::Inbox(content) = &arrival.record.change else { return Ok(None) };
    let written: Option<(String, bool)> = sqlx::query_as(
        "insert into signals.inbox_items as i
           (workspace_id, type, source, source_ref, title, raw_content, metadata, event_id, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (workspace_id, source, source_ref) where source_ref is not null do update
           set type = excluded.type, title = excluded.title, raw_content = excluded.raw_content,
               metadata = excluded.metadata, event_id = excluded.event_id, version = excluded.version,
               updated_at = now() at time zone 'utc'
           where excluded.version > i.version or excluded.event_id = i.event_id
         returning i.id, i.xmax = 0",
    )
    .bind(arrival.workspace_id)
    .bind(&content.kind)
    .bind(&content.source)
    .bind(&arrival.record.source_ref)
    .bind(&content.title)
    .bind(&content.raw_content)
    .bind(Json(&content.metadata))
    .bind(arrival.event_id)
    .bind(arrival.record.version)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some((id, created)) = written {
        let outcome = if created { Outcome::Created } else { Outcome::Edited };
        return Ok(Some(Applied { target: Target::InboxItem(id), outcome }));
    }
    let (id, same): (String, bool) = sqlx::query_as(
        "select id, version = $4 from signals.inbox_items
         where workspace_id = $1 and source = $2 and source_ref = $3",
    )
    .bind(arrival.workspace_id)
    .bind(&content.source)
    .bind(&arrival.record.source_ref)
    .bind(arrival.record.version)
    .fetch_one(conn)
    .await?;
    let outcome = if same { Outcome::Unchanged } else { Outcome::Stale };
    Ok(Some(Applied { target: Target::InboxItem(id), outcome }))
}
