//! Codebases in the `factory` schema.

pub mod chunks;
pub mod connections;
pub mod files;
pub mod runs;
pub mod search;
pub mod targets;
