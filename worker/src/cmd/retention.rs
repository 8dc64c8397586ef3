//! `millrace retention`: what is over is archived and deleted; archives are checked and put back; people are forgotten.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use chrono::{DateTime, Utc};
use clap::Subcommand;
use millrace_config::{Clock, Settings, SocialRetention};
use millrace_jobs::social::{
    record::Platform,
    retention::{
        self, Relation,
        archive::Manifest,
        erase::{self, Erased, Subject},
        restore,
    },
};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    args::{dash, moment, time},
    audit,
    kpi::whose,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace retention plan                         what the next run archives and deletes
  millrace retention plan --as-of 2027-03-01      and what one of that day would
  millrace retention run                          now, instead of at night
  millrace retention verify                       exit code 1 if a file is not what its manifest says
  millrace retention restore posts-2026-08-1f0c2a9be4d7.jsonl.gz
  millrace retention erase --subject TWITTER:somebody --workspace W
                                                  forget a person: tables, raw deliveries, archives

The archive is the folder social.retention.folder. Rows that are put back are taken out again by the next run.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What is over, and what waits although it is old enough
    Plan {
        /// At this time (a time or a date, also one to come) instead of now
        #[arg(long, value_parser = moment)]
        as_of: Option<DateTime<Utc>>,
    },
    /// Archive and delete what is over
    Run {
        /// What was over then (a time, a date, or an age like 30d) instead of now
        #[arg(long, value_parser = moment)]
        as_of: Option<DateTime<Utc>>,
    },
    /// List archives
    Ls,
    /// Compare archives with their manifests, and audits with themselves
    Verify,
    /// Put the rows of an archive back where they are not
    Restore {
        /// Its name, as `ls` lists it, or its path
        file: PathBuf,
    },
    /// Forget a person: nothing of theirs is stored any more, and what is stored goes, archives included
    Erase {
        /// Whom: TWITTER, REDDIT or THREADS, a colon, and the handle or the account's id
        #[arg(long, value_name = "PLATFORM:HANDLE", value_parser = Whom::from_str)]
        subject: Whom,
        /// Whose; needed if there are several
        #[arg(long)]
        workspace: Option<String>,
    },
}

#[derive(Debug, Clone)]
struct Whom(Platform, String);

impl FromStr for Whom {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HOW: &str = "give it as TWITTER:handle, REDDIT:handle or THREADS:handle";
        let (place, name) = text.split_once(':').ok_or(HOW)?;
        let is = |p: &&Platform| p.as_str().eq_ignore_ascii_case(place);
        let platform = *Platform::ALL.iter().find(is).ok_or(HOW)?;
        let name = name.trim_start_matches('@').trim_start_matches("u/");
        if name.is_empty() || name == "[deleted]" {
            return Err(HOW);
        }
        Ok(Self(platform, name.to_owned()))
    }
}

/// What the verb says.
///
/// # Errors
/// Those of the verb.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<ExitCode> {
    let keep = &settings.social.retention;
    let now = Clock::system().now();
    match args.action {
        Action::Plan { as_of } => plan(settings, as_of.unwrap_or(now), out).await?,
        Action::Run { as_of } => {
            let as_of = as_of.unwrap_or(now);
            if as_of > now {
                return Err(
                    Usage("--as-of is in the future: only `plan` looks there".into()).into()
                );
            }
            archive(settings, as_of, out).await?;
        }
        Action::Ls => {
            there(keep)?;
            let all = restore::list(keep).await?;
            out.answer(&all, || {
                let rows = all.iter().map(|m| files(m, m.sha256.get(..16).unwrap_or_default()));
                out.table(["file", "rows", "bytes", "made at", "sha256"], rows);
            })?;
        }
        Action::Verify => return verify(settings, out).await,
        Action::Restore { file } => put_back(settings, &file, now, out).await?,
        Action::Erase { subject, workspace } => {
            forget(settings, subject, workspace, now, out).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The archive has a folder.
fn there(keep: &SocialRetention) -> Result<(), Usage> {
    if keep.folder.as_os_str().is_empty() {
        return Err(Usage("retention is off: set social.retention.folder".into()));
    }
    Ok(())
}

async fn plan(settings: &Settings, as_of: DateTime<Utc>, out: Out) -> anyhow::Result<()> {
    let keep = &settings.social.retention;
    let pool = db::connect(settings).await?;
    let due = retention::plan(&pool, keep, as_of).await?;
    let on = there(keep).is_ok();
    out.answer(&json!({ "as_of": as_of, "on": on, "due": due }), || {
        if !on {
            out.say("retention is off (social.retention.folder is empty); it would do this:");
        }
        let rows = due.iter().map(|d| {
            [table(d.relation), d.period.to_string(), d.rows.to_string(), d.held.to_string()]
        });
        out.table(["table", "period", "rows", "held"], rows);
    })
}

fn table(relation: Relation) -> String {
    relation.as_str().to_owned()
}

async fn archive(settings: &Settings, as_of: DateTime<Utc>, out: Out) -> anyhow::Result<()> {
    let keep = &settings.social.retention;
    there(keep)?;
    let pool = db::connect(settings).await?;
    audit::note(&pool, "", "retention.run", "social", json!({ "as_of": as_of })).await?;
    let done = retention::run(&pool, keep, as_of, &audit::me()).await?;
    out.answer(&done, || {
        let rows = done.iter().map(|d| {
            let became = d.why.map_or_else(|| "deleted".to_owned(), |why| format!("kept: {why}"));
            let file = d.file.clone().unwrap_or_else(dash);
            [table(d.relation), d.period.to_string(), d.rows.to_string(), became, file]
        });
        out.table(["table", "period", "rows", "", "new file"], rows);
    })
}

fn files(m: &Manifest, last: &str) -> [String; 5] {
    [m.file.clone(), m.rows.to_string(), m.bytes.to_string(), time(m.made_at), last.to_owned()]
}

async fn verify(settings: &Settings, out: Out) -> anyhow::Result<ExitCode> {
    there(&settings.social.retention)?;
    let pool = db::connect(settings).await?;
    let all = restore::verify(&pool, &settings.social.retention).await?;
    let intact = all.iter().all(|one| one.wrong.is_none());
    out.answer(&json!({ "intact": intact, "files": all }), || {
        let rows = all.iter().map(|c| files(&c.manifest, c.wrong.as_deref().unwrap_or("intact")));
        out.table(["file", "rows", "bytes", "made at", "is"], rows);
    })?;
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn put_back(
    settings: &Settings,
    file: &Path,
    now: DateTime<Utc>,
    out: Out,
) -> anyhow::Result<()> {
    let keep = &settings.social.retention;
    there(keep)?;
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let pool = db::connect(settings).await?;
    audit::note(&pool, "", "retention.restore", name, json!({})).await?;
    let missing = || NotFound(format!("no archive {name}: `millrace retention ls` lists them"));
    let done = restore::restore(&pool, keep, name, now).await?.ok_or_else(missing)?;
    out.answer(&done, || {
        out.say(format!(
            "{} of {} rows put back; {} were there or must not come back",
            done.restored, done.rows, done.skipped
        ));
    })
}

async fn forget(
    settings: &Settings,
    Whom(platform, name): Whom,
    workspace: Option<String>,
    now: DateTime<Utc>,
    out: Out,
) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace_id = whose(&pool, workspace).await?;
    let subject = Subject { workspace_id, platform, name };
    let keep = &settings.social.retention;
    noted(&pool, &subject).await?;
    let missing = || NotFound("nobody of that name is known there".into());
    let done = erase::erase(&pool, keep, &subject, now, &audit::me()).await?.ok_or_else(missing)?;
    out.answer(&done, || tell(&done, out))
}

/// That somebody is erased, not who.
async fn noted(pool: &PgPool, subject: &Subject) -> anyhow::Result<()> {
    let place = subject.platform.as_str();
    audit::note(pool, &subject.workspace_id, "retention.erase", place, json!({})).await?;
    Ok(())
}

fn tell(done: &Erased, out: Out) {
    match &done.rows {
        Some(rows) => {
            let counts = rows.as_object().into_iter().flatten();
            let text = counts.map(|(what, n)| {
                let n = n.as_array().map_or_else(|| n.clone(), |all| Value::from(all.len()));
                format!("{n} {}", what.replace('_', " "))
            });
            out.say(format!("tables: {}", text.collect::<Vec<_>>().join(", ")));
        }
        None => out.say("tables: nothing, they were erased before"),
    }
    out.say(format!("archives written anew: {}", done.files.len()));
    out.say(format!("raw deliveries erased: {}", done.bodies));
    if done.bodies_waiting > 0 {
        out.say(format!(
            "raw deliveries that nobody has read yet: {}; erase again when they are",
            done.bodies_waiting
        ));
    }
    if done.mentioned_by_others > 0 {
        out.say(format!("posts of others that name them and stay: {}", done.mentioned_by_others));
    }
    out.say("what they post from now on is not stored");
}
