//! `millrace jobs`: what waits and runs.

use clap::{Subcommand, ValueEnum};
use millrace_config::Settings;
use millrace_jobs::queue::{
    Queue,
    admin::{Cancelled, JobFilter, JobRow, JobView},
};
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use super::{
    args::{dash, maybe_time, short, time},
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
  millrace jobs ls --state running          what runs now, and where
  millrace jobs ls --kind normalize --json  as one JSON array
  millrace jobs retry 4711                  do not wait for the back-off
  millrace jobs pause --kind signals.process --reason \"model is being changed\"
  millrace jobs pause --workspace W         one tenant, all kinds
  millrace jobs resume --all                undo every pause")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List living jobs, newest first
    Ls {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only in this state
        #[arg(long)]
        state: Option<State>,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Counts by kind and state, pauses, workers
    Stats {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
    },
    /// Show one job, living or finished
    Show {
        /// Job id
        id: i64,
    },
    /// Run waiting jobs at once
    Retry {
        /// Job ids
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Cancel living jobs; running ones are told to stop
    Cancel {
        /// Job ids
        #[arg(required = true)]
        ids: Vec<i64>,
    },
    /// Start no more jobs of a kind, a workspace, or both; running ones end
    Pause {
        #[command(flatten)]
        scope: Scope,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Undo a pause
    Resume {
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Scope {
    /// Kind of job
    #[arg(long, conflicts_with = "all")]
    kind: Option<String>,
    /// Workspace
    #[arg(long, conflicts_with = "all")]
    workspace: Option<String>,
    /// Everything
    #[arg(long)]
    all: bool,
}

impl Scope {
    /// The queue's words: an empty name means all.
    fn names(&self) -> (&str, &str) {
        (self.workspace.as_deref().unwrap_or_default(), self.kind.as_deref().unwrap_or_default())
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Ready,
    Scheduled,
    Running,
}

/// List, show, intervene.
///
/// # Errors
/// If the database does not answer or there is no such job.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let queue = Queue::new(&pool, &settings.queue);
    match args.action {
        Action::Ls { workspace, kind, state, limit } => {
            let state = state.map(|s| match s {
                State::Ready => "ready".to_owned(),
                State::Scheduled => "scheduled".to_owned(),
                State::Running => "running".to_owned(),
            });
            let filter = JobFilter { workspace_id: workspace, kind, state, before: None, limit };
            let rows = queue.list(&pool, &filter).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Stats { workspace } => stats(&pool, &queue, workspace.as_deref(), out).await,
        Action::Show { id } => match queue.show(&mut *pool.acquire().await?, None, id).await? {
            Some(job) => out.answer(&job, || people(&job, out)),
            None => Err(no_job(id).into()),
        },
        Action::Retry { ids } => {
            audit::note(&pool, "", "jobs.retry", "", json!({ "ids": ids })).await?;
            retry(&mut *pool.acquire().await?, &queue, &ids, out).await
        }
        Action::Cancel { ids } => {
            audit::note(&pool, "", "jobs.cancel", "", json!({ "ids": ids })).await?;
            cancel(&mut *pool.acquire().await?, &queue, &ids, out).await
        }
        Action::Pause { scope, reason } => {
            let (workspace, kind) = scope.names();
            let detail = json!({ "reason": reason });
            audit::note(&pool, workspace, "jobs.pause", kind, detail).await?;
            queue.pause(workspace, kind, &reason).await?;
            pauses(&queue, out).await
        }
        Action::Resume { scope } => {
            let (workspace, kind) = scope.names();
            audit::note(&pool, workspace, "jobs.resume", kind, json!({})).await?;
            resume(&queue, &scope).await?;
            pauses(&queue, out).await
        }
    }
}

fn no_job(id: i64) -> NotFound {
    NotFound(format!("no job {id}; finished ones are kept for retention.job_history_days"))
}

fn table(rows: &[JobRow], out: Out) {
    let rows = rows.iter().map(|j| {
        [
            j.id.to_string(),
            j.kind.clone(),
            j.workspace_id.clone(),
            if j.cancel_requested { format!("{} (cancelling)", j.state) } else { j.state.clone() },
            format!("{}/{}", j.attempt, j.attempts_max),
            time(j.run_at),
            short(j.last_error.as_deref(), 60),
        ]
    });
    out.table(["job", "kind", "workspace", "state", "attempt", "run at", "last error"], rows);
}

async fn stats(
    pool: &PgPool,
    queue: &Queue,
    workspace: Option<&str>,
    out: Out,
) -> anyhow::Result<()> {
    let (depth, pauses, workers) =
        (queue.depth(pool, workspace).await?, queue.pauses().await?, queue.workers().await?);
    let json = json!({ "kinds": depth, "pauses": pauses, "workers": workers });
    out.answer(&json, || {
        let rows = depth.iter().map(|d| {
            let oldest = d.oldest_ready_s.map_or_else(dash, |s| format!("{s:.1} s"));
            let counts = [d.ready, d.scheduled, d.running, d.dead].map(|n| n.to_string());
            let [ready, scheduled, running, dead] = counts;
            [d.kind.clone(), ready, scheduled, running, dead, oldest]
        });
        out.table(["kind", "ready", "scheduled", "running", "dead", "oldest ready"], rows);
        for p in &pauses {
            out.say(pause_line(&p.workspace_id, &p.kind, p.reason.as_deref()));
        }
        for w in &workers {
            let draining = if w.draining { ", draining" } else { "" };
            out.say(format!(
                "worker {} on {} (pid {}), heard {:.0} s ago{draining}",
                w.id, w.host, w.pid, w.silent_s
            ));
        }
    })
}

fn pause_line(workspace: &str, kind: &str, reason: Option<&str>) -> String {
    let what = if kind.is_empty() { "all kinds".to_owned() } else { format!("kind {kind}") };
    let whose = if workspace.is_empty() {
        "all workspaces".to_owned()
    } else {
        format!("workspace {workspace}")
    };
    let why = reason.filter(|r| !r.is_empty()).map_or_else(String::new, |r| format!(": {r}"));
    format!("paused: {what} of {whose}{why}")
}

fn people(job: &JobView, out: Out) {
    match job {
        JobView::Living(j) => {
            out.say(format!("job        {} {} of workspace {}", j.id, j.kind, j.workspace_id));
            out.say(format!(
                "state      {}, attempt {} of {}, {} crashes",
                j.state, j.attempt, j.attempts_max, j.crashes
            ));
            out.say(format!("run at     {}", time(j.run_at)));
            if let Some(worker) = &j.leased_by {
                out.say(format!("leased by  {worker} until {}", maybe_time(j.lease_until)));
            }
            out.say(format!("error      {}", j.last_error.as_deref().unwrap_or("-")));
            out.say(format!("trace      {}", j.trace_id.as_deref().unwrap_or("-")));
        }
        JobView::Finished(j) => {
            out.say(format!("job        {} {} of workspace {}", j.id, j.kind, j.workspace_id));
            out.say(format!(
                "outcome    {} at {}, attempt {}, {} crashes",
                j.outcome,
                time(j.finished_at),
                j.attempt,
                j.crashes
            ));
            out.say(format!("error      {}", j.error.as_deref().unwrap_or("-")));
            out.say(format!("trace      {}", j.trace_id.as_deref().unwrap_or("-")));
            if j.outcome == "dead" {
                out.say("it is a dead letter: `millrace dead ls` shows it, `millrace dead replay` runs it again");
            }
        }
    }
}

async fn retry(
    conn: &mut PgConnection,
    queue: &Queue,
    ids: &[i64],
    out: Out,
) -> anyhow::Result<()> {
    for id in ids {
        if let Some(ready) = queue.retry(&mut *conn, None, *id).await? {
            queue.wake_ready(ready);
        } else {
            return Err(match queue.show(conn, None, *id).await? {
                None => no_job(*id).into(),
                Some(JobView::Living(j)) => {
                    Usage(format!("job {id} does not wait, it is {}", j.state)).into()
                }
                Some(JobView::Finished(j)) => {
                    Usage(format!("job {id} has ended: {}", j.outcome)).into()
                }
            });
        }
    }
    out.answer(&json!({ "retried": ids }), || out.say(format!("{} job(s) run now", ids.len())))
}

async fn cancel(
    conn: &mut PgConnection,
    queue: &Queue,
    ids: &[i64],
    out: Out,
) -> anyhow::Result<()> {
    let (mut cancelled, mut requested) = (Vec::new(), Vec::new());
    for id in ids {
        match queue.cancel(&mut *conn, None, *id).await? {
            Cancelled::Now => cancelled.push(*id),
            Cancelled::Requested => {
                queue.wake_cancels();
                requested.push(*id);
            }
            Cancelled::NotFound => return Err(NotFound(format!("no living job {id}")).into()),
        }
    }
    out.answer(&json!({ "cancelled": cancelled, "requested": requested }), || {
        out.say(format!(
            "{} cancelled, {} running and told to stop",
            cancelled.len(),
            requested.len()
        ));
    })
}

async fn resume(queue: &Queue, scope: &Scope) -> anyhow::Result<()> {
    if scope.all {
        for p in queue.pauses().await? {
            queue.resume(&p.workspace_id, &p.kind).await?;
        }
        return Ok(());
    }
    let (workspace, kind) = scope.names();
    if queue.resume(workspace, kind).await? {
        return Ok(());
    }
    Err(NotFound("no such pause; `millrace jobs stats` shows them, and each is undone with the same --kind and --workspace".into()).into())
}

async fn pauses(queue: &Queue, out: Out) -> anyhow::Result<()> {
    let pauses = queue.pauses().await?;
    out.answer(&json!({ "pauses": pauses }), || {
        if pauses.is_empty() {
            out.say("nothing is paused");
        }
        for p in &pauses {
            out.say(pause_line(&p.workspace_id, &p.kind, p.reason.as_deref()));
        }
    })
}
