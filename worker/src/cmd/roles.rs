//! `millrace roles`

use crate::out::Out;

const ROLES: &str = include_str!("../../../migrations/roles.sql");

/// Print the script.
///
/// # Errors
/// If it cannot be printed.
pub fn run(out: Out) -> anyhow::Result<()> {
    out.answer(&ROLES, || out.say(ROLES.trim_end()))
}
