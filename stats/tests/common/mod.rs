//! What the tests have in common.

use proptest::prelude::*;

/// Equal but for rounding.
pub(crate) fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

/// Everything an f64 can be, and often what formulas divide by or stumble over.
pub(crate) fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        proptest::num::f64::ANY,
        0.0..1.0_f64,
        -9.0..9.0_f64,
        proptest::sample::select(vec![
            0.0,
            -0.0,
            0.5,
            1.0,
            2.0,
            1e-300,
            1e300,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]),
    ]
}
