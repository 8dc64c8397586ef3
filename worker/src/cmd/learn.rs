//! `millrace learn`: what decisions learn from their outcomes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::{
        nightly::{self, Outcome, Plan},
        policy as learning_policy,
        rows::Segment,
        run::weights_of,
        simulate::{self, World},
    },
    store::social::learning::{self, Adoption, RunRow, VersionRow},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    args::{dash, maybe_time, time},
    audit,
    kpi::whose,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

mod explain;
mod policy;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace learn status                       weights in force, and the last runs
  millrace learn run --dry-run                what the next run would find; nothing is written
  millrace learn explain TWITTER              why its weights moved in the last run, or did not
  millrace learn lock GLOBAL                  leave them as they are
  millrace learn rollback REDDIT_NIGHT        the version before
  millrace learn policy                       what is learned of modes and archetypes, and how much of a say it has
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
    },
    /// Weights in force and proposed, and the last runs
    Status,
    /// Why weights moved or did not: of a run (its id), or of a segment in the last run
    Explain {
        /// Beginning of a run's id, or a segment, e.g. TWITTER_NIGHT
        what: Option<String>,
    },
    /// Leave the weights of a segment as they are
    Lock {
        /// E.g. GLOBAL, REDDIT, TWITTER_NIGHT, MORNING, SUNDAY
        segment: String,
    },
    /// Let learning change them again
    Unlock {
        /// Which
        segment: String,
    },
    /// Put proposed weights into force
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
    /// Learn in made-up worlds whose truth is known; needs no database
    Simulate(Simulate),
}

#[derive(Debug, clap::Args)]
struct Simulate {
    /// What is true there
    #[arg(long)]
    world: Truth,
    /// Lives
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Seed of the first
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nights of each
    #[arg(long, default_value_t = 84, value_parser = clap::value_parser!(u32).range(1..=1000))]
    days: u32,
    /// Replies a day
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    per_day: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Truth {
    /// No signal says anything
    Aa,
    /// The documented weights are right
    Right,
    /// Others are
    Ab,
    /// Each platform has its own
    Segments,
    /// Others are, and half-way others again
    Drift,
    /// All modes and archetypes are worth the same
    PolicyAa,
    /// What is worth most depends on the post
    PolicyAb,
    /// So it does, and half-way it turns around
    PolicyTurn,
}

impl Truth {
    const fn world(self) -> Result<World, policy::World> {
        Ok(match self {
            Self::PolicyAa => return Err(policy::World::Aa),
            Self::PolicyAb => return Err(policy::World::Ab),
            Self::PolicyTurn => return Err(policy::World::Turn),
            Self::Aa => World::Aa,
            Self::Right => World::Right,
            Self::Ab => World::Ab,
            Self::Segments => World::Segments,
            Self::Drift => World::Drift,
        })
    }
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
        return simulated(plan, out);
    }
    let settings = settings()?;
    let pool = db::connect(&settings).await?;
    let workspace = whose(&pool, args.workspace).await?;
    let workspace = workspace.as_str();
    match args.action {
        Action::Run { as_of, dry_run } => {
            let as_of = as_of.unwrap_or_else(|| Clock::system().now());
            learned(&pool, &settings, Plan { workspace, as_of, dry_run }, out).await
        }
        Action::Status => status(&pool, workspace, out).await,
        Action::Explain { what } => explained(&pool, workspace, what, out).await,
        Action::Lock { segment } => lock(&pool, workspace, &segment, true, out).await,
        Action::Unlock { segment } => lock(&pool, workspace, &segment, false, out).await,
        Action::Approve { version } => approve(&pool, workspace, &version, out).await,
        Action::Rollback { segment } => rollback(&pool, workspace, &segment, out).await,
        Action::Policy { act } => policy::run(&pool, workspace, act, out).await,
        Action::Simulate(_) => Ok(()),
    }
}

async fn learned(
    pool: &PgPool,
    settings: &Settings,
    plan: Plan<'_>,
    out: Out,
) -> anyhow::Result<()> {
    match nightly::run(pool, &settings.learning, plan).await? {
        Outcome::Ran(told) => {
            let mut report = serde_json::to_value(&*told)?;
            let of_policy = learning_policy::nightly::run(pool, &settings.learning, plan).await?;
            if let (Outcome::Ran(told), Some(all)) = (of_policy, report.as_object_mut()) {
                all.insert("policy".into(), serde_json::to_value(&*told)?);
            }
            out.answer(&report, || {
                explain::summary(&report, out);
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
    let runs = learning::list(&mut conn, workspace, 10).await?;
    let brief = |run: &RunRow| {
        json!({ "run_id": run.run_id, "kind": run.kind, "status": run.status, "as_of": run.as_of, "rows": run.input_rows,
        "skipped_reason": run.skipped_reason, "duration_ms": run.duration_ms })
    };
    let answer = json!({ "workspace": workspace, "weights": versions, "runs": runs.iter().map(brief).collect::<Vec<_>>() });
    out.answer(&answer, || {
        if versions.is_empty() {
            out.say("The documented weights are in force everywhere: SSS .40, ARS .25, EVS .20, TRS .15.");
        } else {
            out.table(["segment", "version", "SSS", "ARS", "EVS", "TRS", "since", "by", "id"], versions.iter().map(version));
        }
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
    let by = match (&row.locked_by, &row.approved_by) {
        (Some(who), _) => format!("locked by {who}"),
        (None, Some(who)) => who.clone(),
        (None, None) => "PROPOSED".into(),
    };
    [
        row.segment_key.clone(),
        row.version.to_string(),
        weight(0),
        weight(1),
        weight(2),
        weight(3),
        time(row.effective_from),
        by,
        row.id.clone(),
    ]
}

async fn explained(
    pool: &PgPool,
    workspace: &str,
    what: Option<String>,
    out: Out,
) -> anyhow::Result<()> {
    let segment = what.as_deref().and_then(|key| Segment::named(&key.to_uppercase()));
    let id = what.filter(|_| segment.is_none()).unwrap_or_default();
    let mut conn = pool.acquire().await?;
    let run = learning::run_of(&mut conn, workspace, &id, "nightly").await?;
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
    let wanted = |one: &&Value| {
        segment.is_none_or(|s| one.get("segment").and_then(Value::as_str) == Some(&s.key()))
    };
    let chosen: Vec<&Value> = findings.iter().filter(wanted).collect();
    match segment {
        None if report.0.get("judged").is_some_and(Value::is_number) => {
            out.answer(&report.0, || policy::say(Some(&report.0), out))
        }
        None => out.answer(&report.0, || explain::summary(&report.0, out)),
        Some(_) => out.answer(&chosen, || {
            chosen.iter().for_each(|one| explain::finding(one, &report.0, out))
        }),
    }
}

async fn lock(
    pool: &PgPool,
    workspace: &str,
    key: &str,
    locked: bool,
    out: Out,
) -> anyhow::Result<()> {
    let segment = named(key)?;
    let who = audit::me();
    let verb = if locked { "weights.lock" } else { "weights.unlock" };
    audit::note(pool, workspace, verb, &segment.key(), json!({})).await?;
    let mut tx = pool.begin().await?;
    let current = learning::current(&mut tx, workspace, Clock::system().now()).await?;
    let weights = weights_of(&current, segment);
    learning::lock(&mut tx, workspace, segment, weights, locked.then_some(who.as_str())).await?;
    tx.commit().await?;
    let word = if locked { "locked" } else { "open to learning" };
    out.answer(&json!({ "segment": segment, "locked": locked }), || {
        out.say(format!("{segment} is {word}"))
    })
}

async fn approve(pool: &PgPool, workspace: &str, id: &str, out: Out) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let versions = learning::versions(&mut tx, workspace, false).await?;
    let found = versions.into_iter().find(|row| row.id == id && row.approved_by.is_none());
    let Some(row) = found else {
        return Err(NotFound(format!(
            "no weights called {id} are proposed: see `millrace learn status`"
        ))
        .into());
    };
    let segment = named(&row.segment_key)?;
    let to = row.weights.try_into().map_err(|_| Usage("those are not four weights".into()))?;
    put(tx, pool, (workspace, segment, "weights.approve"), to, out).await
}

async fn rollback(pool: &PgPool, workspace: &str, key: &str, out: Out) -> anyhow::Result<()> {
    let segment = named(key)?;
    let mut tx = pool.begin().await?;
    let mut all = learning::versions(&mut tx, workspace, true).await?;
    all.retain(|row| row.segment_key == segment.key() && row.approved_by.is_some());
    let before = all.iter().rev().nth(1).and_then(|row| row.weights.clone().try_into().ok());
    let Some(to) = before else {
        return Err(NotFound(format!(
            "{segment} has no version before: see `millrace learn status`"
        ))
        .into());
    };
    put(tx, pool, (workspace, segment, "weights.rollback"), to, out).await
}

/// Into force, by a person, now.
async fn put(
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    pool: &PgPool,
    (workspace, segment, verb): (&str, Segment, &str),
    to: [f64; 4],
    out: Out,
) -> anyhow::Result<()> {
    let at = Clock::system().now();
    let current = learning::current(&mut tx, workspace, at).await?;
    audit::note(pool, workspace, verb, &segment.key(), json!({ "weights": to })).await?;
    let who = audit::me();
    let adoption = Adoption {
        workspace_id: workspace,
        segment,
        from: weights_of(&current, segment),
        to,
        sample_size: 0,
        performance: None,
        run_id: None,
        at,
        approved_by: Some(&who),
    };
    let version = adoption.write(&mut tx).await?;
    tx.commit().await?;
    let answer = json!({ "segment": segment, "version": version, "weights": to });
    out.answer(&answer, || out.say(format!("{segment} has {} now", explain::four(&to))))
}

fn named(key: &str) -> anyhow::Result<Segment> {
    nightly::segment(key).map_err(|error| Usage(error.to_string()).into())
}

fn simulated(args: &Simulate, out: Out) -> anyhow::Result<()> {
    let world = match args.world.world() {
        Ok(world) => world,
        Err(world) => return policy::simulated(args, world, out),
    };
    let plan = simulate::Plan {
        days: args.days,
        per_day: args.per_day,
        ..simulate::Plan::of(world, args.runs, args.seed)
    };
    let outcome = simulate::simulate(plan);
    out.answer(&outcome, || {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let row = |name: &str, tally: &simulate::Tally| {
            [
                name.to_owned(),
                percent(tally.stepped),
                percent(tally.wrong),
                tally.median_samples.map_or_else(dash, |n| n.to_string()),
                percent(tally.recovered),
                percent(tally.regret),
            ]
        };
        let (world, runs, seed) = (plan.world, plan.runs, plan.seed);
        out.say(format!("world {world}, {runs} lives of {} days from seed {seed}", plan.days));
        let rows = [row("millrace", &outcome.ours), row("the seed's rule", &outcome.seed_rule)];
        out.table(
            [
                "rule",
                "stepped",
                "wrongly",
                "replies until then",
                "of the best at the end",
                "regret",
            ],
            rows,
        );
    })
}
