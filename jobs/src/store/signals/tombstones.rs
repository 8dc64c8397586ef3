//! Tombstones: whatever a signal said, and whatever was derived from it, goes; the row stays.

use millrace_config::point::{Point, may_fail};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{embeddings, signal_personas, signal_projects, signal_versions};

/// Signals to be deleted, column-wise.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    ids: Vec<String>,
    versions: Vec<i64>,
    events: Vec<Uuid>,
    traces: Vec<String>,
    hashes: Vec<Vec<u8>>,
}

/// One of them: id, version and delivery of the deletion, its trace, hash of the text that goes.
pub(super) type Tombstone = (String, i64, Uuid, String, Option<Vec<u8>>);

impl Tombstones {
    pub(super) fn push(&mut self, (id, version, event, trace, hash): Tombstone) {
        self.ids.push(id);
        self.versions.push(version);
        self.events.push(event);
        self.traces.push(trace);
        self.hashes.extend(hash);
    }

    /// Deletes them.
    pub(super) async fn bury(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query(include_str!("delete.sql"))
            .bind(&self.ids)
            .bind(&self.versions)
            .bind(&self.events)
            .bind(&self.traces)
            .execute(&mut *conn)
            .await?;
        may_fail(Point::TextsErased)?;
        signal_versions::erase(conn, &self.ids).await?;
        embeddings::forget(conn, &self.hashes).await?;
        signal_projects::forget(conn, &[], &self.ids).await?;
        signal_personas::forget(conn, &[], &self.ids).await
    }
}

/// Deletes the parts that the current version of their whole does not have, among the signals `touched`
/// and their parts: a whole that is gone has none.
pub(super) async fn bury_leftovers(
    conn: &mut PgConnection,
    touched: &[String],
) -> sqlx::Result<()> {
    let found: Vec<Tombstone> = sqlx::query_as(
        "select c.id, p.version, coalesce(p.event_id, c.event_id, $2), coalesce(p.trace_id, ''), c.content_hash
         from signals.signals c join signals.signals p on p.id = c.parent_id
         where c.id in (select id from signals.signals where parent_id = any ($1)
                        union select id from signals.signals where id = any ($1) and parent_id is not null)
           and c.deleted_at is null and (c.version < p.version or p.deleted_at is not null)
         order by c.id for update of c",
    )
    .persistent(false)
    .bind(touched)
    .bind(Uuid::nil())
    .fetch_all(&mut *conn)
    .await?;
    let (mut gone, mut versions) = (Tombstones::default(), signal_versions::Versions::default());
    for (id, version, event, ..) in &found {
        versions.push(id, *version, "deleted", None, *event);
    }
    versions.insert(conn).await?;
    found.iter().cloned().for_each(|one| gone.push(one));
    gone.bury(conn).await
}
