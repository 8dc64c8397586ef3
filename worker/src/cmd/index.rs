//! `millrace index`: codebases become searchable.

mod place;
mod show;
mod watch;

use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use millrace_config::{Clock, Settings};
use millrace_jobs::{
    codebase::{
        jobs::SILENT_S,
        open,
        report::{Progress, Report},
        run::{self, Order, Tools},
        tokens::Tokens,
    },
    embed,
    store::{
        codebase::{
            connections::{self, Connection, Unclear},
            files,
            runs::{self, Lease, NotTaken},
        },
        workspaces,
    },
};
use serde_json::json;
use sqlx::PgPool;

use self::place::Place;
use crate::{
    cli::{NotFound, Usage},
    db,
    out::Out,
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  millrace index .                                   this checkout, as it is on disk
  millrace index . --watch                           and again whenever it changes
  millrace index https://github.com/owner/name       a repository, one commit deep
  millrace index https://github.com/owner/name --dry-run
  millrace index status
  millrace index skipped --project name              what was not looked into, and why"
)]
pub struct Args {
    /// A folder, or the https address of a git repository
    target: Option<String>,
    #[command(flatten)]
    of: Of,
    /// Branch to follow; the repository's own if absent
    #[arg(long)]
    branch: Option<String>,
    /// Installation of the GitHub App that gives access
    #[arg(long, value_name = "ID", default_value_t = 0)]
    installation: i64,
    /// Index again whenever something changes, until Ctrl-C
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// Say what would be done
    #[arg(long)]
    dry_run: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

/// Which codebase.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Of {
    /// Workspace; the only one if absent
    #[arg(long, global = true)]
    pub(super) workspace: Option<String>,
    /// Project; the folder's or the repository's name if absent
    #[arg(long, global = true)]
    pub(super) project: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Codebases and how far their index is
    Status,
    /// Files that are indexed
    Files,
    /// Files that are not, and why
    Skipped,
    /// Read everything again, and mend what is stored otherwise
    Verify,
    /// Forget a codebase
    Rm,
}

/// Index, or look.
///
/// # Errors
/// If the codebase cannot be read or the database does not answer.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace = workspace(&pool, args.of.workspace.as_deref()).await?;
    let Some(action) = args.action else {
        let target =
            args.target.ok_or(Usage("what? a folder, or the address of a repository".into()))?;
        let place = Place::new(&target, args.of.project, args.branch, args.installation)?;
        let of = Work { settings, pool: &pool, workspace: &workspace, out };
        return match (args.dry_run, args.watch) {
            (true, _) => of.preview(&place).await,
            (_, true) => watch::run(&of, &place).await,
            _ => of.index(&place).await,
        };
    };
    if matches!(action, Action::Status) {
        let all = connections::list(&mut *pool.acquire().await?, &workspace).await?;
        return out.answer(&all, || show::status(&all, out));
    }
    let of = connection(&pool, &workspace, args.of.project.as_deref()).await?;
    let mut conn = pool.acquire().await?;
    match action {
        Action::Status => Ok(()),
        Action::Files => {
            let all = files::all(&mut conn, of.id).await?;
            out.answer(&all, || show::files(&all, out))
        }
        Action::Skipped => {
            let all = files::skipped(&mut conn, of.id).await?;
            out.answer(&all, || show::skipped(&all, out))
        }
        Action::Verify => {
            let work = Work { settings, pool: &pool, workspace: &workspace, out };
            let report = work.run(of.clone(), true).await?;
            out.answer(&report, || show::summary(&report, &of.project, out))
        }
        Action::Rm => {
            connections::delete(&mut conn, of.id).await?;
            open::forget(settings, &of);
            out.answer(&json!({ "removed": of.project }), || {
                out.say(format!("{} is forgotten", of.project))
            })
        }
    }
}

/// The workspace that is meant.
pub(super) async fn workspace(pool: &PgPool, named: Option<&str>) -> anyhow::Result<String> {
    let all = workspaces::list(pool).await?;
    match (named, all.as_slice()) {
        (Some(id), all) if all.iter().any(|w| w.id == id) => Ok(id.to_owned()),
        (Some(id), _) => {
            Err(NotFound(format!("no workspace {id:?}; `millrace workspace ls` shows them")).into())
        }
        (None, [one]) => Ok(one.id.clone()),
        (None, []) => Err(Usage("no workspace yet: `millrace workspace add NAME`".into()).into()),
        (None, _) => Err(Usage("several workspaces: say which with --workspace".into()).into()),
    }
}

/// The connection that is meant.
pub(super) async fn connection(
    pool: &PgPool,
    workspace: &str,
    project: Option<&str>,
) -> anyhow::Result<Connection> {
    let chosen = connections::choose(&mut *pool.acquire().await?, workspace, project).await;
    chosen.map_err(|why| match why {
        Unclear::Several => Usage(format!("{why} (--project)")).into(),
        Unclear::NoSuch(_) => NotFound(format!("{why}; `millrace index status` shows them")).into(),
        Unclear::NoneYet => NotFound(format!("{why}: `millrace index PATH`")).into(),
        Unclear::Database(error) => error.into(),
    })
}

/// What runs need.
struct Work<'a> {
    settings: &'a Settings,
    pool: &'a PgPool,
    workspace: &'a str,
    out: Out,
}

impl Work<'_> {
    /// Connect it if it is new, and index it.
    async fn index(&self, place: &Place) -> anyhow::Result<()> {
        let report = self.run(self.connect(place).await?, false).await?;
        self.out.answer(&report, || show::summary(&report, &place.project, self.out))?;
        anyhow::ensure!(report.failed == 0, "{} files could not be read", report.failed);
        Ok(())
    }

    async fn connect(&self, place: &Place) -> anyhow::Result<Connection> {
        let mut tx = self.pool.begin().await?;
        let project = connections::project(&mut tx, self.workspace, &place.project).await?;
        let of = connections::connect(&mut tx, project, &place.repository()).await?;
        tx.commit().await?;
        Ok(of)
    }

    /// One run; `all`: read everything, and mend what differs.
    async fn run(&self, of: Connection, all: bool) -> anyhow::Result<Report> {
        let bar = bar(self.out)?;
        let mut tx = self.pool.begin().await?;
        let limits =
            Lease { silent_s: SILENT_S, runs_max: self.settings.codebase.runs_max, job: None };
        let begun =
            runs::begin(&mut tx, of.id, limits, if all { "verify" } else { "command" }).await?;
        tx.commit().await?;
        let of = begun.map_err(|why: NotTaken| anyhow::anyhow!("{}: {why}", of.project))?;
        let work = async {
            let (tree, commit) = open::open(self.settings, &Clock::system(), &of).await?;
            let show = |p: Progress| {
                bar.set_length(u64::try_from(p.of).unwrap_or(0));
                bar.set_position(u64::try_from(p.files).unwrap_or(0));
                let rate = f64::from(u32::try_from(p.embedded).unwrap_or(u32::MAX))
                    / bar.elapsed().as_secs_f64().max(0.001);
                bar.set_message(format!(
                    "{} embedded ({rate:.0}/s), {} chunks, {} reused",
                    p.embedded, p.chunks, p.reused
                ));
            };
            let order = Order { commit: commit.as_deref(), all, lease: None };
            run::run(&self.tools()?, &of, tree, order, &show).await
        };
        // Whoever ends it early should not have to wait for the lease.
        let ended = tokio::select! {
            ended = work => ended,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; what is indexed stays, and the next run goes on")),
        };
        bar.finish_and_clear();
        if let Err(error) = &ended {
            runs::fail(&mut *self.pool.acquire().await?, &of, &format!("{error:#}")).await?;
        }
        ended
    }

    async fn preview(&self, place: &Place) -> anyhow::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let all = connections::list(&mut conn, self.workspace).await?;
        let known = all.into_iter().find(|of| of.project == place.project);
        let (files, skips) = match &known {
            Some(of) => {
                (files::all(&mut conn, of.id).await?, files::skipped(&mut conn, of.id).await?)
            }
            None => Default::default(),
        };
        drop(conn);
        let (mut tree, commit) =
            open::open(self.settings, &Clock::system(), &place.connection()).await?;
        let report = Report { commit, ..run::preview(&mut tree, &files, &skips).await? };
        if known.is_none() {
            open::forget(self.settings, &place.connection());
        }
        self.out.answer(&report, || show::summary(&report, &place.project, self.out))
    }

    fn tools(&self) -> anyhow::Result<Tools> {
        Ok(Tools {
            pool: self.pool.clone(),
            embedder: embed::open(self.settings)
                .context("embedding model; `scripts/setup` fetches it")?,
            tokens: Arc::new(Tokens::open(&self.settings.embed)?),
            limits: self.settings.codebase.clone(),
        })
    }
}

fn bar(out: Out) -> anyhow::Result<ProgressBar> {
    let style =
        ProgressStyle::with_template("{bar:24} {pos}/{len} files, {msg}, {elapsed}, {eta} left")?;
    if out.json {
        return Ok(ProgressBar::hidden());
    }
    Ok(ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style))
}
