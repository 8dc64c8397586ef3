//! `millrace dead`: jobs that gave up.

use chrono::{DateTime, Utc};
use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::queue::{
    Queue,
    dead::{DeadFilter, DeadRow},
};
use serde_json::json;

use super::{
    args::{maybe_time, moment, short, time},
    audit,
};
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Letters taken by one replay.
const REPLAY_MAX: i64 = 10_000;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace dead ls --from 1h                    what gave up in the last hour, and why
  millrace dead show 12                         one of them with its whole error
  millrace dead replay --kind normalize --dry-run
  millrace dead replay --reason crashed --from 2026-01-31 --to 2026-02-01
  millrace dead replay 12 13                    these two, even if replayed before")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List dead letters, newest first
    Ls {
        #[command(flatten)]
        filter: Filter,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Show one dead letter
    Show {
        /// Id of the letter
        id: i64,
    },
    /// Enqueue dead letters again, with all their attempts
    Replay {
        /// Ids of letters; so also those that were replayed before
        ids: Vec<i64>,
        #[command(flatten)]
        filter: Filter,
        /// Everything that was not replayed yet
        #[arg(long)]
        all: bool,
        /// Only show what would be replayed
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only this workspace's
    #[arg(long)]
    workspace: Option<String>,
    /// Only this kind of job
    #[arg(long)]
    kind: Option<String>,
    /// Only from deliveries of the source with this id
    #[arg(long)]
    source: Option<String>,
    /// Only for this reason
    #[arg(long, value_parser = ["attempts_exhausted", "crashed", "permanent", "undecodable"])]
    reason: Option<String>,
    /// Died at or after (a time, a date, or an age like 2h)
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Died before
    #[arg(long, value_parser = moment)]
    to: Option<DateTime<Utc>>,
}

impl Filter {
    const fn is_empty(&self) -> bool {
        self.workspace.is_none()
            && self.kind.is_none()
            && self.source.is_none()
            && self.reason.is_none()
            && self.from.is_none()
            && self.to.is_none()
    }

    fn with(self, ids: Option<Vec<i64>>, limit: i64) -> DeadFilter {
        DeadFilter {
            workspace_id: self.workspace,
            ids,
            kind: self.kind,
            source_id: self.source,
            reason: self.reason,
            since: self.from,
            until: self.to,
            before: None,
            limit,
        }
    }
}

/// List, show, replay.
///
/// # Errors
/// If the database does not answer or there is no such letter.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let queue = Queue::new(&pool, &settings.queue);
    match args.action {
        Action::Ls { filter, limit } => {
            let rows = queue.dead(&pool, &filter.with(None, limit)).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Show { id } => {
            let filter = DeadFilter { ids: Some(vec![id]), limit: 1, ..DeadFilter::default() };
            let Some(letter) = queue.dead(&pool, &filter).await?.pop() else {
                return Err(NotFound(format!(
                    "no dead letter {id}; `millrace dead ls` shows them"
                ))
                .into());
            };
            out.answer(&letter, || people(&letter, out))
        }
        Action::Replay { ids, filter, all, dry_run } => {
            if ids.is_empty() && filter.is_empty() && !all {
                return Err(Usage(
                    "say which: ids, a filter, or --all; --dry-run shows what that means".into(),
                )
                .into());
            }
            let named = !ids.is_empty();
            let filter = filter.with(named.then_some(ids), REPLAY_MAX);
            if dry_run {
                let mut rows = queue.dead(&pool, &filter).await?;
                rows.retain(|l| named || l.replayed_at.is_none());
                return out.answer(
                    &json!({ "matched": rows.len(), "letters": rows, "jobs": [] }),
                    || {
                        table(&rows, out);
                        out.say(format!("{} would be replayed", rows.len()));
                    },
                );
            }
            audit::note(&pool, "", "dead.replay", "", json!(filter)).await?;
            let (done, ready) = queue.replay(&pool, &filter).await?;
            queue.wake_ready(ready);
            out.answer(&json!({ "matched": done.len(), "jobs": done }), || {
                out.say(format!("{} replayed; `millrace jobs ls` shows them", done.len()));
            })
        }
    }
}

fn table(rows: &[DeadRow], out: Out) {
    let rows = rows.iter().map(|d| {
        let replayed = d.replayed_as.map_or_else(String::new, |job| format!(", replayed as {job}"));
        [
            d.id.to_string(),
            d.kind.clone(),
            d.workspace_id.clone(),
            format!("{}{replayed}", d.reason),
            time(d.died_at),
            short(d.error.as_deref(), 60),
        ]
    });
    out.table(["letter", "kind", "workspace", "reason", "died", "error"], rows);
}

fn people(d: &DeadRow, out: Out) {
    out.say(format!(
        "letter    {} (job {}), {} of workspace {}",
        d.id, d.job_id, d.kind, d.workspace_id
    ));
    out.say(format!(
        "reason    {} at {}, attempt {}, {} crashes",
        d.reason,
        time(d.died_at),
        d.attempt,
        d.crashes
    ));
    if let (Some(event), Some(source)) = (d.event_id, &d.source_id) {
        out.say(format!("event     {event} of source {source}"));
    }
    out.say(format!("trace     {}", d.trace_id.as_deref().unwrap_or("-")));
    if let Some(job) = d.replayed_as {
        out.say(format!("replayed  {} as job {job}", maybe_time(d.replayed_at)));
    }
    out.say(format!("error     {}", d.error.as_deref().unwrap_or("-")));
}
