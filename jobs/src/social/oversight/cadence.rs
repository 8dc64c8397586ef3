//! How often we speak.

use serde::Serialize;
use utoipa::ToSchema;

use crate::social::profile::{Cadence, ReplyShape};

/// A reply that wants a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// It goes to a community.
    pub in_community: bool,
    /// It names the brand beyond its signature, or links.
    pub promotes: bool,
    /// It links.
    pub links: bool,
    /// It is written to earn the karma that other replies need (`KARMA_BUILDING`).
    pub builds_karma: bool,
}

/// Replies of a workspace on a platform, the wanted one left out, that were sent or are allowed to be; the latter stand
/// in this moment until they are sent. So no window of time ever holds more than is allowed, however late they are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Taken {
    /// In the thread, also such as wait for a person.
    pub thread: i64,
    /// In the last hour.
    pub hour: i64,
    /// In the last 24 h.
    pub day: i64,
    /// That promote in the community, in the last 24 h.
    pub promos: i64,
    /// The last so many that promote, link: counted from the newest, up to the first that does not, over all time.
    pub links: i64,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Full {
    /// The thread has its replies.
    PerThread,
    /// The hour has.
    PerHour,
    /// The day has.
    PerDay,
    /// The community has read enough about us today.
    PromoPerCommunityDay,
    /// Those before it that promote all link: this one must do without.
    LinkShare,
}

impl Full {
    /// Its name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerThread => "per_thread",
            Self::PerHour => "per_hour",
            Self::PerDay => "per_day",
            Self::PromoPerCommunityDay => "promo_per_community_day",
            Self::LinkShare => "link_share",
        }
    }

    /// For people.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::PerThread => "the thread has as many replies as the profile allows",
            Self::PerHour => "the hour has as many replies as the profile allows",
            Self::PerDay => "the day has as many replies as the profile allows",
            Self::PromoPerCommunityDay => {
                "the community has as many promotions a day as the profile allows"
            }
            Self::LinkShare => "all promoting replies before it link: this one must not",
        }
    }
}

/// Whether there is a place for it.
///
/// # Errors
/// Why not.
pub fn room(
    wanted: Wanted,
    taken: Taken,
    shape: &ReplyShape,
    cadence: &Cadence,
) -> Result<(), Full> {
    let promo = wanted.promotes && wanted.in_community;
    for (counts, taken, most, full) in [
        (true, taken.thread, cadence.per_thread, Full::PerThread),
        (true, taken.hour, shape.per_hour, Full::PerHour),
        (true, taken.day, shape.per_day, Full::PerDay),
        (promo, taken.promos, cadence.promo_per_community_day, Full::PromoPerCommunityDay),
        (wanted.links, taken.links, cadence.link_free_in.saturating_sub(1), Full::LinkShare),
    ] {
        if counts && taken >= i64::from(most) {
            return Err(full);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::{profile::Profile, record::Platform};

    #[test]
    fn each_limit_counts_on_both_sides() {
        let profile = Profile::parse(Profile::shipped("vita").unwrap()).unwrap();
        let (shape, cadence) = (profile.reply(Platform::Twitter).unwrap(), &profile.cadence);
        assert_eq!((shape.per_hour, shape.per_day), (2, 50));
        let plain =
            Wanted { in_community: true, promotes: false, links: false, builds_karma: false };
        let promo = Wanted { promotes: true, ..plain };
        let link = Wanted { links: true, ..promo };
        let none = Taken::default();
        for (wanted, taken, expected) in [
            (plain, Taken { thread: 1, ..none }, Ok(())),
            (plain, Taken { thread: 2, ..none }, Err(Full::PerThread)),
            (plain, Taken { hour: 1, ..none }, Ok(())),
            (plain, Taken { hour: 2, ..none }, Err(Full::PerHour)),
            (plain, Taken { day: 49, ..none }, Ok(())),
            (plain, Taken { day: 50, ..none }, Err(Full::PerDay)),
            (promo, none, Ok(())),
            (promo, Taken { promos: 1, ..none }, Err(Full::PromoPerCommunityDay)),
            (plain, Taken { promos: 1, ..none }, Ok(())),
            (Wanted { in_community: false, ..promo }, Taken { promos: 1, ..none }, Ok(())),
            (link, Taken { links: 1, ..none }, Ok(())),
            (link, Taken { links: 2, ..none }, Err(Full::LinkShare)),
            (promo, Taken { links: 2, ..none }, Ok(())),
        ] {
            assert_eq!(room(wanted, taken, shape, cadence), expected, "{wanted:?} {taken:?}");
        }
    }
}
