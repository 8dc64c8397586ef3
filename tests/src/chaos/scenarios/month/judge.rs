//! What a month left, and whether two of them left the same.

use std::collections::BTreeMap;

use millrace_jobs::social::decide::Inputs;
use sqlx::{PgPool, types::Json};

/// Which decision: platform, post, the how many-th on it.
type Which = (String, String, i64);

/// What is left of a month.
#[derive(Debug)]
pub(super) struct Books {
    /// Posts that are not as they were written.
    pub(super) wrong: Vec<String>,
    /// Posts that nobody has written.
    pub(super) extra: i64,
    /// Dead letters.
    pub(super) dead: i64,
    /// Mode, and all that it was made of.
    pub(super) decisions: BTreeMap<Which, (String, Inputs)>,
    /// Decisions made again from what is stored, and how many came out otherwise.
    pub(super) verified: u64,
    pub(super) unrepeatable: usize,
    /// Calls of platforms, and those beyond their limits.
    pub(super) calls: usize,
    pub(super) over: usize,
    /// How many came how far.
    pub(super) funnel: Vec<(String, i64)>,
}

impl Books {
    pub(super) async fn decisions(pool: &PgPool) -> BTreeMap<Which, (String, Inputs)> {
        let rows: Vec<(String, String, i64, String, Json<Inputs>)> = sqlx::query_as(
            "select p.platform, p.platform_post_id, row_number() over (partition by p.id order by d.created_at), d.mode,
                    e.features
             from social.decisions d join social.posts p on p.id = d.post_id
             join social.decision_exposures e on e.decision_id = d.id and e.created_at = d.created_at",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        rows.into_iter().map(|(at, id, nth, mode, of)| ((at, id, nth), (mode, of.0))).collect()
    }

    pub(super) async fn funnel(pool: &PgPool) -> Vec<(String, i64)> {
        sqlx::query_as(
            "select what, n from (
               select 1 as part, stage as what, sum(count)::bigint as n from social.funnel group by stage
               union all select 2, 'refused: ' || rule, count(*) from social.refused_posts group by rule
               union all select 3, 'spam: ' || split_part(spam_reason, ':', 1), count(*) from social.posts
               where spam_filtered group by 2
               union all select 4, 'decided ' || mode || coalesce(' (' || lower(status) || ')', ''), count(*)
               from social.decisions group by 2
               union all select 5, 'escalated: ' || coalesce(reason, '-'), count(*) from social.escalations group by 2
             ) t order by part, what",
        )
        .fetch_all(pool)
        .await
        .unwrap()
    }

    /// Exactly what was written is there.
    pub(super) fn complete(&self) -> bool {
        self.wrong.is_empty() && self.extra == 0 && self.dead == 0
    }

    pub(super) fn print(&self, name: &str) {
        println!("---- {name}");
        for (what, count) in &self.funnel {
            println!("{what:48} {count:>8}");
        }
    }

    /// What must not depend on luck.
    fn stage(&self, name: &str) -> i64 {
        self.funnel.iter().find(|(what, _)| what == name).map_or(0, |(_, count)| *count)
    }
}

/// Two months beside each other.
#[derive(Debug)]
pub(super) struct Same {
    /// Decisions that were made of something else, or in one of them only.
    pub(super) differ: Vec<String>,
    /// Share of decisions with the same mode.
    pub(super) modes: f64,
}

/// Compare them.
pub(super) fn compare(a: &Books, b: &Books) -> Same {
    let mut differ = Vec::new();
    for stage in ["saved", "matched", "spam", "edited"] {
        if a.stage(stage) != b.stage(stage) {
            differ.push(format!("{stage}: {} and {}", a.stage(stage), b.stage(stage)));
        }
    }
    let (mut modes, mut all) = (0_u32, 0_u32);
    for (which, (mode, of)) in &a.decisions {
        let Some((other_mode, other)) = b.decisions.get(which) else {
            differ.push(format!("{which:?} only without faults"));
            continue;
        };
        (modes, all) = (modes + u32::from(mode == other_mode), all + 1);
        let there = timeless(of, other);
        if there != *other {
            differ.push(format!("{which:?}: {} {}", json(&there), json(other)));
        }
    }
    let only = b.decisions.keys().filter(|which| !a.decisions.contains_key(*which));
    differ.extend(only.map(|which| format!("{which:?} only with faults")));
    Same { differ, modes: f64::from(modes) / f64::from(all.max(1)) }
}

impl Same {
    pub(super) fn holds(&self, a: &Books, b: &Books) -> bool {
        let again = |books: &Books| {
            books.unrepeatable == 0 && usize::try_from(books.verified) == Ok(books.decisions.len())
        };
        self.differ.is_empty() && again(a) && again(b)
    }
}

/// What a decision was made of, at the other one's moment: its key, its hour, its counts by age.
fn timeless(of: &Inputs, other: &Inputs) -> Inputs {
    let mut of = of.clone();
    of.key = other.key;
    of.temporal = other.temporal.clone();
    of.post.age_hours = other.post.age_hours;
    of.signals.evs = other.signals.evs.clone();
    of
}

fn json(of: &Inputs) -> String {
    serde_json::to_string(of).unwrap()
}
