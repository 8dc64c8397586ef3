//! The signals domain: what a piece of feedback means and where it belongs.
//!
//! [`process`] is the job every text passes through; [`learn`] is the learner behind it, [`extract`]
//! the heads over one text, [`decide`](mod@decide) the rules from probability to decision.

pub mod decide;
mod effects;
pub mod endpoint;
pub mod enrich;
pub mod extract;
pub mod learn;
pub mod links;
mod portfolio;
pub mod process;
pub mod profile;
mod recent;
mod state;
pub mod thresholds;

pub use state::State;
pub(crate) use state::vectors;
