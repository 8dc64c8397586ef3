//! `millrace workspace`

use anyhow::Context;
use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::store::workspaces;

use super::audit;
use crate::{cli::NotFound, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a workspace
    Add {
        /// Name
        name: String,
        /// Id, if it must be a known one (an existing workspace is left as it is)
        #[arg(long)]
        id: Option<String>,
    },
    /// List workspaces
    Ls,
    /// Merge a JSON object over the workspace's settings
    Set {
        /// Workspace id
        id: String,
        /// e.g. '{"signalAutomation":{"automationDepth":"suggest"}}'
        settings: String,
    },
}

/// Add, list or change.
///
/// # Errors
/// If the database does not answer or there is no such workspace.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Add { name, id } => {
            let made = workspaces::add(&pool, id.as_deref(), &name).await?;
            out.answer(&made, || out.say(format!("workspace {} ({})", made.id, made.name)))
        }
        Action::Ls => {
            let all = workspaces::list(&pool).await?;
            out.answer(&all, || {
                let rows =
                    all.iter().map(|w| [w.id.clone(), w.name.clone(), w.created_at.to_string()]);
                out.table(["workspace", "name", "created (UTC)"], rows);
            })
        }
        Action::Set { id, settings } => {
            let value: serde_json::Value =
                serde_json::from_str(&settings).context("settings must be a JSON object")?;
            anyhow::ensure!(value.is_object(), "settings must be a JSON object");
            audit::note(&pool, &id, "workspace.set", &id, value.clone()).await?;
            if !workspaces::set(&pool, &id, &value).await? {
                return Err(NotFound(format!(
                    "no workspace {id:?}; `millrace workspace ls` shows them"
                ))
                .into());
            }
            out.answer(&serde_json::json!({ "ok": true }), || out.say("set"))
        }
    }
}
