//! Weights of decisions: what their signals were worth.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use super::{
    hold_back, meta,
    night::{Lesson, Outline, Plan, identity},
    rows::{Row, Segment},
    run::{ALPHA, CHANGE_MAX, Current, Finding, Skip, learn},
};
use crate::store::social::{
    kpis,
    learning::{self as store, Adoption, Dealt, Log},
};

/// A share of held-out decisions as far off as this is no chance: p below 0.001.
const SRM_P: f64 = 0.001;

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// Rows that matured after this.
    pub since: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// What chance comes from.
    pub seed: i64,
    /// Rows, and replies whose decision could not be read.
    pub rows: usize,
    /// See `rows`.
    pub odd: usize,
    /// Decisions to say something a week or more ago that nothing was said to: their outcome is missing, in shares.
    pub missing: f64,
    /// Probability of a share of held-out decisions as far off as this one.
    pub sample_ratio_p: f64,
    /// Why nothing was learned anywhere.
    pub skipped: Option<&'static str>,
    /// Segment by segment.
    pub findings: Vec<Finding>,
    /// Predictions of a week ago or longer that were judged.
    pub judged: Vec<meta::Judged>,
}

impl Told {
    /// Segments with other weights.
    #[must_use]
    pub fn adjusted(&self) -> usize {
        self.stepping().count()
    }

    fn stepping(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|one| self.skipped.is_none() && one.is_adjusted())
    }
}

impl Lesson for Told {
    const KIND: &'static str = "nightly";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let since = plan.as_of - Duration::days(settings.learning.window_days.into());
        let (rows, odd) =
            store::rows(conn, plan.workspace, since, plan.as_of).await.context("rows")?;
        let current = store::current(conn, plan.workspace, plan.as_of).await.context("weights")?;
        let dealt = store::dealt(conn, plan.workspace, since, plan.as_of - Duration::days(7)).await;
        let dealt = dealt.context("how chance dealt")?;
        let judged = meta::judge(conn, plan, &rows).await?;
        let rows_n = rows.len();
        let (run_id, seed) = identity(Self::KIND, plan);
        let mut told = Self {
            run_id,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            since,
            method_version: Self::CODE_VERSION,
            seed,
            rows: rows_n,
            odd,
            missing: missing(dealt),
            sample_ratio_p: sample_ratio(dealt),
            skipped: None,
            findings: found(rows, current, plan.as_of).await?,
            judged,
        };
        told.skipped = stopped(&told);
        Ok(told)
    }

    fn outline(&self) -> Outline {
        let by_segment = |of: &dyn Fn(&Finding) -> Value| -> Value {
            self.findings
                .iter()
                .map(|one| (one.segment.key(), of(one)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let log = Log {
            adjusted: self.adjusted() > 0,
            reason: reason(self),
            valid: self.findings.iter().filter(|one| one.shortfall == 0).count(),
            total: self.findings.len(),
            sample_sizes: by_segment(&|one| json!(one.n)),
            old: by_segment(&|one| json!(one.now)),
            new: by_segment(&|one| json!(if one.is_adjusted() { one.candidate } else { one.now })),
            predicted_improvement: self.stepping().map(|one| one.lift).reduce(f64::max),
        };
        Outline { since: self.since, rows: self.rows, skipped: self.skipped, log: Some(log) }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        run_id: &str,
    ) -> anyhow::Result<()> {
        let mut events = Vec::new();
        for one in self.stepping() {
            let adoption = Adoption {
                workspace_id: &self.workspace,
                segment: one.segment,
                from: one.now,
                to: one.candidate,
                sample_size: i32::try_from(one.n)?,
                performance: Some(one.mean_reward),
                run_id: Some(run_id),
                at: self.as_of,
                approved_by: settings.learning.auto_approve.then_some("learning"),
            };
            let version = adoption.write(conn).await.context("weights")?;
            let what = json!({ "segment": one.segment, "from": one.now, "to": one.candidate, "version": version,
                               "low": one.interval.map(|i| i.low), "high": one.interval.map(|i| i.high) });
            events.push((what, one.lift, one.mean_reward));
        }
        store::events(conn, (&self.workspace, run_id), self.as_of, "WEIGHT", &events)
            .await
            .context("predictions")?;
        for judged in &self.judged {
            judged.write(conn, &self.workspace, self.as_of).await.context("judging predictions")?;
        }
        hold_back::compare(conn, &self.workspace, self.as_of).await?;
        Ok(())
    }
}

async fn found(
    rows: Vec<Row>,
    current: Current,
    as_of: DateTime<Utc>,
) -> anyhow::Result<Vec<Finding>> {
    let work = move || learn(&rows, &current, as_of);
    tokio::task::spawn_blocking(work).await.context("learning")
}

fn missing(dealt: Dealt) -> f64 {
    if dealt.engaged > 0 { 1.0 - share(dealt.replied, dealt.engaged) } else { 0.0 }
}

#[expect(clippy::as_conversions, reason = "counts of rows")]
fn share(part: i64, all: i64) -> f64 {
    part as f64 / all as f64
}

/// Chi-square with one degree of freedom of the held-out count against its expectation.
fn sample_ratio(dealt: Dealt) -> f64 {
    #[expect(clippy::as_conversions, reason = "a count of rows")]
    let off = dealt.held_out as f64 - dealt.expected;
    millrace_stats::checks::count_p(off, dealt.variance)
}

fn stopped(told: &Told) -> Option<&'static str> {
    if told.sample_ratio_p < SRM_P {
        return Some("SAMPLE_RATIO_MISMATCH");
    }
    let global = told.findings.first().and_then(|one| one.skip);
    (global == Some(Skip::InsufficientSampleSize)).then_some("INSUFFICIENT_SAMPLE_SIZE")
}

/// Why, in words for the seed's log.
fn reason(told: &Told) -> String {
    if let Some(skipped) = told.skipped {
        return skipped.to_owned();
    }
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for one in &told.findings {
        *counts.entry(one.skip.map_or("ADJUSTED", Skip::as_str)).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    format!("{} (error rate {ALPHA}, step at most {CHANGE_MAX})", parts.join(", "))
}

/// A segment by the key that people write.
///
/// # Errors
/// If there is none.
pub fn segment(key: &str) -> anyhow::Result<Segment> {
    Segment::named(&key.to_uppercase()).with_context(|| {
        let all: Vec<String> = Segment::all().iter().map(ToString::to_string).collect();
        format!("no segment is called {key}; there are {}", all.join(", "))
    })
}
