//! `millrace social`: posts of X, Reddit and Threads.

mod audit;
mod status;

use std::process::ExitCode;

use clap::Subcommand;
use millrace_config::Settings;

use crate::out::Out;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// How far each query has been read, how long it has been silent, what is left to ask, what went wrong
    Status {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Ask what is due now, instead of at the next minute
    Poll,
    /// Who did what to escalations and replies, in a chain that shows what was changed
    Audit(audit::Args),
}

/// What the verb says.
///
/// # Errors
/// Those of the verb.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Status { workspace } => status::show(settings, workspace.as_deref(), out).await?,
        Action::Poll => status::poll(settings, out).await?,
        Action::Audit(args) => return audit::run(settings, args, out).await,
    }
    Ok(ExitCode::SUCCESS)
}
