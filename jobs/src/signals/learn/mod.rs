//! The one learner behind project matches and extraction heads: kernel ridge regression over text
//! vectors, with calibrated probabilities and a place for "none of these".
//!
//! Chosen because it works from the first example on (a project's description is one), has a closed
//! form, and yields exact leave-one-out scores for free, from which the calibration is fitted.

mod calibrate;
mod linear;
mod ridge;

pub use calibrate::Calibration;
pub use ridge::{Example, Ridge};
