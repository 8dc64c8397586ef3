//! `millrace escalations`: social posts that wait for a person.

use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::{
    social::oversight::{
        desk::{self, Actor, Answer, CLAIM_MINUTES, CLAIM_MINUTES_MAX},
        escalation::{Priority, Reason, Status},
    },
    store::social::escalations::{self as store, EscalationFilter, EscalationRow, Sla},
};
use sqlx::PgPool;

use super::{
    args::{dash, maybe_time, short, time},
    audit::me,
    index::workspace,
};
use crate::{cli::NotFound, db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace escalations ls                      what waits, the most urgent first
  millrace escalations ls --overdue            what is late
  millrace escalations claim                   take the most urgent one that nobody has
  millrace escalations show 4f5k...
  millrace escalations resolve 4f5k... --notes 'answered by hand'")]
pub struct Args {
    /// Only this workspace's
    #[arg(long, global = true)]
    workspace: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List escalations: CRITICAL, HIGH, MEDIUM, LOW, and the oldest first
    Ls(LsArgs),
    /// Show one, with the post and the reply
    Show {
        /// Id of the escalation
        id: String,
    },
    /// Take one, so that nobody else works on it
    Claim {
        /// Id of the escalation; the most urgent one if absent
        id: Option<String>,
        /// For how long
        #[arg(long, default_value_t = CLAIM_MINUTES, value_parser = clap::value_parser!(i32).range(1..=i64::from(CLAIM_MINUTES_MAX)))]
        minutes: i32,
    },
    /// Give one back
    Release {
        /// Id of the escalation
        id: String,
    },
    /// It was acted upon
    Resolve(EndArgs),
    /// Nothing was to be done
    Dismiss(EndArgs),
}

#[derive(Debug, clap::Args)]
struct LsArgs {
    /// Only in this state; those that have not ended if absent
    #[arg(long, value_parser = Status::ALL.map(Status::as_str), ignore_case = true)]
    status: Option<String>,
    /// Only of this priority
    #[arg(long, value_parser = Priority::ALL.map(Priority::as_str), ignore_case = true)]
    priority: Option<String>,
    /// Only for this reason
    #[arg(long, value_parser = Reason::ALL.map(Reason::as_str), ignore_case = true)]
    reason: Option<String>,
    /// Only those that are late
    #[arg(long)]
    overdue: bool,
    /// Only those of this person or key
    #[arg(long)]
    assigned_to: Option<String>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

#[derive(Debug, clap::Args)]
struct EndArgs {
    /// Id of the escalation
    id: String,
    /// What was done, and why
    #[arg(long)]
    notes: String,
    /// Also when another has claimed it
    #[arg(long)]
    force: bool,
}

/// List, show, claim, release, resolve, dismiss.
///
/// # Errors
/// If the database does not answer, there is no such escalation, or it is another's.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let desk = Desk { pool, workspace: args.workspace };
    let row = match args.action {
        Action::Ls(args) => return desk.list(args, out).await,
        Action::Show { id } => desk.find(&id).await?,
        Action::Claim { id: None, minutes } => desk.claim_next(minutes).await?,
        Action::Claim { id: Some(id), minutes } => desk.act(&id, Act::Claim(minutes)).await?,
        Action::Release { id } => desk.act(&id, Act::Release).await?,
        Action::Resolve(args) => {
            desk.act(&args.id.clone(), Act::End(Status::Resolved, args)).await?
        }
        Action::Dismiss(args) => {
            desk.act(&args.id.clone(), Act::End(Status::Dismissed, args)).await?
        }
    };
    out.answer(&row, || people(&row, out))
}

struct Desk {
    pool: PgPool,
    workspace: Option<String>,
}

enum Act {
    Claim(i32),
    Release,
    End(Status, EndArgs),
}

impl Desk {
    async fn list(&self, args: LsArgs, out: Out) -> anyhow::Result<()> {
        let named = |word: &str| word.to_ascii_uppercase();
        let filter = EscalationFilter {
            workspace_id: self.workspace.clone(),
            status: args
                .status
                .and_then(|s| Status::ALL.into_iter().find(|k| k.as_str() == named(&s))),
            priority: args
                .priority
                .and_then(|s| Priority::ALL.into_iter().find(|k| k.as_str() == named(&s))),
            reason: args
                .reason
                .and_then(|s| Reason::ALL.into_iter().find(|k| k.as_str() == named(&s))),
            overdue: args.overdue.then_some(true),
            assigned_to: args.assigned_to,
            ..EscalationFilter::default()
        };
        let rows = store::list(&self.pool, &filter, None, args.limit).await?;
        let sla = store::sla(&self.pool, self.workspace.as_deref()).await?;
        out.answer(&rows, || table(&rows, &sla, out))
    }

    async fn find(&self, id: &str) -> anyhow::Result<EscalationRow> {
        let filter = EscalationFilter {
            workspace_id: self.workspace.clone(),
            id: Some(id.to_owned()),
            ..EscalationFilter::default()
        };
        let row = store::list(&self.pool, &filter, None, 1).await?.pop();
        row.ok_or_else(|| unknown(&format!("no escalation {id:?}")))
    }

    async fn claim_next(&self, minutes: i32) -> anyhow::Result<EscalationRow> {
        let workspace = workspace(&self.pool, self.workspace.as_deref()).await?;
        let name = me();
        let actor = Actor { workspace_id: &workspace, id: &name, over: false };
        let mut tx = self.pool.begin().await?;
        let answer = desk::claim(&mut tx, actor, None, minutes).await?;
        let Answer::Done(row) = answer else { return Err(unknown("none waits that is free")) };
        tx.commit().await?;
        Ok(*row)
    }

    async fn act(&self, id: &str, act: Act) -> anyhow::Result<EscalationRow> {
        let workspace = self.find(id).await?.workspace_id;
        let name = me();
        let over = matches!(&act, Act::End(_, EndArgs { force: true, .. }));
        let hint = if matches!(act, Act::End(..)) { "; --force ends it all the same" } else { "" };
        let actor = Actor { workspace_id: &workspace, id: &name, over };
        let mut tx = self.pool.begin().await?;
        let answer = match act {
            Act::Claim(minutes) => desk::claim(&mut tx, actor, Some(id), minutes).await?,
            Act::Release => desk::release(&mut tx, actor, id).await?,
            Act::End(status, args) => desk::end(&mut tx, actor, id, status, &args.notes).await?,
        };
        match answer {
            Answer::Done(row) => {
                tx.commit().await?;
                Ok(*row)
            }
            Answer::NotFound => Err(unknown(&format!("no escalation {id:?}"))),
            Answer::Refused(row) => anyhow::bail!("{}{hint}", row.why_not()),
        }
    }
}

fn unknown(what: &str) -> anyhow::Error {
    NotFound(format!("{what}; `millrace escalations ls` shows them")).into()
}

fn table(rows: &[EscalationRow], sla: &Sla, out: Out) {
    let lines = rows.iter().map(|e| {
        [
            e.id.clone(),
            e.workspace_id.clone(),
            e.priority.clone(),
            e.reason.clone(),
            e.status.clone(),
            due(e),
            e.assigned_to.clone().unwrap_or_else(dash),
            short(e.reason_text.as_deref().or(e.post.as_deref()), 50),
        ]
    });
    out.table(
        ["escalation", "workspace", "priority", "reason", "state", "due", "who", "what"],
        lines,
    );
    let (open, overdue, ended, late) = (sla.open, sla.overdue, sla.ended, sla.ended_late);
    out.say(format!(
        "{open} open, {overdue} of them late; {ended} ended in 30 days, {late} of them late"
    ));
}

fn due(e: &EscalationRow) -> String {
    let late = if e.overdue { " LATE" } else { "" };
    format!("{}{late}", maybe_time(e.sla_due_at))
}

fn people(e: &EscalationRow, out: Out) {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(dash);
    out.say(format!("escalation  {} of workspace {}", e.id, e.workspace_id));
    out.say(format!("reason      {}, {}", e.reason, text(&e.reason_text)));
    out.say(format!("priority    {}, due {}", e.priority, due(e)));
    let claim =
        e.claimed_by.as_ref().map(|who| format!(", {who} until {}", maybe_time(e.claimed_until)));
    out.say(format!(
        "state       {}{}, since {}",
        e.status,
        claim.unwrap_or_default(),
        time(e.created_at)
    ));
    if let Some(who) = &e.resolved_by {
        out.say(format!(
            "ended       {} by {who}: {}",
            maybe_time(e.resolved_at),
            text(&e.resolution_notes)
        ));
    }
    if let Some(post) = &e.post {
        out.say(format!(
            "post        {} {} {}\n{post}",
            text(&e.platform),
            text(&e.post_id),
            text(&e.url)
        ));
    }
    if let Some(reply) = &e.reply {
        out.say(format!("reply       {}\n{reply}", text(&e.reply_id)));
    }
}
