//! Arguments that several commands share, and how they print.

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, Utc};
use millrace_config::Clock;

/// A moment: RFC 3339, a date (midnight UTC), or an age such as `15m`, `2h`, `7d`.
///
/// # Errors
/// If it is none of these.
pub(crate) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    moment_at(text, Clock::system().now())
}

fn moment_at(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let unit = text.chars().last().unwrap_or_default();
    let number = text.strip_suffix(unit).and_then(|n| n.parse::<u32>().ok()).map(i64::from);
    let age = number.and_then(|n| match unit {
        's' => Duration::try_seconds(n),
        'm' => Duration::try_minutes(n),
        'h' => Duration::try_hours(n),
        'd' => Duration::try_days(n),
        _ => None,
    });
    age.and_then(|age| now.checked_sub_signed(age)).ok_or_else(|| {
        "give a time like 2026-01-31T12:00:00Z, a date, or an age like 15m, 2h, 7d".into()
    })
}

/// Seconds are enough for people.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// As [`time`]; a dash for none.
pub(crate) fn maybe_time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(dash, time)
}

/// What stands for nothing in tables.
pub(crate) fn dash() -> String {
    "-".to_owned()
}

/// The first line of a text, cut so that a row fits.
pub(crate) fn short(text: Option<&str>, chars_max: usize) -> String {
    let Some(line) = text.and_then(|t| t.lines().find(|l| !l.trim().is_empty())) else {
        return dash();
    };
    let mut short: String = line.trim().chars().take(chars_max).collect();
    if line.trim().chars().count() > chars_max {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_three_ways() {
        let now = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let secs = |text: &str| moment_at(text, now).map(|at| at.timestamp());
        assert_eq!(secs("1970-01-01T00:00:01+00:00"), Ok(1));
        assert_eq!(secs("1970-01-02"), Ok(86_400));
        assert_eq!(secs("15m"), Ok(1_000_000_000 - 900));
        assert_eq!(secs("7d"), Ok(1_000_000_000 - 7 * 86_400));
        for bad in ["", "m", "-5m", "5", "5w", "yesterday", "99999999999h", "1970-13-01", "5µ"] {
            assert!(secs(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn short_texts_stay_and_long_ones_are_cut() {
        assert_eq!(short(Some("\n abc \n def"), 10), "abc");
        assert_eq!(short(Some("äöüß"), 2), "äö…");
        assert_eq!(short(None, 2), "-");
        assert_eq!(short(Some(" \n"), 2), "-");
    }
}
