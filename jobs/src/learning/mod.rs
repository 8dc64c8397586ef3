//! Learning from outcomes, night by night: what the signals of decisions were worth, where suggestions are right,
//! whether a platform has changed.

pub mod bias;
pub mod causal;
pub mod cell;
pub mod drift;
pub mod evidence;
pub mod experiments;
pub mod hold_back;
pub mod keywords;
pub mod meta;
pub mod moments;
pub mod night;
pub mod nightly;
pub mod policy;
pub mod rows;
pub mod run;
pub mod seed_rule;
pub mod simulate;
pub mod step;
pub mod suggestions;
