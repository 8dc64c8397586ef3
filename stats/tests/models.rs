//! What must hold for any input of the models: policies, regressions, bandits, detectors, checks.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{near, wild};
use millrace_stats::{
    Interval,
    checks::{self, Cuped},
    drift::{self, ChangePoints, PageHinkley},
    hurdle::Hurdle,
    linear_ts::State,
    policy::{self, Assignment, Decision},
    regression::{self, Link, Observation},
};
use proptest::{collection::vec, prelude::*};
use rand::{SeedableRng, rngs::StdRng};

fn decisions() -> impl Strategy<Value = Vec<Decision>> {
    let one = (0.0..2.0_f64, 0.05..=1.0_f64, 0.0..=1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64);
    let build = |(reward, propensity, target, predicted, predicted_target)| Decision {
        reward,
        propensity,
        target,
        predicted,
        predicted_target,
    };
    vec(one.prop_map(build), 2..50)
}

fn rows() -> impl Strategy<Value = Vec<(Vec<f64>, f64)>> {
    vec((vec(-3.0..3.0_f64, 3), -2.0..2.0_f64), 4..40)
}

fn observed(rows: &[(Vec<f64>, f64)], link: Link) -> Vec<Observation> {
    let outcome = |y: f64| if link == Link::Logit { y.signum().max(0.0) } else { y };
    rows.iter()
        .enumerate()
        .map(|(i, (x, y))| Observation {
            id: format!("row {i}"),
            features: x.clone(),
            outcome: outcome(*y),
        })
        .collect()
}

fn learned<'a>(rows: impl Iterator<Item = &'a (Vec<f64>, f64)>) -> State {
    let mut state = State::new(3, 1.0).unwrap();
    for (x, r) in rows {
        state.update(x, *r, 1.0).unwrap();
    }
    state
}

proptest! {
    #[test]
    fn policy_values_ignore_order_and_bound_the_sample(d in decisions(), clip in 0.5..30.0_f64) {
        let mut turned = d.clone();
        turned.reverse();
        for value in [policy::ips, policy::snips, policy::doubly_robust] {
            let (Ok(a), Ok(b)) = (value(&d, clip), value(&turned, clip)) else { continue };
            prop_assert!(near(a.estimate, b.estimate) && near(a.standard_error, b.standard_error));
            let n = f64::from(u32::try_from(d.len()).unwrap());
            prop_assert!(a.ess <= n + 1e-9 && a.weight_max <= clip && (0.0..=1.0).contains(&a.clipped));
        }
        let snips = policy::snips(&d, clip);
        prop_assert!(snips.is_err() || (-1e-12..=2.0).contains(&snips.unwrap().estimate));
    }

    #[test]
    fn a_policy_judged_on_its_own_log_has_its_mean(d in decisions()) {
        let own: Vec<Decision> = d.iter().map(|d| Decision { target: d.propensity, ..*d }).collect();
        let mean = d.iter().map(|d| d.reward).sum::<f64>() / f64::from(u32::try_from(d.len()).unwrap());
        prop_assert!(near(policy::ips(&own, 100.0).unwrap().estimate, mean));
        prop_assert!(near(policy::snips(&own, 100.0).unwrap().estimate, mean));
    }

    #[test]
    fn regressions_ignore_order(rows in rows(), logit in any::<bool>()) {
        let link = if logit { Link::Logit } else { Link::Identity };
        let observations = observed(&rows, link);
        let mut turned = observations.clone();
        turned.reverse();
        let model = regression::fit(&observations, link, 0.5);
        prop_assert_eq!(&model, &regression::fit(&turned, link, 0.5));
        let whole = regression::cross_fit(&observations, link, 0.5, 2, 9);
        prop_assert_eq!(whole, regression::cross_fit(&turned, link, 0.5, 2, 9));
    }

    #[test]
    fn folds_depend_on_the_id_only(id in ".*", folds in 1..20_u64, seed in any::<u64>()) {
        let fold = policy::fold(&id, folds, seed);
        prop_assert!(fold < folds);
        prop_assert_eq!(fold, policy::fold(&id, folds, seed));
    }

    #[test]
    fn a_bandit_s_state_ignores_order_and_batches(rows in rows(), cut in 0..4_usize) {
        let whole = learned(rows.iter());
        let mut merged = learned(rows[cut..].iter().rev());
        merged.merge(&learned(rows[..cut].iter())).unwrap();
        let kept: State = serde_json::from_str(&serde_json::to_string(&merged).unwrap()).unwrap();
        prop_assert_eq!(&kept, &merged);
        let (a, b) = (whole.posterior().unwrap(), kept.posterior().unwrap());
        for (a, b) in a.theta().iter().zip(b.theta()) {
            prop_assert!(near(*a, *b));
        }
    }

    #[test]
    fn propensities_sum_to_one_above_the_floor(rows in rows(), k in 1..6_usize, part in 0.0..=1.0_f64, seed in any::<u64>()) {
        let posterior = learned(rows.iter().skip(2)).posterior().unwrap();
        let actions: Vec<Vec<f64>> = rows.iter().cycle().take(k).map(|(x, _)| x.clone()).collect();
        let floor = part / f64::from(u32::try_from(k).unwrap());
        let draw = |seed| posterior.propensities(&actions, 0.5, floor, 40, &mut StdRng::seed_from_u64(seed)).unwrap();
        let shares = draw(seed);
        prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(shares.iter().all(|p| *p >= floor - 1e-12 && *p <= 1.0 + 1e-12));
        prop_assert_eq!(shares, draw(seed));
    }

    #[test]
    fn hurdles_merge(v in vec(prop_oneof![Just(0.0), 0.01..100.0_f64], 6..60), cut in 0..6_usize) {
        let whole = Hurdle::of(&v).unwrap();
        let merged = Hurdle::of(&v[cut..]).unwrap().merge(Hurdle::of(&v[..cut]).unwrap()).unwrap();
        if let (Ok(a), Ok(b)) = (whole.mean(0.05), merged.mean(0.05)) {
            prop_assert!(near(a.estimate, b.estimate) && a.interval.contains(a.estimate));
            prop_assert!(whole.ratio(&merged, 0.05).unwrap().interval.contains(1.0));
        }
    }

    #[test]
    fn cuped_leaves_the_mean_and_takes_variance(pairs in vec((-5.0..5.0_f64, -5.0..5.0_f64), 3..60)) {
        let (y, x): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let cuped = Cuped::fit(&y, &x).unwrap();
        let plain = millrace_stats::means::Moments::of(&y).unwrap();
        let adjusted = cuped.adjusted(&y, &x).unwrap();
        prop_assert!(near(adjusted.mean, plain.mean));
        prop_assert!((adjusted.squares - plain.squares * (1.0 - cuped.reduction)).abs() < 1e-7);
    }

    #[test]
    fn no_input_panics(a in vec(wild(), 0..6), x in wild(), y in wild(), z in wild(), n in any::<u32>()) {
        let numbers = [
            checks::crps_normal(x, y, z), checks::skill(x, y), checks::coverage(&[(Interval { low: x, high: y }, z)]),
            Assignment { treated: n > 9, propensity: x, reward: y, m1: z, m0: x }.score(),
            checks::sample_ratio(&[u64::from(n), 5], &[x, y]).map(|check| check.p),
            Cuped::fit(&a, &a).map(|cuped| cuped.theta),
            Hurdle::of(&a).and_then(|hurdle| hurdle.mean(x)).map(|mean| mean.estimate),
            policy::ips(&[Decision { reward: x, propensity: y, target: z, predicted: x, predicted_target: y }; 3], z).map(|value| value.estimate),
            policy::doubly_robust(&[Decision { reward: x, propensity: 0.5, target: 0.5, predicted: z, predicted_target: y }; 3], 9.0).map(|value| value.standard_error),
        ];
        for number in numbers.into_iter().flatten() {
            prop_assert!(!number.is_nan());
        }
        if let Ok(mut detector) = PageHinkley::new(x, y, z) {
            for value in &a {
                let _alarm = detector.push_log(*value);
            }
            prop_assert!(!detector.up.is_nan() && !detector.down.is_nan());
        }
        if let Ok(mut changes) = ChangePoints::new(20.0, x, y, 3) {
            for value in &a {
                let _moved = changes.push(*value);
            }
            prop_assert!((changes.runs().iter().map(|run| run.probability).sum::<f64>() - 1.0).abs() < 1e-6);
        }
        let observations: Vec<Observation> = a.iter().map(|v| Observation { id: v.to_string(), features: vec![*v, x], outcome: y }).collect();
        let _any = regression::fit(&observations, Link::Identity, z);
        let _any = regression::fit(&observations, Link::Logit, 1.0);
        let mut state = State::new(a.len(), 1.0).unwrap();
        let _any = state.update(&a, x, y);
        if let Ok(posterior) = state.posterior() {
            prop_assert!(posterior.theta().iter().all(|theta| theta.is_finite()));
            let _any = posterior.propensities(std::slice::from_ref(&a), x, y, 2, &mut StdRng::seed_from_u64(1));
        }
        let odd = State { lambda: x, xtx: vec![a.clone()], xtr: a.clone(), n: 0 };
        let _any = odd.posterior();
        let _any = drift::threshold(n % 8, x, n % 20, &mut StdRng::seed_from_u64(1));
    }
}
