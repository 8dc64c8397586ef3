//! What platforms let us call, and what they say of it in their headers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderMap, header};

/// Longest wait that is believed: a header may be nonsense.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// A budget before the platform has said anything of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    pub(crate) bucket: &'static str,
    /// Calls of one window, or at once if it refills.
    pub(crate) limit: f64,
    /// Length of the window, seconds.
    pub(crate) window_s: f64,
    /// Calls that come back each second; 0 if there are windows.
    pub(crate) refill_per_s: f64,
}

impl Quota {
    /// `calls` in any `window_s` seconds, however they lie: some at once, the others evenly.
    pub(crate) fn rolling(bucket: &'static str, calls: f64, window_s: f64) -> Self {
        let at_once = (calls / 11.0).floor().max(1.0);
        Self {
            bucket,
            limit: at_once,
            window_s,
            refill_per_s: ((calls - at_once) / window_s).max(f64::MIN_POSITIVE),
        }
    }
}

/// What the headers of an answer say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) limit: Option<f64>,
    pub(crate) remaining: Option<f64>,
    pub(crate) reset_at: Option<DateTime<Utc>>,
}

/// A header that is a number, not negative.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    let number: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// `Retry-After`, in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok()?,
    };
    Some(wait.min(WAIT_MAX))
}

/// The moment that many seconds ahead.
pub(crate) fn in_seconds(now: DateTime<Utc>, seconds: f64) -> Option<DateTime<Utc>> {
    let wait = Duration::try_from_secs_f64(seconds).ok()?.min(WAIT_MAX);
    now.checked_add_signed(chrono::TimeDelta::from_std(wait).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_date_and_bounded() {
        let now = DateTime::from_timestamp(1_768_478_400, 0).unwrap();
        let wait = |value| retry_after(&headers("retry-after", value), now);
        assert_eq!(wait("17"), Some(Duration::from_secs(17)));
        assert_eq!(wait("Thu, 15 Jan 2026 12:01:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Thu, 15 Jan 2026 11:00:00 GMT"), None);
        assert_eq!(wait("99999999999"), Some(WAIT_MAX));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn numbers_may_have_fractions_but_must_be_some() {
        let read =
            |value| number(&headers("x-ratelimit-remaining", value), "x-ratelimit-remaining");
        assert_eq!(read("599.0"), Some(599.0));
        for odd in ["-1", "NaN", "inf", "", "many"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn no_window_of_a_rolling_budget_holds_more_than_it_may() {
        for calls in [1.0, 10.0, 2200.0] {
            let quota = Quota::rolling("b", calls, 86_400.0);
            assert!(quota.limit + quota.refill_per_s * 86_400.0 <= calls + 1e-9, "{quota:?}");
            assert!(quota.limit >= 1.0);
        }
    }
}
