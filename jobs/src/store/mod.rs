//! One module per table: the only SQL on that table.

pub mod activity_logs;
pub mod embeddings;
pub mod endpoint_calls;
pub mod health;
pub mod inbox_items;
pub mod migrate;
pub mod outcome;
pub mod partitions;
pub mod project_profiles;
pub mod projects;
pub mod signal_list;
pub mod signal_personas;
pub mod signal_projects;
pub mod signal_stats;
pub mod signal_versions;
pub mod signals;
pub mod suggestion_feedback;
pub mod suggestions;
pub mod workspaces;

/// A new row id in the seed's format: 21 url-safe characters.
#[must_use]
pub fn new_id() -> String {
    nanoid::nanoid!()
}
