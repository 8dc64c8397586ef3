//! The policy's night: what it knows is taught anew from all outcomes, and its say grows or ends.

use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use millrace_config::Settings;
use serde::Serialize;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::{
    Stage,
    judge::{Found, Verdict, learn},
};
use crate::{
    learning::night::{Lesson, Outline, Plan, identity},
    store::social::{
        kpis,
        learning::{self as store, NewPolicy},
    },
};

/// A prediction of what more of a say would gain is judged after so long.
const JUDGED_AFTER: Duration = Duration::days(7);

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Told {
    /// The same for the same workspace and `as_of`.
    pub run_id: String,
    /// Whose.
    pub workspace: String,
    /// What was final then.
    pub as_of: DateTime<Utc>,
    /// From what became final since then.
    #[serde(skip)]
    pub from: DateTime<Utc>,
    /// How much of a say it had, and since when.
    pub stage: Stage,
    /// See `stage`.
    pub since: DateTime<Utc>,
    /// How much it has from now on.
    pub next: Stage,
    /// How much it would have, if a person says so.
    pub proposed: Option<Stage>,
    /// Decisions that could not be read.
    pub odd: usize,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
}

impl Lesson for Told {
    const KIND: &'static str = "policy";
    const CODE_VERSION: &'static str = "1";

    async fn workspaces(pool: &PgPool) -> sqlx::Result<Vec<String>> {
        kpis::workspaces(pool).await
    }

    async fn find(
        conn: &mut PgConnection,
        settings: &Settings,
        plan: Plan<'_>,
    ) -> anyhow::Result<Self> {
        let settings = &settings.learning;
        let from = plan.as_of - Duration::days(settings.window_days.into());
        let (rows, odd) =
            store::policy_rows(conn, plan.workspace, from, plan.as_of).await.context("rows")?;
        let known = store::policy(conn, plan.workspace).await.context("policy")?;
        let locked = known.as_ref().is_some_and(|row| row.locked_by.is_some());
        // One that nobody ever gave a say is judged on all there is.
        let (stage, since) =
            known.as_ref().map_or((Stage::Shadow, from), |row| (row.stage, row.stage_since));
        let work = move || learn(&rows, stage, since, locked);
        let found = tokio::task::spawn_blocking(work).await.context("learning")?;
        let found = found.context("a number")?;
        let (next, proposed) = follow(&found, stage, settings.auto_approve);
        let (run_id, _) = identity(Self::KIND, plan);
        let (workspace, as_of) = (plan.workspace.to_owned(), plan.as_of);
        Ok(Self { run_id, workspace, as_of, from, stage, since, next, proposed, odd, found })
    }

    fn outline(&self) -> Outline {
        Outline {
            since: self.from,
            rows: usize::try_from(self.found.rows).unwrap_or(usize::MAX),
            skipped: None,
            log: None,
        }
    }

    async fn keep(
        &self,
        conn: &mut PgConnection,
        _settings: &Settings,
        run_id: &str,
    ) -> anyhow::Result<()> {
        let moved = self.next != self.stage;
        let new = NewPolicy {
            version: run_id,
            stage: self.next,
            since: if moved { self.as_of } else { self.since },
            proposed: self.proposed,
            state: &self.found.state,
            noise: self.found.noise,
        };
        store::keep_policy(conn, &self.workspace, &new).await.context("policy")?;
        judge(conn, self).await.context("judging predictions")?;
        if moved {
            let what = json!({ "policy": run_id, "from": self.stage, "to": self.next });
            let lift = relative(self.found.gain, self.found.mean_reward);
            let event = (what, lift, self.found.mean_reward);
            let of = (self.workspace.as_str(), run_id);
            let told = store::events(conn, of, self.as_of, "ARCHETYPE", &[event]).await;
            told.context("prediction")?;
        }
        Ok(())
    }
}

/// The stage from now on, and the one that waits for a person. Back it goes by itself, always.
fn follow(found: &Found, stage: Stage, by_itself: bool) -> (Stage, Option<Stage>) {
    match found.verdict {
        Verdict::Down => (Stage::Shadow, None),
        Verdict::Up if by_itself => (stage.up().unwrap_or(stage), None),
        Verdict::Up => (stage, stage.up()),
        Verdict::Stays(_) => (stage, None),
    }
}

/// Gain in shares of what there was.
fn relative(gain: f64, mean: f64) -> f64 {
    if mean > 0.0 { gain / mean } else { 0.0 }
}

/// What was predicted of a stage, by what its decisions say since.
async fn judge(conn: &mut PgConnection, told: &Told) -> anyhow::Result<()> {
    let until = told.as_of - JUDGED_AFTER;
    let found = &told.found;
    let Some(interval) = found.interval else { return Ok(()) };
    for event in store::open_events(conn, &told.workspace, "ARCHETYPE", until).await? {
        let actual = relative(found.gain, found.mean_reward);
        let predicted = event.predicted_improvement * found.mean_reward;
        let evaluation = json!({ "rows": found.judged, "covered": interval.contains(predicted) });
        let of = (told.workspace.as_str(), event.id.as_str());
        store::evaluated(conn, of, actual, &evaluation, told.as_of).await?;
    }
    Ok(())
}
