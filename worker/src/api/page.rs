//! Keyset pages: a cursor is the place of the last row seen, so rows that arrive meanwhile move nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;

/// Rows per page unless the caller says otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Rows per page at most.
const LIMIT_MAX: u32 = 200;

/// One page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// Rows.
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Rows per page that were asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<i64, ApiError> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        n @ 1..=LIMIT_MAX => Ok(n.into()),
        _ => Err(ApiError::BadRequest(format!("limit must be between 1 and {LIMIT_MAX}"))),
    }
}

/// Decode a cursor.
pub(crate) fn after(cursor: Option<&str>) -> Result<Option<(DateTime<Utc>, String)>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let place = read_cursor(cursor);
    place.map(Some).ok_or_else(|| ApiError::BadRequest("cursor: not one of ours".into()))
}

/// The place that a cursor stands for, if it is one of ours.
#[must_use]
pub fn read_cursor(cursor: &str) -> Option<(DateTime<Utc>, String)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (micros, id) = text.split_once(' ')?;
    let at = micros.parse().ok().and_then(DateTime::from_timestamp_micros)?;
    (!id.is_empty() && !id.contains('\0')).then(|| (at, id.to_owned()))
}

/// A page out of `rows`, of which one more than `limit` was asked for: the extra one says that there is a next page.
pub(crate) fn page<T>(
    mut rows: Vec<T>,
    limit: i64,
    place: impl Fn(&T) -> (DateTime<Utc>, String),
) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|last| {
        let (at, id) = place(last);
        URL_SAFE_NO_PAD.encode(format!("{} {id}", at.timestamp_micros()))
    });
    Page { items: rows, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        let rows = vec![(at, "a b"), (at, "c")];
        let first = page(rows, 1, |(at, id)| (*at, (*id).to_owned()));
        let cursor = first.next.unwrap();
        assert_eq!(after(Some(&cursor)).unwrap(), Some((at, "a b".to_owned())));
        assert_eq!(after(None).unwrap(), None);
        let cut = cursor.get(1..).unwrap();
        let forged = ["", "%", "AAAA", "MTIz", "eCB5", "MSAA", cut];
        for bad in forged {
            assert!(after(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let at = DateTime::UNIX_EPOCH;
        assert!(page(vec![1, 2], 2, |_| (at, "x".into())).next.is_none());
        assert!(page(vec![1, 2, 3], 2, |_| (at, "x".into())).next.is_some());
        for bad in [0, LIMIT_MAX + 1] {
            assert!(limit(Some(bad)).is_err(), "{bad}");
        }
    }
}
