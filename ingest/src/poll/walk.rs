//! How far a query has been read: pure steps from page to page.

use chrono::{DateTime, TimeDelta, Utc};

/// Pages of a listing end here although there are older posts (Reddit: about 1,000 of them).
const LISTING_PAGES: i32 = 9;

/// A row of `ops.ingest_cursors`, as far as it moves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cursor {
    /// Newest post of the last whole sweep, and its time.
    pub(crate) since_id: Option<String>,
    pub(crate) newest_seen_at: Option<DateTime<Utc>>,
    /// Where the sweep goes on.
    pub(crate) next_page: Option<String>,
    /// Newest post of this sweep, and its time.
    pub(crate) sweep_id: Option<String>,
    pub(crate) sweep_at: Option<DateTime<Utc>>,
    /// Pages of this sweep.
    pub(crate) pages: i32,
    pub(crate) overlap: TimeDelta,
    /// The first sweep goes back to here.
    pub(crate) begin_at: DateTime<Utc>,
    pub(crate) version: i64,
    pub(crate) errors: i32,
}

/// What matters of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) items: usize,
    /// Id and time of its newest post.
    pub(crate) newest: Option<(String, DateTime<Utc>)>,
    /// Time of its oldest post.
    pub(crate) oldest: Option<DateTime<Utc>>,
    /// Where older ones are.
    pub(crate) next: Option<String>,
    /// Nothing was shown because the place is not known there any more.
    pub(crate) lost: bool,
}

/// Where the cursor stands after a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) cursor: Cursor,
    /// There is more to this sweep.
    pub(crate) more: bool,
    /// The platform shows no more, and what was known is not reached.
    pub(crate) gap: bool,
}

impl Cursor {
    /// Whatever is older has been read, or is not wanted.
    pub(crate) fn floor(&self) -> DateTime<Utc> {
        self.newest_seen_at.map_or(self.begin_at, |at| at - self.overlap)
    }

    /// Take a page.
    pub(crate) fn after(&self, page: &Page) -> Step {
        if page.lost {
            // What this sweep has seen is stored; the next one goes back to the same floor.
            let cursor = Self { errors: 0, ..self.clone() };
            return Step { cursor: cursor.begun_anew(), more: false, gap: false };
        }
        let mut cursor = Self { pages: self.pages.saturating_add(1), errors: 0, ..self.clone() };
        if let Some((id, at)) = &page.newest
            && cursor.sweep_at.is_none_or(|known| *at > known)
        {
            (cursor.sweep_id, cursor.sweep_at) = (Some(id.clone()), Some(*at));
        }
        let reached = page.oldest.is_some_and(|at| at <= self.floor());
        if let Some(next) = page.next.clone().filter(|_| !reached) {
            cursor.next_page = Some(next);
            return Step { cursor, more: true, gap: false };
        }
        let gap = !reached && self.newest_seen_at.is_some() && cursor.pages > LISTING_PAGES;
        if cursor.sweep_at > cursor.newest_seen_at {
            (cursor.since_id, cursor.newest_seen_at) = (cursor.sweep_id.take(), cursor.sweep_at);
        }
        Step { cursor: cursor.begun_anew(), more: false, gap }
    }

    /// The place of the next page is not known any more: the sweep begins again.
    pub(crate) fn begun_anew(self) -> Self {
        Self { next_page: None, sweep_id: None, sweep_at: None, pages: 0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_768_478_400 + second, 0).unwrap()
    }

    fn page(newest: i64, oldest: i64, next: Option<&str>) -> Page {
        let newest = Some((format!("p{newest}"), at(newest)));
        let next = next.map(str::to_owned);
        Page { items: 2, newest, oldest: Some(at(oldest)), next, lost: false }
    }

    fn known(second: i64) -> Cursor {
        Cursor {
            since_id: Some(format!("p{second}")),
            newest_seen_at: Some(at(second)),
            overlap: TimeDelta::seconds(10),
            ..Cursor::default()
        }
    }

    #[test]
    fn the_cursor_moves_when_the_sweep_has_arrived() {
        let first = known(0).after(&page(300, 200, Some("a")));
        assert!(first.more);
        assert_eq!(first.cursor.since_id.as_deref(), Some("p0"), "a crash here leaves no gap");
        assert_eq!(first.cursor.next_page.as_deref(), Some("a"));
        let second = first.cursor.after(&page(199, 100, Some("b")));
        assert!(second.more);
        let last = second.cursor.after(&page(99, -10, Some("c")));
        assert!(!last.more && !last.gap);
        let expected = Cursor { version: 0, ..known(300) };
        assert_eq!(last.cursor, expected);
    }

    #[test]
    fn the_overlap_is_read_again() {
        let step = |oldest| known(0).after(&page(300, oldest, Some("a"))).more;
        assert!(step(-9), "not far enough");
        assert!(!step(-10));
    }

    #[test]
    fn nothing_new_moves_nothing_and_old_posts_do_not_move_it_back() {
        let empty = known(0).after(&Page::default());
        assert_eq!((empty.cursor, empty.more), (known(0), false));
        assert_eq!(known(0).after(&page(-5, -5, None)).cursor, known(0));
    }

    #[test]
    fn a_place_that_is_lost_moves_nothing() {
        let first = known(0).after(&page(300, 200, Some("a"))).cursor;
        let lost = first.after(&Page { lost: true, ..Page::default() });
        assert_eq!((lost.cursor, lost.more), (known(0), false));
    }

    #[test]
    fn a_listing_that_ends_too_early_is_a_gap() {
        let ended = |pages, oldest| {
            let cursor = Cursor { pages, next_page: Some("x".into()), ..known(0) };
            cursor.after(&page(500, oldest, None)).gap
        };
        assert!(ended(9, 400));
        assert!(!ended(9, -20), "it arrived");
        assert!(!ended(1, 400), "there is no more");
    }

    #[test]
    fn the_first_sweep_goes_back_to_where_it_is_told() {
        let new = Cursor { begin_at: at(0), ..Cursor::default() };
        assert!(new.after(&page(300, 1, Some("a"))).more);
        assert!(!new.after(&page(300, 0, Some("a"))).more);
    }
}
