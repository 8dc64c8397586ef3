//! Which reply an order is credited to: last click of seven days (spec 5; of thirty it is quoted too).

use chrono::{DateTime, TimeDelta, Utc};

/// A click so long before the order has all of the credit.
pub const CLICK_WITHIN: TimeDelta = TimeDelta::days(7);
/// Whatever was between us so long before it has half.
pub const ENGAGED_WITHIN: TimeDelta = TimeDelta::days(30);

/// Something that the buyer did with a reply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// When.
    pub at: DateTime<Utc>,
    /// `social.replies.id`.
    pub reply_id: String,
    /// A click; else a word or a like.
    pub click: bool,
}

/// By what a reply has its credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The last click, in seven days.
    Click7d,
    /// The last click, in thirty days.
    Click30d,
    /// No click, but an engagement in thirty days.
    Engaged30d,
}

impl By {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Click7d => "click_7d",
            Self::Click30d => "click_30d",
            Self::Engaged30d => "engaged_30d",
        }
    }

    /// The reply's share of the order, 0..=1.
    #[must_use]
    pub const fn credit(self) -> f64 {
        match self {
            Self::Click7d => 1.0,
            Self::Click30d | Self::Engaged30d => 0.5,
        }
    }
}

/// The reply that an order is credited to. The last click of the seven days before it has all the credit; without one,
/// the last click of thirty days has half, and without that the last other engagement. Both ends of a window belong to
/// it; what comes after the order has no part in it; of two at one time the reply with the greater id has it. The order
/// of the touches is nothing.
#[must_use]
pub fn attribute(ordered_at: DateTime<Utc>, touches: &[Touch]) -> Option<(&str, By)> {
    let last = |click: bool, within: TimeDelta| {
        let age = |touch: &&Touch| ordered_at - touch.at;
        let fits = |t: &&Touch| t.click == click && age(t) >= TimeDelta::zero() && age(t) <= within;
        touches.iter().filter(fits).max().map(|touch| touch.reply_id.as_str())
    };
    let click = |within, by| last(true, within).map(|reply| (reply, by));
    click(CLICK_WITHIN, By::Click7d)
        .or_else(|| click(ENGAGED_WITHIN, By::Click30d))
        .or_else(|| last(false, ENGAGED_WITHIN).map(|reply| (reply, By::Engaged30d)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn ordered() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn touch(reply: &str, ms_before: i64, click: bool) -> Touch {
        let at = ordered() - TimeDelta::milliseconds(ms_before);
        Touch { at, reply_id: reply.into(), click }
    }

    fn of(touches: &[Touch]) -> Option<(&str, By)> {
        attribute(ordered(), touches)
    }

    #[test]
    fn both_ends_of_a_window_belong_to_it() {
        let click = |ms| of(&[touch("r", ms, true)]).map(|(_, by)| by);
        for (ms, by) in [
            (-1, None),
            (0, Some(By::Click7d)),
            (7 * DAY_MS, Some(By::Click7d)),
            (7 * DAY_MS + 1, Some(By::Click30d)),
            (30 * DAY_MS, Some(By::Click30d)),
            (30 * DAY_MS + 1, None),
        ] {
            assert_eq!(click(ms), by, "{ms} ms before");
        }
        let engaged = |ms| of(&[touch("r", ms, false)]).map(|(_, by)| by);
        for (ms, by) in [
            (-1, None),
            (0, Some(By::Engaged30d)),
            (30 * DAY_MS, Some(By::Engaged30d)),
            (30 * DAY_MS + 1, None),
        ] {
            assert_eq!(engaged(ms), by, "{ms} ms before");
        }
    }

    #[test]
    fn the_last_click_has_it() {
        let clicks = [touch("a", 10, true), touch("b", 5, true), touch("c", 1, false)];
        assert_eq!(of(&clicks), Some(("b", By::Click7d)));
        let old = [touch("a", 8 * DAY_MS, true), touch("c", 1, false)];
        assert_eq!(of(&old), Some(("a", By::Click30d)), "a click goes before a word");
        assert_eq!(of(&[touch("a", 5, true), touch("b", 5, true)]), Some(("b", By::Click7d)));
        assert_eq!(of(&[]), None);
        assert!((By::Click7d.credit() - 1.0).abs() < f64::EPSILON);
        assert!((By::Engaged30d.credit() - 0.5).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn order_and_repetition_are_nothing(
            touches in proptest::collection::vec((0_u8..5, -2_i64..33, any::<bool>()), 0..12),
            turn in 0_usize..12,
        ) {
            let touches: Vec<Touch> = touches
                .into_iter()
                .map(|(reply, days, click)| touch(&reply.to_string(), days * DAY_MS, click))
                .collect();
            let mut again = [touches.clone(), touches.clone()].concat();
            let by = turn.min(again.len());
            again.rotate_left(by);
            prop_assert_eq!(of(&touches), of(&again));
            again.reverse();
            prop_assert_eq!(of(&touches), of(&again));
        }
    }
}
