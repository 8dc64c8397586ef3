//! Outcome models for doubly robust values: ridge and logistic regression on a dozen features, cross-fitted.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result, finite,
    matrix::{Cholesky, add_diagonal, add_outer, dot},
    positive,
};

/// Features beyond this are refused: the normal equations are meant for few.
pub const FEATURES_MAX: usize = 64;
const NEWTON_STEPS: usize = 50;

/// One observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Decides the fold, and the order of sums.
    pub id: String,
    /// As many in every observation; the intercept is added.
    pub features: Vec<f64>,
    /// What is predicted; 0..=1 for a logistic model.
    pub outcome: f64,
}

/// How features become a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// Least squares.
    Identity,
    /// Maximum likelihood of 0/1 outcomes.
    Logit,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// How the sum becomes a prediction.
    pub link: Link,
    /// The intercept first.
    pub coefficients: Vec<f64>,
}

impl Model {
    /// For one row of features, as many as it was fitted on; missing ones count as 0.
    #[must_use]
    pub fn predict(&self, features: &[f64]) -> f64 {
        let (intercept, slopes) = self.coefficients.split_first().unwrap_or((&0.0, &[]));
        respond(self.link, intercept + dot(slopes, features))
    }
}

/// Fits with the penalty `ridge`·|slopes|² / 2 per the normal equations (Hoerl & Kennard 1970), or by penalised
/// Newton steps with halving for the logit (le Cessie & van Houwelingen 1992). `ridge` > 0; the intercept is free.
/// The order of the observations changes nothing, to the last bit, if ids are unique.
pub fn fit(observations: &[Observation], link: Link, ridge: f64) -> Result<Model> {
    let mut rows: Vec<&Observation> = observations.iter().collect();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    positive(ridge, "ridge")?;
    let width = checked(&rows, link)?;
    let design: Vec<(Vec<f64>, f64)> = rows
        .iter()
        .map(|row| {
            (std::iter::once(1.0).chain(row.features.iter().copied()).collect(), row.outcome)
        })
        .collect();
    let mut coefficients = vec![0.0; width];
    let mut loss = penalised(&design, &coefficients, link, ridge);
    for _ in 0..NEWTON_STEPS {
        let step = newton(&design, &coefficients, link, ridge)?;
        let mut scale = 1.0;
        let (next, next_loss) = loop {
            let next: Vec<f64> =
                coefficients.iter().zip(&step).map(|(c, s)| c + scale * s).collect();
            let next_loss = penalised(&design, &next, link, ridge);
            if next_loss <= loss || scale < 1e-6 {
                break (next, next_loss);
            }
            scale /= 2.0;
        };
        let gained = loss - next_loss;
        if gained >= 0.0 {
            (coefficients, loss) = (next, next_loss);
        }
        if gained.is_nan() || gained <= 1e-14 * (1.0 + loss.abs()) {
            break;
        }
    }
    for coefficient in &coefficients {
        finite(*coefficient, "coefficient")?;
    }
    Ok(Model { link, coefficients })
}

/// One model per fold, each fitted without that fold: predict an observation with the model of its own
/// [`crate::policy::fold`] (Chernozhukov et al. 2018). At least two folds, all with observations outside.
pub fn cross_fit(
    observations: &[Observation],
    link: Link,
    ridge: f64,
    folds: u64,
    seed: u64,
) -> Result<Vec<Model>> {
    if folds < 2 {
        return Err(Error::Range("folds"));
    }
    let without = |fold: u64| -> Vec<Observation> {
        let others =
            observations.iter().filter(|o| crate::policy::fold(&o.id, folds, seed) != fold);
        others.cloned().collect()
    };
    (0..folds).map(|fold| fit(&without(fold), link, ridge)).collect()
}

/// Width of the design matrix.
fn checked(rows: &[&Observation], link: Link) -> Result<usize> {
    let Some(first) = rows.first() else {
        return Err(Error::TooFew { needed: 1, got: 0 });
    };
    let width = first.features.len();
    if width > FEATURES_MAX {
        return Err(Error::Range("number of features"));
    }
    for row in rows {
        if row.features.len() != width {
            return Err(Error::Lengths { left: width, right: row.features.len() });
        }
        finite(row.outcome, "outcome")?;
        if link == Link::Logit && !(0.0..=1.0).contains(&row.outcome) {
            return Err(Error::Range("outcome"));
        }
        for value in &row.features {
            finite(*value, "feature")?;
        }
    }
    Ok(width + 1)
}

/// The Newton step: (XᵀWX + λI)⁻¹ (Xᵀ(y - ŷ) - λβ).
fn newton(
    design: &[(Vec<f64>, f64)],
    coefficients: &[f64],
    link: Link,
    ridge: f64,
) -> Result<Vec<f64>> {
    let width = coefficients.len();
    let mut hessian = vec![vec![0.0; width]; width];
    let mut gradient = vec![0.0; width];
    for (x, y) in design {
        let predicted = respond(link, dot(coefficients, x));
        let weight = match link {
            Link::Identity => 1.0,
            Link::Logit => (predicted * (1.0 - predicted)).max(1e-12),
        };
        add_outer(&mut hessian, x, weight);
        for (g, x) in gradient.iter_mut().zip(x) {
            *g += (y - predicted) * x;
        }
    }
    add_diagonal(&mut hessian, ridge, 1);
    for (g, c) in gradient.iter_mut().zip(coefficients).skip(1) {
        *g -= ridge * c;
    }
    Ok(Cholesky::of(&hessian)?.solve(&gradient))
}

fn penalised(design: &[(Vec<f64>, f64)], coefficients: &[f64], link: Link, ridge: f64) -> f64 {
    let slopes: f64 = coefficients.iter().skip(1).map(|c| c * c).sum();
    let loss: f64 = design
        .iter()
        .map(|(x, y)| {
            let sum = dot(coefficients, x);
            match link {
                Link::Identity => (y - sum).powi(2) / 2.0,
                // ln(1 + e^s) - ys without overflow.
                Link::Logit => sum.max(0.0) + (-sum.abs()).exp().ln_1p() - y * sum,
            }
        })
        .sum();
    loss + ridge * slopes / 2.0
}

fn respond(link: Link, sum: f64) -> f64 {
    match link {
        Link::Identity => sum,
        Link::Logit => crate::inverse::logistic(sum).0,
    }
}
