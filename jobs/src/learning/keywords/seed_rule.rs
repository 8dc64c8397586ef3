//! What the seed would do with a keyword: recorded beside, and decides nothing.

use serde::Serialize;

use super::judge::{Counts, ENGAGEMENT_HIGH, POSTS_MIN, PRECISION_MIN, count};
use crate::store::social::keywords::TallyRow;

/// The seed's factor where a keyword engages,
const RAISED: f64 = 1.2;
/// and where too much of what it finds is none of ours.
const LOWERED: f64 = 0.8;

/// Of the posts of the last 30 days, each counted in full for each of its keywords.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeedKeyword {
    /// Answered posts.
    pub n: i64,
    /// Share of them with a reward.
    pub engagement: Option<f64>,
    /// Share of the posts decided upon that were none of ours.
    pub false_positives: Option<f64>,
    /// What its weight would be multiplied by: above 15 % rewards 1.2, above 30 % false positives .8.
    pub factor: f64,
}

impl SeedKeyword {
    /// Of a keyword.
    #[must_use]
    pub fn of(term: &str, counts: Counts<'_>) -> Self {
        let ([n, hits], [decided, ours]) =
            (recent(counts.replied, term), recent(counts.decided, term));
        let enough = |n: i64| n >= i64::from(POSTS_MIN);
        let share = |hits: i64, n: i64| (n > 0).then(|| count(hits) / count(n));
        let engagement = share(hits, n);
        let false_positives = share(decided - ours, decided);
        let mut factor = 1.0;
        if enough(n) && engagement > Some(ENGAGEMENT_HIGH) {
            factor *= RAISED;
        }
        if enough(decided) && false_positives > Some(1.0 - PRECISION_MIN) {
            factor *= LOWERED;
        }
        Self { n, engagement, false_positives, factor }
    }
}

/// Posts, and hits; rows are in the order of their terms.
fn recent(rows: &[TallyRow], term: &str) -> [i64; 2] {
    let from = rows.partition_point(|row| row.term.as_str() < term);
    let of = rows.iter().skip(from).take_while(|row| row.term == term);
    of.filter(|row| row.recent).fold([0, 0], |[n, hits], row| [n + row.n, hits + row.hits])
}
