//! Everything source-specific, from the wire to a normalised record.

pub mod buffer;
pub mod events;
pub mod form;
pub mod json;
pub mod limits;
pub mod normalize;
mod outage;
pub mod poll;
pub mod receive;
pub mod registry;
pub mod secrets;
pub mod source;
pub mod sources;
pub mod text;
pub mod time;
pub mod verify;
