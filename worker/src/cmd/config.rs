//! `millrace config`

use std::sync::Arc;

use clap::Subcommand;
use millrace_config::{ConfigError, DEFAULT_TOML, Settings};

use crate::out::Out;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Report every problem of the configuration at once
    Check,
    /// Print the reference: every key with its default
    Default,
}

/// Check or show.
///
/// # Errors
/// All problems of the configuration.
pub fn run(
    settings: Result<Arc<Settings>, ConfigError>,
    args: Args,
    out: Out,
) -> anyhow::Result<()> {
    match args.action {
        Action::Check => {
            settings?;
            out.answer(&serde_json::json!({ "ok": true }), || out.say("the configuration is fine"))
        }
        Action::Default => out.answer(&DEFAULT_TOML, || out.say(DEFAULT_TOML.trim_end())),
    }
}
