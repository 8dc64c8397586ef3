//! What came of replies: told by whoever saw it, asked of the platforms, and what follows from it.

pub mod attribution;
pub mod told;
