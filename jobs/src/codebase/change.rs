//! What a platform says about repositories.

use serde::{Deserialize, Serialize};

/// A thing that happened to a repository, or to the access to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A branch has another newest commit.
    Pushed {
        /// `owner/name`.
        repository: String,
        /// Without `refs/heads/`.
        branch: String,
        /// Its id.
        commit: String,
    },
    /// A repository is to be found elsewhere.
    Moved {
        /// `owner/name` before.
        before: String,
        /// `owner/name` now.
        repository: String,
        /// Its address now.
        url: String,
    },
    /// Access through an installation is suspended, or no more.
    Suspended {
        /// Id of the installation.
        installation: i64,
        /// Suspended now.
        suspended: bool,
    },
    /// Access through an installation is taken away.
    Removed {
        /// Id of the installation.
        installation: i64,
        /// From these, each `owner/name`; from all if absent.
        repositories: Option<Vec<String>>,
    },
}
