//! One author in ten keeps the weights before for a week after a change: who is answered by which is then chance, and what
//! came of both says what the change did.

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_stats::{
    Interval,
    means::{Moments, welch},
    policy::Assignment,
    sequential,
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    rows::Segment,
    run::{ALPHA, SUCCESSES_MIN},
};
use crate::{
    social::{
        outcomes::alerts::{Alert, Severity},
        trials::even,
    },
    store::social::{
        alerts,
        learning::{self as store, Adoption, Sides},
    },
};

/// Share of the authors.
const SHARE: f64 = 0.1;
/// The interval is narrowest about so many replies.
const TUNED_FOR: f64 = 3_000.0;

/// Whether an author keeps the weights before this version of a segment's. Another tenth each time.
#[must_use]
pub fn is_held_back(author_id: &str, segment: &str, version: i32) -> bool {
    even(&format!("hold-back\n{segment}\n{version}"), author_id) < SHARE
}

/// Compare both sides of all changes whose week is over and its outcomes final; and undo what does harm, as soon as that is
/// sure: it is looked at every night.
///
/// # Errors
/// Those of the database.
pub async fn compare(
    conn: &mut PgConnection,
    workspace: &str,
    as_of: DateTime<Utc>,
) -> anyhow::Result<()> {
    for sides in store::sides(conn, workspace, as_of).await.context("hold-back")? {
        if sides.is_over {
            store::compared(conn, (workspace, &sides.event), &told(&sides)).await?;
        }
        if let Some(harm) = harm(&sides).filter(|_| sides.is_open) {
            undo(conn, (workspace, as_of), &sides, harm).await.context("undoing")?;
        }
    }
    Ok(())
}

/// The interval of what a change costs each reply, if that is something, at all times at once with 95 %. Each reward is
/// scored by the probability with which its author was held back (AIPW).
fn harm(sides: &Sides) -> Option<Interval> {
    let of = |count: i64| u32::try_from(count).ok().map(f64::from);
    let (new, old) = (of(sides.new_n)?, of(sides.old_n)?);
    let (new_rewarded, old_rewarded) = (of(sides.new_rewarded)?, of(sides.old_rewarded)?);
    if old_rewarded < f64::from(SUCCESSES_MIN) {
        return None;
    }
    let mean = (new_rewarded + old_rewarded) / (new + old);
    let mut scores = Moments::default();
    for (count, treated, reward) in [
        (sides.new_rewarded, true, 1.0),
        (sides.new_n - sides.new_rewarded, true, 0.0),
        (sides.old_rewarded, false, 1.0),
        (sides.old_n - sides.old_rewarded, false, 0.0),
    ] {
        let one = Assignment { treated, propensity: 1.0 - SHARE, reward, m1: mean, m0: mean };
        let (n, mean) = (u64::try_from(count).ok()?, one.score().ok()?);
        scores = scores.merge(Moments { n, mean, squares: 0.0 }).ok()?;
    }
    let rho = sequential::rho_for(TUNED_FOR, ALPHA).ok()?;
    let interval = sequential::confidence_sequence(&scores, rho, ALPHA).ok()?;
    (interval.high < 0.0).then_some(interval)
}

/// The weights before are in force again, for everybody; somebody is told.
async fn undo(
    conn: &mut PgConnection,
    (workspace, as_of): (&str, DateTime<Utc>),
    sides: &Sides,
    harm: Interval,
) -> anyhow::Result<()> {
    let segment = Segment::named(&sides.segment).context("a segment")?;
    let four = |weights: &[f64]| <[f64; 4]>::try_from(weights).context("four weights");
    let back = Adoption {
        workspace_id: workspace,
        segment,
        from: four(&sides.weights)?,
        to: four(&sides.weights_before)?,
        sample_size: sides.sample_size,
        performance: None,
        // Of no run: nobody is held back from what everybody had.
        run_id: None,
        at: as_of,
        approved_by: Some("hold-back"),
    };
    let version = back.write(conn).await.context("weights")?;
    let why = json!({ "version": version, "interval": harm });
    store::undone(conn, (workspace, &sides.event), &why).await?;
    let alert = Alert {
        rule: "weights_undone".into(),
        severity: Severity::High,
        value: harm.high,
        threshold: 0.0,
        message: format!(
            "{segment}: its last weights cost between {:.1} and {:.1} rewards in a hundred replies beside those before, which are in \
             force again",
            -100.0 * harm.high,
            -100.0 * harm.low,
        ),
    };
    alerts::raise(conn, workspace, None, &alert, as_of).await.context("alert")?;
    tracing::warn!(workspace, segment = sides.segment, "weights undone: they did harm");
    Ok(())
}

/// Replies and shares of rewarded ones on both sides, and the difference with its 95 % interval (Welch 1947).
fn told(sides: &Sides) -> Value {
    let of = |n: i64, rewarded: i64| -> Option<Moments> {
        let n = u32::try_from(n).ok().filter(|n| *n > 0)?;
        Some(Moments::of_hits(u32::try_from(rewarded).ok()?, n))
    };
    let (new, old) = (of(sides.new_n, sides.new_rewarded), of(sides.old_n, sides.old_rewarded));
    let test = new.zip(old).and_then(|(new, old)| welch(&new, &old, ALPHA).ok());
    json!({ "replies": sides.new_n, "held_back": sides.old_n, "rewarded": new.map(|m| m.mean),
            "held_back_rewarded": old.map(|m| m.mean), "difference": test.map(|t| t.estimate),
            "interval": test.map(|t| t.interval) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Sides {
        Sides {
            event: "e".into(),
            segment: "GLOBAL".into(),
            is_over: false,
            is_open: true,
            weights: vec![],
            weights_before: vec![],
            sample_size: 0,
            new_n: 0,
            new_rewarded: 0,
            old_n: 0,
            old_rewarded: 0,
        }
    }

    #[test]
    fn a_tenth_is_held_back_another_one_each_time() {
        let held = |version| {
            (0..5_000)
                .filter(|n| is_held_back(&format!("a{n}"), "GLOBAL", version))
                .collect::<Vec<_>>()
        };
        let (first, second) = (held(2), held(3));
        assert!((400..600).contains(&first.len()), "{}", first.len());
        let both = first.iter().filter(|n| second.contains(n)).count();
        assert!(both < 100, "{both}");
        let sides =
            Sides { new_n: 900, new_rewarded: 90, old_n: 100, old_rewarded: 10, ..nothing() };
        let told = told(&sides);
        assert_eq!(told["difference"], 0.0);
        assert!(told["interval"]["low"].as_f64() < Some(0.0), "{told}");
    }

    #[test]
    fn looked_at_every_night_what_is_as_good_is_undone_seldom_and_harm_mostly() {
        use rand::{RngExt, SeedableRng, rngs::StdRng};
        let mut random = StdRng::seed_from_u64(9);
        let mut undone = |new_rate: f64| {
            (0..200)
                .filter(|_| {
                    let mut sides = nothing();
                    (0..7).any(|_| {
                        for _ in 0..1_000 {
                            let held = random.random_bool(SHARE);
                            let rewarded = random.random_bool(if held { 0.2 } else { new_rate });
                            let (n, of) = if held {
                                (&mut sides.old_n, &mut sides.old_rewarded)
                            } else {
                                (&mut sides.new_n, &mut sides.new_rewarded)
                            };
                            *n += 1;
                            *of += i64::from(rewarded);
                        }
                        harm(&sides).is_some()
                    })
                })
                .count()
        };
        let (as_good, harmful) = (undone(0.2), undone(0.1));
        assert!(as_good <= 10, "{as_good} of 200");
        assert!(harmful >= 180, "{harmful} of 200");
    }
}
