//! What is learned from: replies whose outcome is final, with the signals of their decision.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::social::{record::Platform, temporal::Daypart};

/// Four numbers, one for each of SSS, ARS, EVS (its logarithmic form) and TRS.
pub type Four = [f64; 4];

/// An importance weight is no larger than this.
const IMPORTANCE_MAX: f64 = 10.0;

/// A reply whose outcome is final.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// When its outcome became final.
    pub matured_at: DateTime<Utc>,
    /// Where.
    pub platform: Platform,
    /// Local time of the decision.
    pub daypart: Daypart,
    /// 0 Sunday ..= 6.
    pub weekday: u8,
    /// Of the decision, 0..=1 each.
    pub signals: Four,
    /// Probability with which anything was said at all.
    pub engaged: f64,
    /// What came of it, 0..=1.
    pub reward: f64,
    /// The platform or a person took it down, or somebody reported it.
    pub removed: bool,
}

impl Row {
    /// One over the probability of having it here, clipped: what was held out now and then is made up for.
    #[must_use]
    pub fn importance(&self) -> f64 {
        (1.0 / self.engaged.max(f64::MIN_POSITIVE)).min(IMPORTANCE_MAX)
    }

    /// The segments that it is in: `GLOBAL` first, then every other kind.
    #[must_use]
    pub const fn segments(&self) -> [Segment; 5] {
        [
            Segment::Global,
            Segment::Platform(self.platform),
            Segment::TimeOfDay(self.daypart),
            Segment::DayOfWeek(self.weekday),
            Segment::Combined(self.platform, self.daypart),
        ]
    }
}

/// Posts that have weights of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// All of them.
    Global,
    /// Of a platform.
    Platform(Platform),
    /// Of a time of day.
    TimeOfDay(Daypart),
    /// Of a day of the week, 0 Sunday ..= 6.
    DayOfWeek(u8),
    /// Of a platform at a time of day.
    Combined(Platform, Daypart),
}

const DAYS: [&str; 7] =
    ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];
/// In the order of the day.
pub const DAYPARTS: [Daypart; 4] =
    [Daypart::Night, Daypart::Morning, Daypart::Afternoon, Daypart::Evening];

impl Segment {
    /// All 27, a parent before its children.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Global];
        all.extend(Platform::ALL.map(Self::Platform));
        all.extend(DAYPARTS.map(Self::TimeOfDay));
        all.extend((0..7).map(Self::DayOfWeek));
        for platform in Platform::ALL {
            all.extend(DAYPARTS.map(|daypart| Self::Combined(platform, daypart)));
        }
        all
    }

    /// What it falls back on.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Global => None,
            Self::Platform(_) | Self::TimeOfDay(_) | Self::DayOfWeek(_) => Some(Self::Global),
            Self::Combined(platform, _) => Some(Self::Platform(platform)),
        }
    }

    /// `segmented_weights.segment_type`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Global => "GLOBAL",
            Self::Platform(_) => "PLATFORM",
            Self::TimeOfDay(_) => "TIME_OF_DAY",
            Self::DayOfWeek(_) => "DAY_OF_WEEK",
            Self::Combined(..) => "COMBINED",
        }
    }

    /// `segmented_weights.segment_key`.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Global => "GLOBAL".into(),
            Self::Platform(platform) => platform.as_str().into(),
            Self::TimeOfDay(daypart) => daypart.as_str().into(),
            Self::DayOfWeek(day) => DAYS.get(usize::from(day)).copied().unwrap_or("?").into(),
            Self::Combined(platform, daypart) => {
                format!("{}_{}", platform.as_str(), daypart.as_str())
            }
        }
    }

    /// The segment with this key.
    #[must_use]
    pub fn named(key: &str) -> Option<Self> {
        Self::all().into_iter().find(|segment| segment.key() == key)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

impl Serialize for Segment {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_have_their_own_keys_and_parents_that_come_first() {
        let all = Segment::all();
        assert_eq!(all.len(), 27);
        for (at, segment) in all.iter().enumerate() {
            assert_eq!(Segment::named(&segment.key()), Some(*segment));
            let before = segment.parent().map(|parent| all.iter().position(|s| *s == parent));
            assert!(before.is_none_or(|place| place.is_some_and(|place| place < at)));
        }
    }
}
