//! Statistics of the learning runs, as pure functions: no I/O, no clock, no randomness but the caller's.
//!
//! Every formula names its source. Any `f64` may come in: what is not finite, too short or out of its range is
//! an [`Error`], never a panic, and no returned number is NaN. Probabilities and shares are in 0..=1, never
//! percent; `alpha` is the error allowed to a test or left outside an interval (.05 for 95 %).

pub mod checks;
pub mod contrast;
pub mod dist;
pub mod draw;
pub mod drift;
pub mod greatest;
pub mod guard;
pub mod hurdle;
mod inverse;
pub mod linear_ts;
mod matrix;
pub mod means;
pub mod policy;
pub mod rates;
pub mod regression;
pub mod robust;
pub mod sequential;
pub mod shrink;
pub mod simplex;

use serde::{Deserialize, Serialize};

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer observations than the formula needs.
    #[error("{got} observations, {needed} needed")]
    TooFew {
        /// The least number.
        needed: usize,
        /// What came.
        got: usize,
    },
    /// An input or an intermediate result is NaN or infinite.
    #[error("{0} is not finite")]
    NotFinite(&'static str),
    /// A parameter is outside its documented range.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// The data leave the figure undefined: no variance, a singular system.
    #[error("{0}")]
    Degenerate(&'static str),
    /// Two series that belong together differ in length.
    #[error("series of {left} and {right} values")]
    Lengths {
        /// Of the first.
        left: usize,
        /// Of the second.
        right: usize,
    },
}

/// A figure or why there is none.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A closed interval; `low <= high`, both finite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Both ends, which must be finite and in order.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        if !(low.is_finite() && high.is_finite()) {
            return Err(Error::NotFinite("interval"));
        }
        if low > high { Err(Error::Range("interval")) } else { Ok(Self { low, high }) }
    }

    /// `middle` plus and minus `half`, a width >= 0.
    pub fn around(middle: f64, half: f64) -> Result<Self> {
        Self::new(middle - half, middle + half)
    }

    /// Whether `value` lies within, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The value, if it is finite.
fn finite(value: f64, what: &'static str) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite(what)) }
}

/// All values finite and at least `needed` of them.
fn sample(values: &[f64], needed: usize) -> Result<&[f64]> {
    if values.len() < needed {
        return Err(Error::TooFew { needed, got: values.len() });
    }
    if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(Error::NotFinite("sample")) }
}

/// Strictly between 0 and 1.
fn open_share(value: f64, what: &'static str) -> Result<f64> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(Error::Range(what)) }
}

/// Finite and above 0.
fn positive(value: f64, what: &'static str) -> Result<f64> {
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(Error::Range(what)) }
}

/// Finite and not below 0.
fn not_negative(value: f64, what: &'static str) -> Result<f64> {
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(Error::Range(what)) }
}

#[expect(clippy::as_conversions, reason = "sizes and counts are far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; callers pass a rounded share of a length"
)]
fn whole(value: f64) -> usize {
    value as usize
}
