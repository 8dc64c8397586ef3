//! Against what mpmath and scipy say (`scripts/stats_golden.py` wrote the files): 1e-9 relative, tails included.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use millrace_stats::{
    Interval,
    checks::{self, Cuped},
    dist,
    drift::{self, ChangePoints},
    hurdle::Hurdle,
    linear_ts::State,
    means::{self, Moments},
    policy::{self, Decision},
    rates::{self, Beta, Gamma},
    regression::{self, Link, Observation},
    robust, sequential,
    shrink::{self, Estimate, Outcomes},
    simplex,
};
use serde_json::Value;

const A: [f64; 12] = [3.1, 4.7, 2.2, 9.8, 5.5, 6.1, 3.3, 47.0, 4.4, 5.0, 2.9, 7.7];
const B: [f64; 13] = [1.1, 2.7, 3.2, 1.8, 2.5, 0.4, 3.0, 2.2, 1.9, -8.0, 2.4, 2.6, 3.9];

/// Runs every entry of a file and lists those that are off.
fn check(file: &str, tolerance: f64, ours: impl Fn(&str, &[f64], &[f64]) -> f64) {
    let entries: Vec<(String, Vec<Value>, f64)> = serde_json::from_str(file).unwrap();
    assert!(entries.len() > 3);
    let mut off = Vec::new();
    for (name, arguments, want) in &entries {
        let set: &[f64] =
            if arguments.first().and_then(Value::as_str) == Some("b") { &B } else { &A };
        let numbers: Vec<f64> = arguments.iter().filter_map(Value::as_f64).collect();
        let got = ours(name, &numbers, set);
        let distance = (got - want).abs() / want.abs().max(1e-300);
        if distance.is_nan() || (distance > tolerance && got != *want) {
            off.push(format!("{name}{arguments:?}: {got:e}, not {want:e} ({distance:e})"));
        }
    }
    assert!(off.is_empty(), "\n{}", off.join("\n"));
}

#[test]
fn distributions() {
    check(include_str!("golden/distributions.json"), 1e-9, |name, x, _| match name {
        "normal_cdf" => dist::normal_cdf(x[0]),
        "ln_normal_sf" => dist::ln_normal_sf(x[0]),
        "normal_quantile" => dist::normal_quantile(x[0]).unwrap(),
        "beta_cdf" => dist::beta_cdf(x[0], x[1], x[2]),
        "gamma_sf" => dist::gamma_sf(x[0], x[1], 1.0),
        "gamma_cdf" => dist::gamma_cdf(x[0], x[1], 1.0),
        "student_ln_p" => dist::ln_student_two_sided(x[0], x[1]),
        "student_quantile" => dist::student_quantile(x[0], x[1]).unwrap(),
        "beta_quantile" => dist::beta_quantile(x[0], x[1], x[2]).unwrap(),
        "gamma_quantile" => dist::gamma_quantile(x[0], x[1], 1.0).unwrap(),
        other => panic!("{other}"),
    });
}

#[test]
fn samples() {
    let (a, b) = (Moments::of(&A).unwrap(), Moments::of(&B).unwrap());
    check(include_str!("golden/samples.json"), 1e-9, |name, x, set| {
        let moments = Moments::of(set).unwrap();
        match name {
            "percentile" => robust::percentile(set, x[0]).unwrap(),
            "winsorised" => robust::winsorised_mean(set, 0.05, 0.95).unwrap(),
            "winsorised_ordered" => robust::winsorised_mean_ordered(set, 0.1).unwrap(),
            "trimmed" => robust::trimmed_mean(set, x[0]).unwrap(),
            "variance" => moments.variance().unwrap(),
            "tukey_mclaughlin_high" => {
                robust::trimmed_interval(set, 0.2, 0.05).unwrap().interval.high
            }
            "t_interval_low" => means::t_interval(&moments, 0.05).unwrap().low,
            "one_sample_p" => means::one_sample(&moments, x[0], 0.05).unwrap().p,
            "yuen_t" => robust::yuen(&A, &B, 0.2, 0.05).unwrap().t,
            "yuen_p" => robust::yuen(&A, &B, 0.2, 0.05).unwrap().p,
            "welch_t" => means::welch(&a, &b, 0.05).unwrap().t,
            "welch_p" => means::welch(&a, &b, 0.05).unwrap().p,
            "welch_df" => means::welch(&a, &b, 0.05).unwrap().df,
            "paired_p" => means::paired(&A, &B[..12], 0.05).unwrap().p,
            "cohens_d" => means::cohens_d(&a, &b).unwrap(),
            "hedges_g" => means::hedges_g(&a, &b).unwrap(),
            "cohens_h" => means::cohens_h(x[0], x[1]).unwrap(),
            other => panic!("{other}"),
        }
    });
}

#[test]
fn rates_and_their_posteriors() {
    check(include_str!("golden/rates.json"), 1e-9, |name, x, _| match name {
        "wilson_low" => rates::wilson(x[0], x[1], 0.05).unwrap().low,
        "wilson_high" => rates::wilson(x[0], x[1], 0.05).unwrap().high,
        "jeffreys_low" => rates::jeffreys(x[0], x[1], 0.05).unwrap().low,
        "sample_size" => rates::sample_size(x[0], x[1], 0.05, 0.8).unwrap(),
        "beats" => {
            let winner = Beta::new(x[0], x[1]).unwrap();
            winner.beats(&Beta::new(x[2], x[3]).unwrap()).unwrap()
        }
        "expected_loss" => {
            let chosen = Beta::new(x[0], x[1]).unwrap();
            chosen.expected_loss(&Beta::new(x[2], x[3]).unwrap()).unwrap()
        }
        other => panic!("{other}"),
    });
}

#[test]
fn evidence_about_rates() {
    check(include_str!("golden/evidence.json"), 1e-9, |name, x, _| {
        if name == "cusum_threshold" {
            return drift::cusum_threshold(x[0], x[1]).unwrap();
        }
        let prior = Beta::new(x[0], x[1]).unwrap();
        match name {
            "ln_e_below" => prior.ln_e_below(x[2], x[3], x[4]).unwrap(),
            "ln_e_above" => prior.ln_e_above(x[2], x[3], x[4]).unwrap(),
            other => panic!("{other}"),
        }
    });
}

#[test]
fn sequences() {
    let adjusted = sequential::benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.55, 0.04]).unwrap();
    let bounds = [Interval::new(0.05, 0.5).unwrap(); 4];
    let projected = simplex::project(&[0.62, 0.25, 0.1, 0.001], &bounds).unwrap();
    let index =
        |x: f64| (0..6).find(|i| f64::from(*i) == x).and_then(|i| usize::try_from(i).ok()).unwrap();
    check(include_str!("golden/sequences.json"), 1e-9, |name, x, _| match name {
        "ln_lambda" => sequential::ln_lambda(x[0], x[1], x[2]).unwrap(),
        "half_width" => sequential::half_width(x[0], x[1], x[2], 0.05).unwrap(),
        "bh" => adjusted[index(x[0])],
        "kl_projection" => projected[index(x[0])],
        other => panic!("{other}"),
    });
}

const ROWS: [[f64; 2]; 8] = [
    [0.5, -1.2],
    [1.5, 0.3],
    [-0.7, 0.9],
    [2.2, -0.4],
    [0.1, 0.2],
    [-1.4, -0.8],
    [0.9, 1.7],
    [-0.3, 0.5],
];
const REAL: [f64; 8] = [1.3, 2.9, -0.4, 4.4, 0.6, -2.5, 3.1, 0.2];
const BINARY: [f64; 8] = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0];

fn fitted(link: Link, outcomes: &[f64]) -> Vec<f64> {
    let observations: Vec<Observation> = (0..8)
        .map(|i| Observation {
            id: i.to_string(),
            features: ROWS[i].to_vec(),
            outcome: outcomes[i],
        })
        .collect();
    regression::fit(&observations, link, 0.7).unwrap().coefficients
}

#[test]
fn models() {
    let (ridge, logit) = (fitted(Link::Identity, &REAL), fitted(Link::Logit, &BINARY));
    let mut changes = ChangePoints::new(20.0, 0.0, 1.0, 100).unwrap();
    for value in [0.1, -0.3, 0.2, 4.1, 3.8, 4.3] {
        changes.push(value).unwrap();
    }
    let estimates: Vec<Estimate> =
        [(0.3, 0.01), (0.1, 0.02), (0.6, 0.015), (-0.2, 0.04), (0.25, 0.008)]
            .map(|(mean, variance)| Estimate { mean, variance })
            .to_vec();
    let outcomes = [(3.0, 100.0), (10.0, 150.0), (25.0, 200.0), (4.0, 90.0)]
        .map(|(successes, trials)| Outcomes { successes, trials });
    let mut state = State::new(3, 0.5).unwrap();
    for (row, reward) in ROWS.iter().zip(REAL) {
        state.update(&[1.0, row[0], row[1]], reward, 1.0).unwrap();
    }
    let posterior = state.posterior().unwrap();
    let revenue = [0.0, 0.0, 3.5, 0.0, 12.0, 0.0, 1.2, 0.0, 0.0, 7.7, 0.0, 30.0];
    let mean = Hurdle::of(&revenue).unwrap().mean(0.05).unwrap();
    let cuped = Cuped::fit(&A, &B[..12]).unwrap();
    let at = |x: &[f64]| (0..9_usize).find(|i| i.to_string() == x[0].to_string()).unwrap();
    check(include_str!("golden/models.json"), 1e-9, |name, x, _| match name {
        "ridge" => ridge[at(x)],
        "logit" => logit[at(x)],
        "run" => changes.runs()[at(x)].probability,
        "sample_ratio_p" => checks::sample_ratio(&[5210, 4790, 2400], &[0.4, 0.4, 0.2]).unwrap().p,
        "crps" => checks::crps_normal(x[0], x[1], x[2]).unwrap(),
        "tau_squared" => shrink::population(&estimates).unwrap().tau_squared,
        "pooled_mean" => shrink::population(&estimates).unwrap().mean,
        "rate_tau_squared" => shrink::rate_population(&outcomes).unwrap().tau_squared,
        "theta" => posterior.theta()[at(x)],
        "spread" => posterior.predict(&[1.0, 2.2, -0.4]).unwrap().1,
        "hurdle_mean" => mean.estimate,
        "hurdle_high" => mean.interval.high,
        "cuped_theta" => cuped.theta,
        "cuped_reduction" => cuped.reduction,
        other => panic!("{other}"),
    });
}

/// Figures of the learning contract, section 7: its examples by hand.
#[test]
fn the_contract_s_examples() {
    let winsorised = |v: &[f64]| robust::winsorised_mean(v, 0.05, 0.95).unwrap();
    assert!((winsorised(&[1.0, 2.0, 3.0, 4.0, 100.0]) - 18.2).abs() < 0.05);
    let clicks: Vec<f64> = (0..200).map(|i| if i < 4 { 1.0 } else { 0.0 }).collect();
    assert_eq!(winsorised(&clicks), 0.0);
    assert!((means::cohens_h(0.06, 0.03).unwrap() - 0.147).abs() < 0.001);
    assert_eq!(rates::sample_size(0.03, 0.036, 0.05, 0.8).unwrap(), 13_911.0);
    assert_eq!(rates::sample_size(0.08, 0.092, 0.05, 0.8).unwrap(), 8_565.0);
    assert_eq!(robust::tukey_fences(&[1.0, 1.0, 1.0, 1.0, 9.0], 1.5), Ok(None));
}

#[test]
fn a_p_value_never_becomes_zero() {
    let far = |t: f64| Moments { n: 1_000_000_000, mean: t, squares: 999_999_999e9 };
    let test = means::one_sample(&far(40.0), 0.0, 0.05).unwrap();
    assert!((test.t - 40.0).abs() < 1e-6);
    assert!(test.p > 0.0 && test.ln_p < -700.0, "{test:?}");
    let further = means::one_sample(&far(60.0), 0.0, 0.05).unwrap();
    assert!(further.ln_p < test.ln_p - 500.0 && further.p > 0.0);
}

#[test]
fn counts_have_a_gamma_posterior() {
    let busy = Gamma::new(0.5, 0.01).unwrap().updated(30.0, 10.0).unwrap();
    let quiet = Gamma::new(0.5, 0.01).unwrap().updated(10.0, 10.0).unwrap();
    let within = busy.interval(0.05).unwrap();
    assert!(within.contains(busy.mean()) && within.low > 2.0 && within.high < 4.4);
    let (p, q) = (busy.beats(&quiet).unwrap(), quiet.beats(&busy).unwrap());
    assert!((p + q - 1.0).abs() < 1e-12 && p > 0.995);
}

#[test]
fn the_least_detectable_rise_inverts_the_sample_size() {
    for (p, n) in [(0.03, 13_911.0), (0.08, 500.0), (0.5, 75.0)] {
        let rise = rates::detectable_rise(p, n, 0.05, 0.8).unwrap().unwrap();
        assert!((rates::sample_size(p, p + rise * 1.000_001, 0.05, 0.8).unwrap() - n).abs() <= 1.0);
    }
    assert_eq!(rates::detectable_rise(0.9, 5.0, 0.05, 0.8), Ok(None));
}

#[test]
fn student_s_t_becomes_the_normal() {
    for t in [0.5_f64, 2.0, 10.0, 40.0] {
        let normal = dist::ln_student_two_sided(t, f64::INFINITY);
        for df in [1e7, 1e9, 1e11, 9e11] {
            // Hill 1970, first order: t is as rare as the normal z = t - (t³+t)/4df.
            let z = t - (t.powi(3) + t) / (4.0 * df);
            let near = 2_f64.ln() + dist::ln_normal_sf(z);
            let ours = dist::ln_student_two_sided(t, df);
            let rest = t.powi(6) / (df * df) + 1e-12 * near.abs();
            assert!((ours - near).abs() <= rest, "t {t} df {df}: {ours} {near}");
        }
        assert!((dist::ln_student_two_sided(t, 9e11) - normal).abs() < 1e-6);
    }
}

#[test]
fn a_rate_hardly_known_against_one_well_known() {
    let vague = Beta::JEFFREYS;
    let sharp = Beta::new(1e6 + 0.5, 2e6 + 0.5).unwrap();
    // Nearly a point at 1/3, which the arcsine distribution exceeds with this probability.
    let above = 1.0 - (1.0_f64 / 3.0).sqrt().asin() * std::f64::consts::FRAC_2_PI;
    assert!((vague.beats(&sharp).unwrap() - above).abs() < 1e-6);
    assert!((sharp.beats(&vague).unwrap() - (1.0 - above)).abs() < 1e-6);
    // The sum and the integral agree: an integer parameter, and one that is not quite.
    for (a, b, c, d) in
        [(40.0, 960.5, 61.5, 940.5), (3.0, 0.5, 200.5, 90.5), (900.0, 3.5, 2.5, 7.5)]
    {
        let loser = Beta::new(c, d).unwrap();
        let sum = Beta::new(a, b).unwrap().beats(&loser).unwrap();
        let integral = Beta::new(a * (1.0 + 1e-13), b).unwrap().beats(&loser).unwrap();
        assert!((sum / integral - 1.0).abs() < 1e-9, "{sum} {integral}");
    }
}

#[test]
fn equal_scores_are_no_certainty() {
    let equal = Moments::of(&[0.02; 500]).unwrap();
    assert!(sequential::confidence_sequence(&equal, 0.1, 0.05).is_err());
    assert!(means::one_sample(&equal, 0.0, 0.05).is_err());
    let unpaid = Decision {
        reward: 0.0,
        propensity: 0.5,
        target: 0.5,
        predicted: 0.0,
        predicted_target: 0.0,
    };
    let value = policy::doubly_robust(&[unpaid; 500], 10.0).unwrap();
    assert_eq!((value.estimate, value.standard_error, value.ess), (0.0, 0.0, 500.0));
    assert!(value.gate(100.0, 0.05).is_err());
}

#[test]
fn halves_of_symmetric_distributions_of_any_size() {
    for a in [0.5, 7.25, 1e3, 1e6, 1e9] {
        assert!((dist::beta_cdf(0.5, a, a) - 0.5).abs() < 1e-9, "{a}");
        assert!((dist::beta_quantile(0.5, a, a).unwrap() - 0.5).abs() < 1e-12, "{a}");
    }
}
