//! How much an author's reach and engagement matter: seven tiers, with promotion at once and demotion in no hurry.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::score::{count, finite};

/// Followers from which an author is of a tier (spec 10).
const MEGA: i64 = 500_000;
const MACRO: i64 = 50_000;
const MICRO: i64 = 5_000;
const REGULAR: i64 = 1_000;
const STANDARD: i64 = 500;
const SMALL: i64 = 100;
/// More engagement than this makes a micro power user, this much an engaged regular.
const ENGAGED_MICRO: f64 = 0.03;
const ENGAGED_REGULAR: f64 = 0.02;
/// Fewer posts, or fewer followers, make the engagement too uncertain to count.
const POSTS_MIN: usize = 5;
/// A tier is held until the author is this much below its thresholds, for this long.
const SLACK: f64 = 0.9;
const PATIENCE: TimeDelta = TimeDelta::days(7);
/// Growth since the last change of tier from which on somebody is a rising star.
const RISING: f64 = 0.2;

/// The seven, highest first: the order is the priority.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum UserTier {
    MegaPower,
    MacroPower,
    MicroPower,
    EngagedRegular,
    Standard,
    Small,
    #[default]
    NewUnknown,
}

impl UserTier {
    /// All of them, highest first.
    pub const ALL: [Self; 7] = [
        Self::MegaPower,
        Self::MacroPower,
        Self::MicroPower,
        Self::EngagedRegular,
        Self::Standard,
        Self::Small,
        Self::NewUnknown,
    ];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MegaPower => "MEGA_POWER",
            Self::MacroPower => "MACRO_POWER",
            Self::MicroPower => "MICRO_POWER",
            Self::EngagedRegular => "ENGAGED_REGULAR",
            Self::Standard => "STANDARD",
            Self::Small => "SMALL",
            Self::NewUnknown => "NEW_UNKNOWN",
        }
    }

    /// The value of `power_tier`: MEGA, MACRO, MICRO; none for the others.
    #[must_use]
    pub const fn power(self) -> Option<&'static str> {
        match self {
            Self::MegaPower => Some("MEGA"),
            Self::MacroPower => Some("MACRO"),
            Self::MicroPower => Some("MICRO"),
            Self::EngagedRegular | Self::Standard | Self::Small | Self::NewUnknown => None,
        }
    }

    /// One of the three power tiers.
    #[must_use]
    pub const fn is_power(self) -> bool {
        self.power().is_some()
    }

    /// Minutes within which an answer should be out.
    #[must_use]
    pub const fn response_minutes(self) -> u32 {
        match self {
            Self::MegaPower | Self::MacroPower | Self::MicroPower => 30,
            Self::EngagedRegular => 60,
            Self::Standard => 90,
            Self::Small | Self::NewUnknown => 120,
        }
    }

    /// 1 (first) to 7.
    #[must_use]
    pub const fn priority(self) -> u8 {
        match self {
            Self::MegaPower => 1,
            Self::MacroPower => 2,
            Self::MicroPower => 3,
            Self::EngagedRegular => 4,
            Self::Standard => 5,
            Self::Small => 6,
            Self::NewUnknown => 7,
        }
    }

    /// Archetypes to choose among: the best 3, 5, or all.
    #[must_use]
    pub const fn archetypes_max(self) -> usize {
        match self {
            Self::MegaPower | Self::MacroPower | Self::MicroPower => 3,
            Self::EngagedRegular => 5,
            Self::Standard | Self::Small | Self::NewUnknown => usize::MAX,
        }
    }

    /// What should follow a reply: action, how often, within how many days.
    #[must_use]
    pub const fn follow_ups(self) -> &'static [(&'static str, u32, u32)] {
        match self {
            Self::MegaPower | Self::MacroPower | Self::MicroPower => {
                &[("like_next_posts", 2, 7), ("send_gift_dm", 1, 14)]
            }
            Self::EngagedRegular => &[("thank_you_reply", 1, 7)],
            Self::Small | Self::NewUnknown => &[("nurture", 1, 14)],
            Self::Standard => &[],
        }
    }
}

/// What an author's recent posts gathered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// Mean of likes, replies and reposts per post, over the followers.
    pub rate: f64,
    /// Posts behind it.
    pub posts: usize,
}

impl Engagement {
    /// Of the engagements of up to 20 posts of the last 90 days; none without posts or followers.
    #[must_use]
    pub fn of(posts: &[f64], followers: i64) -> Option<Self> {
        let followers = f64::from(u32::try_from(followers).ok().filter(|f| *f > 0)?);
        let sum: f64 = posts.iter().map(|p| finite(*p, 0.0).max(0.0)).sum();
        let n = posts.len();
        (n > 0).then(|| Self { rate: finite(sum / count(n) / followers, 0.0), posts: n })
    }
}

/// What a tier depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reach {
    /// Followers; absent is unknown, not none.
    pub followers: Option<i64>,
    /// Of the recent posts.
    pub engagement: Option<Engagement>,
    /// Verified by the platform.
    pub verified: bool,
    /// The bio has one of the profile's creator words.
    pub creator_bio: bool,
}

/// The highest tier for which the author has what it takes.
#[must_use]
pub fn tier(reach: &Reach) -> UserTier {
    by(reach, 1.0)
}

fn by(reach: &Reach, slack: f64) -> UserTier {
    let number = |n: i64| f64::from(u32::try_from(n.max(0)).unwrap_or(u32::MAX));
    let followers = number(reach.followers.unwrap_or(0));
    let from = |threshold| followers >= number(threshold) * slack;
    // Few posts, or few followers to divide by, say nothing; they never promote.
    let sure = |e: &Engagement| e.posts >= POSTS_MIN && from(SMALL) && e.rate.is_finite();
    let rate = reach.engagement.filter(sure).map_or(0.0, |e| e.rate);
    match () {
        () if from(MEGA) => UserTier::MegaPower,
        () if from(MACRO) => UserTier::MacroPower,
        () if from(MICRO)
            || rate > ENGAGED_MICRO * slack
            || reach.verified
            || reach.creator_bio =>
        {
            UserTier::MicroPower
        }
        () if from(REGULAR) && rate >= ENGAGED_REGULAR * slack => UserTier::EngagedRegular,
        () if from(STANDARD) => UserTier::Standard,
        () if from(SMALL) => UserTier::Small,
        () => UserTier::NewUnknown,
    }
}

/// An author's tier, and since when he has been too small for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// His tier.
    pub tier: UserTier,
    /// He has been more than 10 % below its thresholds since; kept with the author.
    pub below_since: Option<DateTime<Utc>>,
}

impl Standing {
    /// The standing after another look: up at once; down to what he is now after 7 days more than 10 % below. Back
    /// within the 10 % the days begin anew. Unknown followers change nothing by themselves.
    #[must_use]
    pub fn after(self, reach: &Reach, now: DateTime<Utc>) -> Self {
        let is = tier(reach);
        let holds = by(reach, SLACK) <= self.tier || reach.followers.is_none();
        if is < self.tier {
            return Self { tier: is, below_since: None };
        }
        if holds {
            return Self { tier: self.tier, below_since: None };
        }
        match self.below_since {
            Some(since) if now - since >= PATIENCE => Self { tier: is, below_since: None },
            since => Self { tier: self.tier, below_since: since.or(Some(now)) },
        }
    }
}

/// More than 20 % more followers than at the last change of tier.
#[must_use]
pub fn is_rising(followers_then: i64, followers: i64) -> bool {
    let of = |n: i64| f64::from(u32::try_from(n.max(0)).unwrap_or(u32::MAX));
    followers_then > 0 && of(followers) / of(followers_then) - 1.0 > RISING
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(followers: i64) -> Reach {
        Reach { followers: Some(followers), ..Reach::default() }
    }

    fn engaged(followers: i64, rate: f64, posts: usize) -> UserTier {
        tier(&Reach { engagement: Some(Engagement { rate, posts }), ..with(followers) })
    }

    #[test]
    fn thresholds_hold_at_their_edges() {
        for (followers, expected) in [
            (i64::MIN, UserTier::NewUnknown),
            (99, UserTier::NewUnknown),
            (100, UserTier::Small),
            (499, UserTier::Small),
            (500, UserTier::Standard),
            (4_999, UserTier::Standard),
            (5_000, UserTier::MicroPower),
            (49_999, UserTier::MicroPower),
            (50_000, UserTier::MacroPower),
            (499_999, UserTier::MacroPower),
            (500_000, UserTier::MegaPower),
            (i64::MAX, UserTier::MegaPower),
        ] {
            assert_eq!(tier(&with(followers)), expected, "{followers}");
        }
        assert_eq!(engaged(1_000, 0.02, 5), UserTier::EngagedRegular);
        assert_eq!(engaged(999, 0.02, 5), UserTier::Standard);
        assert_eq!(engaged(1_000, 0.019_9, 5), UserTier::Standard);
        assert_eq!(engaged(1_000, 0.03, 5), UserTier::EngagedRegular);
        assert_eq!(engaged(200, 0.030_1, 5), UserTier::MicroPower);
        let bio = Reach { creator_bio: true, ..Reach::default() };
        assert_eq!(tier(&bio), UserTier::MicroPower);
        assert_eq!(tier(&Reach { verified: true, ..with(60_000) }), UserTier::MacroPower);
    }

    #[test]
    fn uncertain_engagement_never_promotes() {
        assert_eq!(engaged(2_000, 0.5, 4), UserTier::Standard, "four posts");
        assert_eq!(engaged(99, 0.5, 20), UserTier::NewUnknown, "a share of few followers");
        assert_eq!(engaged(2_000, f64::NAN, 20), UserTier::Standard);
        assert_eq!(Engagement::of(&[], 10), None);
        assert_eq!(Engagement::of(&[3.0], 0), None);
        let of = Engagement::of(&[2.0, 4.0], 100).unwrap();
        assert!((of.rate - 0.03).abs() < 1e-12 && of.posts == 2);
    }

    #[test]
    fn demotion_takes_ten_percent_and_seven_days() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = |n| now + TimeDelta::days(n);
        let start = Standing::default().after(&with(50_000), now);
        assert_eq!(start, Standing { tier: UserTier::MacroPower, below_since: None }, "up at once");
        assert_eq!(start.after(&with(45_000), now), start, "exactly 10 % below");
        let below = start.after(&with(44_999), now);
        assert_eq!(below, Standing { below_since: Some(now), ..start });
        let almost = day(7) - TimeDelta::seconds(1);
        assert_eq!(below.after(&with(44_999), almost), below);
        let down = Standing { tier: UserTier::MicroPower, below_since: None };
        assert_eq!(below.after(&with(44_999), day(7)), down);
        let recovered = below.after(&with(46_000), day(6));
        assert_eq!(recovered, start, "within the 10 % again");
        assert_eq!(recovered.after(&with(44_999), day(8)).tier, UserTier::MacroPower);
        assert_eq!(below.after(&Reach::default(), day(30)), start, "unknown is not small");
        assert_eq!(below.after(&with(600_000), day(1)).tier, UserTier::MegaPower);
    }

    #[test]
    fn rising_is_more_than_a_fifth() {
        assert!(!is_rising(1_000, 1_200) && is_rising(1_000, 1_201));
        assert!(!is_rising(0, 9) && !is_rising(9, i64::MIN));
    }

    #[test]
    fn the_order_is_the_priority() {
        for (n, tier) in (1..).zip(UserTier::ALL) {
            assert_eq!(tier.priority(), n);
            assert_eq!(serde_json::to_value(tier).unwrap(), tier.as_str());
        }
        let minutes = UserTier::ALL.map(UserTier::response_minutes);
        assert_eq!(minutes, [30, 30, 30, 60, 90, 120, 120]);
    }

    proptest! {
        #[test]
        fn more_reach_is_never_a_lower_tier(a: i64, b: i64, rate: f64, posts in 0_usize..30) {
            let of = |followers| engaged(followers, rate, posts);
            prop_assert!(of(a.max(b)) <= of(a.min(b)));
        }

        #[test]
        fn slack_never_asks_for_more(followers in 0_i64..1_000_000, rate in 0.0..0.1) {
            let engagement = Some(Engagement { rate, posts: 9 });
            let reach = Reach { engagement, ..with(followers) };
            prop_assert!(by(&reach, SLACK) <= tier(&reach));
        }
    }
}
