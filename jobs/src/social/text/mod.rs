//! What a text says, judged by a brand profile. Pure: no clock, no database, no model.

pub mod competitors;
pub mod fold;
pub mod keywords;
mod letters;
pub mod phrases;
pub mod reply;
pub mod safety;
pub mod spam;

pub use fold::{Folded, Odd};

use super::score::Span;
