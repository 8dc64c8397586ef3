//! Codebases: which files are looked at, how they are cut, and how they are found again.

pub mod access;
pub mod change;
pub mod chunk;
pub mod cut;
pub mod git;
pub mod glob;
mod grammar;
pub mod jobs;
pub mod language;
pub mod open;
pub mod plan;
pub mod report;
pub mod run;
pub mod search;
pub mod select;
pub mod tokens;
pub mod tree;
pub mod words;
