//! Times as senders write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::limits;

/// Microseconds since 1970 of an RFC 3339 or RFC 2822 time, a plain date, or an epoch number in
/// seconds (also with a fraction, as Slack's `ts`), milliseconds or microseconds, told apart by
/// their size. Clamped to 1970..2100.
#[must_use]
pub fn parse_us(text: &str) -> Option<i64> {
    let text = text.trim();
    let us = epoch_us(text).or_else(|| written_us(text))?;
    Some(us.clamp(limits::TIME_MIN_US, limits::TIME_MAX_US))
}

/// As [`parse_us`], as a time.
#[must_use]
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(parse_us(text)?)
}

/// The version of an object: its own change time, else the arrival; never far after the arrival, so
/// that a wild clock cannot win over every later edit.
#[must_use]
pub fn version(stated_us: Option<i64>, received_at: DateTime<Utc>) -> i64 {
    let arrival = received_at.timestamp_micros();
    stated_us.unwrap_or(arrival).min(arrival.saturating_add(limits::VERSION_AHEAD_US))
}

fn epoch_us(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.len() {
        // Four digits are a year, eight a date; no sender means 1970 by them.
        0..=8 => None,
        9..=11 => {
            let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
            number.checked_mul(1_000_000)?.checked_add(micros)
        }
        12..=14 => number.checked_mul(1_000),
        _ => Some(number),
    }
}

fn written_us(text: &str) -> Option<i64> {
    if let Ok(time) =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text))
    {
        return Some(time.timestamp_micros());
    }
    // Meta's offsets have no colon; X's older objects are written as Ruby does.
    for format in ["%Y-%m-%dT%H:%M:%S%z", "%a %b %d %H:%M:%S %z %Y"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Some(time.timestamp_micros());
        }
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_apart_by_size() {
        let expected = Some(1_700_000_000_000_000);
        for text in [
            "1700000000",
            "1700000000.000000",
            "1700000000000",
            "1700000000000000",
            "2023-11-14T22:13:20Z",
            "2023-11-14T23:13:20+01:00",
            "Tue, 14 Nov 2023 22:13:20 +0000",
            "2023-11-14 22:13:20",
            "2023-11-14T22:13:20+0000",
            "Tue Nov 14 22:13:20 +0000 2023",
        ] {
            assert_eq!(parse_us(text), expected, "{text}");
        }
        assert_eq!(parse_us("1700000000.123456"), Some(1_700_000_000_123_456));
        assert_eq!(parse_us("1700000000.5"), Some(1_700_000_000_500_000));
    }

    #[test]
    fn wild_times_are_clamped_or_refused() {
        assert_eq!(parse_us("294276-01-01T00:00:00Z"), None);
        assert_eq!(parse_us("9999-12-31T00:00:00Z"), Some(limits::TIME_MAX_US));
        assert_eq!(parse_us("1600-01-01"), Some(0));
        for text in
            ["", ".", "-1", "abc", "99999999999999999999", "1e9", "2024", "１７０００００００００"]
        {
            assert_eq!(parse_us(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_never_lies_far_ahead_of_its_arrival() {
        let arrival = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(version(None, arrival), 1_700_000_000_000_000);
        assert_eq!(version(Some(5), arrival), 5);
        assert_eq!(version(Some(i64::MAX), arrival), 1_700_086_400_000_000);
    }
}
