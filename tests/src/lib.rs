//! The test harness: a private Postgres per run, the real binary under a supervisor, waits with deadlines.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a harness that cannot do its work fails the test"
)]

pub mod app;
pub mod canary;
pub mod chaos;
pub mod checkout;
pub mod cluster;
pub mod fake;
pub mod fixture;
pub mod flood;
pub mod fuzz;
pub mod git_server;
pub mod hostile;
pub mod nats;
pub mod oracle;
pub mod pg;
pub mod platforms;
pub mod proxy;
mod queue_model;
pub mod reliability;
pub mod rig;
pub mod roles;
pub mod schema;
pub mod sender;
pub mod slow;
pub mod social;
pub mod sql;
pub mod ssrf;
pub mod wait;
pub mod walls;

pub use app::{App, client, state_folder};
pub use checkout::Checkout;
pub use git_server::GitServer;
pub use nats::Nats;
pub use pg::{Database, Pg};
pub use sender::{Answer, Sender};
pub use wait::wait_until;

use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The state folder with the programs and the model that `scripts/setup` fetched.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the test run's own environment, not the service's")]
pub fn home() -> PathBuf {
    std::env::var_os("MILLRACE_HOME").map_or_else(|| root().join(".millrace"), PathBuf::from)
}

/// A file that only tests need: what `scripts/setup --tests` fetched, else the system's, in one of these folders.
#[must_use]
pub fn fetched(name: &str, places: &[&str]) -> Option<PathBuf> {
    let fetched = home().join("tools");
    let all = std::iter::once(fetched).chain(places.iter().map(PathBuf::from));
    let mut all = all.map(|place| place.join(name));
    all.find(|path| path.exists())
}
