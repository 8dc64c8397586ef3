//! On which day a holiday is.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// A day of the year, by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum On {
    /// The same date each year; 29 February only where there is one.
    Fixed {
        /// 1..=12.
        month: u32,
        /// 1..=31.
        day: u32,
    },
    /// The n-th such weekday of a month.
    Weekday {
        /// 1..=12.
        month: u32,
        /// 0 is Sunday.
        weekday: u8,
        /// 1..=5 from the start; -1..=-5 from the end.
        nth: i8,
    },
    /// Days after Easter Sunday (western); before it if negative.
    Easter {
        /// -400..=400.
        days: i16,
    },
}

/// A holiday of a country. One day may be several, each of its country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// ISO 3166 alpha-2, or empty where it is nobody's alone.
    #[serde(default)]
    pub country: String,
    /// When.
    #[serde(flatten)]
    pub on: On,
}

impl Holiday {
    /// Its date in a year; none where the rule has none there.
    #[must_use]
    pub fn date(&self, year: i32) -> Option<NaiveDate> {
        match self.on {
            On::Fixed { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            On::Weekday { month, weekday, nth } => nth_weekday(year, month, weekday, nth),
            On::Easter { days } => {
                easter(year)?.checked_add_signed(chrono::TimeDelta::days(days.into()))
            }
        }
    }
}

/// 0 is Sunday.
const fn weekday(n: u8) -> Option<Weekday> {
    Some(match n {
        0 => Weekday::Sun,
        1 => Weekday::Mon,
        2 => Weekday::Tue,
        3 => Weekday::Wed,
        4 => Weekday::Thu,
        5 => Weekday::Fri,
        6 => Weekday::Sat,
        _ => return None,
    })
}

fn nth_weekday(year: i32, month: u32, day: u8, nth: i8) -> Option<NaiveDate> {
    let day = weekday(day)?;
    if nth > 0 {
        return NaiveDate::from_weekday_of_month_opt(year, month, day, nth.unsigned_abs());
    }
    let all = (1..=5).filter_map(|n| NaiveDate::from_weekday_of_month_opt(year, month, day, n));
    let all: Vec<NaiveDate> = all.collect();
    let back = usize::from(nth.unsigned_abs());
    all.len().checked_sub(back).filter(|_| back > 0).and_then(|at| all.get(at).copied())
}

/// Easter Sunday of the Gregorian calendar, from 1583: the anonymous computus of Nature, 20 April 1876, as in
/// J. Meeus, Astronomical Algorithms (1991), chapter 8.
#[must_use]
pub fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    let (month, day) = (u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?);
    NaiveDate::from_ymd_opt(year, month, day)
}

/// Holidays in `window` days around a date, with the days until each (negative: since), in the given order.
pub(super) fn around(
    holidays: &[Holiday],
    date: NaiveDate,
    window: i64,
) -> impl Iterator<Item = (&Holiday, i64)> {
    let reach = chrono::TimeDelta::days(window);
    let first = date.checked_sub_signed(reach).map_or(date.year(), |d| d.year());
    let last = date.checked_add_signed(reach).map_or(date.year(), |d| d.year());
    holidays.iter().flat_map(move |holiday| {
        (first..=last)
            .filter_map(move |year| Some((holiday, (holiday.date(year)? - date).num_days())))
            .filter(move |(_, days)| days.abs() <= window)
    })
}

/// Holidays of the United States and the United Kingdom that change what people write about.
#[must_use]
pub fn common() -> Vec<Holiday> {
    let holiday =
        |name: &str, country: &str, on| Holiday { name: name.into(), country: country.into(), on };
    let fixed = |month, day| On::Fixed { month, day };
    let nth = |month, weekday, nth| On::Weekday { month, weekday, nth };
    vec![
        holiday("New Year's Day", "US", fixed(1, 1)),
        holiday("New Year's Day", "GB", fixed(1, 1)),
        holiday("Super Bowl Sunday", "US", nth(2, 0, 2)),
        holiday("St Patrick's Day", "", fixed(3, 17)),
        holiday("Easter Sunday", "", On::Easter { days: 0 }),
        holiday("Cinco de Mayo", "US", fixed(5, 5)),
        holiday("Spring Bank Holiday", "GB", nth(5, 1, -1)),
        holiday("Memorial Day", "US", nth(5, 1, -1)),
        holiday("Independence Day", "US", fixed(7, 4)),
        holiday("Summer Bank Holiday", "GB", nth(8, 1, -1)),
        holiday("Labor Day", "US", nth(9, 1, 1)),
        holiday("Halloween", "", fixed(10, 31)),
        holiday("Thanksgiving", "US", nth(11, 4, 4)),
        holiday("Christmas Day", "", fixed(12, 25)),
        holiday("Boxing Day", "GB", fixed(12, 26)),
        holiday("New Year's Eve", "", fixed(12, 31)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        for (year, month, of) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (1961, 4, 2),
            (2000, 4, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2285, 3, 22),
        ] {
            assert_eq!(easter(year), Some(day(year, month, of)));
        }
        for year in 1583..4100 {
            let sunday = easter(year).unwrap();
            assert_eq!(sunday.weekday(), Weekday::Sun);
            assert!((day(year, 3, 22)..=day(year, 4, 25)).contains(&sunday));
        }
    }

    #[test]
    fn thanksgiving_is_the_fourth_thursday_even_of_five() {
        let date = |year| common().iter().find(|h| h.name == "Thanksgiving").unwrap().date(year);
        assert_eq!(date(2023), Some(day(2023, 11, 23)), "the fifth is the 30th");
        assert_eq!(date(2026), Some(day(2026, 11, 26)));
        assert_eq!(date(2028), Some(day(2028, 11, 23)));
    }

    #[test]
    fn weekdays_count_from_both_ends() {
        assert_eq!(nth_weekday(2026, 5, 1, -1), Some(day(2026, 5, 25)));
        assert_eq!(nth_weekday(2026, 5, 0, 5), Some(day(2026, 5, 31)));
        assert_eq!(nth_weekday(2026, 5, 1, 5), None);
        for (weekday, nth) in [(7, 1), (1, 0), (1, -6), (1, i8::MIN)] {
            assert_eq!(nth_weekday(2026, 5, weekday, nth), None);
        }
        let leap = Holiday {
            name: "Leap".into(),
            country: String::new(),
            on: On::Fixed { month: 2, day: 29 },
        };
        assert_eq!((leap.date(2026), leap.date(2028)), (None, Some(day(2028, 2, 29))));
    }

    #[test]
    fn a_day_keeps_all_its_holidays_and_the_year_has_no_edge() {
        let near: Vec<(String, String, i64)> = around(&common(), day(2026, 12, 31), 1)
            .map(|(h, days)| (h.name.clone(), h.country.clone(), days))
            .collect();
        let of = |name: &str, country: &str, days| (name.to_owned(), country.to_owned(), days);
        let expected = [
            of("New Year's Day", "US", 1),
            of("New Year's Day", "GB", 1),
            of("New Year's Eve", "", 0),
        ];
        assert_eq!(near, expected);
    }
}
