//! `millrace project`: what signals can belong to.

use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::{queue::Queue, signals::profile, store::projects};

use super::args::{short, time};
use crate::{cli::Usage, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace project add \"CSV export\" --workspace W --description \"Exports of reports as CSV and Excel files\"
  millrace project ls --workspace W --json")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a project; signals that fit its description find it
    Add {
        /// Name
        name: String,
        /// Workspace it belongs to
        #[arg(long)]
        workspace: String,
        /// What it is about; the more telling, the better
        #[arg(long)]
        description: Option<String>,
    },
    /// List projects, newest first
    Ls {
        /// Workspace
        #[arg(long)]
        workspace: String,
    },
}

/// Add or list.
///
/// # Errors
/// If the database does not answer or there is no such workspace.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Add { name, workspace, description } => {
            if name.trim().is_empty() {
                return Err(Usage("the name must not be blank".into()).into());
            }
            let mut tx = pool.begin().await?;
            let made = projects::create(&mut tx, &workspace, name.trim(), description.as_deref());
            let made = made.await.map_err(|e| match e.as_database_error() {
                Some(d) if d.is_foreign_key_violation() => {
                    Usage(format!("no workspace {workspace:?}; `millrace workspace ls` shows them"))
                        .into()
                }
                _ => anyhow::Error::from(e),
            })?;
            let queue = Queue::new(&pool, &settings.queue);
            queue.enqueue(&mut tx, &[profile::job(&workspace)?]).await?;
            tx.commit().await?;
            out.answer(&made, || out.say(format!("project {} ({})", made.id, made.name)))
        }
        Action::Ls { workspace } => {
            let mut conn = pool.acquire().await?;
            let all = projects::list(&mut conn, &workspace).await?;
            out.answer(&all, || {
                let rows = all.iter().map(|p| {
                    [
                        p.id.clone(),
                        p.name.clone(),
                        p.status.clone(),
                        time(p.created_at),
                        short(p.description.as_deref(), 60),
                    ]
                });
                out.table(["project", "name", "status", "created", "description"], rows);
            })
        }
    }
}
