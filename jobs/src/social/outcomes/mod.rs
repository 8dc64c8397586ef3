//! What came of replies: told by whoever saw it, asked of the platforms, and what follows from it.

pub mod alerts;
pub mod attribution;
pub mod backlash;
pub mod champions;
pub mod daily;
pub mod jobs;
pub mod kpi;
pub mod told;
pub mod windows;
