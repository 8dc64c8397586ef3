//! Rules of the clock and holidays.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{
    Archetype,
    read::{Section, Wrong},
    rules::yes,
};

/// What holds at certain hours.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemporalRule {
    /// Its name, as in `decisions.temporal_context`.
    pub name: String,
    /// Of rules that say something about one field, the highest wins.
    pub priority: i32,
    /// Whether it holds at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// On these days, in the brand's time zone,
    pub days: Vec<Weekday>,
    /// from this hour, 0 to 23,
    pub from: u32,
    /// until this one, 1 to 24, exclusive. Smaller than `from`: into the next day.
    pub to: u32,
    /// How much more often is looked.
    #[serde(default)]
    pub multiplier: Option<f64>,
    /// Added to both thresholds of SSS.
    #[serde(default)]
    pub sss: Option<f64>,
    /// How to speak.
    #[serde(default)]
    pub tone: Option<String>,
    /// Weights of archetypes.
    #[serde(default)]
    pub archetypes: BTreeMap<Archetype, f64>,
}

impl Section for TemporalRule {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        if self.days.is_empty() {
            wrong.at("days", "is empty", "name one day at least");
        }
        if self.from > 23 || !(1..=24).contains(&self.to) || self.from == self.to {
            wrong.at("from", "these are no hours", "write from 0 to 23, and to 1 to 24");
        }
        effects(self.multiplier, self.sss, wrong);
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

fn effects(multiplier: Option<f64>, sss: Option<f64>, wrong: &mut Wrong<'_>) {
    if let Some(multiplier) = multiplier {
        wrong.within("multiplier", multiplier, 0.1, 10.0);
    }
    if let Some(sss) = sss {
        wrong.within("sss", sss, -0.5, 0.5);
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "as they are called")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// A holiday of some countries.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// Where it is one: ISO 3166, two letters.
    pub countries: Vec<String>,
    /// When it is.
    pub on: HolidayRule,
    /// How much more often is looked on the day.
    pub multiplier: f64,
    /// Before it.
    #[serde(default)]
    pub before: Option<Around>,
    /// After it.
    #[serde(default)]
    pub after: Option<Around>,
}

impl Section for Holiday {
    fn check(&self, wrong: &mut Wrong<'_>) {
        wrong.filled("name", &self.name);
        if self.countries.is_empty() {
            wrong.at("countries", "is empty", "name one country at least, as US");
        }
        effects(Some(self.multiplier), None, wrong);
        for around in [self.before, self.after].into_iter().flatten() {
            effects(Some(around.multiplier), Some(around.sss), wrong);
            wrong.within("days", around.days.into(), 1.0, 7.0);
        }
        // A year in which nothing is special, and a leap year.
        if [2027, 2028].iter().any(|year| self.on.day(*year).is_none()) {
            wrong.at("on", "there is no such day every year", "write a day that every year has");
        }
    }

    fn key(&self) -> String {
        format!("{} {}", self.name, self.countries.join(" "))
    }
}

/// What holds on the days beside a holiday.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Around {
    /// So many days, all of them.
    pub days: u32,
    /// How much more often is looked.
    pub multiplier: f64,
    /// Added to both thresholds of SSS.
    #[serde(default)]
    pub sss: f64,
}

/// When a holiday is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum HolidayRule {
    /// A day of a month.
    Fixed {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// The n-th such weekday of a month.
    Nth {
        /// 1 to 5.
        nth: u8,
        /// Which.
        weekday: Weekday,
        /// 1 to 12.
        month: u32,
    },
    /// The last such weekday of a month.
    Last {
        /// Which.
        weekday: Weekday,
        /// 1 to 12.
        month: u32,
    },
    /// Days from Easter Sunday (Gregorian).
    Easter {
        /// Negative: before it.
        offset: i64,
    },
}

impl HolidayRule {
    /// The day in a year; none if that year has none.
    #[must_use]
    pub fn day(self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Fixed { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            Self::Nth { nth, weekday, month } => {
                NaiveDate::from_weekday_of_month_opt(year, month, weekday.into(), nth)
            }
            Self::Last { weekday, month } => [5, 4].into_iter().find_map(|nth| {
                NaiveDate::from_weekday_of_month_opt(year, month, weekday.into(), nth)
            }),
            Self::Easter { offset } => {
                easter(year)?.checked_add_signed(chrono::Duration::try_days(offset)?)
            }
        }
    }
}

/// Easter Sunday of the Gregorian calendar: the anonymous computus (Meeus, Astronomical Algorithms, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let moon =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let week = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * week) / 451;
    let days = moon + week - 7 * late + 114;
    NaiveDate::from_ymd_opt(
        year,
        u32::try_from(days / 31).ok()?,
        u32::try_from(days % 31).ok()? + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::{HolidayRule, NaiveDate, Weekday, easter};

    #[test]
    fn holidays_fall_on_their_days() {
        use HolidayRule::{Easter, Fixed, Last, Nth};
        let thanksgiving = Nth { nth: 4, weekday: Weekday::Thu, month: 11 };
        let memorial = Last { weekday: Weekday::Mon, month: 5 };
        for (rule, year, day) in [
            (thanksgiving, 2023, "2023-11-23"), // five Thursdays: not the last
            (thanksgiving, 2024, "2024-11-28"),
            (thanksgiving, 2028, "2028-11-23"),
            (memorial, 2026, "2026-05-25"),
            (memorial, 2027, "2027-05-31"),
            (Fixed { month: 7, day: 4 }, 2026, "2026-07-04"),
            (Easter { offset: 0 }, 2024, "2024-03-31"),
            (Easter { offset: 0 }, 2025, "2025-04-20"),
            (Easter { offset: 0 }, 2038, "2038-04-25"),
            (Easter { offset: -47 }, 2026, "2026-02-17"),
        ] {
            assert_eq!(rule.day(year), Some(day.parse().unwrap()), "{rule:?} {year}");
        }
        assert_eq!(Fixed { month: 2, day: 30 }.day(2026), None);
        assert_eq!(Nth { nth: 5, weekday: Weekday::Thu, month: 11 }.day(2024), None);
    }

    #[test]
    fn easter_is_a_sunday_in_its_five_weeks() {
        for year in 1600..2600 {
            let day = easter(year).unwrap();
            let from = NaiveDate::from_ymd_opt(year, 3, 22).unwrap();
            let to = NaiveDate::from_ymd_opt(year, 4, 25).unwrap();
            assert!(
                (from..=to).contains(&day)
                    && chrono::Datelike::weekday(&day) == chrono::Weekday::Sun
            );
        }
    }
}
