//! `millrace key`: API keys of the read side.

use clap::Subcommand;
use millrace_config::{ExposeSecret, Settings};
use millrace_ingest::registry::keys;

use super::audit;
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key; it is shown once
    Add {
        /// Workspace it belongs to
        #[arg(long)]
        workspace: String,
        /// What it is for
        #[arg(long, default_value = "api")]
        name: String,
        /// read, search, write, operate, reply, moderate
        #[arg(long, value_delimiter = ',', default_value = "read")]
        scopes: Vec<String>,
    },
    /// List keys
    Ls {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Revoke a key
    Revoke {
        /// Key id
        id: String,
    },
}

/// Make, list or revoke.
///
/// # Errors
/// If the database does not answer, or there is no such workspace, scope or key.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Add { workspace, name, scopes } => {
            let known = keys::SCOPES.map(|(scope, _)| scope);
            if let Some(bad) = scopes.iter().find(|s| !known.contains(&s.as_str())) {
                return Err(
                    Usage(format!("no scope {bad:?}; there are {}", known.join(", "))).into()
                );
            }
            let detail = serde_json::json!({ "scopes": scopes });
            audit::note(&pool, &workspace, "key.add", &name, detail).await?;
            let mut conn = pool.acquire().await?;
            let (key, text) = keys::create(&mut conn, &workspace, None, &name, &scopes).await?;
            let shown = serde_json::json!({ "id": key.id, "key": text.expose_secret(), "scopes": key.scopes });
            out.answer(&shown, || {
                out.say(format!(
                    "{}\nkey {}, scopes {}; it is not shown again",
                    text.expose_secret(),
                    key.id,
                    key.scopes.join(", ")
                ));
            })
        }
        Action::Ls { workspace } => {
            let all = keys::list(&pool, workspace.as_deref()).await?;
            out.answer(&all, || {
                let rows = all.iter().map(|k| {
                    let state = if k.revoked_at.is_some() { "revoked" } else { "active" };
                    let used =
                        k.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
                    [
                        k.id.clone(),
                        k.workspace_id.clone(),
                        k.name.clone(),
                        format!("{}...", k.prefix),
                        k.scopes.join(","),
                        state.to_owned(),
                        used,
                    ]
                });
                out.table(
                    ["key", "workspace", "name", "starts", "scopes", "state", "last used"],
                    rows,
                );
            })
        }
        Action::Revoke { id } => {
            audit::note(&pool, "", "key.revoke", &id, serde_json::json!({})).await?;
            if !keys::revoke(&pool, &id).await? {
                return Err(NotFound(format!(
                    "no active key {id:?}; `millrace key ls` shows them"
                ))
                .into());
            }
            out.answer(&serde_json::json!({ "revoked": id }), || out.say("revoked"))
        }
    }
}
