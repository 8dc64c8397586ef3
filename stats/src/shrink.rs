//! Empirical Bayes: children of one parent borrow strength from each other, and a chain of levels
//! (global, platform, combined) hands down what it knows.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, count, finite, not_negative, positive, rates::Beta};

/// Outcomes of one child; fractions are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// 0..=trials.
    pub successes: f64,
    /// >= 0.
    pub trials: f64,
}

/// How the children of one parent spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// The parent's mean.
    pub mean: f64,
    /// Standard error of that mean, squared.
    pub mean_variance: f64,
    /// τ², the variance of the true values of children; 0 when the data show none.
    pub tau_squared: f64,
}

/// Mean and τ² of rates by moments, τ² = [Σn(p̂-p̄)²-(J-1)p̄(1-p̄)]/(N-Σn²/N), not below 0 (Kleinman 1973).
/// Needs two children with trials.
pub fn rate_population(children: &[Outcomes]) -> Result<Population> {
    let seen = checked(children)?;
    let trials: f64 = seen.iter().map(|c| c.trials).sum();
    let mean = seen.iter().map(|c| c.successes).sum::<f64>() / trials;
    let noise = mean * (1.0 - mean);
    let between: f64 =
        seen.iter().map(|c| c.trials * (c.successes / c.trials - mean).powi(2)).sum();
    let balance = trials - seen.iter().map(|c| c.trials * c.trials).sum::<f64>() / trials;
    let tau_squared = ((between - (count(seen.len()) - 1.0) * noise) / balance).max(0.0);
    let squares: f64 = seen.iter().map(|c| (c.trials / trials).powi(2)).sum();
    let mean_variance = finite(noise / trials + tau_squared * squares, "variance of the mean")?;
    Ok(Population { mean, mean_variance, tau_squared: finite(tau_squared, "tau squared")? })
}

/// The beta prior of a population of rates: its mean with the weight of p̄(1-p̄)/τ²-1 trials, at least 2 and
/// at most `weight_max` (> 0; the trials of all children, say), which is what τ² = 0 gives. A mean of 0 or 1
/// is moved inwards by half a trial, as no prior may rule an outcome out.
pub fn beta_prior(population: &Population, weight_max: f64) -> Result<Beta> {
    let weight_max = positive(weight_max, "weight")?;
    let inwards = 0.5 / (weight_max + 1.0);
    let mean = finite(population.mean, "mean")?.clamp(inwards, 1.0 - inwards);
    let weight = mean * (1.0 - mean) / not_negative(population.tau_squared, "tau squared")? - 1.0;
    let weight = weight.max(2.0).min(weight_max);
    Beta::new(mean * weight, (1.0 - mean) * weight)
}

/// The chain for rates, from the root down: the first level gets `root` as its prior, each further one the mean
/// of the level above, worth `weight` trials. Returns the posterior of every level; the last is the segment's.
pub fn rate_chain(root: Beta, levels: &[(Outcomes, f64)]) -> Result<Vec<Beta>> {
    let mut posteriors: Vec<Beta> = Vec::with_capacity(levels.len());
    for (outcomes, weight) in levels {
        let prior = match posteriors.last() {
            None => root,
            Some(above) => {
                let weight = positive(*weight, "weight")?;
                Beta::new(above.mean() * weight, (1.0 - above.mean()) * weight)?
            }
        };
        let failures = not_negative(outcomes.trials - outcomes.successes, "failures")?;
        posteriors.push(prior.updated(outcomes.successes, failures)?);
    }
    Ok(posteriors)
}

/// An estimate with its sampling variance, or a posterior with its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub mean: f64,
    /// Above 0 for a sample, >= 0 for a posterior.
    pub variance: f64,
}

/// Mean and τ² of estimates with known variances, τ² by moments and not below 0 (DerSimonian & Laird 1986,
/// equations 8 and 9). Needs two children.
pub fn population(children: &[Estimate]) -> Result<Population> {
    if children.len() < 2 {
        return Err(Error::TooFew { needed: 2, got: children.len() });
    }
    for child in children {
        finite(child.mean, "estimate")?;
        positive(child.variance, "sampling variance")?;
    }
    let (fixed, total) = weighted(children, 0.0);
    let spread: f64 = children.iter().map(|c| (c.mean - fixed).powi(2) / c.variance).sum();
    let squares: f64 = children.iter().map(|c| c.variance.recip().powi(2)).sum();
    let excess = spread - (count(children.len()) - 1.0);
    let tau_squared = finite((excess / (total - squares / total)).max(0.0), "tau squared")?;
    let (mean, weight) = weighted(children, tau_squared);
    Ok(Population {
        mean: finite(mean, "mean")?,
        mean_variance: finite(1.0 / weight, "variance of the mean")?,
        tau_squared,
    })
}

/// Posterior of a child under its parent (Morris 1983): with B = σ²/(σ²+τ²) the mean is B·parent+(1-B)·child,
/// the variance (1-B)σ² + B²·Var(parent). Without data of its own a child is its parent, τ² less certain.
/// It lies between the two, and the more of the child's own data, the nearer to the child.
pub fn under(parent: Estimate, child: Option<Estimate>, tau_squared: f64) -> Result<Estimate> {
    let tau_squared = not_negative(tau_squared, "tau squared")?;
    let parent_variance = not_negative(parent.variance, "variance of the parent")?;
    let above = finite(parent.mean, "parent")?;
    let Some(own) = child else {
        return Ok(Estimate { mean: above, variance: parent_variance + tau_squared });
    };
    let sigma_squared = positive(own.variance, "sampling variance")?;
    let to_parent = 1.0 / (1.0 + tau_squared / sigma_squared);
    let mean = above + (1.0 - to_parent) * (finite(own.mean, "estimate")? - above);
    let variance = to_parent * tau_squared + to_parent * to_parent * parent_variance;
    Ok(Estimate { mean: finite(mean, "posterior")?, variance: finite(variance, "posterior")? })
}

/// [`under`] applied from the root down; `levels` are (estimate of the level, τ² of its siblings).
pub fn chain(root: Estimate, levels: &[(Option<Estimate>, f64)]) -> Result<Vec<Estimate>> {
    let mut above = root;
    levels
        .iter()
        .map(|(own, tau_squared)| {
            above = under(above, *own, *tau_squared)?;
            Ok(above)
        })
        .collect()
}

/// Mean with weights 1/(σ²+τ²), and their sum.
fn weighted(children: &[Estimate], tau_squared: f64) -> (f64, f64) {
    let weights = children.iter().map(|c| (c.mean, 1.0 / (c.variance + tau_squared)));
    let (sum, total) = weights.fold((0.0, 0.0), |(s, t), (mean, w)| (s + w * mean, t + w));
    (sum / total, total)
}

/// Children with trials, two at least.
fn checked(children: &[Outcomes]) -> Result<Vec<Outcomes>> {
    for child in children {
        not_negative(child.successes, "successes")?;
        not_negative(child.trials - child.successes, "failures")?;
    }
    let seen: Vec<Outcomes> = children.iter().copied().filter(|c| c.trials > 0.0).collect();
    if seen.len() < 2 { Err(Error::TooFew { needed: 2, got: seen.len() }) } else { Ok(seen) }
}
