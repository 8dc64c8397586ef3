//! What the policies in force know, ready for questions: read and factored once for each version.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::PgConnection;

use super::{Stage, features::Model};
use crate::store::social::learning as store;

/// So many workspaces' models are kept, of about 40 KiB each; whoever asks for one more begins anew.
const KEPT_MAX: usize = 500;

/// A policy as decisions ask it.
#[derive(Debug)]
pub struct InForce {
    /// Version.
    pub version: String,
    /// How much of a say it has.
    pub stage: Stage,
    /// What it knows.
    pub model: Arc<Model>,
}

/// The models that a process has read. Which version is in force is asked each time, and the state comes with the
/// answer if it is another one: nothing here can be out of date.
#[derive(Debug, Default)]
pub struct Models {
    known: Mutex<HashMap<String, (String, Arc<Model>)>>,
}

impl Models {
    /// The policy of a workspace; none if it has none, or what it knows is of another time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of(
        &self,
        conn: &mut PgConnection,
        workspace_id: &str,
    ) -> sqlx::Result<Option<InForce>> {
        let known = self.lock().get(workspace_id).cloned();
        let version = known.as_ref().map(|(version, _)| version.as_str());
        let Some(now) = store::policy_since(conn, workspace_id, version).await? else {
            return Ok(None);
        };
        let model = match now.state {
            None => known.map(|(_, model)| model),
            Some(state) => Model::of(&state.0, now.noise).ok().map(Arc::new),
        };
        let Some(model) = model else { return Ok(None) };
        let mut all = self.lock();
        if all.len() >= KEPT_MAX && !all.contains_key(workspace_id) {
            all.clear();
        }
        all.insert(workspace_id.to_owned(), (now.version.clone(), model.clone()));
        Ok(Some(InForce { version: now.version, stage: now.stage, model }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Arc<Model>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
