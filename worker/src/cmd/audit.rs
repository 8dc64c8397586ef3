//! `millrace audit`: who intervened, and how. Every command that intervenes notes it here first.

use chrono::{DateTime, Utc};
use millrace_config::Settings;
use millrace_jobs::store::audit::{self, Act, AuditFilter};
use serde_json::Value;
use sqlx::PgPool;

use super::args::{moment, time};
use crate::{db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace audit                        the last interventions
  millrace audit --action key           keys made and revoked
  millrace audit --from 24h --json      for a machine")]
pub struct Args {
    /// Only this workspace's
    #[arg(long)]
    workspace: Option<String>,
    /// Only this action (dead.replay), or all that begin so (dead)
    #[arg(long)]
    action: Option<String>,
    /// At or after (a time, a date, or an age like 2h)
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

/// List.
///
/// # Errors
/// If the database does not answer.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let filter = AuditFilter {
        workspace_id: args.workspace,
        action: args.action,
        since: args.from,
        limit: args.limit,
    };
    let rows = audit::list(&pool, &filter).await?;
    out.answer(&rows, || {
        let rows = rows.iter().map(|a| {
            let workspace = if a.workspace_id.is_empty() { "(all)" } else { &a.workspace_id };
            [
                time(a.at),
                a.actor.clone(),
                workspace.to_owned(),
                a.action.clone(),
                a.target.clone(),
                a.detail.to_string(),
            ]
        });
        out.table(["at", "who", "workspace", "what", "to", "detail"], rows);
    })
}

/// Note what the user of this command line is about to do; `workspace_id` is empty for the whole installation.
pub(super) async fn note(
    pool: &PgPool,
    workspace_id: &str,
    action: &str,
    target: &str,
    detail: Value,
) -> sqlx::Result<()> {
    audit::note(pool, Act { workspace_id, actor: &me(), action, target }, detail).await
}

/// The user of this command line, as audits name it.
pub(super) fn me() -> String {
    format!("cli:{}", rustix::process::getuid().as_raw())
}
