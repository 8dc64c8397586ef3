//! Tables of schema `social`. What platforms say of posts and their authors becomes rows in [`apply`].

mod apply;
pub mod around;
pub mod audit;
mod beside;
pub mod decisions;
pub mod escalations;
mod merge;
pub mod outcomes;
pub mod places;
pub mod profiles;
pub mod replies;
mod rows;
mod tombstones;
pub mod waiting;

pub use apply::{Applied, Arrival, ToDecide, apply};
pub use beside::Funnel;
