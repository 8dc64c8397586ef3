//! `millrace learn`: what decisions learn from their outcomes.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::{
        bias::Bias,
        causal::Causal,
        drift::Drift,
        keywords::Keywords,
        night::{self, Lesson, Outcome, Plan},
        nightly, policy as learning_policy,
        rows::Segment,
        suggestions::Suggestions,
    },
    signals::thresholds::Learned,
    store::social::learning::{self, RunRow, VersionRow},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    args::{dash, maybe_time, time},
    kpi::whose,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

mod causal;
mod drift;
mod explain;
mod keywords;
mod policy;
mod report;
mod simulate;
mod thresholds;
mod weights;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace learn status                       weights in force, and the last runs
  millrace learn run --dry-run                what the next run would find; nothing is written
  millrace learn explain TWITTER              why its weights moved in the last run, or did not
  millrace learn explain AUTO_LINKS           the same of what is linked without asking, or SUGGESTIONS
  millrace learn lock GLOBAL                  leave them as they are
  millrace learn rollback REDDIT_NIGHT        the version before
  millrace learn keywords                     what changed of the profile's keywords, and what waits for you
  millrace learn keywords approve 'empty stomach'   try it on one text in ten
  millrace learn policy                       what is learned of modes and archetypes, and how much of a say it has
  millrace learn report                       one page with plots of all of it
  millrace learn simulate --world segments --runs 20 --seed 1")]
pub struct Args {
    /// Whose; needed if there are several
    #[arg(long, global = true)]
    workspace: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Learn now
    Run {
        /// From what was final then, e.g. 2026-11-01T02:00:00Z
        #[arg(long)]
        as_of: Option<DateTime<Utc>>,
        /// Find, and write nothing
        #[arg(long)]
        dry_run: bool,
        /// What
        #[arg(long, default_value = "weights")]
        of: Of,
    },
    /// Weights and thresholds in force and proposed, and the last runs
    Status,
    /// Why they moved or did not: of a run (its id), or of a segment or a threshold in the last run
    Explain {
        /// Beginning of a run's id, a segment, e.g. TWITTER_NIGHT, or a threshold: SUGGESTIONS, AUTO_LINKS
        what: Option<String>,
    },
    /// Whether platforms do something else with our replies since, as the last run found
    Drift,
    /// Leave the weights of a segment, or a threshold, as they are
    Lock {
        /// E.g. GLOBAL, REDDIT, TWITTER_NIGHT, MORNING, SUNDAY, AUTO_LINKS
        segment: String,
    },
    /// Let learning change them again
    Unlock {
        /// Which
        segment: String,
    },
    /// Put proposed weights, or a proposed threshold, into force
    Approve {
        /// Id of the version
        version: String,
    },
    /// Put the version before the one in force into force
    Rollback {
        /// Which
        segment: String,
    },
    /// The policy over modes and archetypes: what it has gained, and how much of a say it has
    Policy {
        #[command(subcommand)]
        act: Option<policy::Act>,
    },
    /// Keywords: what changed of the profile's, what is proposed, and what people say to it
    Keywords {
        #[command(subcommand)]
        act: Option<keywords::Act>,
    },
    /// Write one HTML page with plots: weights, segments, policy, experiments, predictions, key figures
    Report {
        /// Where to; learning-WORKSPACE-DATE.html if absent
        file: Option<PathBuf>,
        /// How far back
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=1000))]
        days: u32,
    },
    /// Learn in made-up worlds whose truth is known; needs no database
    Simulate(simulate::Args),
}

/// What is learned.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// Weights of decisions
    Weights,
    /// Thresholds of suggestions and automatic links
    Suggestions,
    /// Whether a platform has changed
    Drift,
    /// What keywords are worth, and which phrases might be some
    Keywords,
    /// Whether predicted modes were better than others that were drawn in their place
    Causal,
    /// Whom we ignore because of who they are
    Bias,
}

/// Learn, tell or change.
///
/// # Errors
/// If the database does not answer, or what is named is not there.
pub async fn run(
    settings: impl Fn() -> anyhow::Result<Arc<Settings>>,
    args: Args,
    out: Out,
) -> anyhow::Result<()> {
    if let Action::Simulate(plan) = &args.action {
        return simulate::run(plan, out);
    }
    let settings = settings()?;
    let pool = db::connect(&settings).await?;
    let workspace = whose(&pool, args.workspace).await?;
    let workspace = workspace.as_str();
    match args.action {
        Action::Run { as_of, dry_run, of } => {
            let as_of = as_of.unwrap_or_else(|| Clock::system().now());
            let plan = Plan { workspace, as_of, dry_run };
            match of {
                Of::Weights => learned::<nightly::Told>(&pool, &settings, plan, out).await,
                Of::Suggestions => learned::<Suggestions>(&pool, &settings, plan, out).await,
                Of::Drift => learned::<Drift>(&pool, &settings, plan, out).await,
                Of::Keywords => learned::<Keywords>(&pool, &settings, plan, out).await,
                Of::Causal => learned::<Causal>(&pool, &settings, plan, out).await,
                Of::Bias => learned::<Bias>(&pool, &settings, plan, out).await,
            }
        }
        Action::Status => status(&pool, workspace, out).await,
        Action::Drift => last::<Drift>(&pool, workspace, out).await,
        Action::Explain { what } => explained(&pool, workspace, what, out).await,
        Action::Lock { segment } => hold(&pool, workspace, &segment, true, out).await,
        Action::Unlock { segment } => hold(&pool, workspace, &segment, false, out).await,
        Action::Approve { version } => {
            weights::approve(&pool, &settings, (workspace, &version), out).await
        }
        Action::Rollback { segment } => match threshold(&segment) {
            Some(of) => thresholds::rollback(&pool, &settings, (workspace, of), out).await,
            None => weights::rollback(&pool, workspace, &segment, out).await,
        },
        Action::Report { file, days } => report::run(&pool, workspace, (file, days), out).await,
        Action::Keywords { act } => keywords::run(&pool, &settings, (workspace, act), out).await,
        Action::Policy { act } => policy::run(&pool, workspace, act, out).await,
        Action::Simulate(_) => Ok(()),
    }
}

/// A threshold by the name that people write.
fn threshold(name: &str) -> Option<Learned> {
    Learned::named(&name.to_uppercase().replace('-', "_"))
}

async fn learned<L: Lesson>(
    pool: &PgPool,
    settings: &Settings,
    plan: Plan<'_>,
    out: Out,
) -> anyhow::Result<()> {
    match night::run::<L>(pool, settings, plan).await? {
        Outcome::Ran(told) => {
            let mut report = serde_json::to_value(&*told)?;
            // Whoever asks for weights wants to know what is done with them too.
            if L::KIND == nightly::Told::KIND {
                let told =
                    night::run::<learning_policy::nightly::Told>(pool, settings, plan).await?;
                if let (Outcome::Ran(told), Some(all)) = (told, report.as_object_mut()) {
                    all.insert("policy".into(), serde_json::to_value(&*told)?);
                }
            }
            out.answer(&report, || {
                explain::report(&report, out);
                policy::say(report.get("policy"), out);
                if plan.dry_run {
                    out.say("Nothing was written (--dry-run).");
                }
            })
        }
        Outcome::Before => {
            Err(Usage("it was run as of then before: see `millrace learn status`".into()).into())
        }
        Outcome::UnderWay => {
            anyhow::bail!("another run is under way for {}; try again in a moment", plan.workspace)
        }
    }
}

async fn status(pool: &PgPool, workspace: &str, out: Out) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let versions = learning::versions(&mut conn, workspace, false).await?;
    let limits = thresholds::versions(&mut conn, workspace, false).await?;
    let runs = learning::list(&mut conn, workspace, 10).await?;
    let brief = |run: &RunRow| {
        json!({ "run_id": run.run_id, "kind": run.kind, "status": run.status, "as_of": run.as_of, "rows": run.input_rows,
        "skipped_reason": run.skipped_reason, "duration_ms": run.duration_ms })
    };
    let answer = json!({ "workspace": workspace, "weights": versions, "thresholds": limits, "runs": runs.iter().map(brief).collect::<Vec<_>>() });
    out.answer(&answer, || {
        if versions.is_empty() {
            out.say("The documented weights are in force everywhere: SSS .40, ARS .25, EVS .20, TRS .15.");
        } else {
            out.table(["segment", "version", "SSS", "ARS", "EVS", "TRS", "since", "by", "id"], versions.iter().map(version));
        }
        thresholds::table(&limits, out);
        let rows = runs.iter().map(|run| {
            [
                run.run_id.clone(),
                run.kind.clone(),
                maybe_time(run.as_of),
                run.status.to_lowercase(),
                run.input_rows.unwrap_or_default().to_string(),
                run.skipped_reason.clone().unwrap_or_else(dash),
                format!("{} ms", run.duration_ms.unwrap_or_default()),
            ]
        });
        out.table(["run", "kind", "as of", "status", "outcomes", "skipped because", "took"], rows);
    })
}

fn version(row: &VersionRow) -> [String; 9] {
    let weight = |nth: usize| row.weights.get(nth).map_or_else(dash, |w| format!("{w:.3}"));
    [
        row.segment_key.clone(),
        row.version.to_string(),
        weight(0),
        weight(1),
        weight(2),
        weight(3),
        time(row.effective_from),
        by(row.locked_by.as_deref(), row.approved_by.as_deref()),
        row.id.clone(),
    ]
}

/// Who holds a version, or let it in.
fn by(locked_by: Option<&str>, approved_by: Option<&str>) -> String {
    match (locked_by, approved_by) {
        (Some(who), _) => format!("locked by {who}"),
        (None, Some(who)) => who.to_owned(),
        (None, None) => "PROPOSED".into(),
    }
}

async fn explained(
    pool: &PgPool,
    workspace: &str,
    what: Option<String>,
    out: Out,
) -> anyhow::Result<()> {
    let segment = what.as_deref().and_then(|key| Segment::named(&key.to_uppercase()));
    let limit = what.as_deref().and_then(threshold);
    let id = what.filter(|_| segment.is_none() && limit.is_none()).unwrap_or_default();
    let kind = if limit.is_some() { Suggestions::KIND } else { nightly::Told::KIND };
    let mut conn = pool.acquire().await?;
    let run = learning::run_of(&mut conn, workspace, &id, kind).await?;
    let Some(report) = run.and_then(|run| run.report) else {
        let what = if id.is_empty() {
            "a run yet".to_owned()
        } else {
            format!("a run or a segment called {id}")
        };
        return Err(NotFound(format!(
            "there is not {what} in {workspace}: see `millrace learn status`"
        ))
        .into());
    };
    let findings = report.0.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
    let is =
        |one: &Value, name: &str, key: &str| one.get(name).and_then(Value::as_str) == Some(key);
    let wanted = |one: &&Value| {
        segment.is_none_or(|s| is(one, "segment", &s.key()))
            && limit.is_none_or(|of| is(one, "threshold", of.as_str()))
    };
    let chosen: Vec<&Value> = findings.iter().filter(wanted).collect();
    match (segment, limit) {
        (None, None) if report.0.get("judged").is_some_and(Value::is_number) => {
            out.answer(&report.0, || policy::say(Some(&report.0), out))
        }
        (None, None) => out.answer(&report.0, || explain::report(&report.0, out)),
        (Some(_), _) => out.answer(&chosen, || {
            chosen.iter().for_each(|one| explain::finding(one, &report.0, out))
        }),
        (None, Some(_)) => out.answer(&chosen, || {
            chosen.iter().for_each(|one| thresholds::finding(one, &report.0, out))
        }),
    }
}

/// What the last run of a kind found.
async fn last<L: Lesson>(pool: &PgPool, workspace: &str, out: Out) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let run = learning::run_of(&mut conn, workspace, "", L::KIND).await?;
    let Some(report) = run.and_then(|run| run.report) else {
        let what = format!(
            "there is no such run in {workspace} yet: `millrace learn run --of {}`",
            L::KIND
        );
        return Err(NotFound(what).into());
    };
    out.answer(&report.0, || explain::report(&report.0, out))
}

async fn hold(
    pool: &PgPool,
    workspace: &str,
    key: &str,
    locked: bool,
    out: Out,
) -> anyhow::Result<()> {
    match threshold(key) {
        Some(of) => thresholds::lock(pool, (workspace, of), locked, out).await,
        None => weights::lock(pool, workspace, key, locked, out).await,
    }
}
