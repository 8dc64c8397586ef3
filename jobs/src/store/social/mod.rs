//! Posts and their authors, as platforms say them: `social.authors`, `social.posts` and what hangs on them.

mod apply;
mod beside;
mod merge;
mod rows;
mod tombstones;

pub use apply::{Applied, Arrival, ToDecide, apply};
pub use beside::Funnel;
