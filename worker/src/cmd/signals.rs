//! `millrace signals`: what users said.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::store::signal_list::{
    self, Link, SignalDetail, SignalFilter, SignalRow, Version,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::args::{dash, moment, short, time};
use crate::{cli::NotFound, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace signals ls --workspace W --status new
  millrace signals ls --query '\"csv export\" -excel' --severity high
  millrace signals ls --new-initiative true --from 7d --json
  millrace signals show 4f5k...")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List signals, newest first
    Ls(Box<LsArgs>),
    /// Show one signal with its history and links
    Show {
        /// Signal id
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct LsArgs {
    /// Only this workspace's
    #[arg(long)]
    workspace: Option<String>,
    /// new, reviewed, linked or archived
    #[arg(long, value_parser = word::<signal_list::Status>)]
    status: Option<signal_list::Status>,
    /// Where it came from: slack, pylon, webhook, upload, ...
    #[arg(long, value_parser = word::<millrace_jobs::record::Origin>)]
    source: Option<millrace_jobs::record::Origin>,
    /// critical, high, medium or low
    #[arg(long, value_parser = word::<millrace_jobs::record::Severity>)]
    severity: Option<millrace_jobs::record::Severity>,
    /// Linked to the project with this id
    #[arg(long)]
    project: Option<String>,
    /// Linked to this persona
    #[arg(long)]
    persona: Option<String>,
    /// Words in the text; quotes and - as in a search engine
    #[arg(long)]
    query: Option<String>,
    /// Embedded and classified, or not yet
    #[arg(long)]
    processed: Option<bool>,
    /// Says what an earlier one says, or not
    #[arg(long)]
    duplicate: Option<bool>,
    /// Classified as a new initiative, or not
    #[arg(long)]
    new_initiative: Option<bool>,
    /// Created at or after (a time, a date, or an age like 2h)
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Created before
    #[arg(long, value_parser = moment)]
    to: Option<DateTime<Utc>>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(text)).map_err(|e| e.to_string())
}

/// List or show.
///
/// # Errors
/// If the database does not answer or there is no such signal.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Ls(a) => {
            let filter = SignalFilter {
                status: a.status,
                source: a.source,
                severity: a.severity,
                project: a.project,
                persona: a.persona,
                from: a.from,
                to: a.to,
                processed: a.processed,
                duplicate: a.duplicate,
                new_initiative: a.new_initiative,
                q: a.query,
                limit: None,
                cursor: None,
            };
            let rows =
                signal_list::list(&pool, a.workspace.as_deref(), &filter, None, a.limit).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Show { id } => {
            let Some(signal) = signal_list::get(&pool, None, &id).await? else {
                return Err(NotFound(format!(
                    "no signal {id:?}; `millrace signals ls` shows them"
                ))
                .into());
            };
            let links = signal_list::links(&pool, &id).await?;
            let personas = signal_list::personas(&pool, &id).await?;
            let versions = signal_list::versions(&pool, &id).await?;
            let mut json = json!(signal);
            if let Some(map) = json.as_object_mut() {
                map.insert("links".into(), json!(links));
                map.insert("personas".into(), json!(personas));
                map.insert("versions".into(), json!(versions));
            }
            out.answer(&json, || people(&signal, &links, &versions, out))
        }
    }
}

/// The classifier's answer in a few words.
fn class(signal: &SignalRow) -> String {
    let Some(class) = &signal.classification else { return dash() };
    let confidence = class.get("confidence").and_then(Value::as_f64).unwrap_or_default();
    match class.get("projectName").and_then(Value::as_str) {
        Some(project) => format!("{project} ({confidence:.2})"),
        None if class.get("isNewInitiative") == Some(&Value::Bool(true)) => {
            format!("new initiative ({confidence:.2})")
        }
        None => "undecided".into(),
    }
}

fn table(rows: &[SignalRow], out: Out) {
    let rows = rows.iter().map(|s| {
        let kind =
            s.duplicate_kind.as_ref().map_or_else(String::new, |k| format!(", {k} duplicate"));
        [
            s.id.clone(),
            s.source.clone(),
            format!("{}{kind}", s.status),
            s.severity.clone().unwrap_or_else(dash),
            class(s),
            time(s.created_at),
            short(Some(&s.excerpt), 60),
        ]
    });
    out.table(["signal", "source", "status", "severity", "class", "created", "text"], rows);
}

fn people(s: &SignalDetail, links: &[Link], versions: &[Version], out: Out) {
    let row = &s.row;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(dash);
    out.say(format!(
        "signal    {} ({}), {}, workspace {}",
        row.id, row.source, row.status, row.workspace_id
    ));
    out.say(format!(
        "created   {}, processed {}",
        time(row.created_at),
        row.processed_at.map_or_else(|| "not yet".into(), time)
    ));
    out.say(format!("class     {}", class(row)));
    out.say(format!(
        "severity  {}, frequency {}, segment {}",
        text(&row.severity),
        text(&row.frequency),
        text(&row.user_segment)
    ));
    if let (Some(of), Some(kind)) = (&row.duplicate_of, &row.duplicate_kind) {
        out.say(format!("duplicate {kind} of {of}"));
    }
    for link in links {
        let sure = link.confidence.map_or_else(String::new, |c| format!(", confidence {c:.2}"));
        out.say(format!(
            "linked    {} ({}): {}{sure}",
            link.project_name,
            link.project_id,
            text(&link.reason)
        ));
    }
    for v in versions {
        out.say(format!("version   {} {} at {}", v.version, v.change, time(v.recorded_at)));
    }
    out.say(format!(
        "event     {}, trace {}",
        s.event_id.map_or_else(dash, |id| id.to_string()),
        text(&s.trace_id)
    ));
    if s.deleted_at.is_some() {
        out.say("deleted at its source; its texts are erased");
    } else {
        out.say(format!("\n{}", s.verbatim));
    }
}
