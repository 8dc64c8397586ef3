//! The demo: a workspace with one source of every kind, and a shipped data set delivered to it over real
//! HTTP, signed as the platforms sign.

mod data;
mod feed;
mod report;
mod say;
mod send;
mod setup;
mod shots;

pub use data::Data;
pub use feed::feed;
pub use report::Report;
pub use say::{Said, say};
pub use send::{Outgoing, Sender};
pub use setup::{DemoSource, Setup, WORKSPACE};
