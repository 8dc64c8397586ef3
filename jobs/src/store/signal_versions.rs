//! `signals.signal_versions`: what a signal said, and when that changed.

use sqlx::PgConnection;
use uuid::Uuid;

/// Rows to be inserted together.
#[derive(Debug, Default)]
pub(crate) struct Versions<'a> {
    ids: Vec<&'a str>,
    versions: Vec<i64>,
    changes: Vec<&'a str>,
    texts: Vec<Option<&'a str>>,
    events: Vec<Uuid>,
}

impl<'a> Versions<'a> {
    /// `change` is `created`, `edited` or `deleted`.
    pub(crate) fn push(
        &mut self,
        signal_id: &'a str,
        version: i64,
        change: &'a str,
        verbatim: Option<&'a str>,
        event_id: Uuid,
    ) {
        self.ids.push(signal_id);
        self.versions.push(version);
        self.changes.push(change);
        self.texts.push(verbatim);
        self.events.push(event_id);
    }

    /// Writes the rows; a replayed version is overwritten.
    pub(crate) async fn insert(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into signals.signal_versions (workspace_id, signal_id, version, change, verbatim, event_id)
             select s.workspace_id, n.*
             from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::uuid[]) as n (id, version, change, verbatim, event)
             join signals.signals s on s.id = n.id
             on conflict (signal_id, version) do update
               set change = excluded.change, verbatim = excluded.verbatim, event_id = excluded.event_id",
        )
        .bind(&self.ids)
        .bind(&self.versions)
        .bind(&self.changes)
        .bind(&self.texts)
        .bind(&self.events)
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Forgets the texts of deleted signals.
pub(crate) async fn erase(conn: &mut PgConnection, signal_ids: &[String]) -> sqlx::Result<()> {
    sqlx::query("update signals.signal_versions set verbatim = null where signal_id = any ($1)")
        .bind(signal_ids)
        .execute(conn)
        .await?;
    Ok(())
}
