//! `millrace profile`

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use millrace_jobs::social::profile::{Problem, Profile, SHIPPED};
use serde::Serialize;

use crate::{cli::NotFound, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Report every problem of a brand profile at once, or what is in it
    Check {
        /// A file, or the name of a shipped profile
        profile: String,
    },
    /// Print a shipped profile, to begin with
    Show {
        /// Its name: neutral or vita
        name: String,
    },
}

/// What a check answers.
#[derive(Serialize)]
struct Checked {
    ok: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// How much is in each section.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    counts: serde_json::Map<String, serde_json::Value>,
}

/// Check or show.
///
/// # Errors
/// If there is no such profile or file.
pub fn run(args: &Args, out: Out) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Check { profile } => check(profile, out),
        Action::Show { name } => {
            let text = Profile::shipped(name).ok_or_else(|| unknown(name))?;
            out.answer(&text, || out.say(text.trim_end()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(name: &str, out: Out) -> anyhow::Result<ExitCode> {
    let text = match Profile::shipped(name) {
        Some(text) => text.to_owned(),
        None => match std::fs::read_to_string(name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(unknown(name).into()),
            read => read.with_context(|| format!("cannot read {name}"))?,
        },
    };
    match Profile::parse(&text) {
        Ok(profile) => {
            let counts = profile.counts();
            let checked = Checked {
                ok: true,
                problems: Vec::new(),
                brand: Some(profile.brand.name),
                sha256: Some(profile.sha256),
                counts: counts.iter().map(|(what, n)| ((*what).to_owned(), (*n).into())).collect(),
            };
            out.answer(&checked, || {
                out.table(
                    ["section", "count"],
                    counts.map(|(what, n)| [what.into(), n.to_string()]),
                );
                let sha256 = checked.sha256.as_deref().unwrap_or_default();
                out.say(format!("the profile is fine; sha256 {sha256}"));
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            let counts = serde_json::Map::new();
            let checked = Checked { ok: false, problems, brand: None, sha256: None, counts };
            out.answer(&checked, || checked.problems.iter().for_each(|p| out.say(p.to_string())))?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn unknown(name: &str) -> NotFound {
    let shipped = SHIPPED.map(|(name, _)| name).join(", ");
    NotFound(format!("there is no profile and no file {name}; the shipped profiles are {shipped}"))
}
