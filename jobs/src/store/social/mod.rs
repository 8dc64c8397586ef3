//! Tables of schema `social`. What platforms say of posts and their authors becomes rows in [`apply`].

mod apply;
pub mod audit;
mod beside;
pub mod escalations;
mod merge;
pub mod outcomes;
mod rows;
mod tombstones;

pub use apply::{Applied, Arrival, ToDecide, apply};
pub use beside::Funnel;
