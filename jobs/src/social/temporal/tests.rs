use std::sync::LazyLock;

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

const NEW_YORK: Tz = chrono_tz::America::New_York;

fn rule(name: &str, priority: i32, when: Condition, multiplier: f64) -> Rule {
    let strategy = Strategy { multiplier: Some(multiplier), ..Strategy::default() };
    Rule { name: name.into(), priority, enabled: true, when, strategy }
}

fn hours(days: &[u8], hour_start: u8, hour_end: u8) -> Condition {
    Condition::TimeRange { days: days.to_vec(), hour_start, hour_end }
}

/// Read once: a profile takes tens of milliseconds to compile.
static SHIPPED: LazyLock<Calendar> =
    LazyLock::new(|| Calendar::of(&Profile::parse(Profile::shipped("vita").unwrap()).unwrap()));

/// The holidays of the shipped profile, and these rules only.
fn calendar(rules: Vec<Rule>) -> Calendar {
    Calendar { zone: NEW_YORK, rules, ..SHIPPED.clone() }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Local times from `start`, each `step` minutes of real time, at which the rule holds.
fn held(when: Condition, start: &str, steps: i32, step: i64) -> Vec<String> {
    let calendar = calendar(vec![rule("r", 1, when, 2.0)]);
    let moments = (0..steps).map(|n| utc(start) + TimeDelta::minutes(step * i64::from(n)));
    let found = moments.map(|m| calendar.at(m)).filter(|t| !t.applied.is_empty());
    found.map(|t| t.local.format("%a %H:%M").to_string()).collect()
}

#[test]
fn ranges_are_half_open_and_a_wrapped_night_is_of_the_day_it_starts() {
    // 2026-06-05 is a Friday; New York is at UTC-4.
    let all_week = |when| held(when, "2026-06-05T04:00:00Z", 7 * 24, 60);
    assert_eq!(all_week(hours(&[5], 6, 8)), ["Fri 06:00", "Fri 07:00"]);
    let night = ["Fri 22:00", "Fri 23:00", "Sat 00:00", "Sat 01:00"];
    assert_eq!(all_week(hours(&[5], 22, 2)), night, "and not Friday 00-02");
    assert_eq!(all_week(hours(&[5], 22, 24)), night[..2]);
    assert_eq!(all_week(hours(&[6], 22, 0)), ["Sat 22:00", "Sat 23:00"]);
    assert_eq!(all_week(hours(&[6], 23, 1)), ["Sat 23:00", "Sun 00:00"], "the week wraps too");
    assert_eq!(all_week(hours(&[], 0, 24)).len(), 168);
    assert!(all_week(hours(&[], 7, 7)).is_empty());
}

#[test]
fn an_hour_that_is_twice_counts_twice_and_a_missing_one_never() {
    let spring = held(hours(&[], 1, 4), "2026-03-08T05:30:00Z", 6, 30);
    assert_eq!(spring, ["Sun 01:00", "Sun 01:30", "Sun 03:00", "Sun 03:30"]);
    assert!(held(hours(&[], 2, 3), "2026-03-08T04:00:00Z", 48, 30).is_empty());
    let autumn = held(hours(&[], 1, 2), "2026-11-01T04:00:00Z", 8, 30);
    assert_eq!(autumn, ["Sun 01:00", "Sun 01:30", "Sun 01:00", "Sun 01:30"]);
    let night = held(hours(&[6], 22, 2), "2026-10-31T20:00:00Z", 24 * 60, 1);
    assert_eq!(night.len(), 5 * 60, "a night of five hours");
}

#[test]
fn days_before_and_after_are_one_to_n() {
    let on = |when| held(when, "2026-11-22T17:00:00Z", 8, 24 * 60);
    let name = || Some("Thanksgiving".to_owned());
    assert_eq!(on(Condition::Holiday { name: name(), country: None }), ["Thu 12:00"]);
    let before = Condition::PreHoliday { days: 2, name: name(), country: None };
    assert_eq!(on(before), ["Tue 12:00", "Wed 12:00"]);
    let after = Condition::PostHoliday { days: 1, name: name(), country: Some("US".into()) };
    assert_eq!(on(after), ["Fri 12:00"]);
    assert!(on(Condition::Holiday { name: name(), country: Some("GB".into()) }).is_empty());
}

#[test]
fn the_same_holiday_of_two_countries_is_two() {
    let new_year = "2027-01-01T17:00:00Z";
    for country in ["US", "GB"] {
        let when = Condition::Holiday { name: None, country: Some(country.into()) };
        assert_eq!(held(when, new_year, 1, 1).len(), 1, "{country}");
    }
    let local = calendar(vec![]).at(utc("2027-01-01T04:59:59Z"));
    let names: Vec<&str> = local.holidays.iter().map(|h| h.name.as_str()).collect();
    assert!(names.iter().all(|name| *name == "New Year's Eve"), "the day is the local one");
    assert!(!names.is_empty());
}

#[test]
fn the_higher_priority_wins_a_field_and_the_largest_multiplier_wins() {
    let mut low = rule("low", 10, hours(&[], 0, 24), 3.0);
    low.strategy.tone = Some("calm".into());
    low.strategy.sss_adjust = Some(-0.1);
    let mut high = rule("high", 80, hours(&[], 0, 24), 2.0);
    high.strategy.sss_adjust = Some(-0.15);
    let mut off = rule("off", 99, hours(&[], 0, 24), 9.0);
    off.enabled = false;
    let mut rules = vec![low, high, off];
    for _ in 0..3 {
        rules.rotate_left(1);
        let found = calendar(rules.clone()).at(utc("2026-06-05T12:00:00Z"));
        let applied: Vec<&str> = found.applied.iter().map(|a| a.rule.as_str()).collect();
        assert_eq!(applied, ["high", "low"]);
        assert_eq!(found.strategy.multiplier, Some(3.0));
        assert_eq!(found.strategy.sss_adjust, Some(-0.15));
        assert_eq!(found.strategy.tone.as_deref(), Some("calm"));
    }
}

#[test]
fn the_shipped_profile_becomes_a_calendar() {
    let calendar = &*SHIPPED;
    assert_eq!(calendar.zone, NEW_YORK);
    let applied = |moment| -> Vec<String> {
        calendar.at(utc(moment)).applied.into_iter().map(|a| a.rule).collect()
    };
    let sunday = calendar.at(utc("2026-06-07T10:00:00Z"));
    assert_eq!(sunday.applied[0], Applied { rule: "sunday_peak".into(), priority: 80 });
    assert_eq!(sunday.strategy.multiplier, Some(3.0));
    let thursday = calendar.at(utc("2026-06-04T22:00:00Z")).strategy;
    assert_eq!(thursday.sss_adjust, Some(-0.15));
    assert_eq!(thursday.archetypes.unwrap()[&Archetype::Coach], 0.7);
    let new_year = applied("2027-01-01T17:00:00Z");
    assert_eq!(new_year[0], "on New Year's Day (US)", "and not that of GB");
    assert!(!new_year.iter().any(|rule| rule.contains("(GB)")));
    let years_eve = applied("2026-12-31T17:00:00Z");
    assert!(years_eve.iter().any(|rule| rule.starts_with("on New Year's Eve")), "{years_eve:?}");
}

#[test]
fn features_are_on_the_circle_and_one_hot() {
    let found = calendar(vec![]).at(utc("2026-07-04T22:30:00Z"));
    let of: BTreeMap<&str, f64> = found.features().into_iter().collect();
    assert!((of["hour_sin"].hypot(of["hour_cos"]) - 1.0).abs() < 1e-12);
    assert_eq!((of["evening"], of["night"], of["holiday"], of["weekend"]), (1.0, 0.0, 1.0, 1.0));
    for (hour, part) in [(0, "NIGHT"), (5, "NIGHT"), (6, "MORNING"), (11, "MORNING")] {
        assert_eq!(Daypart::of(hour).as_str(), part);
    }
    for (hour, part) in [(12, "AFTERNOON"), (17, "AFTERNOON"), (18, "EVENING"), (23, "EVENING")] {
        assert_eq!(Daypart::of(hour).as_str(), part);
    }
}

/// Prints how fast it is, with as many rules as the shipped profile has, and its holidays.
#[test]
fn ten_thousand_evaluations() {
    let any = |n: u8| match n % 3 {
        0 => hours(&[n % 7], n % 24, (n + 5) % 24),
        1 => Condition::PreHoliday { days: 2, name: None, country: None },
        _ => Condition::Holiday { name: None, country: Some("US".into()) },
    };
    let rules = (0..34).map(|n| rule(&format!("rule {n}"), n.into(), any(n), 2.0)).collect();
    let calendar = calendar(rules);
    let start = std::time::Instant::now();
    let moment = |n: i64| utc("2026-01-01T00:00:00Z") + TimeDelta::minutes(53 * n);
    let applied: usize = (0..10_000).map(|n| calendar.at(moment(n)).applied.len()).sum();
    println!("10,000 evaluations of 34 rules: {:?}, {applied} applied", start.elapsed());
    assert!(applied > 10_000);
}

proptest! {
    #[test]
    fn any_rule_at_any_time_is_in_range(
        seconds in -60_000_000_000_i64..200_000_000_000, start: u8, end: u8, days: u32,
        multiplier: f64, adjust: f64,
    ) {
        let near = Condition::PreHoliday { days, name: None, country: None };
        let mut rules = vec![rule("a", 1, hours(&[end], start, end), multiplier), rule("b", 2, near, multiplier)];
        rules[1].strategy.sss_adjust = Some(adjust);
        let found = calendar(rules).at(DateTime::from_timestamp(seconds, 0).unwrap());
        prop_assert!((0.1..=10.0).contains(&found.strategy.multiplier()));
        prop_assert!((-0.3..=0.3).contains(&found.strategy.sss_adjust()));
        let json = serde_json::to_string(&found).unwrap();
        prop_assert_eq!(serde_json::from_str::<Temporal>(&json).unwrap(), found);
    }

    #[test]
    fn the_local_date_decides(day in 0_i64..3_000) {
        let date = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + TimeDelta::days(day);
        let noon = date.and_hms_opt(17, 0, 0).unwrap().and_utc();
        let found = calendar(vec![]).at(noon);
        prop_assert_eq!(found.local.date(), date);
        prop_assert!(found.holidays.iter().all(|h| h.days == 0));
    }
}
