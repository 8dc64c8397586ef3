//! `millrace keys`: the key ring that seals source secrets.

use clap::Subcommand;
use millrace_config::Settings;
use millrace_ingest::secrets::KeyRing;

use crate::out::Out;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a fresh key file (0600) unless there is one
    Init,
    /// Print a fresh key, to be put first in secrets.keys or the key file
    New,
}

/// Make keys.
///
/// # Errors
/// If the file cannot be written.
pub fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    use millrace_config::ExposeSecret;
    match args.action {
        Action::Init => {
            let path = &settings.secrets.key_file;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let made = KeyRing::init_file(path)?;
            let path = path.display().to_string();
            out.answer(&serde_json::json!({ "path": path, "made": made }), || {
                out.say(if made {
                    format!("wrote {path}; back it up: secrets cannot be read without it")
                } else {
                    format!("{path} is there already")
                });
            })
        }
        Action::New => {
            let key = KeyRing::generate();
            out.answer(&serde_json::json!({ "key": key.expose_secret() }), || {
                out.say(key.expose_secret())
            })
        }
    }
}
