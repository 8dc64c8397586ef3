//! `millrace migrate`

use millrace_config::Settings;
use millrace_jobs::store::migrate;

use crate::{db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only show which migrations are applied
    #[arg(long)]
    status: bool,
}

/// Apply what is missing, or show the state.
///
/// # Errors
/// If the database does not answer or a migration fails.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    if !args.status {
        migrate::run(&pool).await?;
    }
    let steps = migrate::status(&pool).await?;
    let json: Vec<_> = steps
        .iter()
        .map(|s| serde_json::json!({ "version": s.version, "name": s.name, "applied": s.applied }))
        .collect();
    out.answer(&json, || {
        let word = |applied| if applied { "applied" } else { "missing" };
        let rows = steps
            .iter()
            .map(|s| [s.version.to_string(), s.name.clone(), word(s.applied).to_owned()]);
        out.table(["version", "migration", "state"], rows);
    })
}
