//! The command line.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{CommandFactory, Parser, Subcommand};
use millrace_config::{ConfigError, Settings};

use crate::{cmd, db::NoDatabase, out::Out};

/// Receives signals, stores every delivery, and turns it into classified, linked rows in Postgres.
#[derive(Debug, Parser)]
#[command(name = "millrace", version, about, after_help = EXAMPLES)]
pub struct Cli {
    /// State folder: embedded Postgres, models, keys
    #[arg(long, global = true, env = "MILLRACE_HOME", default_value = ".millrace")]
    home: PathBuf,
    /// Configuration file over the defaults (also MILLRACE_CONFIG)
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Answer with one line of JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  millrace up --demo                       everything on an embedded Postgres, with demo data
  millrace source add slack --workspace W  a source, its URL and its secret
  millrace jobs ls                         what waits and runs
  millrace dead ls --kind normalize        what gave up, and why
  DATABASE_URL=postgres://... millrace migrate && millrace serve

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 not found, 4 database or server unreachable";

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process, on an embedded Postgres unless one is configured
    Up(cmd::up::Args),
    /// Sign and send one delivery to a running server, as its platform would
    Send(cmd::send::Args),
    /// Receive deliveries and serve the API
    Serve,
    /// Run jobs
    Work,
    /// Tick schedules (elect a leader among several)
    Schedule,
    /// Serve, work and schedule in one process on a configured database
    All,
    /// Bring the database to this binary's schema
    Migrate(cmd::migrate::Args),
    /// Print the SQL that makes the least-privilege roles: `millrace roles | psql DATABASE`
    Roles,
    /// Workspaces: the tenants
    Workspace(cmd::workspace::Args),
    /// Sources: who may deliver, how it is verified
    Source(cmd::source::Args),
    /// API keys of the read side
    Key(cmd::key::Args),
    /// The configuration: check it, show the reference
    Config(cmd::config::Args),
    /// Keys that encrypt source secrets
    Keys(cmd::keys::Args),
    /// Projects: what signals can belong to
    Project(cmd::project::Args),
    /// Brand profiles: check one, print a shipped one
    Profile(cmd::profile::Args),
    /// Signals: what users said, and what became of it
    Signals(cmd::signals::Args),
    /// What came of replies: figures, alerts, who is spoken of
    Kpi(cmd::kpi::Args),
    /// People of the community who stand up for us
    Champions(cmd::champions::Args),
    /// What decisions learn from their outcomes: run, explain, lock, roll back
    Learn(cmd::learn::Args),
    /// Variants of thresholds beside each other, until one is better for sure
    Experiment(cmd::experiment::Args),
    /// Deliveries as received: list, show, read again
    Events(cmd::events::Args),
    /// Codebases: make them searchable, look at their index
    Index(cmd::index::Args),
    /// Ask an indexed codebase
    Search(cmd::search::Args),
    /// Decisions about posts: list, explain, verify
    Decisions(cmd::decisions::Args),
    /// Jobs that wait or run: list, show, retry, cancel, pause
    Jobs(cmd::jobs::Args),
    /// Jobs that gave up: list, show, replay
    Dead(cmd::dead::Args),
    /// Who intervened: keys, sources, pauses, retries, replays
    Audit(cmd::audit::Args),
    /// Social posts that wait for a person: list, claim, end
    Escalations(cmd::escalations::Args),
    /// What is over: archive and delete it, put it back; forget a person
    Retention(cmd::retention::Args),
    /// Posts of X, Reddit and Threads: what is fetched, who did what
    Social(cmd::social::Args),
    /// Is everything in place? What to do if not
    Doctor,
    /// Measure this machine: the embedding engines beside each other
    Bench(cmd::bench::Args),
    /// Print the OpenAPI document of the read side
    Openapi,
    /// Completions for a shell
    Completions(cmd::completions::Args),
}

/// Something named by the user does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotFound(pub String);

/// Arguments that cannot be used together or make no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Run the command and say how it ended.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let out = Out { json: cli.json };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(dispatch(cli, out)));
    match outcome {
        Ok(code) => code,
        Err(e) => {
            out.warn(format!("millrace: {e:#}"));
            ExitCode::from(exit_code(&e))
        }
    }
}

fn exit_code(e: &anyhow::Error) -> u8 {
    if e.is::<ConfigError>() || e.is::<Usage>() || e.is::<NoDatabase>() {
        return 2;
    }
    if e.is::<NotFound>() {
        return 3;
    }
    let unreachable = e.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<sqlx::Error>(),
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_))
        ) || cause.is::<reqwest::Error>()
    });
    if unreachable { 4 } else { 1 }
}

async fn dispatch(cli: Cli, out: Out) -> anyhow::Result<ExitCode> {
    let settings = || Settings::load(&cli.home, cli.config.as_deref()).map(Arc::new);
    match cli.command {
        Command::Up(args) => return cmd::up::run(&*settings()?, args, out).await,
        Command::Send(args) => return cmd::send::run(&*settings()?, args, out).await,
        Command::Serve => cmd::run::run(settings()?, cmd::run::SERVE).await?,
        Command::Work => cmd::run::run(settings()?, cmd::run::WORK).await?,
        Command::Schedule => cmd::run::run(settings()?, cmd::run::SCHEDULE).await?,
        Command::All => cmd::run::run(settings()?, cmd::run::ALL).await?,
        Command::Migrate(args) => cmd::migrate::run(&*settings()?, args, out).await?,
        Command::Roles => cmd::roles::run(out)?,
        Command::Workspace(args) => cmd::workspace::run(&*settings()?, args, out).await?,
        Command::Source(args) => cmd::source::run(&*settings()?, args, out).await?,
        Command::Key(args) => cmd::key::run(&*settings()?, args, out).await?,
        Command::Config(args) => cmd::config::run(settings(), args, out)?,
        Command::Keys(args) => cmd::keys::run(&*settings()?, args, out).await?,
        Command::Project(args) => cmd::project::run(&*settings()?, args, out).await?,
        Command::Profile(args) => return cmd::profile::run(&args, out),
        Command::Signals(args) => cmd::signals::run(&*settings()?, args, out).await?,
        Command::Kpi(args) => cmd::kpi::run(&*settings()?, args, out).await?,
        Command::Learn(args) => cmd::learn::run(|| Ok(settings()?), args, out).await?,
        Command::Experiment(args) => cmd::experiment::run(&*settings()?, args, out).await?,
        Command::Champions(args) => cmd::champions::run(&*settings()?, args, out).await?,
        Command::Events(args) => cmd::events::run(&*settings()?, args, out).await?,
        Command::Index(args) => cmd::index::run(&*settings()?, args, out).await?,
        Command::Search(args) => cmd::search::run(&*settings()?, args, out).await?,
        Command::Decisions(args) => cmd::decisions::run(&*settings()?, args, out).await?,
        Command::Jobs(args) => cmd::jobs::run(&*settings()?, args, out).await?,
        Command::Dead(args) => cmd::dead::run(&*settings()?, args, out).await?,
        Command::Audit(args) => cmd::audit::run(&*settings()?, args, out).await?,
        Command::Escalations(args) => cmd::escalations::run(&*settings()?, args, out).await?,
        Command::Retention(args) => return cmd::retention::run(&*settings()?, args, out).await,
        Command::Social(args) => return cmd::social::run(&*settings()?, args, out).await,
        Command::Doctor => return cmd::doctor::run(&*settings()?, out).await,
        Command::Bench(args) => return cmd::bench::run(&*settings()?, args, out).await,
        Command::Openapi => cmd::openapi::run(out)?,
        Command::Completions(args) => cmd::completions::run(&args, Cli::command(), out)?,
    }
    Ok(ExitCode::SUCCESS)
}
