//! The schema as Postgres sees it, and migrations as their linter sees them.

use std::process::Command;

use crate::{Database, home, root};

/// The definitions that a migrated database has, without what differs between two of them (days, versions, owners);
/// nothing without `pg_dump`.
///
/// # Panics
/// If it fails.
pub async fn dump(db: &Database) -> Option<String> {
    let program = home().join("postgres/server/18/bin/pg_dump");
    if !program.exists() {
        return None;
    }
    let mut command = Command::new(program);
    command.args(["--schema-only", "--no-owner", "--no-privileges", "--no-comments"]);
    command.args(["--schema=ops", "--schema=signals", "--schema=social"]);
    command.args(["--exclude-table=ops.event_bodies_2*", "--exclude-table=ops.job_history_2*"]);
    command.arg("--exclude-table=social.decisions_2*");
    command.arg(db.url_as("millrace"));
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = String::from_utf8(done.stdout).unwrap();
    let told = ["-- Dumped", "\\restrict", "\\unrestrict", "SET ", "SELECT pg_catalog.set_config"];
    let mut out = String::from(
        "-- What the migrations make; written by `make schema`, compared by a test.\n",
    );
    for line in text.lines().filter(|line| !told.iter().any(|start| line.starts_with(start))) {
        let blank = |line: &str| line.is_empty() || line == "--";
        if !(blank(line) && out.ends_with("\n\n")) && line != "--" {
            out.push_str(line);
            out.push('\n');
        }
    }
    Some(out)
}

/// What squawk says about the migrations, its exit code included; nothing without it.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn lint() -> Option<String> {
    let program = home().canonicalize().unwrap_or_else(|_| home()).join("squawk/squawk");
    if !program.exists() {
        return None;
    }
    let mut migrations: Vec<_> = std::fs::read_dir(root().join("migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('0'))
        .collect();
    migrations.sort();
    let done = Command::new(program)
        .current_dir(root())
        .args(["--reporter", "gcc"])
        .args(migrations)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    Some(if done.status.success() { said } else { format!("{}: {said}", done.status) })
}
