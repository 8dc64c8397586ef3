//! Tables of schema `social`. What platforms say of posts and their authors becomes rows in [`apply`].

pub mod alerts;
mod apply;
pub mod around;
pub mod audit;
pub mod backlash;
mod beside;
pub mod causal;
pub mod champions;
pub mod checks;
pub mod decisions;
pub mod erasure;
pub mod escalations;
pub mod experiments;
pub mod ignored;
pub mod keywords;
pub mod kpis;
pub mod learning;
mod merge;
pub mod opinions;
pub mod outcomes;
pub mod own_accounts;
pub mod places;
pub mod profiles;
pub mod replies;
pub mod reply_outcomes;
pub mod retention;
mod rows;
mod tombstones;
pub mod waiting;

pub use apply::{Applied, Arrival, ToDecide, apply};
pub use beside::Funnel;
