//! What is archived, and by which stretches of time (UTC).

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// What the rows of an archive are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are tables of schema social")]
pub enum Relation {
    Decisions,
    Posts,
    KpiMetrics,
    AuditLogs,
}

impl Relation {
    /// In the order in which they are archived: posts delete their decisions.
    pub const ALL: [Self; 4] = [Self::Decisions, Self::Posts, Self::KpiMetrics, Self::AuditLogs];

    /// The table's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Posts => "posts",
            Self::KpiMetrics => "kpi_metrics",
            Self::AuditLogs => "audit_logs",
        }
    }

    /// Of its files.
    pub(super) const fn extension(self) -> &'static str {
        if self.header().is_some() { ".csv" } else { ".jsonl.gz" }
    }

    /// The first line of its files, if they are CSV; the columns of `social.kpi_line`.
    pub(super) const fn header(self) -> Option<&'static str> {
        match self {
            Self::KpiMetrics => {
                Some("workspace_id,id,date,platform,metric_type,metric_name,value,created_at")
            }
            Self::Decisions | Self::Posts | Self::AuditLogs => None,
        }
    }
}

/// A month, a quarter or a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// Its first day.
    pub from: NaiveDate,
    /// 1, 3 or 12.
    months: u32,
}

impl Period {
    /// The month of a day.
    #[must_use]
    pub fn month(day: NaiveDate) -> Self {
        Self::of(day, 1)
    }

    /// The quarter of a day.
    #[must_use]
    pub fn quarter(day: NaiveDate) -> Self {
        Self::of(day, 3)
    }

    /// The year of a day.
    #[must_use]
    pub fn year(day: NaiveDate) -> Self {
        Self::of(day, 12)
    }

    fn of(day: NaiveDate, months: u32) -> Self {
        let first = day.month0() / months * months + 1;
        Self { from: NaiveDate::from_ymd_opt(day.year(), first, 1).unwrap_or(day), months }
    }

    /// The first day after it.
    #[must_use]
    pub fn until(self) -> NaiveDate {
        self.from.checked_add_months(Months::new(self.months)).unwrap_or(NaiveDate::MAX)
    }
}

/// Midnight, UTC.
#[must_use]
pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let year = self.from.year();
        match self.months {
            1 => write!(f, "{year:04}-{:02}", self.from.month()),
            3 => write!(f, "{year:04}Q{}", self.from.month0() / 3 + 1),
            _ => write!(f, "{year:04}"),
        }
    }
}

/// A text that names no period.
#[derive(Debug, thiserror::Error)]
#[error("no period: give 2026-08, 2024Q3 or 2023")]
pub struct NoPeriod;

impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let (year, month, months) = if let Some((year, month)) = text.split_once('-') {
            (year, month.parse().map_err(|_| NoPeriod)?, 1)
        } else if let Some((year, quarter)) = text.split_once('Q') {
            let quarter: u32 = quarter.parse().map_err(|_| NoPeriod)?;
            (year, quarter.saturating_mul(3).saturating_sub(2), 3)
        } else {
            (text, 1, 12)
        };
        let year = year.parse().map_err(|_| NoPeriod)?;
        let from = NaiveDate::from_ymd_opt(year, month, 1).ok_or(NoPeriod)?;
        Ok(Self { from, months })
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_and_end_where_the_calendar_does() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (period, name, from, until) in [
            (Period::month(day("2024-02-29")), "2024-02", "2024-02-01", "2024-03-01"),
            (Period::month(day("2025-12-31")), "2025-12", "2025-12-01", "2026-01-01"),
            (Period::quarter(day("2024-12-31")), "2024Q4", "2024-10-01", "2025-01-01"),
            (Period::quarter(day("2024-01-01")), "2024Q1", "2024-01-01", "2024-04-01"),
            (Period::year(day("2023-07-07")), "2023", "2023-01-01", "2024-01-01"),
        ] {
            assert_eq!(period.to_string(), name);
            assert_eq!((period.from, period.until()), (day(from), day(until)), "{name}");
            assert_eq!(name.parse::<Period>().unwrap(), period);
        }
        for bad in ["", "2024-13", "2024Q5", "2024Q0", "x", "2024-1-1"] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }
}
