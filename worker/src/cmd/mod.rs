//! One file per command.

mod args;
pub mod audit;
pub mod completions;
pub mod config;
pub mod dead;
pub mod decisions;
pub mod doctor;
pub mod escalations;
pub mod events;
pub mod index;
pub mod jobs;
pub mod key;
pub mod keys;
pub mod migrate;
pub mod openapi;
pub mod profile;
pub mod project;
pub mod roles;
pub mod run;
pub mod search;
pub mod send;
pub mod signals;
pub mod social;
pub mod source;
mod source_poll;
pub mod up;
pub mod workspace;
