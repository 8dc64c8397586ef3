//! Behaviour tests, one binary: modules are named after what they prove.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

pub(crate) mod api;
mod audit;
mod backup;
mod codebase;
mod conformance;
mod embed;
mod enrich;
mod experiments;
mod extract;
mod faults;
mod hostile;
mod learning;
mod learning_causal;
mod learning_drift;
mod learning_keywords;
mod learning_suggestions;
mod lease_model;
mod links;
mod migrations;
mod nats;
mod outcomes;
mod oversight;
mod platforms;
mod process;
mod profile;
mod promises;
mod queue;
mod records;
mod retention;
mod roles;
mod social;
mod social_store;
mod source;
mod tidy;
mod up;
mod walls;
