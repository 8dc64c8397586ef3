//! Which of some normal variables is the greatest: what Thompson sampling draws from, without drawing.

use crate::{
    Error, Result,
    dist::{normal_cdf, normal_pdf},
    finite, not_negative,
};

/// Nodes are this far apart, in standard deviations, and end at `REACH`: the trapezoid rule on a smooth integrand that
/// falls off like a normal density is good to 1e-4 when the deviations are within a factor of four of each other (Trefethen &
/// Weideman 2014); beyond, steps of the integrand blur it to some percent.
const STEP: f64 = 0.5;
const REACH: i32 = 12;

/// With what probability each of independent N(mean, deviation²) is the greatest: ∫ φ(z) Π_j Φ((μᵢ+σᵢz-μⱼ)/σⱼ) dz.
/// They add up to 1 to rounding; deviations are above 0, and one variable at least.
///
/// The probability with which Thompson sampling takes each action, when their estimates are independent (Agrawal & Goyal
/// 2013); as no draws are made it is the same each time.
pub fn greatest(normals: &[(f64, f64)]) -> Result<Vec<f64>> {
    if normals.is_empty() {
        return Err(Error::TooFew { needed: 1, got: 0 });
    }
    for (mean, deviation) in normals {
        finite(*mean, "mean")?;
        if not_negative(*deviation, "deviation")? == 0.0 {
            return Err(Error::Degenerate("no variance"));
        }
    }
    let masses: Vec<f64> = (0..normals.len()).map(|nth| mass(normals, nth)).collect();
    let all = finite(masses.iter().sum(), "probability")?;
    if all <= 0.0 {
        return Err(Error::Degenerate("no variable is the greatest"));
    }
    Ok(masses.into_iter().map(|mass| mass / all).collect())
}

fn mass(normals: &[(f64, f64)], nth: usize) -> f64 {
    let Some((mean, deviation)) = normals.get(nth) else { return 0.0 };
    let others = || normals.iter().enumerate().filter(|(at, _)| *at != nth);
    let node = |step: i32| {
        let z = f64::from(step) * STEP;
        let x = mean + deviation * z;
        normal_pdf(z) * others().map(|(_, (m, d))| normal_cdf((x - m) / d)).product::<f64>()
    };
    (-REACH..=REACH).map(node).sum::<f64>() * STEP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_the_closed_form_and_equals_are_even() {
        for (a, b) in
            [((0.1, 0.05), (0.12, 0.04)), ((3.0, 1.0), (0.0, 2.0)), ((0.0, 1.0), (0.0, 0.3))]
        {
            let found = greatest(&[a, b]).unwrap();
            let (difference, variance): (f64, f64) = (a.0 - b.0, a.1 * a.1 + b.1 * b.1);
            let exact = normal_cdf(difference / variance.sqrt());
            assert!((found[0] - exact).abs() < 1e-4, "{found:?} {exact}");
        }
        let even = greatest(&[(0.3, 0.1); 7]).unwrap();
        assert!(even.iter().all(|p| (p - 1.0 / 7.0).abs() < 1e-12));
        // Of three: Simpson's rule on 40 000 intervals.
        let three = greatest(&[(0.10, 0.02), (0.12, 0.03), (0.08, 0.05)]).unwrap();
        for (found, golden) in three.iter().zip(THREE) {
            assert!((found - golden).abs() < 1e-4, "{three:?}");
        }
    }

    const THREE: [f64; 3] = [0.212487685959, 0.586318284296, 0.201194029745];

    #[test]
    fn more_is_likelier_and_nonsense_is_refused() {
        let at = |mean: f64| greatest(&[(mean, 0.1), (0.5, 0.2), (0.4, 0.1)]).unwrap()[0];
        assert!(at(0.1) < at(0.3) && at(0.3) < at(0.6));
        for bad in [&[(f64::NAN, 1.0)][..], &[(0.0, 0.0), (1.0, 1.0)], &[(0.0, -1.0)], &[]] {
            assert!(greatest(bad).is_err());
        }
        let far = greatest(&[(0.0, 1e-3), (1e6, 1e-3)]).unwrap();
        assert!(far[1] > 0.999);
    }
}
