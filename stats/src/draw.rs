//! Random draws, from the caller's generator.

use rand::{Rng, RngExt};

/// Standard normal by the polar method (Marsaglia & Bray 1964).
pub fn normal(rng: &mut impl Rng) -> f64 {
    loop {
        let (u, v) = (2.0 * rng.random::<f64>() - 1.0, 2.0 * rng.random::<f64>() - 1.0);
        let square = u * u + v * v;
        if square > 0.0 && square < 1.0 {
            return u * (-2.0 * square.ln() / square).sqrt();
        }
    }
}
