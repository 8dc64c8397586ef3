//! `millrace keys`: the key ring that seals source secrets.

use clap::Subcommand;
use millrace_config::{ExposeSecret, Settings};
use millrace_ingest::{
    registry::reseal::{self, Resealed},
    secrets::{KeyRing, file},
};
use serde_json::json;

use super::audit;
use crate::{cli::Usage, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A new key, while everything runs:
  millrace keys add            a key that opens; give the file to every machine (or put the key last in secrets.keys)
  millrace keys rotate KEY     it seals from now on, and all secrets are sealed with it
  millrace keys rm OLD         once `keys ls` says that nothing is sealed with the old one")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a fresh key file (0600) unless there is one
    Init,
    /// Print a fresh key, to be put into secrets.keys
    New,
    /// Which keys there are, and how many secrets each has sealed
    Ls,
    /// Add a fresh key to the key file: it opens, and does not seal yet
    Add,
    /// Seal all secrets anew with the first key of the ring
    Rotate {
        /// First put this key in front, in the key file
        key: Option<String>,
    },
    /// Forget a key of the key file that nothing is sealed with
    Rm {
        /// Its id
        key: String,
    },
}

/// Make keys, use them, forget them.
///
/// # Errors
/// If the file cannot be written, the database does not answer, or a secret does not open.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let path = &settings.secrets.key_file;
    match args.action {
        Action::Init => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let made = file::init(path)?;
            let path = path.display().to_string();
            out.answer(&json!({ "path": path, "made": made }), || {
                out.say(if made {
                    format!("wrote {path}; back it up: secrets cannot be read without it")
                } else {
                    format!("{path} is there already")
                });
            })
        }
        Action::New => {
            let key = KeyRing::generate();
            out.answer(&json!({ "key": key.expose_secret() }), || out.say(key.expose_secret()))
        }
        Action::Ls => list(settings, out).await,
        Action::Add => {
            in_a_file(settings)?;
            let id = file::add(path)?;
            out.answer(&json!({ "id": id }), || {
                out.say(format!(
                    "{} has key {id} too: back it up, give it to every machine, then `millrace keys rotate {id}`",
                    path.display()
                ));
            })
        }
        Action::Rotate { key } => rotate(settings, key.as_deref(), out).await,
        Action::Rm { key } => remove(settings, &key, out).await,
    }
}

fn in_a_file(settings: &Settings) -> anyhow::Result<()> {
    if settings.secrets.keys.expose_secret().is_empty() {
        return Ok(());
    }
    Err(Usage("the keys are those of secrets.keys, not of a file: change them there, restart, then `millrace keys rotate`".into()).into())
}

async fn list(settings: &Settings, out: Out) -> anyhow::Result<()> {
    let ring = KeyRing::load(&settings.secrets)?;
    let sealed = reseal::by_key(&db::connect(settings).await?).await?;
    let count = |id: &str| sealed.iter().find(|(key, _)| key == id).map_or(0, |(_, n)| *n);
    let writer = ring.writer();
    let mut rows: Vec<(String, &str, i64)> = ring
        .ids()
        .into_iter()
        .map(|id| (id.clone(), if id == writer { "seals" } else { "opens" }, count(&id)))
        .collect();
    let lost = sealed.iter().filter(|(id, _)| rows.iter().all(|(known, ..)| known != id));
    let lost: Vec<_> = lost.map(|(id, n)| (id.clone(), "missing", *n)).collect();
    rows.extend(lost);
    let json: Vec<_> =
        rows.iter().map(|(id, role, n)| json!({ "id": id, "role": role, "secrets": n })).collect();
    out.answer(&json, || {
        let rows = rows.iter().map(|(id, role, n)| [id.clone(), (*role).to_owned(), n.to_string()]);
        out.table(["key", "role", "secrets sealed"], rows);
    })
}

async fn rotate(settings: &Settings, key: Option<&str>, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    if let Some(key) = key {
        in_a_file(settings)?;
        file::promote(&settings.secrets.key_file, key)?;
    }
    let ring = KeyRing::load(&settings.secrets)?;
    let writer = ring.writer();
    audit::note(&pool, "", "keys.rotate", &writer, json!({})).await?;
    let Resealed { sealed, closed } = reseal::run(&pool, &ring).await?;
    if let Some(first) = closed.first() {
        anyhow::bail!(
            "{sealed} secrets sealed with {writer}; {} do not open and are as they were, the first of source {}: {}",
            closed.len(),
            first.source_id,
            first.why
        );
    }
    out.answer(&json!({ "key": writer, "sealed": sealed }), || {
        out.say(format!("{sealed} secrets sealed anew; all are sealed with {writer} now"));
    })
}

async fn remove(settings: &Settings, key: &str, out: Out) -> anyhow::Result<()> {
    in_a_file(settings)?;
    let ring = KeyRing::load(&settings.secrets)?;
    if ring.writer() == key {
        return Err(Usage(format!(
            "{key} is the key that seals; `millrace keys rotate` another first"
        ))
        .into());
    }
    let pool = db::connect(settings).await?;
    let sealed = reseal::by_key(&pool).await?;
    if let Some((_, n)) = sealed.iter().find(|(id, _)| id == key) {
        return Err(Usage(format!(
            "{n} secrets are sealed with {key}; `millrace keys rotate` first"
        ))
        .into());
    }
    audit::note(&pool, "", "keys.remove", key, json!({})).await?;
    file::remove(&settings.secrets.key_file, key)?;
    out.answer(&json!({ "removed": key }), || {
        out.say(format!("{key} is gone; backups taken before need it"))
    })
}
