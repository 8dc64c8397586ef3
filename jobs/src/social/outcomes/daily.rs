//! The figures and alerts of the last days from their counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Days as Later, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;

use super::{
    alerts::{self, Alert, Look},
    kpi::{self, BASELINE_DAYS, Facts},
};
use crate::{
    social::{
        profile::{Kpi, Profile, Sentiment},
        record::Platform,
        text::Folded,
    },
    store::social::kpis::{Days, KpiRow},
};

/// Days that are looked at: those whose figures change, and a baseline of the oldest.
pub const LOOKED_DAYS: u64 = (kpi::RIPE_DAYS + BASELINE_DAYS).unsigned_abs();

/// How an answer speaks, by the words of the profile. Blame is heard before praise.
#[must_use]
pub fn sentiment(text: &str, profile: &Profile) -> Sentiment {
    let text = Folded::new(text);
    if profile.competition.negative.any(&text) {
        Sentiment::Negative
    } else if profile.competition.positive.any(&text) {
        Sentiment::Positive
    } else {
        Sentiment::Neutral
    }
}

/// The first moment of a day. Where clocks are put forward at midnight it is the first that there is.
#[must_use]
pub fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let hour = |hour| zone.from_local_datetime(&day.and_hms_opt(hour, 0, 0)?).earliest();
    let first = (0..24).find_map(hour);
    first.map_or_else(|| day.and_time(chrono::NaiveTime::MIN).and_utc(), |at| at.to_utc())
}

/// `None`: all of them together.
const PLATFORMS: [Option<Platform>; 4] =
    [None, Some(Platform::Twitter), Some(Platform::Reddit), Some(Platform::Threads)];

/// Counts of one platform, or of all, by how many days ago.
struct Counts(BTreeMap<u64, Facts>);

impl Counts {
    fn of(days: &Days, platform: Option<Platform>, today: NaiveDate) -> Self {
        let mut counts: BTreeMap<u64, Facts> = BTreeMap::new();
        for ((day, on), facts) in days {
            let wanted = platform.is_none_or(|p| on.as_deref() == Some(p.as_str()));
            if let (true, Ok(ago)) = (wanted, u64::try_from((today - *day).num_days())) {
                *counts.entry(ago).or_default() += *facts;
            }
        }
        Self(counts)
    }

    /// From `first` days ago to `last` days ago, both of them.
    fn sum(&self, first: u64, last: u64) -> Facts {
        let mut sum = Facts::default();
        self.0.range(last..=first).for_each(|(_, facts)| sum += *facts);
        sum
    }
}

/// The figures of definitions that change for `ripe_days`, of today and so many days before.
#[must_use]
pub fn figures(days: &Days, today: NaiveDate, ripe_days: i64) -> Vec<KpiRow> {
    let mut rows = Vec::new();
    for platform in PLATFORMS {
        let counts = Counts::of(days, platform, today);
        for ago in 0..=ripe_days.unsigned_abs() {
            let facts = counts.sum(ago, ago);
            let before = counts.sum(ago + BASELINE_DAYS.unsigned_abs(), ago + 1);
            let Some(date) = today.checked_sub_days(Later::new(ago)) else { continue };
            for definition in kpi::ALL.iter().filter(|d| d.ripe_days == ripe_days) {
                let Some((value, _)) = (definition.of)(&facts, &before) else { continue };
                rows.push(KpiRow {
                    date,
                    platform: platform.map(|p| p.as_str().to_owned()),
                    metric_type: definition.kind.as_str().to_owned(),
                    metric_name: definition.name.to_owned(),
                    value,
                });
            }
        }
    }
    rows
}

/// What is beyond what it may be, by platform; of all together only where no platform is by itself.
#[must_use]
pub fn broken(days: &Days, today: NaiveDate, kpis: &[Kpi]) -> Vec<(Option<Platform>, Alert)> {
    let of = |platform| {
        let counts = Counts::of(days, platform, today);
        let look = Look {
            week: counts.sum(7, 1),
            recent: counts.sum(1, 0),
            before: counts.sum(7 + BASELINE_DAYS.unsigned_abs(), 8),
        };
        alerts::figures(&look, kpis)
    };
    let mut found: Vec<(Option<Platform>, Alert)> = Vec::new();
    for platform in Platform::ALL {
        found.extend(of(Some(platform)).into_iter().map(|alert| (Some(platform), alert)));
    }
    for alert in of(None) {
        if !found.iter().any(|(_, known)| known.rule == alert.rule) {
            found.push((None, alert));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::profile::KpiType;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_where_the_brand_is() {
        let at = |text, zone: Tz| midnight(day(text), zone).to_rfc3339();
        assert_eq!(at("2026-01-15", chrono_tz::America::New_York), "2026-01-15T05:00:00+00:00");
        assert_eq!(at("2026-07-15", chrono_tz::America::New_York), "2026-07-15T04:00:00+00:00");
        // Clocks in Beirut go from 23:59:59 to 01:00.
        assert_eq!(at("2026-03-29", chrono_tz::Asia::Beirut), "2026-03-28T22:00:00+00:00");
    }

    #[test]
    fn a_platform_has_its_own_figures_and_all_have_theirs() {
        let today = day("2026-02-20");
        let ctr = |product, clicked| Facts { product, clicked, ..Facts::default() };
        let mut days = Days::new();
        days.insert((today, Some("TWITTER".into())), ctr(10, 1));
        days.insert((today, Some("REDDIT".into())), ctr(30, 1));
        days.insert((day("2026-02-12"), Some("REDDIT".into())), ctr(4, 2));
        days.insert((day("2026-02-11"), Some("REDDIT".into())), ctr(4, 4));
        let rows = figures(&days, today, kpi::RIPE_DAYS);
        let found = |date: &str, platform: Option<&str>| {
            rows.iter()
                .find(|r| r.date == day(date) && r.platform.as_deref() == platform)
                .map(|r| r.value)
        };
        assert_eq!(found("2026-02-20", None), Some(0.05));
        assert_eq!(found("2026-02-20", Some("TWITTER")), Some(0.1));
        assert_eq!(found("2026-02-20", Some("THREADS")), None, "no data is no row");
        assert_eq!(found("2026-02-12", Some("REDDIT")), Some(0.5));
        assert_eq!(found("2026-02-11", Some("REDDIT")), None, "nothing changes there any more");
        assert!(rows.iter().all(|row| row.metric_name == "ctr"));
    }

    #[test]
    fn alerts_look_at_whole_days_and_say_where() {
        let today = day("2026-02-20");
        let kpi = Kpi {
            kind: KpiType::Commercial,
            name: "ctr".into(),
            target: 0.02,
            more: true,
            alert: Some(0.015),
        };
        let of = |entries: &[(&str, &str, i64)]| {
            let mut days = Days::new();
            for (date, platform, product) in entries {
                let facts = Facts { product: *product, ..Facts::default() };
                days.insert((day(date), Some((*platform).into())), facts);
            }
            broken(&days, today, std::slice::from_ref(&kpi))
                .into_iter()
                .map(|(platform, _)| platform)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&[("2026-02-20", "REDDIT", 90)]), [], "today");
        assert_eq!(of(&[("2026-02-12", "REDDIT", 90)]), [], "the week before");
        assert_eq!(of(&[("2026-02-13", "REDDIT", 30)]), [Some(Platform::Reddit)]);
        assert_eq!(of(&[("2026-02-19", "REDDIT", 20), ("2026-02-19", "TWITTER", 20)]), [None]);
    }
}
