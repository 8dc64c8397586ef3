//! People of the community who stand up for us: who they are, and when we may write to them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Direct messages of a workspace in a day (spec, learning 6).
pub const MESSAGES_A_DAY: i64 = 5;
/// What is looked at.
pub const WINDOW: TimeDelta = TimeDelta::days(30);
/// Since the last kindness.
pub const ACTIVE: TimeDelta = TimeDelta::days(7);

/// How much they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Tier {
    Bronze,
    Silver,
    Gold,
}

impl Tier {
    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bronze => "BRONZE",
            Self::Silver => "SILVER",
            Self::Gold => "GOLD",
        }
    }
}

/// What an author did in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engagement {
    /// Kind events.
    pub positives: i32,
    /// Unkind ones.
    pub negatives: i32,
    /// The last kind one.
    pub last_at: DateTime<Utc>,
    /// `authors.is_power_user`.
    pub power_user: bool,
}

/// The tier of an author: three kind events, none unkind, the last in 7 days; BRONZE from 3, SILVER from 6, GOLD from
/// 11, or from 3 on for a power user (spec 1.2).
#[must_use]
pub fn tier(engagement: &Engagement, now: DateTime<Utc>) -> Option<Tier> {
    let active = now - engagement.last_at <= ACTIVE;
    if engagement.positives < 3 || engagement.negatives > 0 || !active {
        return None;
    }
    Some(match engagement.positives {
        _ if engagement.power_user => Tier::Gold,
        11.. => Tier::Gold,
        6.. => Tier::Silver,
        _ => Tier::Bronze,
    })
}

/// How far it went with somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the variants are the column's values")]
pub enum Status {
    Potential,
    Contacted,
    Engaged,
    Advocate,
    Vip,
}

impl Status {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Potential, Self::Contacted, Self::Engaged, Self::Advocate, Self::Vip];

    /// The column's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Potential => "POTENTIAL",
            Self::Contacted => "CONTACTED",
            Self::Engaged => "ENGAGED",
            Self::Advocate => "ADVOCATE",
            Self::Vip => "VIP",
        }
    }
}

/// What somebody did with a champion, or the champion with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They agree to be written to.
    Consent,
    /// They do not any more.
    Withdraw,
    /// A direct message was written to them.
    Message,
    /// They answered it, kindly.
    Accept,
    /// They want none of it.
    Decline,
    /// A sample was sent.
    Sample,
    /// They bought.
    Convert,
    /// They speak for us.
    Advocate,
    /// They are dear to us.
    Vip,
}

/// A champion as a row has them.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Champion {
    /// Whether they have a tier today.
    pub is_champion: bool,
    /// How far it went.
    pub advocate_status: String,
    /// When they agreed to be written to, and when they took that back.
    pub consent_at: Option<DateTime<Utc>>,
    /// See `consent_at`.
    pub consent_withdrawn_at: Option<DateTime<Utc>>,
    /// The last message to them.
    pub dm_sent_at: Option<DateTime<Utc>>,
    /// `NO_RESPONSE`, `ACCEPTED`, `DECLINED`.
    pub dm_response: Option<String>,
    /// A sample is on its way.
    pub sample_sent: bool,
    /// They have bought.
    pub converted: bool,
}

/// Why something may not be done with a champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refused {
    #[error("they have not agreed to be written to, or took it back")]
    NoConsent,
    #[error("they are no champion now")]
    NoChampion,
    #[error("they want none of it")]
    Declined,
    #[error("they were written to and have not answered")]
    Unanswered,
    #[error("as many messages as a day has were written today")]
    DayIsFull,
    #[error("nobody has written to them")]
    NotWritten,
    #[error("they have not accepted")]
    NotAccepted,
    #[error("that is a step too far: {0} comes first")]
    TooFar(&'static str),
}

impl Champion {
    /// The champion after an act. `written_today` are the messages of the workspace on this day.
    ///
    /// # Errors
    /// Why it may not be.
    pub fn after(&self, act: Act, now: DateTime<Utc>, written_today: i64) -> Result<Self, Refused> {
        let mut next = self.clone();
        let status = |status: Status| status.as_str().to_owned();
        match act {
            Act::Consent => next.consent_at = Some(now),
            Act::Withdraw => next.consent_withdrawn_at = Some(now),
            Act::Message => {
                self.may_be_written_to(written_today)?;
                next.dm_sent_at = Some(now);
                next.dm_response.get_or_insert_with(|| "NO_RESPONSE".to_owned());
                if self.is(Status::Potential) {
                    next.advocate_status = status(Status::Contacted);
                }
            }
            Act::Accept | Act::Decline if self.dm_sent_at.is_none() => {
                return Err(Refused::NotWritten);
            }
            Act::Accept => {
                next.dm_response = Some("ACCEPTED".to_owned());
                if self.is(Status::Contacted) {
                    next.advocate_status = status(Status::Engaged);
                }
            }
            Act::Decline => next.dm_response = Some("DECLINED".to_owned()),
            Act::Sample => {
                self.has_accepted()?;
                next.sample_sent = true;
            }
            Act::Convert => next.converted = true,
            Act::Advocate => {
                if !self.is(Status::Engaged) {
                    return Err(Refused::TooFar(Status::Engaged.as_str()));
                }
                next.advocate_status = status(Status::Advocate);
            }
            Act::Vip => {
                if !self.is(Status::Advocate) {
                    return Err(Refused::TooFar(Status::Advocate.as_str()));
                }
                next.advocate_status = status(Status::Vip);
            }
        }
        Ok(next)
    }

    /// With their consent, once ever unless they answered, never after a no, and not as the sixth of a day.
    ///
    /// # Errors
    /// Why not.
    pub fn may_be_written_to(&self, written_today: i64) -> Result<(), Refused> {
        let consents = match (self.consent_at, self.consent_withdrawn_at) {
            (Some(given), Some(withdrawn)) => given > withdrawn,
            (given, _) => given.is_some(),
        };
        match self.dm_response.as_deref() {
            _ if !consents => Err(Refused::NoConsent),
            _ if !self.is_champion => Err(Refused::NoChampion),
            Some("DECLINED") => Err(Refused::Declined),
            Some("ACCEPTED") | None if written_today < MESSAGES_A_DAY => Ok(()),
            Some("ACCEPTED") | None => Err(Refused::DayIsFull),
            Some(_) => Err(Refused::Unanswered),
        }
    }

    fn is(&self, status: Status) -> bool {
        self.advocate_status == status.as_str()
    }

    fn has_accepted(&self) -> Result<(), Refused> {
        let accepted = self.dm_response.as_deref() == Some("ACCEPTED");
        if accepted { Ok(()) } else { Err(Refused::NotAccepted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn engaged(positives: i32) -> Engagement {
        Engagement { positives, negatives: 0, last_at: now(), power_user: false }
    }

    fn somebody() -> Champion {
        Champion {
            is_champion: true,
            advocate_status: "POTENTIAL".into(),
            consent_at: None,
            consent_withdrawn_at: None,
            dm_sent_at: None,
            dm_response: None,
            sample_sent: false,
            converted: false,
        }
    }

    #[test]
    fn tiers_begin_at_3_6_and_11_and_power_users_are_gold() {
        let of = |positives| tier(&engaged(positives), now());
        let expected = [(2, None), (3, Some(Tier::Bronze)), (5, Some(Tier::Bronze))];
        let higher = [(6, Some(Tier::Silver)), (10, Some(Tier::Silver)), (11, Some(Tier::Gold))];
        for (positives, tier) in expected.into_iter().chain(higher) {
            assert_eq!(of(positives), tier, "{positives}");
        }
        let power = |positives| tier(&Engagement { power_user: true, ..engaged(positives) }, now());
        assert_eq!((power(2), power(3)), (None, Some(Tier::Gold)));
        assert_eq!(tier(&Engagement { negatives: 1, ..engaged(20) }, now()), None);
        let ago = |at| tier(&Engagement { last_at: now() - at, ..engaged(3) }, now());
        assert_eq!(ago(ACTIVE), Some(Tier::Bronze));
        assert_eq!(ago(ACTIVE + TimeDelta::seconds(1)), None);
    }

    #[test]
    fn nobody_is_written_to_who_did_not_agree() {
        let refused = |champion: &Champion, today| champion.after(Act::Message, now(), today).err();
        let stranger = somebody();
        assert_eq!(refused(&stranger, 0), Some(Refused::NoConsent));
        let friend = stranger.after(Act::Consent, now(), 0).unwrap();
        assert_eq!((refused(&friend, 4), refused(&friend, 5)), (None, Some(Refused::DayIsFull)));
        let gone = friend.after(Act::Withdraw, now(), 0).unwrap();
        assert_eq!(refused(&gone, 0), Some(Refused::NoConsent));
        let back = gone.after(Act::Consent, now() + TimeDelta::seconds(1), 0).unwrap();
        assert_eq!(refused(&back, 0), None);
        let former = Champion { is_champion: false, ..friend };
        assert_eq!(refused(&former, 0), Some(Refused::NoChampion));
    }

    #[test]
    fn once_ever_unless_they_answer() {
        let friend = somebody().after(Act::Consent, now(), 0).unwrap();
        assert_eq!(friend.after(Act::Accept, now(), 0), Err(Refused::NotWritten));
        let written = friend.after(Act::Message, now(), 0).unwrap();
        assert_eq!(written.advocate_status, "CONTACTED");
        assert_eq!(written.dm_response.as_deref(), Some("NO_RESPONSE"));
        assert_eq!(written.after(Act::Message, now(), 0), Err(Refused::Unanswered));
        assert_eq!(written.after(Act::Sample, now(), 0), Err(Refused::NotAccepted));
        let no = written.after(Act::Decline, now(), 0).unwrap();
        assert_eq!(no.after(Act::Message, now(), 0), Err(Refused::Declined));
        let yes = written.after(Act::Accept, now(), 0).unwrap();
        assert_eq!(yes.advocate_status, "ENGAGED");
        assert!(yes.after(Act::Message, now(), 0).is_ok());
        assert!(yes.after(Act::Sample, now(), 0).unwrap().sample_sent);
        assert_eq!(yes.after(Act::Vip, now(), 0), Err(Refused::TooFar("ADVOCATE")));
        let speaks = yes.after(Act::Advocate, now(), 0).unwrap();
        let dear = speaks.after(Act::Vip, now(), 0).unwrap();
        assert_eq!(dear.advocate_status, "VIP");
        assert_eq!(dear.after(Act::Advocate, now(), 0), Err(Refused::TooFar("ENGAGED")));
        assert!(friend.after(Act::Convert, now(), 0).unwrap().converted);
    }
}
