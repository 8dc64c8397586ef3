//! Which holidays are near.

use chrono::{Datelike, NaiveDate, TimeDelta};

use crate::social::profile::HolidayRule;

/// A holiday of a country. One day may be several, each of its country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// When.
    pub on: HolidayRule,
}

/// Holidays in `window` days around a date, with the days until each (negative: since), in the given order.
pub(super) fn around(
    holidays: &[Holiday],
    date: NaiveDate,
    window: i64,
) -> impl Iterator<Item = (&Holiday, i64)> {
    let reach = TimeDelta::days(window);
    let first = date.checked_sub_signed(reach).map_or(date.year(), |d| d.year());
    let last = date.checked_add_signed(reach).map_or(date.year(), |d| d.year());
    holidays.iter().flat_map(move |holiday| {
        (first..=last)
            .filter_map(move |year| Some((holiday, (holiday.on.day(year)? - date).num_days())))
            .filter(move |(_, days)| days.abs() <= window)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_keeps_all_its_holidays_and_the_year_has_no_edge() {
        let holiday = |name: &str, country: &str, month, day| Holiday {
            name: name.into(),
            country: country.into(),
            on: HolidayRule::Fixed { month, day },
        };
        let holidays = [
            holiday("New Year", "US", 1, 1),
            holiday("New Year", "GB", 1, 1),
            holiday("New Year's Eve", "US", 12, 31),
            holiday("Leap", "US", 2, 29),
        ];
        let near = |year, month, day| -> Vec<(&str, &str, i64)> {
            let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let found = around(&holidays, date, 1);
            found.map(|(h, days)| (h.name.as_str(), h.country.as_str(), days)).collect()
        };
        let years_end = [("New Year", "US", 1), ("New Year", "GB", 1), ("New Year's Eve", "US", 0)];
        assert_eq!(near(2026, 12, 31), years_end);
        assert_eq!(near(2028, 3, 1), [("Leap", "US", -1)]);
        assert_eq!(near(2026, 3, 1), []);
    }
}
