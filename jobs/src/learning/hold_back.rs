//! One author in ten keeps the weights before for a week after a change: who is answered by which is then chance, and what
//! came of both says what the change did.

use anyhow::Context;
use chrono::{DateTime, Utc};
use millrace_stats::means::{Moments, welch};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::run::ALPHA;
use crate::{
    social::trials::even,
    store::social::learning::{self as store, Sides},
};

/// Share of the authors.
const SHARE: f64 = 0.1;

/// Whether an author keeps the weights before this version of a segment's. Another tenth each time.
#[must_use]
pub fn is_held_back(author_id: &str, segment: &str, version: i32) -> bool {
    even(&format!("hold-back\n{segment}\n{version}"), author_id) < SHARE
}

/// Compare both sides of all changes whose week is over and its outcomes final.
///
/// # Errors
/// Those of the database.
pub async fn compare(
    conn: &mut PgConnection,
    workspace: &str,
    as_of: DateTime<Utc>,
) -> anyhow::Result<()> {
    for sides in store::sides(conn, workspace, as_of).await.context("hold-back")? {
        store::compared(conn, (workspace, &sides.event), &told(&sides)).await?;
    }
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
        let told = told(&Sides {
            event: "e".into(),
            new_n: 900,
            new_rewarded: 90,
            old_n: 100,
            old_rewarded: 10,
        });
        assert_eq!(told["difference"], 0.0);
        assert!(told["interval"]["low"].as_f64() < Some(0.0), "{told}");
    }
}
