//! Thresholds of suggestions and automatic links learn from what people accept and dismiss.
//!
//! Only what was shown is judged. Links are written above one threshold and suggestions shown above a lower one, so what is
//! just below a link is judged by everybody, and needs no exploration; of what is just below a suggestion one in ten is
//! shown all the same (`signals.asked_anyway`, by a hash), and only those count. Above a threshold for links, where
//! silence is the rule, silence counts as consent after a week: so links get rarer only when it is certain, not sooner.

mod judge;

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::{PgConnection, PgPool};

pub use judge::{Current, Finding, Known, OFF_MAX, Region, Row, STEP, VERDICTS_MIN, learn};

use super::night::{Lesson, Outline, Plan, identity};
use crate::{
    learning::run::{ALPHA, Skip},
    signals::thresholds::Thresholds,
    store::{signal_thresholds as store, social::learning::Log, workspaces},
};

/// A suggestion is as old before it counts: people have had their say.
pub const MATURE: Duration = Duration::days(7);

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Suggestions {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// The oldest row.
    pub since: DateTime<Utc>,
    /// See [`Lesson::CODE_VERSION`].
    pub method_version: &'static str,
    /// Suggestions and links.
    pub rows: usize,
    /// Why nothing was learned.
    pub skipped: Option<&'static str>,
    /// Threshold by threshold.
    pub findings: Vec<Finding>,
}

impl Lesson for Suggestions {
    const KIND: &'static str = "suggestions";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        store::judged_workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let current = current(conn, settings, plan.workspace, plan.as_of).await?;
        let rows = store::judged(conn, plan.workspace, plan.as_of, plan.as_of - MATURE).await;
        let rows = rows.context("what people said")?;
        let findings = learn(&rows, &current, plan.as_of);
        let short = findings.iter().all(|one| one.skip == Some(Skip::InsufficientSampleSize));
        Ok(Self {
            run_id: identity(Self::KIND, plan).0,
            workspace: plan.workspace.to_owned(),
            as_of: plan.as_of,
            since: rows.iter().map(|row| row.born).min().unwrap_or(plan.as_of),
            method_version: Self::CODE_VERSION,
            rows: rows.len(),
            skipped: short.then_some("INSUFFICIENT_SAMPLE_SIZE"),
            findings,
        })
    }

    fn outline(&self) -> Outline {
        let each = |of: &dyn Fn(&Finding) -> Value| -> Value {
            let all = self.findings.iter().map(|one| (one.threshold.to_string(), of(one)));
            all.collect::<Map<_, _>>().into()
        };
        let log = Log {
            adjusted: self.findings.iter().any(Finding::is_adjusted),
            reason: self.reason(),
            valid: self.findings.iter().filter(|one| one.shortfall == 0).count(),
            total: self.findings.len(),
            sample_sizes: each(&|one| json!(one.n())),
            old: each(&|one| json!(one.now)),
            new: each(&|one| json!(if one.is_adjusted() { one.candidate } else { one.now })),
            predicted_improvement: None,
        };
        Outline { since: self.since, rows: self.rows, skipped: self.skipped, log: Some(log) }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        run_id: &str,
    ) -> anyhow::Result<()> {
        for one in self.findings.iter().filter(|one| one.is_adjusted()) {
            let version = store::NewVersion {
                workspace_id: &self.workspace,
                of: one.threshold,
                promise: one.promise,
                above: one.candidate,
                run_id: Some(run_id),
                at: self.as_of,
                approved_by: settings.learning.auto_approve.then_some("learning"),
            };
            version.write(conn).await.context("a threshold")?;
        }
        Ok(())
    }
}

impl Suggestions {
    /// Why, in words for the seed's log.
    fn reason(&self) -> String {
        let of = |one: &Finding| {
            let what = one.skip.map_or("ADJUSTED", Skip::as_str);
            format!("{} {what}", one.threshold)
        };
        let parts: Vec<String> = self.findings.iter().map(of).collect();
        format!("{} (error rate {ALPHA}, step {STEP})", parts.join(", "))
    }
}

/// The thresholds of a workspace that were in force just before `as_of`, with what they promise.
///
/// # Errors
/// Those of the database.
pub async fn current(
    conn: &mut PgConnection,
    settings: &Settings,
    workspace: &str,
    as_of: DateTime<Utc>,
) -> anyhow::Result<Current> {
    let own = workspaces::settings(conn, &[workspace]).await.context("settings")?;
    let own = own.into_iter().next().map_or(Value::Null, |(_, own)| own);
    let wanted = Thresholds::new(&settings.classify, &own);
    let rows = store::known(conn, workspace, as_of).await.context("thresholds")?;
    let mut current = Current::new();
    for (of, promise) in wanted.promises() {
        let row = rows.iter().find(|row| row.name == of.as_str());
        // What was learned for another promise is not in force.
        let version = row.and_then(|row| row.in_force(promise));
        let known = Known {
            above: version.map_or(promise, |(above, _)| above),
            promise,
            since: version.map(|(_, since)| since),
            locked: row.is_some_and(|row| row.locked),
        };
        current.insert(of, known);
    }
    Ok(current)
}
