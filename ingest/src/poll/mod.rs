//! Fetching what platforms do not push: pages of searches and listings, stored as deliveries are.
//!
//! A page, the cursor behind it and the job for the next page commit together, so that a process that dies between two
//! pages has lost nothing and repeats at most one. Posts that are seen twice are one row later on: their ids are theirs.

pub mod access;
pub mod account;
mod budget;
mod client;
mod fetch;
pub mod jobs;
pub mod look;
pub mod plan;
mod platform;
pub mod recheck;
mod reddit;
mod rules;
pub mod store;
pub mod stream;
mod threads;
mod walk;
mod x;
