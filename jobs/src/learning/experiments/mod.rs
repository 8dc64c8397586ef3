//! Experiments: two variants of the thresholds beside each other, on authors, until one is better for sure.

pub mod contract;
pub mod desk;
pub mod finding;
pub mod guardrail;
pub mod metric;
pub mod race;
pub mod simulate;
pub mod watch;
