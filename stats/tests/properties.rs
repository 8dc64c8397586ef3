//! What must hold for any input.

mod common;

use common::{near, wild};
use millrace_stats::{
    Interval,
    means::{self, Moments},
    rates::{self, Beta},
    robust, sequential,
    shrink::{self, Estimate, Outcomes},
    simplex::{self, Limits},
};
use proptest::{collection::vec, prelude::*};

fn values() -> impl Strategy<Value = Vec<f64>> {
    vec(-1e3..1e3_f64, 2..60)
}

fn any_values() -> impl Strategy<Value = Vec<f64>> {
    vec(wild(), 0..8)
}

proptest! {
    #[test]
    fn moments_do_not_depend_on_batches_or_order(v in values(), cut in 0.0..1.0_f64) {
        let at = v.iter().scan(0.0, |n, _| { *n += 1.0; Some(*n) }).filter(|n| *n / 60.0 < cut).count();
        let (left, right) = v.split_at(at);
        let whole = Moments::of(&v).unwrap();
        let merged = Moments::of(right).unwrap().merge(Moments::of(left).unwrap()).unwrap();
        prop_assert_eq!(whole.n, merged.n);
        prop_assert!(near(whole.mean, merged.mean) && near(whole.squares, merged.squares));
    }

    #[test]
    fn robust_means_lie_within_and_ignore_order(v in values()) {
        let mut turned = v.clone();
        turned.reverse();
        let low = v.iter().copied().fold(f64::INFINITY, f64::min);
        let high = v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let all: [fn(&[f64]) -> f64; 4] = [
            |v| robust::winsorised_mean(v, 0.05, 0.95).unwrap(),
            |v| robust::winsorised_mean_ordered(v, 0.1).unwrap(),
            |v| robust::trimmed_mean(v, 0.2).unwrap(),
            |v| robust::median(v).unwrap(),
        ];
        for f in all {
            prop_assert_eq!(f(&v).to_bits(), f(&turned).to_bits());
            prop_assert!(f(&v) >= low - 1e-9 && f(&v) <= high + 1e-9);
        }
    }

    #[test]
    fn intervals_hold_the_estimate_and_p_is_a_probability(a in values(), b in values(), alpha in 0.001..0.3_f64) {
        let (ma, mb) = (Moments::of(&a).unwrap(), Moments::of(&b).unwrap());
        let test = means::welch(&ma, &mb, alpha).unwrap();
        prop_assert!(test.p > 0.0 && test.p <= 1.0 && test.interval.contains(test.estimate));
        // The interval leaves 0 out exactly when the test rejects.
        prop_assert!((test.p - alpha).abs() < 1e-9 || test.interval.contains(0.0) == (test.p > alpha));
        prop_assert!(means::t_interval(&ma, alpha).unwrap().contains(ma.mean));
        let d = means::cohens_d(&ma, &mb).unwrap();
        prop_assert!(ma.n + mb.n == 4 || means::hedges_g(&ma, &mb).unwrap().abs() <= d.abs());
    }

    #[test]
    fn rate_intervals_hold_the_estimate(n in 1..5_000_u32, share in 0.0..=1.0_f64, alpha in 0.001..0.2_f64) {
        let n = f64::from(n);
        let s = (share * n).round();
        for interval in [rates::wilson(s, n, alpha).unwrap(), rates::jeffreys(s, n, alpha).unwrap()] {
            prop_assert!(interval.contains(s / n) && interval.low >= 0.0 && interval.high <= 1.0);
        }
    }

    #[test]
    fn one_of_two_rates_wins(a in 0.2..300.0_f64, b in 0.2..300.0_f64, c in 1..300_u32, d in 0.2..300.0_f64) {
        let (x, y) = (Beta::new(a, b).unwrap(), Beta::new(f64::from(c), d).unwrap());
        let (p, q) = (x.beats(&y).unwrap(), y.beats(&x).unwrap());
        prop_assert!((p + q - 1.0).abs() < 1e-9, "{} + {}", p, q);
        let gain = x.expected_loss(&y).unwrap() - y.expected_loss(&x).unwrap();
        prop_assert!((gain - (y.mean() - x.mean())).abs() < 1e-9);
    }

    #[test]
    fn shrinkage_is_monotone(parent in -5.0..5.0_f64, own in -5.0..5.0_f64, more in -5.0..5.0_f64, tau in 0.0..4.0_f64, noise in 0.01..9.0_f64) {
        let above = Estimate { mean: parent, variance: 0.1 };
        let post = |mean, variance| shrink::under(above, Some(Estimate { mean, variance }), tau).unwrap();
        let (some, sure) = (post(own, noise), post(own, noise / 2.0));
        prop_assert!(some.mean >= parent.min(own) - 1e-12 && some.mean <= parent.max(own) + 1e-12);
        prop_assert!((sure.mean - own).abs() <= (some.mean - own).abs() + 1e-12);
        prop_assert_eq!(own < more && tau > 0.0 && post(more, noise).mean < some.mean - 1e-12, false);
        prop_assert!(some.variance <= shrink::under(above, None, tau).unwrap().variance + 1e-12);
    }

    #[test]
    fn rates_shrink_towards_their_parent(data in vec((0..200_u32, 0.0..=1.0_f64), 2..20)) {
        let children: Vec<Outcomes> = data.iter().map(|(n, p)| {
            let trials = f64::from(*n) + 1.0;
            Outcomes { successes: (trials * p).floor(), trials }
        }).collect();
        let population = shrink::rate_population(&children).unwrap();
        let trials: f64 = children.iter().map(|c| c.trials).sum();
        let prior = shrink::beta_prior(&population, trials).unwrap();
        for child in children {
            let raw = child.successes / child.trials;
            let post = prior.updated(child.successes, child.trials - child.successes).unwrap().mean();
            prop_assert!(post >= raw.min(prior.mean()) - 1e-12 && post <= raw.max(prior.mean()) + 1e-12);
        }
    }

    #[test]
    fn discoveries_keep_their_order(p in vec(0.0..=1.0_f64, 1..30)) {
        let q = sequential::benjamini_hochberg(&p).unwrap();
        let e: Vec<f64> = p.iter().map(|p| sequential::e_of_p(*p).unwrap()).collect();
        let eq = sequential::e_benjamini_hochberg(&e).unwrap();
        for i in 0..p.len() {
            prop_assert!(q[i] >= p[i] && q[i] <= 1.0 && eq[i] >= 0.0 && eq[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || (q[i] <= q[j] && eq[i] <= eq[j]));
            }
        }
    }

    #[test]
    fn projections_stay_in_bounds(v in vec(0.0..1e6_f64, 2..19), low in 0.0..0.05_f64) {
        let bounds = vec![Interval::new(low, 0.6).unwrap(); v.len()];
        let w = simplex::project(&v, &bounds).unwrap();
        prop_assert!((w.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
        prop_assert!(w.iter().all(|w| bounds[0].contains(*w)));
        // Order is kept, and a point of the set stays where it is.
        for i in 1..v.len() {
            prop_assert!(v[i] < v[i - 1] || w[i] >= w[i - 1] - 1e-12);
        }
        let again = simplex::project(&w, &bounds).unwrap();
        prop_assert!(w.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn no_input_panics_and_no_answer_is_nan(a in any_values(), b in any_values(), x in wild(), y in wild(), z in wild()) {
        let numbers = [
            robust::percentile(&a, x), robust::winsorised_mean(&a, x, y), robust::trimmed_mean(&a, x),
            robust::winsorised_mean_ordered(&a, x), robust::winsorised_mean(&a, 0.05, 0.95),
            rates::sample_size(x, y, 0.05, 0.8), rates::sample_size(0.5, x, y, z), sequential::ln_lambda(x, y, z),
            sequential::half_width(x, y, z, 0.05), sequential::e_of_p(x), sequential::e_mean(&a),
            sequential::rho_for(x, y), means::cohens_h(x, y), means::sample_size(x, y, z),
        ];
        for number in numbers.into_iter().flatten() {
            prop_assert!(!number.is_nan());
        }
        let intervals = [
            rates::wilson(x, y, 0.05), rates::jeffreys(x, y, 0.05), rates::wilson(1.0, 2.0, z),
            robust::trimmed_interval(&a, 0.1, 0.05).map(|t| t.interval), robust::yuen(&a, &b, x, y).map(|t| t.interval),
            robust::tukey_fences(&a, x).map(|f| f.unwrap_or(Interval { low: 0.0, high: 0.0 })),
            means::paired(&a, &b, x).map(|t| t.interval), means::paired(&a, &a, 0.05).map(|t| t.interval),
        ];
        for interval in intervals.into_iter().flatten() {
            prop_assert!(interval.low <= interval.high);
        }
        if let (Ok(a), Ok(b)) = (Moments::of(&a), Moments::of(&b)) {
            if let Ok(test) = means::welch(&a, &b, 0.05) {
                prop_assert!(!test.p.is_nan() && !test.df.is_nan());
            }
            let _either = sequential::ln_lambda_means(&a, &b, x);
        }
        let _any = simplex::project(&a, &[Interval { low: x, high: y }]);
        let limits = Limits { bounds: Interval { low: x, high: y }, change_max: z };
        let _any = simplex::update(&a, &b, x, &limits);
        let _any = shrink::under(Estimate { mean: x, variance: y }, Some(Estimate { mean: z, variance: x }), y);
        let outcomes: Vec<Outcomes> = a.iter().zip(&b).map(|(s, n)| Outcomes { successes: *s, trials: *n }).collect();
        if let Ok(population) = shrink::rate_population(&outcomes) {
            prop_assert!(!population.mean.is_nan() && !population.tau_squared.is_nan());
            let _any = shrink::beta_prior(&population, x);
        }
    }

    #[test]
    fn posteriors_of_any_size_answer(a in 1e-3..1e7_f64, b in 1e-3..1e7_f64, alpha in 1e-6..0.9_f64) {
        let beta = Beta::new(a, b).unwrap();
        let interval = beta.interval(alpha).unwrap();
        prop_assert!(interval.low >= 0.0 && interval.high <= 1.0);
        let outside = 1.0 - beta.above(interval.low).unwrap() + beta.above(interval.high).unwrap();
        prop_assert!(interval.low < 1e-290 || interval.high == 1.0 || (outside - alpha).abs() < 1e-6, "{}", outside);
    }
}

#[test]
fn a_hundred_thousand_updates_keep_sum_and_bounds() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let limits = Limits { bounds: Interval::new(0.05, 0.95).unwrap(), change_max: 0.2 };
    let mut weights = vec![0.4, 0.25, 0.2, 0.15];
    for _ in 0..100_000 {
        let gradient: Vec<f64> = (0..4).map(|_| rng.random_range(-30.0..30.0)).collect();
        let next =
            simplex::update(&weights, &gradient, rng.random_range(0.0..0.3), &limits).unwrap();
        assert!((next.iter().sum::<f64>() - 1.0).abs() <= 1e-12);
        for (new, old) in next.iter().zip(&weights) {
            assert!(*new >= 0.05 && *new <= 0.95 && (new - old).abs() <= 0.2 + 1e-15);
        }
        weights = next;
    }
}
