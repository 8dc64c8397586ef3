//! When a level has moved: two detectors with a controlled rate of false alarms.

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, draw, finite, not_negative, positive};

/// Which way a level moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shift {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// The two-sided test of Page (1954) and Hinkley (1971) on values divided by their known deviation: per side the
/// cumulated distance from the mean so far, less a slack, above its least value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    /// Standard deviation of one value, above 0.
    pub sigma: f64,
    /// Half of the smallest shift worth an alarm, in deviations, >= 0.
    pub slack: f64,
    /// Alarm above this, in deviations, > 0: of [`threshold`].
    pub threshold: f64,
    /// Values so far, as a number.
    pub n: f64,
    /// Their mean.
    pub mean: f64,
    /// Cumulated rise.
    pub up: f64,
    /// Cumulated fall.
    pub down: f64,
}

impl PageHinkley {
    /// Nothing seen.
    pub fn new(sigma: f64, slack: f64, threshold: f64) -> Result<Self> {
        let sigma = positive(sigma, "sigma")?;
        let (slack, threshold) = (not_negative(slack, "slack")?, positive(threshold, "threshold")?);
        Ok(Self { sigma, slack, threshold, n: 0.0, mean: 0.0, up: 0.0, down: 0.0 })
    }

    /// Takes the next value; the answer stays until [`Self::new`] begins anew.
    pub fn push(&mut self, value: f64) -> Result<Option<Shift>> {
        let value = finite(value, "value")?;
        self.n += 1.0;
        self.mean += (value - self.mean) / self.n;
        let off = finite((value - self.mean) / self.sigma, "distance")?;
        self.up = (self.up + off - self.slack).max(0.0);
        self.down = (self.down - off - self.slack).max(0.0);
        let alarm = if self.up > self.threshold {
            Some(Shift::Up)
        } else if self.down > self.threshold {
            Some(Shift::Down)
        } else {
            None
        };
        Ok(alarm)
    }

    /// The same on the log scale, on which skewed figures are near normal and a fall of 20 % is -.223 at any
    /// level; `value` > 0, `sigma` that of its logarithm.
    pub fn push_log(&mut self, value: f64) -> Result<Option<Shift>> {
        self.push(positive(value, "value")?.ln())
    }
}

/// The threshold with which [`PageHinkley`] raises one false alarm per `arl` values on average (the ARL₀), by
/// simulation of `runs` normal series of four times that length. Between alarms the wait is near exponential, so the
/// mean is estimated as total time by alarms (censored exponential; Lawless 2003, section 4.1).
/// `arl` in 2..=100 000, `runs` in 10..=100 000; the result varies by about 1/√(4·runs) of the ARL.
pub fn threshold(arl: u32, slack: f64, runs: u32, rng: &mut impl Rng) -> Result<f64> {
    if !(2..=100_000).contains(&arl) || !(10..=100_000).contains(&runs) {
        return Err(Error::Range("simulation"));
    }
    let length = arl.saturating_mul(4);
    let mut series = Vec::new();
    for _ in 0..runs {
        series.push(peaks(length, slack, rng)?);
    }
    let mean_wait = |level: f64| -> f64 {
        let (mut time, mut alarms) = (0.0, 0.0);
        for peaks in &series {
            let alarm = peaks.get(peaks.partition_point(|(_, peak)| *peak <= level));
            time += f64::from(alarm.map_or(length, |(at, _)| *at));
            alarms += f64::from(u8::from(alarm.is_some()));
        }
        time / alarms
    };
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if mean_wait(middle) < f64::from(arl) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

/// When the statistic of an undisturbed series reached new heights, and which.
fn peaks(length: u32, slack: f64, rng: &mut impl Rng) -> Result<Vec<(u32, f64)>> {
    let mut detector = PageHinkley::new(1.0, slack, f64::MAX)?;
    let mut peaks = Vec::new();
    let mut highest = 0.0;
    for at in 1..=length {
        detector.push(draw::normal(rng))?;
        let now = detector.up.max(detector.down);
        if now > highest {
            highest = now;
            peaks.push((at, now));
        }
    }
    Ok(peaks)
}

/// The two-sided cumulative sum of Page (1954) of values that are standard normal while nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    /// Half of the shift worth an alarm, > 0.
    pub slack: f64,
    /// Alarm above this, > 0: of [`cusum_threshold`].
    pub threshold: f64,
    /// Cumulated rise and fall.
    pub up: f64,
    /// See `up`.
    pub down: f64,
    /// Values since each last was nothing: how long ago the change would have been.
    pub up_for: u32,
    /// See `up_for`.
    pub down_for: u32,
}

impl Cusum {
    /// Nothing seen.
    pub fn new(slack: f64, threshold: f64) -> Result<Self> {
        let (slack, threshold) = (positive(slack, "slack")?, positive(threshold, "threshold")?);
        Ok(Self { slack, threshold, up: 0.0, down: 0.0, up_for: 0, down_for: 0 })
    }

    /// Takes the next value.
    pub fn push(&mut self, value: f64) -> Result<Option<Shift>> {
        let value = finite(value, "value")?;
        self.up = (self.up + value - self.slack).max(0.0);
        self.down = (self.down - value - self.slack).max(0.0);
        self.up_for = if self.up > 0.0 { self.up_for.saturating_add(1) } else { 0 };
        self.down_for = if self.down > 0.0 { self.down_for.saturating_add(1) } else { 0 };
        let is_up = self.up > self.threshold && self.up >= self.down;
        let is_down = self.down > self.threshold;
        Ok(if is_up { Some(Shift::Up) } else { is_down.then_some(Shift::Down) })
    }
}

/// The threshold with which [`Cusum`] raises one false alarm per `arl` (> 1) values on average, by Siegmund's corrected
/// diffusion approximation (1985, section 2.6): one side waits (exp(2kb) - 2kb - 1) / (2k²) with b = threshold + 1.166,
/// and each of two sides twice as long as both. Within 3 % for slacks of .1 to 1 and waits of 100 and more.
pub fn cusum_threshold(arl: f64, slack: f64) -> Result<f64> {
    let k = positive(slack, "slack")?;
    if !(arl > 1.0 && arl.is_finite()) {
        return Err(Error::Range("run length"));
    }
    let wait = |threshold: f64| {
        let b = 2.0 * k * (threshold + 1.166);
        (b.exp() - b - 1.0) / (2.0 * k * k)
    };
    let (mut low, mut high) = (0.0, 2.0 * arl);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if wait(middle) < 2.0 * arl {
            low = middle;
        } else {
            high = middle;
        }
    }
    finite(high, "threshold")
}

/// A normal-gamma distribution over mean and precision, and how probable the run is that it describes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Probability of this run length.
    pub probability: f64,
    /// Values in it.
    pub length: u32,
    mean: f64,
    kappa: f64,
    alpha: f64,
    beta: f64,
}

/// Bayesian online change points (Adams & MacKay 2007, algorithm 1) for normal values of unknown mean and variance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangePoints {
    hazard: f64,
    runs_max: usize,
    prior: Run,
    runs: Vec<Run>,
}

impl ChangePoints {
    /// A change every `expected_run` (> 1) values; before data the level is `mean` with the weight of one value, and
    /// values vary by about `sigma` (> 0). No more than `runs_max` (>= 2) run lengths are kept: the longest ones share one
    /// place.
    pub fn new(expected_run: f64, mean: f64, sigma: f64, runs_max: usize) -> Result<Self> {
        if expected_run <= 1.0 || runs_max < 2 {
            return Err(Error::Range("run length"));
        }
        let hazard = 1.0 / positive(expected_run, "run length")?;
        let beta = positive(positive(sigma, "sigma")?.powi(2), "sigma")?;
        let mean = finite(mean, "mean")?;
        let prior = Run { probability: 1.0, length: 0, mean, kappa: 1.0, alpha: 1.0, beta };
        Ok(Self { hazard, runs_max, prior, runs: vec![prior] })
    }

    /// Takes the next value.
    pub fn push(&mut self, value: f64) -> Result<()> {
        let value = finite(value, "value")?;
        let logs: Vec<f64> =
            self.runs.iter().map(|run| run.probability.ln() + run.ln_density(value)).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        finite(top, "density")?;
        let masses: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = masses.iter().sum();
        let mut next = vec![Run { probability: self.hazard, ..self.prior }];
        for (run, mass) in self.runs.iter().zip(masses) {
            next.push(run.with(value, (1.0 - self.hazard) * mass / total)?);
        }
        if next.len() > self.runs_max
            && let Some(longest) = next.pop()
            && let Some(last) = next.last_mut()
        {
            last.probability += longest.probability;
        }
        self.runs = next;
        Ok(())
    }

    /// All run lengths, shortest first; the probabilities sum to 1.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Probability that the level has changed within the last `values`.
    #[must_use]
    pub fn changed_within(&self, values: u32) -> f64 {
        let recent = self.runs.iter().filter(|run| run.length <= values);
        recent.map(|run| run.probability).sum::<f64>().clamp(0.0, 1.0)
    }
}

impl Run {
    /// Student's t predictive (Murphy 2007, equation 110).
    fn ln_density(&self, value: f64) -> f64 {
        let df = 2.0 * self.alpha;
        let scale = self.beta * (self.kappa + 1.0) / (self.alpha * self.kappa);
        let square = (value - self.mean).powi(2) / scale;
        let constant = -crate::dist::ln_beta(self.alpha, 0.5) - 0.5 * (df * scale).ln();
        constant - 0.5 * (df + 1.0) * (square / df).ln_1p()
    }

    /// With one more value (Murphy 2007, equations 86-89).
    fn with(&self, value: f64, probability: f64) -> Result<Self> {
        let off = value - self.mean;
        let beta = self.beta + self.kappa * off * off / (2.0 * (self.kappa + 1.0));
        Ok(Self {
            probability,
            length: self.length.saturating_add(1),
            mean: finite(self.mean + off / (self.kappa + 1.0), "mean")?,
            kappa: self.kappa + 1.0,
            alpha: self.alpha + 0.5,
            beta: finite(beta, "variance")?,
        })
    }
}
