//! Revenue: mostly nothing, else log-normal. The mean is P(>0) times the mean of what is there.

use serde::{Deserialize, Serialize};

use crate::{Error, Interval, Result, finite, inverse, means::Moments, open_share, sample};

/// What an arm earned, enough for its mean and mergeable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Hurdle {
    /// Outcomes of 0.
    pub zeros: u64,
    /// Of the logarithms of the others.
    pub logs: Moments,
}

/// A mean and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// p̂·exp(ȳ + s²/2).
    pub estimate: f64,
    /// Variance of the logarithm of the estimate.
    pub ln_variance: f64,
    /// Of the mean.
    pub interval: Interval,
}

impl Hurdle {
    /// Of values >= 0.
    pub fn of(values: &[f64]) -> Result<Self> {
        sample(values, 0)?.iter().try_fold(Self::default(), |hurdle, value| {
            if *value < 0.0 {
                return Err(Error::Range("revenue"));
            }
            if *value == 0.0 {
                return Ok(Self { zeros: hurdle.zeros + 1, ..hurdle });
            }
            Ok(Self { logs: hurdle.logs.with(value.ln())?, ..hurdle })
        })
    }

    /// Both together.
    pub fn merge(self, other: Self) -> Result<Self> {
        let zeros = self.zeros.saturating_add(other.zeros);
        Ok(Self { zeros, logs: self.logs.merge(other.logs)? })
    }

    /// Share of outcomes above 0, as [`crate::rates`] takes it: (successes, trials).
    #[must_use]
    pub fn occurrence(&self) -> (f64, f64) {
        let zeros = Moments { n: self.zeros, ..Moments::default() }.size();
        (self.logs.size(), self.logs.size() + zeros)
    }

    /// The mean with Cox's interval for a log-normal, exp(ȳ + s²/2 ± z√(s²/m + s⁴/2(m-1))) (Land 1972; compared
    /// by Zhou & Gao 1997, who find it the best of the simple ones), widened by (1-p̂)/(np̂) for the share above 0
    /// (delta method; Zhou & Tu 2000). Two outcomes above 0 at least; dozens for the coverage to hold.
    pub fn mean(&self, alpha: f64) -> Result<Mean> {
        let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0);
        let (ln_mean, ln_variance) = self.ln_mean()?;
        let half = z * ln_variance.sqrt();
        let interval = Interval::new((ln_mean - half).exp(), (ln_mean + half).exp())?;
        Ok(Mean { estimate: finite(ln_mean.exp(), "mean")?, ln_variance, interval })
    }

    /// This mean as a multiple of `other`'s, both independent: the interval of the difference of logarithms.
    pub fn ratio(&self, other: &Self, alpha: f64) -> Result<Mean> {
        let z = inverse::normal_upper(open_share(alpha, "alpha")? / 2.0);
        let ((top, top_variance), (base, base_variance)) = (self.ln_mean()?, other.ln_mean()?);
        let (ln_ratio, ln_variance) = (top - base, top_variance + base_variance);
        let half = z * ln_variance.sqrt();
        let interval = Interval::new((ln_ratio - half).exp(), (ln_ratio + half).exp())?;
        Ok(Mean { estimate: finite(ln_ratio.exp(), "ratio")?, ln_variance, interval })
    }

    fn ln_mean(&self) -> Result<(f64, f64)> {
        let square = self.logs.variance()?;
        let (above, n) = self.occurrence();
        let share = above / n;
        let positive_part = square / above + square * square / (2.0 * (above - 1.0));
        let variance = (1.0 - share) / (n * share) + positive_part;
        Ok((share.ln() + self.logs.mean + square / 2.0, finite(variance, "variance")?))
    }
}
