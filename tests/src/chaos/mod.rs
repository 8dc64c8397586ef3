//! Faults on purpose against real processes under load; the oracle judges at the end. One file per scenario: a
//! function from how often to the figures it gives. The suite runs them with small numbers, `make chaos` in earnest.

mod faults;
mod house;
mod killer;
mod load;
mod points;
mod random;
mod run;
mod scenarios;

pub use faults::{Fault, Tally};
pub use killer::work;
pub use random::{Plan, run};
pub use run::Outcome;
pub use scenarios::{ALL, Scenario};
