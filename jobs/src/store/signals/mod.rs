//! `signals.signals`: applying records, and what the processing jobs read and write.

mod apply;
pub mod by_user;
mod enrich;
mod merge;
mod process;
mod rows;
mod tombstones;

pub use apply::{Applied, Arrival, Outcome, Target, apply};
pub(crate) use enrich::{Enrichable, Enrichment, enrichable, write as write_enrichment};
pub(crate) use process::{
    Results, Unprocessed, first_to_say, forget_match, heard_since, lock_current, lock_workspace,
    mark_linked, mark_reviewed, open_to_change, reclassify, still_says, suggested, unprocessed,
};
