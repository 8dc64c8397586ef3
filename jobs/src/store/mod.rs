//! One module per table: the only SQL on that table.

pub mod activity_logs;
pub mod audit;
pub mod codebase;
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
pub mod signal_thresholds;
pub mod signal_versions;
pub mod signals;
pub mod social;
pub mod suggestion_feedback;
pub mod suggestions;
pub mod tenants;
pub mod workspaces;

/// A new row id in the seed's format: 21 url-safe characters.
#[must_use]
pub fn new_id() -> String {
    random_id(21)
}

/// `length` url-safe random characters. The first is a letter or a digit, so that a command line never takes an id for
/// an option.
#[must_use]
pub fn random_id(length: usize) -> String {
    loop {
        let id = nanoid::nanoid!(length);
        if id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return id;
        }
    }
}
