//! Sentence embeddings and exact nearest neighbours at the machine's speed.
//!
//! Everything rests on one operation: products of rows of 8-bit blocks ([`int8`]), in the fastest instructions that the
//! processor has ([`Isa`]). Its sums are whole numbers, and what surrounds them rounds in the same places everywhere, so
//! every processor gives the same bits.
//!
//! This is the only crate of the workspace with `unsafe`: to call what was compiled for instructions that the processor
//! was found to have, to load and store whole registers, and to map a file.

pub mod bert;
mod error;
pub mod int8;
mod isa;
pub mod nearest;
mod simd;

pub use self::{
    bert::{Model, Scratch, Shape},
    error::Error,
    isa::Isa,
    nearest::Nearest,
};
