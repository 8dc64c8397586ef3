//! `signals.activity_logs`: what was done, by whom. Holds no text of a signal: a delete must not
//! have to search here.

use serde_json::{Value, json};
use sqlx::{PgConnection, types::Json};

/// Entries to be inserted together.
#[derive(Debug, Default)]
pub(crate) struct Entries<'a> {
    kinds: Vec<&'a str>,
    workspaces: Vec<&'a str>,
    actors: Vec<&'a str>,
    actions: Vec<&'a str>,
    targets: Vec<&'a str>,
    metadata: Vec<Json<Value>>,
}

impl<'a> Entries<'a> {
    /// A new signal of a source.
    pub(crate) fn push(
        &mut self,
        workspace_id: &'a str,
        source_id: &'a str,
        action: &'a str,
        signal_id: &'a str,
        origin: &str,
    ) {
        self.push_with(workspace_id, source_id, action, signal_id, json!({ "source": origin }));
    }

    /// Any entry about a signal by the service itself.
    pub(crate) fn push_with(
        &mut self,
        workspace_id: &'a str,
        actor: &'a str,
        action: &'a str,
        signal_id: &'a str,
        metadata: Value,
    ) {
        self.push_by("automation", workspace_id, actor, action, signal_id, metadata);
    }

    /// Any entry about a signal by an actor of the given type (`api_key` or `automation`).
    pub(crate) fn push_by(
        &mut self,
        kind: &'a str,
        workspace_id: &'a str,
        actor: &'a str,
        action: &'a str,
        signal_id: &'a str,
        metadata: Value,
    ) {
        self.kinds.push(kind);
        self.workspaces.push(workspace_id);
        self.actors.push(actor);
        self.actions.push(action);
        self.targets.push(signal_id);
        self.metadata.push(Json(metadata));
    }

    /// Writes the entries.
    pub(crate) async fn insert(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.targets.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "insert into signals.activity_logs (workspace_id, actor_type, actor_id, action, target_type, target_id, metadata)
             select n.workspace_id, n.kind, n.actor, n.action, 'signal', n.target, n.metadata
             from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[]) as n (workspace_id, actor, action, target, metadata, kind)",
        )
        .bind(&self.workspaces)
        .bind(&self.actors)
        .bind(&self.actions)
        .bind(&self.targets)
        .bind(&self.metadata)
        .bind(&self.kinds)
        .execute(conn)
        .await?;
        Ok(())
    }
}
