//! `millrace experiment`: two variants of the thresholds beside each other, until one is better for sure.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    learning::experiments::desk::{self, Actor, Draft, Refusal},
    store::social::experiments::{self as store, ExperimentRow},
};
use serde_json::{Value, json};
use sqlx::{PgPool, Postgres, Transaction};

use super::{
    args::{dash, maybe_time},
    audit,
    kpi::whose,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

mod explain;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace experiment create --name 'speak sooner' --set composite_engage=0.35
  millrace experiment create --file sooner.toml --start
  millrace experiment show 'speak sooner'       what is known, what is missing, when it will be there
  millrace experiment rollback 'speak sooner'   what won is in force no longer

A file:
  name = \"speak sooner\"
  metric = \"engagement\"                         or clicks, or love
  days = 28
  split = 0.5                                   share of A; adaptive = false: it stays
  [variant_b.thresholds]
  composite_engage = 0.35

Authors are split, and stay where they are. A variant may change when we speak and how, but nothing of safety, claims, whom we
speak to or what we ask for. `social.experiments` looks every hour; an end is by evidence that may be looked at always.")]
pub struct Args {
    /// Whose; needed if there are several
    #[arg(long, global = true)]
    workspace: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one; nobody takes part before it is started
    Create(Create),
    /// Authors take part from now on, or again
    Start {
        /// Beginning of its id, or its name
        experiment: String,
    },
    /// Nobody takes part until it is started again; its end stays where it is
    Pause {
        /// Which
        experiment: String,
    },
    /// It is over, and nobody won
    Stop {
        /// Which
        experiment: String,
    },
    /// All of them
    Ls,
    /// What is known of one, in words and figures
    Show {
        /// Which
        experiment: String,
    },
    /// Put what won into force, where `learning.auto_approve` does not
    Promote {
        /// Which
        experiment: String,
    },
    /// Take what won out of force
    Rollback {
        /// Which
        experiment: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// TOML or JSON, by the end of its name
    #[arg(long, conflicts_with_all = ["name", "set", "metric", "days", "split", "fixed"], required_unless_present = "name")]
    file: Option<PathBuf>,
    /// Short
    #[arg(long, requires = "set")]
    name: Option<String>,
    /// What B changes, e.g. composite_engage=0.35
    #[arg(long, value_name = "THRESHOLD=VALUE", value_parser = setting)]
    set: Vec<(String, f64)>,
    /// What is counted: engagement, clicks or love
    #[arg(long, default_value = "engagement")]
    metric: String,
    /// From its start to its end
    #[arg(long, default_value_t = 28)]
    days: i32,
    /// Share of A at the beginning
    #[arg(long, default_value_t = 0.5)]
    split: f64,
    /// Leave the split as it is
    #[arg(long)]
    fixed: bool,
    /// Start it, too
    #[arg(long)]
    start: bool,
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write THRESHOLD=VALUE")?;
    let value = value.trim().parse().map_err(|_| format!("{value} is no number"))?;
    Ok((name.trim().to_owned(), value))
}

/// Make, tell or change.
///
/// # Errors
/// If the database does not answer, what is named is not there, or it cannot be.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    // What cannot be read needs no database.
    let create = if let Action::Create(create) = &args.action { Some(create) } else { None };
    let draft = create.map(drafted).transpose()?;
    let pool = db::connect(settings).await?;
    let workspace = whose(&pool, args.workspace).await?;
    let me = audit::me();
    let actor = Actor { workspace_id: &workspace, id: &me, at: Clock::system().now() };
    match args.action {
        Action::Create(create) => match draft {
            Some(draft) => created(&pool, actor, &draft, create.start, out).await,
            None => Ok(()),
        },
        Action::Ls => listed(&pool, &workspace, out).await,
        Action::Show { experiment } => shown(&pool, &workspace, &experiment, out).await,
        Action::Start { experiment } => {
            let (mut tx, row) = found(&pool, &workspace, &experiment).await?;
            desk::start(&mut tx, actor, &row).await.map_err(usage)?;
            done(tx, actor, &row, "runs", out).await
        }
        Action::Pause { experiment } => {
            let (mut tx, row) = found(&pool, &workspace, &experiment).await?;
            desk::pause(&mut tx, actor, &row).await.map_err(usage)?;
            done(tx, actor, &row, "is paused", out).await
        }
        Action::Stop { experiment } => {
            let (mut tx, row) = found(&pool, &workspace, &experiment).await?;
            desk::stop(&mut tx, actor, &row).await.map_err(usage)?;
            done(tx, actor, &row, "is over", out).await
        }
        Action::Promote { experiment } => {
            let (mut tx, row) = found(&pool, &workspace, &experiment).await?;
            let version = desk::promote(&mut tx, actor, &row).await.map_err(usage)?;
            done(tx, actor, &row, &format!("is in force for all, as version {version}"), out).await
        }
        Action::Rollback { experiment } => {
            let (mut tx, row) = found(&pool, &workspace, &experiment).await?;
            let version = desk::rollback(&mut tx, actor, &row).await.map_err(usage)?;
            done(tx, actor, &row, &format!("is out of force, version {version}"), out).await
        }
    }
}

fn usage(refusal: Refusal) -> anyhow::Error {
    match refusal {
        Refusal::No(why) => Usage(why).into(),
        Refusal::Database(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            NotFound("there is no such workspace: see `millrace workspace ls`".into()).into()
        }
        Refusal::Database(error) => error.into(),
    }
}

fn drafted(args: &Create) -> anyhow::Result<Draft> {
    if let Some(file) = &args.file {
        return read(file);
    }
    let thresholds: Value =
        args.set.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect();
    Ok(Draft {
        name: args.name.clone().unwrap_or_default(),
        description: None,
        metric: args.metric.clone(),
        split: args.split,
        adaptive: !args.fixed,
        days: args.days,
        variant_a: json!({}),
        variant_b: json!({ "thresholds": thresholds }),
    })
}

fn read(file: &Path) -> anyhow::Result<Draft> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let wrong = |why: String| Usage(format!("{}: {why}", file.display()));
    let is_json = file.extension().is_some_and(|end| end == "json");
    let draft = if is_json {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))?
    };
    Ok(draft)
}

async fn created(
    pool: &PgPool,
    actor: Actor<'_>,
    draft: &Draft,
    start: bool,
    out: Out,
) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    let id = desk::create(&mut tx, actor, draft).await.map_err(usage)?;
    let row = store::of_id(&mut tx, actor.workspace_id, &id).await?.pop();
    let row = row.context("the experiment that was just made")?;
    if start {
        desk::start(&mut tx, actor, &row).await.map_err(usage)?;
    }
    done(tx, actor, &row, if start { "runs" } else { "is a draft: start it" }, out).await
}

/// The one of that name, and the transaction in which nobody else changes it.
async fn found<'a>(
    pool: &PgPool,
    workspace: &str,
    name: &str,
) -> anyhow::Result<(Transaction<'a, Postgres>, ExperimentRow)> {
    let mut tx = pool.begin().await?;
    let mut rows = store::of_id(&mut tx, workspace, name).await?;
    match (rows.pop(), rows.pop()) {
        (Some(row), None) => Ok((tx, row)),
        (Some(_), Some(_)) => {
            Err(Usage(format!("several begin with {name}: give more of the id")).into())
        }
        (None, _) => Err(NotFound(format!(
            "no experiment of {workspace} is called {name}: see `millrace experiment ls`"
        ))
        .into()),
    }
}

async fn done(
    mut tx: Transaction<'_, Postgres>,
    actor: Actor<'_>,
    row: &ExperimentRow,
    what: &str,
    out: Out,
) -> anyhow::Result<()> {
    let row = store::of_id(&mut tx, actor.workspace_id, &row.id).await?.pop();
    tx.commit().await?;
    let row = row.context("the experiment is gone")?;
    out.answer(&row, || out.say(format!("{} ({}) {what}", row.name, row.id)))
}

async fn listed(pool: &PgPool, workspace: &str, out: Out) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    let rows = store::list(&mut conn, workspace).await?;
    out.answer(&rows, || {
        let rows = rows.iter().map(|row| {
            [
                row.name.clone(),
                row.status.to_lowercase(),
                row.looked.map_or_else(dash, |n| n.to_string()),
                format!(
                    "{:.0} : {:.0}",
                    row.traffic_split * 100.0,
                    (1.0 - row.traffic_split) * 100.0
                ),
                row.winner.clone().unwrap_or_else(dash),
                row.stop_reason.clone().unwrap_or_else(dash),
                maybe_time(row.end_date),
                row.id.clone(),
            ]
        });
        out.table(
            ["name", "status", "authors", "A : B", "winner", "over because", "end", "id"],
            rows,
        );
    })
}

async fn shown(pool: &PgPool, workspace: &str, name: &str, out: Out) -> anyhow::Result<()> {
    let (mut tx, row) = found(pool, workspace, name).await?;
    let of = (workspace, row.id.as_str());
    let looks = store::looks(&mut tx, of, 10).await?;
    let promotions = store::of_experiment(&mut tx, of).await?;
    drop(tx);
    let answer = json!({ "experiment": row, "looks": looks, "promotions": promotions });
    out.answer(&answer, || explain::experiment(&row, &looks, &promotions, out))
}
