//! Everything after a record exists: the queue, the stores and the jobs. Knows no source.

pub mod codebase;
pub mod ctx;
pub mod embed;
pub mod learning;
pub mod maintenance;
pub mod queue;
pub mod record;
pub mod signals;
pub mod social;
pub mod store;
pub mod task;
pub mod trace;
