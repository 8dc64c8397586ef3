//! `millrace send`: sign and send one delivery to a running server, as the platform would.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use millrace_config::{Clock, Settings};
use serde_json::json;

use crate::{
    cli::Usage,
    demo::{Outgoing, Said, Sender, Setup, say},
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or kind of a demo source (`up` makes one of every kind)
    #[arg(long, default_value = "webhook")]
    source: String,
    /// What the user said; wrapped as the platform wraps it
    #[arg(long, conflicts_with = "file")]
    text: Option<String>,
    /// The whole body, sent as it is
    #[arg(long)]
    file: Option<PathBuf>,
    /// Content type of --file
    #[arg(long, default_value = "application/json", requires = "file")]
    content_type: String,
    /// Delivery id; a fresh one if absent. The same id again is a duplicate where the platform has ids
    #[arg(long)]
    id: Option<String>,
    /// Full delivery URL of a source that is not of the demo
    #[arg(long, requires_all = ["secret", "scheme"])]
    url: Option<String>,
    /// Secret or key to sign with, instead of the demo source's
    #[arg(long)]
    secret: Option<String>,
    /// Signature scheme of --url (one of `millrace source schemes`)
    #[arg(long)]
    scheme: Option<String>,
}

/// Send it and print the answer. Succeeds if it was taken.
///
/// # Errors
/// If there is nothing to say, nothing to sign with, or nobody answers.
pub async fn run(settings: &Settings, args: Args, out: Out) -> Result<ExitCode> {
    let now = Clock::system().now();
    let id = args.id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let target = target(settings, &args)?;
    let said = match (&args.text, &args.file) {
        (Some(text), _) => say(&target.kind, text, &id, now),
        (None, Some(file)) => Said {
            content_type: args.content_type.clone(),
            body: std::fs::read(file).with_context(|| file.display().to_string())?,
        },
        (None, None) => return Err(Usage("give --text or --file".into()).into()),
    };
    let reply = Sender::new()?
        .send(Outgoing {
            url: &target.url,
            scheme: &target.scheme,
            secret: &target.secret,
            id: &id,
            content_type: &said.content_type,
            headers: &[],
            body: &said.body,
            at: now,
        })
        .await
        .context("sending")?;
    let answer = json!({ "status": reply.status, "outcome": reply.outcome, "event": reply.event, "body": reply.body });
    out.answer(&answer, || {
        let event = reply.event.map_or_else(String::new, |event| format!(", event {event}"));
        out.say(format!("{} {}{event}\n{}", reply.status, reply.outcome, reply.body));
    })?;
    Ok(if reply.status < 300 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Target {
    kind: String,
    url: String,
    scheme: String,
    secret: String,
}

fn target(settings: &Settings, args: &Args) -> Result<Target> {
    if let (Some(url), Some(secret), Some(scheme)) = (&args.url, &args.secret, &args.scheme) {
        let [url, secret, scheme] = [url, secret, scheme].map(String::clone);
        return Ok(Target { kind: args.source.clone(), url, scheme, secret });
    }
    let setup = Setup::load(&settings.home)?;
    let source = setup.source(&args.source).ok_or_else(|| {
        let names: Vec<_> = setup.sources.iter().map(|s| s.name.as_str()).collect();
        Usage(format!("no demo source {:?}; there are {}", args.source, names.join(", ")))
    })?;
    Ok(Target {
        kind: source.kind.clone(),
        url: setup.hook(source),
        scheme: source.scheme.clone(),
        secret: args.secret.clone().unwrap_or_else(|| source.secret.clone()),
    })
}
