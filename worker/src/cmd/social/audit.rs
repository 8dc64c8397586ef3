//! `millrace social audit`: who did what, and that nobody has changed it since.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::store::social::audit::{self, AuditFilter, AuditRow, Head, Walk};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    cli::Usage,
    cmd::args::{moment, short, time},
    db,
    out::Out,
};

/// Rows read at once by `export`.
const BATCH: i64 = 1000;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace social audit ls --since 24h
  millrace social audit verify                         exit code 1 if a row was changed or is missing
  millrace social audit verify --workspace W --head 41:9f2c...
                                                       also if the end was cut off since an earlier look
  millrace social audit export --since 2026-01-01 --until 2026-02-01 --to january.csv")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List entries, newest first
    Ls {
        #[command(flatten)]
        filter: Filter,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Follow the chain and name the first row that is not what it was
    Verify {
        /// Only this workspace's
        #[arg(long)]
        workspace: Option<String>,
        /// What an earlier look found at its end: it must still be there
        #[arg(long, value_name = "SEQ:HASH", requires = "workspace", value_parser = Known::from_str)]
        head: Option<Known>,
    },
    /// Write entries as CSV
    Export {
        #[command(flatten)]
        filter: Filter,
        /// File to write; it must not exist
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only this workspace's
    #[arg(long)]
    workspace: Option<String>,
    /// Only about these: escalation, reply, decision
    #[arg(long)]
    entity: Option<String>,
    /// Only about the one with this id
    #[arg(long)]
    id: Option<String>,
    /// Only this act: claimed, resolved, approved, ...
    #[arg(long)]
    action: Option<String>,
    /// Only by this person or key
    #[arg(long)]
    actor: Option<String>,
    /// At or after (a time, a date, or an age like 2h)
    #[arg(long, value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// Before
    #[arg(long, value_parser = moment)]
    until: Option<DateTime<Utc>>,
}

impl From<Filter> for AuditFilter {
    fn from(f: Filter) -> Self {
        Self {
            workspace_id: f.workspace,
            entity_type: f.entity,
            entity_id: f.id,
            action: f.action,
            actor: f.actor,
            since: f.since,
            until: f.until,
        }
    }
}

#[derive(Debug, Clone)]
struct Known(Head);

impl FromStr for Known {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
        match parts {
            Some((seq, hash)) if hash.len() == 64 => {
                Ok(Self(Head { seq, row_hash: hash.to_ascii_lowercase() }))
            }
            _ => Err("give it as `verify` printed it: SEQ:HASH"),
        }
    }
}

/// List, verify, export.
///
/// # Errors
/// If the database does not answer, or the file cannot be written.
pub(super) async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<ExitCode> {
    let pool = db::connect(settings).await?;
    match args.action {
        Action::Ls { filter, limit } => {
            let rows = audit::latest(&pool, &filter.into(), limit).await?;
            out.answer(&rows, || table(&rows, out))?;
        }
        Action::Verify { workspace, head } => return verify(&pool, workspace, head, out).await,
        Action::Export { filter, to } => {
            let rows = export(&pool, &filter.into(), &to).await?;
            out.answer(&json!({ "rows": rows, "file": to }), || {
                out.say(format!("{rows} entries in {}", to.display()));
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[AuditRow], out: Out) {
    let rows = rows.iter().map(|a| {
        let detail = a.details_json.as_ref().map(ToString::to_string);
        [
            time(a.created_at),
            format!("{} {}", a.workspace_id, a.seq),
            a.actor.clone(),
            a.action.clone(),
            format!("{} {}", a.entity_type, a.entity_id),
            short(detail.as_deref(), 60),
        ]
    });
    out.table(["at", "entry", "who", "what", "to", "detail"], rows);
}

async fn verify(
    pool: &PgPool,
    workspace: Option<String>,
    head: Option<Known>,
    out: Out,
) -> anyhow::Result<ExitCode> {
    let all = match workspace {
        Some(one) => vec![one],
        None => audit::workspaces(pool).await?,
    };
    let mut conn = pool.acquire().await?;
    let mut walks = Vec::new();
    for workspace in all {
        walks.push(audit::walk(&mut conn, &workspace, head.as_ref().map(|k| &k.0)).await?);
    }
    let broken = walks.iter().any(|walk| walk.broken.is_some());
    out.answer(&json!({ "intact": !broken, "chains": walks }), || {
        let told = walks.iter().map(told);
        out.table(["workspace", "entries", "chain"], told);
    })?;
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn told(walk: &Walk) -> [String; 3] {
    let chain = match (&walk.broken, &walk.head) {
        (Some(broken), _) => {
            let id = broken.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
            format!("BROKEN at {}{id}: {}", broken.seq, broken.why)
        }
        (None, Some(head)) => format!("intact, ends at {}:{}", head.seq, head.row_hash),
        (None, None) => "empty".to_owned(),
    };
    [walk.workspace_id.clone(), walk.rows.to_string(), chain]
}

/// Batch by batch: a year of entries is never in memory.
async fn export(pool: &PgPool, filter: &AuditFilter, to: &PathBuf) -> anyhow::Result<usize> {
    if filter.since.zip(filter.until).is_some_and(|(since, until)| since >= until) {
        return Err(Usage("--since must be before --until".into()).into());
    }
    let file = File::create_new(to).with_context(|| format!("cannot make {}", to.display()))?;
    let mut file = BufWriter::new(file);
    line(
        &mut file,
        [
            "workspace_id",
            "seq",
            "created_at",
            "actor",
            "action",
            "entity_type",
            "entity_id",
            "details",
            "id",
            "prev_hash",
            "row_hash",
        ],
    )?;
    let (mut rows, mut after) = (0, (String::new(), 0));
    loop {
        let batch = audit::batch(pool, filter, (&after.0, after.1), BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = (last.workspace_id.clone(), last.seq);
        rows += batch.len();
        for a in batch {
            let details = a.details_json.map_or_else(String::new, |d| d.to_string());
            line(
                &mut file,
                [
                    &*a.workspace_id,
                    &a.seq.to_string(),
                    &a.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
                    &a.actor,
                    &a.action,
                    &a.entity_type,
                    &a.entity_id,
                    &details,
                    &a.id,
                    a.prev_hash.as_deref().unwrap_or_default(),
                    &a.row_hash,
                ],
            )?;
        }
    }
    file.flush()?;
    file.into_inner()?.sync_all()?;
    Ok(rows)
}

/// RFC 4180.
fn line(file: &mut impl Write, cells: [&str; 11]) -> std::io::Result<()> {
    let cells = cells.map(|cell| match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    });
    write!(file, "{}\r\n", cells.join(","))
}
