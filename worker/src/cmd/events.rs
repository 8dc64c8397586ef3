//! `millrace events`: deliveries as received, and reading them again.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use millrace_config::Settings;
use millrace_ingest::events::{
    check::{self, Checked},
    log::{self, EventDetail, EventFilter, EventRow, EventState},
    replay::{self, Replayed},
};
use millrace_jobs::{
    queue::Queue,
    store::{
        signal_list::{self, Effect},
        tenants::View,
    },
};
use serde_json::json;
use uuid::Uuid;

use super::{
    args::{dash, maybe_time, moment, time},
    audit,
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
  millrace events ls --state quarantined         what is held, and why
  millrace events ls --source slack --from 1h
  millrace events show 0199...                   one delivery and the rows it became
  millrace events replay --state quarantined --reason foreign_payload --dry-run
  millrace events replay --source crm --from 2026-01-31   after its field map was corrected
  millrace events replay --all --check           does this release read everything as it was read?")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, newest first
    Ls {
        #[command(flatten)]
        filter: Filter,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Show one delivery and what it became
    Show {
        /// Event id, from the answer to the delivery
        id: Uuid,
    },
    /// Run the normaliser again over stored bytes
    Replay {
        /// Event ids
        ids: Vec<Uuid>,
        #[command(flatten)]
        filter: Filter,
        /// Every event whose bytes are still there
        #[arg(long)]
        all: bool,
        /// Events at most, oldest first
        #[arg(long, default_value_t = i64::MAX, hide_default_value = true)]
        limit: i64,
        /// Only show what would be replayed
        #[arg(long)]
        dry_run: bool,
        /// Only compare: read the bytes again, and show which events would become something else (exit code 1)
        #[arg(long, conflicts_with_all = ["dry_run", "limit"])]
        check: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only this workspace's
    #[arg(long)]
    workspace: Option<String>,
    /// Only of the source with this id or name
    #[arg(long)]
    source: Option<String>,
    /// Only in this state
    #[arg(long, value_parser = state)]
    state: Option<EventState>,
    /// Only ignored or quarantined for this reason
    #[arg(long)]
    reason: Option<String>,
    /// Only of this vendor event type
    #[arg(long = "type")]
    event_type: Option<String>,
    /// Received at or after (a time, a date, or an age like 2h)
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Received before
    #[arg(long, value_parser = moment)]
    to: Option<DateTime<Utc>>,
}

fn state(text: &str) -> Result<EventState, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "stored, normalized, ignored or quarantined".into())
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.workspace.is_none()
            && self.source.is_none()
            && self.state.is_none()
            && self.reason.is_none()
            && self.event_type.is_none()
            && self.from.is_none()
            && self.to.is_none()
    }

    fn parts(self, ids: Vec<Uuid>) -> (Option<String>, EventFilter) {
        let filter = EventFilter {
            ids: (!ids.is_empty()).then_some(ids),
            source: self.source,
            state: self.state,
            reason: self.reason,
            event_type: self.event_type,
            from: self.from,
            to: self.to,
        };
        (self.workspace, filter)
    }
}

/// List, show, replay.
///
/// # Errors
/// If the database does not answer or there is no such event.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Ls { filter, limit } => {
            let (workspace, filter) = filter.parts(Vec::new());
            let rows = log::list(&pool, workspace.as_deref(), &filter, None, limit).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Show { id } => {
            let Some(event) = log::get(&pool, None, id).await? else {
                return Err(
                    NotFound(format!("no event {id}; `millrace events ls` shows them")).into()
                );
            };
            let effects = signal_list::effects(&pool, id).await?;
            let mut json = json!(event);
            if let Some(map) = json.as_object_mut() {
                map.insert("effects".into(), json!(effects));
            }
            out.answer(&json, || people(&event, &effects, out))
        }
        Action::Replay { ids, filter, all, limit, dry_run, check } => {
            if ids.is_empty() && filter.is_empty() && !all {
                return Err(Usage(
                    "say which: ids, a filter, or --all; --dry-run shows what that means".into(),
                )
                .into());
            }
            let (workspace, filter) = filter.parts(ids);
            if check {
                let checked = check::run(&pool, workspace.as_deref(), &filter).await?;
                out.answer(&checked, || compared(&checked, out))?;
                anyhow::ensure!(
                    checked.different == 0,
                    "{} events would become something else",
                    checked.different
                );
                return Ok(());
            }
            let replayed = if dry_run {
                replay::preview(&pool, workspace.as_deref(), &filter).await?
            } else {
                let queue = Queue::new(&pool, &settings.queue);
                let whose = workspace.as_deref().unwrap_or_default();
                audit::note(&pool, whose, "events.replay", "", json!(filter)).await?;
                replay::run(View::All(&pool), &queue, workspace.as_deref(), &filter, limit).await?
            };
            out.answer(&replayed, || summary(&replayed, dry_run, out))
        }
    }
}

fn table(rows: &[EventRow], out: Out) {
    let rows = rows.iter().map(|e| {
        let state = match (&e.reason, e.records) {
            (Some(reason), _) => format!("{} ({reason})", e.state),
            (None, Some(1)) => format!("{} (1 record)", e.state),
            (None, Some(n)) => format!("{} ({n} records)", e.state),
            (None, None) => e.state.clone(),
        };
        [
            e.id.to_string(),
            e.source_name.clone().unwrap_or_else(|| e.source_id.clone()),
            e.event_type.clone().unwrap_or_else(dash),
            e.body_bytes.to_string(),
            time(e.received_at),
            state,
        ]
    });
    out.table(["event", "source", "type", "bytes", "received", "state"], rows);
}

fn people(e: &EventDetail, effects: &[Effect], out: Out) {
    let event = &e.event;
    let source = event.source_name.as_deref().unwrap_or("a source that is gone");
    out.say(format!(
        "event     {} of {source} ({}), workspace {}",
        event.id, event.source_id, event.workspace_id
    ));
    out.say(format!(
        "received  {}, {} bytes, type {}",
        time(event.received_at),
        event.body_bytes,
        event.event_type.as_deref().unwrap_or("-")
    ));
    let reason = event.reason.as_ref().map_or_else(String::new, |r| format!(" ({r})"));
    out.say(format!("state     {}{reason}, read {}", event.state, maybe_time(event.normalized_at)));
    if let Some(detail) = &e.detail {
        out.say(format!("detail    {detail}"));
    }
    let bytes = if e.replayable {
        "still there; it can be replayed"
    } else {
        "expired; it cannot be replayed"
    };
    out.say(format!("bytes     {bytes}"));
    out.say(format!("trace     {}", event.trace_id));
    for effect in effects {
        let done = if effect.processed { "processed" } else { "not processed yet" };
        out.say(format!("became    {} {} ({}, {done})", effect.kind, effect.id, effect.change));
    }
}

fn compared(c: &Checked, out: Out) {
    let words = |r: &check::Read| match (&r.reason, r.records) {
        (Some(reason), _) => format!("{} ({reason})", r.state),
        (None, records) => format!("{}, {} record(s)", r.state, records.unwrap_or(0)),
    };
    let rows = c.differences.iter().map(|d| {
        let now =
            if d.was == d.now { "the same, saying something else".into() } else { words(&d.now) };
        [d.event_id.to_string(), d.source_id.clone(), words(&d.was), now]
    });
    if c.different > 0 {
        out.table(["event", "source", "is", "would be"], rows);
    }
    let unknown = match c.unknown {
        0 => String::new(),
        n => format!(", {n} were read by a release that did not keep as what"),
    };
    out.say(format!(
        "{} events read again: {} as before, {} differently{unknown}",
        c.checked, c.same, c.different
    ));
}

fn summary(r: &Replayed, dry_run: bool, out: Out) {
    let rows = r.groups.iter().map(|g| {
        [
            g.source_id.clone(),
            g.state.clone(),
            g.reason.clone().unwrap_or_else(dash),
            g.count.to_string(),
        ]
    });
    out.table(["source", "state", "reason", "events"], rows);
    if dry_run {
        out.say(format!("{} would be replayed", r.matched));
    } else {
        out.say(format!("{} matched, {} replayed", r.matched, r.enqueued));
    }
}
