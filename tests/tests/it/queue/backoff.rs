use millrace_jobs::queue::retry::delay;
use proptest::prelude::*;

use super::Duration;

const BASE: Duration = Duration::from_secs(5);
const CAP: Duration = Duration::from_hours(12);

proptest! {
    #[test]
    fn a_delay_lies_between_half_and_all_of_the_doubled_base(failures in 1_u32..100, random in 0.0..=1.0_f64) {
        let full = (5.0 * 2_f64.powi(i32::try_from(failures).unwrap() - 1)).min(CAP.as_secs_f64());
        let got = delay(failures, BASE, CAP, random).as_secs_f64();
        prop_assert!(got >= full / 2.0 - 1e-6 && got <= full + 1e-6, "{got} of {full}");
    }

    #[test]
    fn more_failures_never_wait_less(failures in 1_u32..60, random in 0.0..=1.0_f64) {
        prop_assert!(delay(failures + 1, BASE, CAP, random) >= delay(failures, BASE, CAP, random));
    }

    #[test]
    fn nonsense_is_clamped(failures: u32, random in -10.0..10.0_f64) {
        let got = delay(failures, BASE, CAP, random);
        prop_assert!(got >= BASE / 2 && got <= CAP);
    }
}

#[test]
fn twenty_five_attempts_take_three_days_at_least() {
    let total: Duration = (1..25).map(|n| delay(n, BASE, CAP, 0.0)).sum();
    assert!(total >= Duration::from_hours(71), "{total:?}");
}
