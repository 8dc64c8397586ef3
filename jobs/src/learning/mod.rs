//! Weights learn from outcomes: what a decision's signals were worth, night by night.

pub mod cell;
pub mod evidence;
pub mod meta;
pub mod moments;
pub mod nightly;
pub mod policy;
pub mod rows;
pub mod run;
pub mod seed_rule;
pub mod simulate;
pub mod step;
