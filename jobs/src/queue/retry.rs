//! Back-off between attempts: pure.

use std::time::Duration;

/// Delay before the attempt that follows `failures` counted failures (from 1): `base` x 2^(failures - 1), half of it
/// fixed and half scaled by `random` (0 to 1), never above `cap`.
///
/// The fixed half keeps attempts apart; the random half spreads jobs that failed together.
#[must_use]
pub fn delay(failures: u32, base: Duration, cap: Duration, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let full = base.saturating_mul(1_u32 << doublings).min(cap);
    let half = full / 2;
    half + half.mul_f64(random.clamp(0.0, 1.0))
}
