//! Whether a community that asks who we are would have us: the karma gate.

use serde::Serialize;

use super::cadence::Wanted;
use crate::{social::profile::Cadence, store::social::own_accounts::Account};

/// An open gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Nobody asks the platform who we are there: whoever sends the replies must know.
    Unasked,
    /// All accounts have what it takes.
    Open,
}

/// Pass the gate with all accounts that may send the reply: fails closed where one is not known. A reply that builds
/// karma needs none, unless it promotes; the account's age it needs as any other.
///
/// # Errors
/// What is missing, for people.
pub fn gate(accounts: &[Account], cadence: &Cadence, wanted: Wanted) -> Result<Gate, String> {
    let karma_min = match (wanted.promotes, wanted.builds_karma) {
        (true, _) => cadence.karma_min.max(cadence.karma_for_product),
        (false, true) => i64::MIN,
        (false, false) => cadence.karma_min,
    };
    for account in accounts {
        let (Some(karma), Some(age_days)) = (account.karma, account.age_days) else {
            return Err("the karma of our account is not known: the platform did not say it in the last hour".into());
        };
        if karma < karma_min {
            let of = if wanted.promotes { "a reply that promotes" } else { "a reply" };
            return Err(format!("our account has {karma} karma; {of} needs {karma_min}"));
        }
        if age_days < f64::from(cadence.account_days_min) {
            let days = age_days.floor();
            return Err(format!(
                "our account is {days} days old; a reply needs {}",
                cadence.account_days_min
            ));
        }
    }
    Ok(if accounts.is_empty() { Gate::Unasked } else { Gate::Open })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::social::profile::Profile;

    #[test]
    fn the_gate_shuts_at_its_boundaries_and_where_nothing_is_known() {
        let cadence = Profile::parse(Profile::shipped("vita").unwrap()).unwrap().cadence;
        assert_eq!(
            (cadence.karma_min, cadence.karma_for_product, cadence.account_days_min),
            (100, 500, 30)
        );
        let account = |karma, age_days| Account { karma, age_days };
        let plain =
            Wanted { in_community: true, promotes: false, links: false, builds_karma: false };
        let promo = Wanted { promotes: true, ..plain };
        let builder = Wanted { builds_karma: true, ..plain };
        for (karma, age_days, wanted, expected) in [
            (Some(100), Some(30.0), plain, true),
            (Some(99), Some(30.0), plain, false),
            (Some(100), Some(30.0_f64.next_down()), plain, false),
            (Some(499), Some(900.0), promo, false),
            (Some(500), Some(30.0), promo, true),
            (Some(-7), Some(900.0), plain, false),
            (Some(-7), Some(30.0), builder, true),
            (Some(-7), Some(30.0_f64.next_down()), builder, false),
            (None, Some(900.0), builder, false),
            (Some(499), Some(900.0), Wanted { builds_karma: true, ..promo }, false),
            (None, Some(900.0), plain, false),
            (Some(900), None, plain, false),
        ] {
            let open = gate(&[account(karma, age_days)], &cadence, wanted) == Ok(Gate::Open);
            assert_eq!(open, expected, "{karma:?} {age_days:?} {wanted:?}");
        }
        assert_eq!(gate(&[], &cadence, promo), Ok(Gate::Unasked));
        let good = account(Some(900), Some(900.0));
        assert!(
            gate(&[good, account(Some(1), Some(1.0))], &cadence, plain).is_err(),
            "all of them"
        );
    }
}
