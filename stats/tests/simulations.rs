//! Error rates, power and coverage in simulated worlds of known truth. Seeds are fixed, bounds generous.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; figures for who asks"
)]

use millrace_stats::{
    draw,
    drift::{self, ChangePoints, Cusum, PageHinkley, Shift},
    guard::{self, Event},
    hurdle::Hurdle,
    means::{self, Moments},
    policy::{self, Assignment, Decision, Verdict},
    rates::{self, Beta},
    robust,
    sequential::{self, AlwaysValid, Arm},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn hit(rng: &mut StdRng, p: f64) -> f64 {
    if rng.random::<f64>() < p { 1.0 } else { 0.0 }
}

/// Share of `runs` in which something holds.
fn share(name: &str, runs: u64, mut holds: impl FnMut(u64) -> bool) -> f64 {
    let counted = (0..runs).map(|run| if holds(run) { 1.0 } else { 0.0 });
    let (sum, n) = counted.fold((0.0, 0.0), |(sum, n), one| (sum + one, n + 1.0));
    println!("{name}: {:.4} of {runs}", sum / n);
    sum / n
}

/// Observations until mSPRT stops, and whether the first arm led; a look after every pair.
fn sequential_test(p: [f64; 2], tau: f64, seed: u64) -> Option<(u32, bool)> {
    let mut rng = rng(seed);
    let mut arms = [Arm { successes: 0.0, trials: 0.0 }; 2];
    let mut state = AlwaysValid::default();
    for pair in 1..=5_000 {
        for (arm, p) in arms.iter_mut().zip(p) {
            arm.successes += hit(&mut rng, p);
            arm.trials += 1.0;
        }
        let [a, b] = &arms;
        state = state.look(sequential::ln_lambda_rates(a, b, tau).unwrap());
        if state.p() <= 0.05 {
            return Some((2 * pair, a.successes > b.successes));
        }
    }
    None
}

#[test]
fn msprt_may_be_looked_at_always() {
    for (tau, seed) in [(0.01, 1_000), (0.04, 2_000)] {
        let false_wins = share("msprt, A/A false wins", 600, |run| {
            sequential_test([0.03, 0.03], tau, seed + run).is_some()
        });
        assert!(false_wins <= 0.05, "tau {tau}: {false_wins}");
    }
    let mut samples = Vec::new();
    let power = share("msprt, 5 v 3 found", 400, |run| {
        let won = sequential_test([0.05, 0.03], 0.02, 3_000 + run).filter(|(_, first)| *first);
        samples.extend(won.map(|(n, _)| f64::from(n)));
        won.is_some()
    });
    println!("median observations {}", robust::median(&samples).unwrap());
    assert!(power >= 0.9, "{power}");
    assert!(robust::median(&samples).unwrap() < 5_000.0);
}

#[test]
fn msprt_of_means_may_be_looked_at_always() {
    let false_wins = share("msprt of skewed means, A/A false wins", 300, |run| {
        let mut rng = rng(4_000 + run);
        let mut arms = [Moments::default(); 2];
        (1..=3_000).any(|n| {
            arms = arms.map(|arm| arm.with(draw::normal(&mut rng).exp()).unwrap());
            let [a, b] = &arms;
            n >= 50 && sequential::ln_lambda_means(a, b, 0.2).unwrap() >= 20_f64.ln()
        })
    });
    assert!(false_wins <= 0.05, "{false_wins}");
}

/// Whether the confidence sequence of the AIPW scores left 0 out, under Thompson allocation with a floor.
fn adaptive(p: [f64; 2], floor: f64, seed: u64) -> Option<bool> {
    let mut rng = rng(seed);
    let [mut control, mut treatment] = [Beta::JEFFREYS; 2];
    let (mut scores, mut propensity) = (Moments::default(), 0.5);
    let [control_rate, treatment_rate] = p;
    let rho = sequential::rho_for(5_000.0, 0.05).unwrap();
    for n in 1..=10_000 {
        let treated = rng.random::<f64>() < propensity;
        let (m1, m0) = (treatment.mean(), control.mean());
        let reward = hit(&mut rng, if treated { treatment_rate } else { control_rate });
        let scored = Assignment { treated, propensity, reward, m1, m0 };
        scores = scores.with(scored.score().unwrap()).unwrap();
        let arm = if treated { &mut treatment } else { &mut control };
        *arm = arm.updated(reward, 1.0 - reward).unwrap();
        if n % 100 == 0 {
            // Normal approximation of P(treatment is better): the allocation may be anything.
            let spread = (treatment.variance() + control.variance()).sqrt();
            let better = millrace_stats::dist::normal_cdf((m1 - m0) / spread);
            propensity = floor + (1.0 - 2.0 * floor) * better;
        }
        if treatment.a >= 20.5 && control.a >= 20.5 {
            let within = sequential::confidence_sequence(&scores, rho, 0.05).unwrap();
            if !within.contains(0.0) {
                return Some(within.low > 0.0);
            }
        }
    }
    None
}

#[test]
fn aipw_holds_under_adaptive_allocation() {
    let false_wins = share("AIPW sequence, A/A false wins", 400, |run| {
        adaptive([0.03, 0.03], 0.2, 5_000 + run).is_some()
    });
    assert!(false_wins <= 0.05, "{false_wins}");
    let power = share("AIPW sequence, 5 v 3 found", 200, |run| {
        adaptive([0.03, 0.05], 0.2, 6_000 + run) == Some(true)
    });
    assert!(power >= 0.8, "{power}");
}

#[test]
fn guardrails_may_be_looked_at_always() {
    // Events of 1 % in A and in B, half of the units in each; harm is three times as many.
    let harmed = |ratio: f64, seed: u64| {
        let (mut rng, mut events) = (rng(seed), Vec::new());
        (0..6_000).any(|_| {
            let (propensity, treated) = (0.5, rng.random::<f64>() < 0.5);
            if hit(&mut rng, if treated { 0.01 * ratio } else { 0.01 }) > 0.0 {
                events.push(Event { treated, propensity });
                return guard::ln_e_more(&events, 1.0).unwrap() >= 20_f64.ln();
            }
            false
        })
    };
    let imagined = share("guardrail, imagined", 600, |run| harmed(1.0, 14_000 + run));
    let found = share("guardrail, three times as many found", 300, |run| harmed(3.0, 15_000 + run));
    assert!(imagined <= 0.05 && found >= 0.95, "{imagined} {found}");
    let sunk = |rate: f64, seed: u64| {
        let (mut rng, mut good) = (rng(seed), 0.0);
        (1..=400).any(|n| {
            good += hit(&mut rng, rate);
            guard::ln_e_below(good, f64::from(n) - good, 0.65).unwrap() >= 20_f64.ln()
        })
    };
    let imagined = share("praise below 65 %, imagined", 600, |run| sunk(0.65, 16_000 + run));
    let found = share("praise of 50 % found", 300, |run| sunk(0.5, 17_000 + run));
    assert!(imagined <= 0.05 && found >= 0.95, "{imagined} {found}");
    let events = |b: u32, a: u32| -> Vec<Event> {
        let event = |treated| Event { treated, propensity: 0.5 };
        (0..b).map(|_| event(true)).chain((0..a).map(|_| event(false))).collect()
    };
    assert_eq!(guard::ratio_low(&events(0, 9), 0.05).unwrap(), 0.0);
    let low = guard::ratio_low(&events(60, 20), 0.05).unwrap();
    assert!((1.2..3.0).contains(&low), "{low}");
    assert!(guard::ratio_low(&[Event { treated: true, propensity: 1.0 }], 0.05).is_err());
}

#[test]
fn intervals_cover() {
    let near = |name: &str, low: f64, high: f64, holds: &mut dyn FnMut(&mut StdRng) -> bool| {
        let covered = share(name, 2_000, |run| holds(&mut rng(7_000 + run)));
        assert!(covered >= low && covered <= high, "{name}: {covered}");
    };
    let normals =
        |rng: &mut StdRng, n: usize| -> Vec<f64> { (0..n).map(|_| draw::normal(rng)).collect() };
    near("t interval, n 12", 0.935, 0.965, &mut |rng| {
        means::t_interval(&Moments::of(&normals(rng, 12)).unwrap(), 0.05).unwrap().contains(0.0)
    });
    near("Tukey-McLaughlin, n 40", 0.93, 0.97, &mut |rng| {
        robust::trimmed_interval(&normals(rng, 40), 0.2, 0.05).unwrap().interval.contains(0.0)
    });
    for p in [0.02, 0.3] {
        near("Wilson, n 300", 0.925, 0.98, &mut |rng| {
            let hits: f64 = (0..300).map(|_| hit(rng, p)).sum();
            rates::wilson(hits, 300.0, 0.05).unwrap().contains(p)
        });
        near("Jeffreys, n 300", 0.92, 0.98, &mut |rng| {
            let hits: f64 = (0..300).map(|_| hit(rng, p)).sum();
            rates::jeffreys(hits, 300.0, 0.05).unwrap().contains(p)
        });
    }
    // Where the contract measured 17 % for the Winsorised mean: 3 % of 2 000 pay, log-normal of deviation 1.
    near("hurdle, n 2 000", 0.91, 0.97, &mut |rng| {
        let pay = |rng: &mut StdRng| hit(rng, 0.03) * draw::normal(rng).exp();
        let values: Vec<f64> = (0..2_000).map(|_| pay(rng)).collect();
        let truth = 0.03 * 0.5_f64.exp();
        Hurdle::of(&values).unwrap().mean(0.05).unwrap().interval.contains(truth)
    });
}

/// Three actions of rates 2, 3 and 6 %, logged at 60, 30 and 10 %, judged for always taking the third.
fn logged(rng: &mut StdRng, n: u32) -> Vec<Decision> {
    let actions = [(0.6, 0.02, 0.0), (0.9, 0.03, 0.0), (1.0, 0.06, 1.0)];
    (0..n)
        .map(|_| {
            let drawn = rng.random::<f64>();
            let mut below = 0.0;
            let (end, rate, target) = actions
                .into_iter()
                .find(|(end, ..)| {
                    let found = drawn < *end;
                    below = if found { below } else { *end };
                    found
                })
                .unwrap();
            let propensity = end - below;
            let reward = hit(rng, rate);
            // A model that is wrong by half.
            Decision { reward, propensity, target, predicted: rate / 2.0, predicted_target: 0.03 }
        })
        .collect()
}

#[test]
fn off_policy_values_cover_where_the_gate_lets_them() {
    let covered = share("doubly robust, 20 000 decisions", 200, |run| {
        let value = policy::doubly_robust(&logged(&mut rng(8_000 + run), 20_000), 20.0).unwrap();
        let Verdict::Sound(interval) = value.gate(1_000.0, 0.05).unwrap() else {
            return false;
        };
        interval.contains(0.06)
    });
    assert!((0.9..=0.99).contains(&covered), "{covered}");
    let few = logged(&mut rng(9_000), 2_000);
    for value in
        [policy::ips(&few, 20.0), policy::snips(&few, 20.0), policy::doubly_robust(&few, 20.0)]
    {
        let value = value.unwrap();
        assert!((value.estimate - 0.06).abs() < 4.0 * value.standard_error);
        assert!((value.ess - 200.0).abs() < 60.0);
        assert!(matches!(value.gate(1_000.0, 0.05).unwrap(), Verdict::Refused { .. }));
    }
}

#[test]
fn false_discoveries_stay_rare() {
    // 21 null segments and 5 real ones: the mean share of false ones among the found.
    let (mut false_share, mut found) = (0.0, 0.0);
    for run in 0..300 {
        let mut rng = rng(10_000 + run);
        let z = |shift: f64, rng: &mut StdRng| draw::normal(rng) + shift;
        let p: Vec<f64> = (0..26)
            .map(|i| z(if i < 21 { 0.0 } else { 4.0 }, &mut rng))
            .map(|z| millrace_stats::dist::ln_student_two_sided(z, f64::INFINITY).exp())
            .collect();
        let q = sequential::benjamini_hochberg(&p).unwrap();
        let hits = |range: &mut dyn Iterator<Item = &f64>| -> f64 {
            range.map(|q| if *q <= 0.1 { 1.0 } else { 0.0 }).sum()
        };
        let (wrong, right) = (hits(&mut q.iter().take(21)), hits(&mut q.iter().skip(21)));
        false_share += wrong / (wrong + right).max(1.0) / 300.0;
        found += right / 1_500.0;
    }
    println!("BH: false discovery rate {false_share:.3}, power {found:.3}");
    assert!(false_share <= 0.1 && found >= 0.9, "{false_share} {found}");
}

#[test]
fn drift_is_found_and_seldom_imagined() {
    // Daily means of logarithms; one false alarm a year. 143 answers a day of deviation 1.5 on the log scale.
    let threshold = drift::threshold(365, 0.5, 400, &mut rng(1)).unwrap();
    assert_eq!(threshold, drift::threshold(365, 0.5, 400, &mut rng(1)).unwrap());
    let sigma = 1.5 / 143_f64.sqrt();
    let mut alarms = 0.0;
    for run in 0..400 {
        let mut rng = rng(11_000 + run);
        let mut detector = PageHinkley::new(sigma, 0.5, threshold).unwrap();
        for _ in 0..365 {
            if detector.push(3.0 + sigma * draw::normal(&mut rng)).unwrap().is_some() {
                alarms += 1.0 / 400.0;
                detector = PageHinkley::new(sigma, 0.5, threshold).unwrap();
            }
        }
    }
    println!("Page-Hinkley: threshold {threshold:.3}, {alarms:.3} false alarms a year");
    assert!((0.6..=1.25).contains(&alarms), "{alarms}");
    let found = share("Page-Hinkley, -20 % within 14 days", 400, |run| {
        let mut rng = rng(12_000 + run);
        let mut detector = PageHinkley::new(sigma, 0.5, threshold).unwrap();
        let mut days = (0..74).map(|day| {
            let level = if day < 60 { 20.0_f64 } else { 16.0 };
            (day, detector.push_log(level * (sigma * draw::normal(&mut rng)).exp()).unwrap())
        });
        days.find(|(_, alarm)| alarm.is_some())
            .is_some_and(|(day, alarm)| day >= 60 && alarm == Some(Shift::Down))
    });
    // Some runs are spent by a false alarm in the 60 days before.
    assert!(found >= 0.75, "{found}");
}

#[test]
fn change_points_are_found() {
    let mut changes = ChangePoints::new(200.0, 0.0, 1.0, 60).unwrap();
    let mut rng = rng(13_000);
    for _ in 0..120 {
        changes.push(0.2 * draw::normal(&mut rng)).unwrap();
    }
    assert!(changes.changed_within(30) < 0.2 && changes.runs().len() == 60);
    for _ in 0..8 {
        changes.push(1.0 + 0.2 * draw::normal(&mut rng)).unwrap();
    }
    assert!(changes.changed_within(12) > 0.95);
    let sum: f64 = changes.runs().iter().map(|run| run.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9);
}

#[test]
fn cumulative_sums_wait_as_long_as_they_should() {
    let mut random = rng(21);
    for (slack, arl) in [(0.2, 365.0), (0.5, 365.0), (0.9, 1_095.0)] {
        let threshold = drift::cusum_threshold(arl, slack).unwrap();
        let (mut days, mut alarms) = (0.0, 0.0);
        while alarms < 1_500.0 {
            let mut cusum = Cusum::new(slack, threshold).unwrap();
            loop {
                days += 1.0;
                if cusum.push(draw::normal(&mut random)).unwrap().is_some() {
                    alarms += 1.0;
                    break;
                }
            }
        }
        let wait: f64 = days / alarms;
        assert!((wait / arl - 1.0).abs() < 0.08, "slack {slack}: {wait} for {arl}");
    }
    let mut cusum = Cusum::new(0.5, 4.0).unwrap();
    let found =
        (0..10).map(|_| cusum.push(-1.6).unwrap()).position(|shift| shift == Some(Shift::Down));
    assert_eq!((found, cusum.down_for), (Some(3), 4));
}
