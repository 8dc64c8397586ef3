use chrono::Duration;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::learning::rows::DAYPARTS;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

/// So many replies a day; `level` is the mean logarithm of a day, `share` that of the replies that come at night, which
/// are shown to few.
fn replies(days: i64, per_day: i64, level: fn(i64) -> f64, share: fn(i64) -> f64) -> Vec<Shown> {
    let mut random = StdRng::seed_from_u64(5);
    let mut all = Vec::new();
    for day in 0..days {
        for nth in 0..per_day {
            let night = random.random_bool(share(day));
            let (daypart, offset) = if night { (DAYPARTS[0], -1.0) } else { (DAYPARTS[3], 0.3) };
            let figure =
                (level(day) + offset + 1.5 * millrace_stats::draw::normal(&mut random)).exp();
            all.push(Shown {
                at: start() + Duration::days(day) + Duration::minutes(nth),
                daypart,
                figure,
            });
        }
    }
    all
}

const fn even(_: i64) -> f64 {
    0.5
}

#[test]
fn a_fall_is_told_once_with_its_size_and_its_beginning() {
    let fall = |day: i64| if day >= 90 { 5.0 - 0.6 } else { 5.0 };
    let watched = watch(&replies(150, 60, fall, even));
    assert_eq!(watched.alarms.len(), 1, "{:?}", watched.alarms);
    let alarm = watched.alarms[0];
    let day = |n: i64| (start() + Duration::days(n)).date_naive();
    assert_eq!(alarm.shift, Shift::Down);
    assert!(alarm.day > day(90) && alarm.day <= day(97), "{alarm:?}");
    assert!((alarm.since - day(90)).num_days().abs() <= 3, "{alarm:?}");
    assert!(alarm.change > -0.6 && alarm.change < -0.3, "{alarm:?}");
    assert_eq!(watched.days.len(), 150, "each day once");
    assert!(watched.days.windows(2).all(|two| two[0].day < two[1].day));
}

#[test]
fn other_times_of_day_are_no_other_platform() {
    let nights = |day: i64| if day >= 60 { 0.8 } else { 0.3 };
    let watched = watch(&replies(120, 60, |_| 5.0, nights));
    assert_eq!(watched.alarms, [], "the mean itself fell by half");
}

#[test]
fn days_that_differ_by_themselves_are_usual_noise() {
    // Every other day a third more: no alarm, for it was so before.
    let uneven = |day: i64| if day % 2 == 0 { 5.3 } else { 5.0 };
    assert_eq!(watch(&replies(200, 100, uneven, even)).alarms, []);
}

#[test]
fn few_replies_are_taken_together_and_no_reply_is_no_day() {
    assert_eq!(watch(&[]), Watched::default());
    let watched = watch(&replies(100, 2, |_| 5.0, even));
    assert_eq!(watched.days.len(), 33, "three days each");
    assert!(watched.days.iter().all(|day| day.n == 6));
    let nothing: Vec<Shown> = replies(60, 10, |_| 5.0, even)
        .into_iter()
        .map(|reply| Shown { figure: 0.0, ..reply })
        .collect();
    assert_eq!(watch(&nothing).alarms, [], "nothing ever happens");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_has_come_since_does_not_change_what_was_seen(cut in 40_usize..90, step in -1.0..1.0_f64) {
        let mut all = replies(90, 20, |_| 5.0, even);
        for reply in all.iter_mut().skip(50 * 20) {
            reply.figure *= step.exp();
        }
        let whole = watch(&all);
        let part = watch(all.get(..cut * 20).unwrap());
        let looked = |days: &[Day]| days.iter().map(|day| (day.day, day.n, day.z, day.up, day.down)).collect::<Vec<_>>();
        prop_assert_eq!(looked(whole.days.get(..cut).unwrap()), looked(&part.days));
        let until = part.days.last().unwrap().day;
        let then: Vec<Alarm> = whole.alarms.into_iter().filter(|alarm| alarm.day <= until).collect();
        prop_assert_eq!(then, part.alarms);
    }

    #[test]
    fn the_order_within_a_day_is_of_no_matter(turn in 1_usize..20) {
        let all = replies(50, 20, |_| 5.0, even);
        let turned: Vec<Shown> = all.chunks(20).flat_map(|day| {
            let mut day = day.to_vec();
            day.rotate_left(turn);
            day
        }).collect();
        let (a, b) = (watch(&all), watch(&turned));
        let near = |(x, y): (&Day, &Day)| (x.up - y.up).abs() < 1e-9 && (x.down - y.down).abs() < 1e-9;
        prop_assert!(a.days.iter().zip(&b.days).all(near));
        prop_assert_eq!(a.alarms.len(), b.alarms.len());
    }
}
