//! What the time is good for: rules over local hours, weekdays and holidays, merged into one strategy.

mod holidays;

use std::{cmp::Reverse, collections::BTreeMap, f64::consts::TAU};

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use holidays::Holiday;

use super::{
    mode::Archetype,
    profile::{self, Profile},
    score::{finite, unit},
};

/// Bounds of what a strategy may say.
const MULTIPLIER: (f64, f64) = (0.1, 10.0);
const SSS_ADJUST_MAX: f64 = 0.3;
/// Days a rule may look ahead or back.
const DAYS_MAX: u32 = 31;
/// Priority of what holds on a holiday, and beside one: above what holds every week.
const ON_HOLIDAY: i32 = 100;
const BESIDE_HOLIDAY: i32 = 90;

/// A quarter of the local day: 0-6, 6-12, 12-18, 18-24 (spec 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Daypart {
    Night,
    Morning,
    Afternoon,
    Evening,
}

impl Daypart {
    /// Of a local hour.
    #[must_use]
    pub const fn of(hour: u32) -> Self {
        match hour {
            0..=5 => Self::Night,
            6..=11 => Self::Morning,
            12..=17 => Self::Afternoon,
            _ => Self::Evening,
        }
    }

    /// As in the keys of segments: `TWITTER_NIGHT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Night => "NIGHT",
            Self::Morning => "MORNING",
            Self::Afternoon => "AFTERNOON",
            Self::Evening => "EVENING",
        }
    }
}

/// When a rule holds, in local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// From one hour until another, half-open. If it ends before it starts it wraps past midnight, and a day is
    /// the one on which it starts. Equal ends hold never; 0 to 24 is the whole day.
    TimeRange {
        /// 0 is Sunday; none is every day.
        days: Vec<u8>,
        /// 0..=24.
        hour_start: u8,
        /// 0..=24.
        hour_end: u8,
    },
    /// On a holiday.
    Holiday {
        /// Which; absent is any.
        name: Option<String>,
        /// Whose; absent is anybody's.
        country: Option<String>,
    },
    /// On each of the 1 to `days` days before one.
    PreHoliday {
        /// 1..=31.
        days: u32,
        /// Which; absent is any.
        name: Option<String>,
        /// Whose; absent is anybody's.
        country: Option<String>,
    },
    /// On each of the 1 to `days` days after one.
    PostHoliday {
        /// 1..=31.
        days: u32,
        /// Which; absent is any.
        name: Option<String>,
        /// Whose; absent is anybody's.
        country: Option<String>,
    },
}

/// What to do differently. Absent fields say nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// How many times as often to look, 0.1..=10.
    pub multiplier: Option<f64>,
    /// Added to both SSS thresholds, -0.3..=0.3.
    pub sss_adjust: Option<f64>,
    /// For whoever writes.
    pub tone: Option<String>,
    /// Preference by archetype, 0..=1.
    pub archetypes: Option<BTreeMap<Archetype, f64>>,
}

impl Strategy {
    /// In 0.1..=10; 1 where nothing is said.
    #[must_use]
    pub fn multiplier(&self) -> f64 {
        finite(self.multiplier.unwrap_or(1.0), 1.0).clamp(MULTIPLIER.0, MULTIPLIER.1)
    }

    /// In -0.3..=0.3; 0 where nothing is said.
    #[must_use]
    pub fn sss_adjust(&self) -> f64 {
        finite(self.sss_adjust.unwrap_or(0.0), 0.0).clamp(-SSS_ADJUST_MAX, SSS_ADJUST_MAX)
    }

    /// The same with what it says in range.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.multiplier = self.multiplier.map(|_| self.multiplier());
        self.sss_adjust = self.sss_adjust.map(|_| self.sss_adjust());
        self.archetypes.iter_mut().flat_map(BTreeMap::values_mut).for_each(|p| *p = unit(*p));
        self
    }
}

/// A condition and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique.
    pub name: String,
    /// The higher wins, field by field; of equals the name that sorts first.
    pub priority: i32,
    /// Off without being gone.
    pub enabled: bool,
    /// When.
    pub when: Condition,
    /// What.
    pub strategy: Strategy,
}

/// A brand's time: its zone, its holidays, its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Of the IANA database.
    pub zone: Tz,
    /// In any order.
    pub holidays: Vec<Holiday>,
    /// In any order.
    pub rules: Vec<Rule>,
}

/// A holiday that is near.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    /// Its name.
    pub name: String,
    /// Its country.
    pub country: String,
    /// Days until it; 0 today, negative since.
    pub days: i64,
}

/// A rule that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its name.
    pub rule: String,
    /// Its priority.
    pub priority: i32,
}

/// What the time says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Temporal {
    /// The zone's name.
    pub zone: String,
    /// Local time. An hour that a zone has twice is twice the same here.
    pub local: NaiveDateTime,
    /// 0 Sunday ..= 6.
    pub day: u32,
    /// Of the local hour.
    pub daypart: Daypart,
    /// Today's, and those that a rule looks for.
    pub holidays: Vec<Near>,
    /// The rules that held, the strongest first.
    pub applied: Vec<Applied>,
    /// Merged.
    pub strategy: Strategy,
}

impl Calendar {
    /// The profile's: its rules of the clock, all holidays, and the rules of those of its country.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let mut calendar = Self {
            zone: profile.brand.time_zone,
            holidays: Vec::new(),
            rules: profile.temporal.iter().map(of_clock).collect(),
        };
        for holiday in &profile.holidays {
            for country in &holiday.countries {
                let (name, country) = (holiday.name.clone(), country.clone());
                if country == profile.brand.country {
                    calendar.rules.extend(of_holiday(holiday, &country));
                }
                calendar.holidays.push(Holiday { name, country, on: holiday.on });
            }
        }
        calendar
    }

    /// What the moment says: all enabled rules that hold, merged field by field; the highest priority wins a
    /// field, but the multiplier is the largest of all (spec 10).
    #[must_use]
    pub fn at(&self, moment: DateTime<Utc>) -> Temporal {
        let local = moment.with_timezone(&self.zone).naive_local();
        let day = local.weekday().num_days_from_sunday();
        let looks = self.rules.iter().map(|rule| match &rule.when {
            Condition::PreHoliday { days, .. } | Condition::PostHoliday { days, .. } => *days,
            Condition::TimeRange { .. } | Condition::Holiday { .. } => 0,
        });
        let window = looks.max().unwrap_or(0).min(DAYS_MAX);
        let holidays: Vec<Near> = holidays::around(&self.holidays, local.date(), window.into())
            .map(|(h, days)| Near { name: h.name.clone(), country: h.country.clone(), days })
            .collect();
        let holds = |rule: &&Rule| rule.enabled && rule.when.holds(local.hour(), day, &holidays);
        let mut rules: Vec<&Rule> = self.rules.iter().filter(holds).collect();
        rules.sort_by_key(|rule| (Reverse(rule.priority), &rule.name));
        let applied = rules.iter().map(|r| Applied { rule: r.name.clone(), priority: r.priority });
        Temporal {
            zone: self.zone.name().to_owned(),
            local,
            day,
            daypart: Daypart::of(local.hour()),
            applied: applied.collect(),
            strategy: merged(&rules),
            holidays,
        }
    }
}

fn of_clock(rule: &profile::TemporalRule) -> Rule {
    let sunday = |day: &profile::Weekday| Weekday::from(*day).num_days_from_sunday();
    let hour = |hour: u32| u8::try_from(hour).unwrap_or(24);
    let days = rule.days.iter().filter_map(|day| u8::try_from(sunday(day)).ok()).collect();
    Rule {
        name: rule.name.clone(),
        priority: rule.priority,
        enabled: rule.enabled,
        when: Condition::TimeRange { days, hour_start: hour(rule.from), hour_end: hour(rule.to) },
        strategy: Strategy {
            multiplier: rule.multiplier,
            sss_adjust: rule.sss,
            tone: rule.tone.clone(),
            archetypes: Some(rule.archetypes.clone()).filter(|some| !some.is_empty()),
        },
    }
}

/// On the day, and beside it.
fn of_holiday(holiday: &profile::Holiday, country: &str) -> Vec<Rule> {
    let whose = || (Some(holiday.name.clone()), Some(country.to_owned()));
    let rule = |what: &str, priority, when, multiplier, sss| Rule {
        name: format!("{what} {} ({country})", holiday.name),
        priority,
        enabled: true,
        when,
        strategy: Strategy { multiplier: Some(multiplier), sss_adjust: sss, ..Strategy::default() },
    };
    let (name, of) = whose();
    let day = Condition::Holiday { name, country: of };
    let mut rules = vec![rule("on", ON_HOLIDAY, day, holiday.multiplier, None)];
    if let Some(before) = holiday.before {
        let (name, of) = whose();
        let when = Condition::PreHoliday { days: before.days, name, country: of };
        rules.push(rule("before", BESIDE_HOLIDAY, when, before.multiplier, Some(before.sss)));
    }
    if let Some(after) = holiday.after {
        let (name, of) = whose();
        let when = Condition::PostHoliday { days: after.days, name, country: of };
        rules.push(rule("after", BESIDE_HOLIDAY, when, after.multiplier, Some(after.sss)));
    }
    rules
}

/// Of rules in order of strength.
fn merged(rules: &[&Rule]) -> Strategy {
    let mut all = Strategy::default();
    for rule in rules {
        let strategy = rule.strategy.clone().settled();
        if let Some(multiplier) = strategy.multiplier {
            all.multiplier = Some(all.multiplier.map_or(multiplier, |most| most.max(multiplier)));
        }
        all.sss_adjust = all.sss_adjust.or(strategy.sss_adjust);
        all.tone = all.tone.or(strategy.tone);
        all.archetypes = all.archetypes.or(strategy.archetypes);
    }
    all
}

impl Condition {
    fn holds(&self, hour: u32, day: u32, holidays: &[Near]) -> bool {
        let near = |name: &Option<String>, country: &Option<String>, from: i64, to: i64| {
            holidays.iter().any(|holiday| {
                name.as_ref().is_none_or(|n| *n == holiday.name)
                    && country.as_ref().is_none_or(|c| *c == holiday.country)
                    && (from..=to).contains(&holiday.days)
            })
        };
        match self {
            Self::TimeRange { days, hour_start, hour_end } => {
                let (start, end) = (u32::from(*hour_start), u32::from(*hour_end));
                let on = |day: u32| days.is_empty() || days.iter().any(|d| u32::from(*d) == day);
                if start <= end {
                    on(day) && (start..end).contains(&hour)
                } else {
                    (on(day) && hour >= start) || (on((day + 6) % 7) && hour < end)
                }
            }
            Self::Holiday { name, country } => near(name, country, 0, 0),
            Self::PreHoliday { days, name, country } => near(name, country, 1, (*days).into()),
            Self::PostHoliday { days, name, country } => near(name, country, -i64::from(*days), -1),
        }
    }
}

impl Temporal {
    /// Saturday or Sunday.
    #[must_use]
    pub const fn is_weekend(&self) -> bool {
        self.day == 0 || self.day == 6
    }

    /// As numbers for a model: hour and weekday on circles, quarter of the day one-hot, the rest in about 0..=1
    /// (the multiplier as it is).
    #[must_use]
    pub fn features(&self) -> [(&'static str, f64); 14] {
        let hour = f64::from(self.local.hour()) + f64::from(self.local.minute()) / 60.0;
        let (hour_sin, hour_cos) = (hour / 24.0 * TAU).sin_cos();
        let (day_sin, day_cos) = (f64::from(self.day) / 7.0 * TAU).sin_cos();
        let yes = |is: bool| f64::from(u8::from(is));
        let near = |is: fn(i64) -> bool| yes(self.holidays.iter().any(|h| is(h.days)));
        let strongest = self.applied.first().map_or(0, |a| a.priority);
        [
            ("hour_sin", hour_sin),
            ("hour_cos", hour_cos),
            ("day_sin", day_sin),
            ("day_cos", day_cos),
            ("night", yes(self.daypart == Daypart::Night)),
            ("morning", yes(self.daypart == Daypart::Morning)),
            ("afternoon", yes(self.daypart == Daypart::Afternoon)),
            ("evening", yes(self.daypart == Daypart::Evening)),
            ("multiplier", self.strategy.multiplier()),
            ("holiday", near(|days| days == 0)),
            ("before_holiday", near(|days| days > 0)),
            ("after_holiday", near(|days| days < 0)),
            ("priority", f64::from(strongest) / 100.0),
            ("weekend", yes(self.is_weekend())),
        ]
    }
}

#[cfg(test)]
mod tests;
