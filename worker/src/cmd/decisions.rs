//! `millrace decisions`: what was decided about posts, and why.

use clap::Subcommand;
use millrace_config::Settings;
use millrace_jobs::{
    social::{
        decide::{Decision, decide, explain},
        mode::{LADDER, Mode},
        record::Platform,
    },
    store::social::decisions::{self, Exposed, Filter, Listed},
};
use serde_json::json;
use sqlx::PgPool;

use super::{
    args::{dash, short, time},
    index::workspace,
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
  millrace decisions ls --mode helpful --hours 24
  millrace decisions ls --review
  millrace decisions explain 0199f0
  millrace decisions verify --last 10000     decide again from what is stored, and compare")]
pub struct Args {
    /// Workspace; the only one if absent
    #[arg(long, global = true)]
    workspace: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List decisions, newest first
    Ls(LsArgs),
    /// Show one decision with its post
    Show {
        /// Decision id, or how it begins
        id: String,
    },
    /// Every input, weight, threshold, rule and probability behind one decision
    Explain {
        /// Decision id, or how it begins
        id: String,
    },
    /// Decide again from what is stored, and compare
    Verify {
        /// So many, newest first
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..=10_000_000))]
        last: i64,
    },
}

#[derive(Debug, clap::Args)]
struct LsArgs {
    /// twitter, reddit or threads
    #[arg(long, value_parser = upper(&Platform::ALL.map(Platform::as_str)))]
    platform: Option<String>,
    /// helpful, engagement, hybrid or disengaged
    #[arg(long, value_parser = upper(&LADDER.map(Mode::as_str)))]
    mode: Option<String>,
    /// Only those that a person should look at
    #[arg(long)]
    review: bool,
    /// Only of the last so many hours
    #[arg(long)]
    hours: Option<i32>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

/// A word of a column, in any case.
fn upper(words: &[&'static str]) -> impl Fn(&str) -> Result<String, String> + Clone + use<> {
    let words = words.to_vec();
    move |text| {
        let text = text.to_uppercase();
        if words.contains(&text.as_str()) {
            return Ok(text);
        }
        Err(format!("must be one of {}", words.join(", ").to_lowercase()))
    }
}

/// List, show, explain or verify.
///
/// # Errors
/// If there is no such decision or the database does not answer.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace = workspace(&pool, args.workspace.as_deref()).await?;
    match args.action {
        Action::Ls(of) => {
            let LsArgs { platform, mode, review, hours, limit } = of;
            let filter = Filter { platform, mode, review, hours, limit };
            let rows = decisions::list(&mut *pool.acquire().await?, &workspace, &filter).await?;
            out.answer(&rows, || table(&rows, out))
        }
        Action::Show { id } => show(&one(&pool, &workspace, &id).await?, out),
        Action::Explain { id } => tell(&one(&pool, &workspace, &id).await?, out),
        Action::Verify { last } => verify(&pool, &workspace, last, out).await,
    }
}

async fn one(pool: &PgPool, workspace: &str, id: &str) -> anyhow::Result<Exposed> {
    let mut found = decisions::exposed(&mut *pool.acquire().await?, workspace, id).await?;
    if found.len() > 1 {
        return Err(Usage(format!("several decisions begin with {id:?}")).into());
    }
    let none = || NotFound(format!("no decision {id:?}; `millrace decisions ls` shows them"));
    Ok(found.pop().ok_or_else(none)?)
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(dash)
}

fn table(rows: &[Listed], out: Out) {
    let headings = ["id", "when", "where", "mode", "manner", "score", "sure", "review", "post"];
    let row = |of: &Listed| {
        [
            of.id.clone(),
            time(of.created_at),
            of.platform.to_lowercase(),
            of.status.clone().unwrap_or_else(|| of.mode.clone()).to_lowercase(),
            or_dash(of.archetype.as_deref().map(str::to_lowercase)),
            format!("{:.2}", of.composite_score),
            or_dash(of.mode_confidence.map(|c| format!("{c:.2}"))),
            or_dash(of.review_reason.as_deref().map(str::to_lowercase)),
            short(of.content.as_deref(), 48),
        ]
    };
    out.table(headings, rows.iter().map(row));
}

/// Decided again: the same, if what is stored was not changed since.
fn again(of: &Exposed) -> (Decision, bool) {
    let decision = decide(&of.features);
    let action = decision.archetype.map_or_else(
        || decision.mode.as_str().to_owned(),
        |archetype| format!("{}/{}", decision.mode.as_str(), archetype.as_str()),
    );
    let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
    let same = action == of.action
        && near(decision.propensity, of.propensity)
        && of.mode.as_ref().is_none_or(|mode| mode == decision.mode.as_str())
        && of.composite_score.is_none_or(|composite| near(composite, decision.composite));
    (decision, same)
}

fn show(of: &Exposed, out: Out) -> anyhow::Result<()> {
    let (decision, same) = again(of);
    let answer = json!({
        "id": of.id, "createdAt": of.created_at, "decision": decision, "recomputes": same,
        "post": { "content": of.content, "handle": of.handle, "url": of.url },
    });
    out.answer(&answer, || {
        out.say(format!("{}  {}", of.id, time(of.created_at)));
        out.say(format!("{}: {}", or_dash(of.handle.clone()), or_dash(of.content.clone())));
        out.say(or_dash(of.url.clone()));
        out.say(format!(
            "{}, composite {:.3} ({:.3} to {:.3}), confidence {:.2}, propensity {:.3}",
            of.action,
            decision.composite,
            decision.lower,
            decision.upper,
            decision.confidence,
            of.propensity
        ));
        out.say("`millrace decisions explain` says why");
    })
}

fn tell(of: &Exposed, out: Out) -> anyhow::Result<()> {
    let (decision, same) = again(of);
    let lines = explain(&of.features, &decision);
    let parts: Vec<_> =
        lines.iter().map(|line| json!({ "kind": line.kind, "text": line.text })).collect();
    let answer = json!({
        "id": of.id, "inputs": of.features.0, "decision": decision, "lines": parts, "recomputes": same,
    });
    out.answer(&answer, || {
        out.say(format!("{}  {}  {}", of.id, time(of.created_at), of.action));
        let mut before = "";
        for line in &lines {
            let kind = if line.kind == before { "" } else { line.kind };
            out.say(format!("{kind:<10}  {}", line.text));
            before = line.kind;
        }
        out.say(if same {
            "decided again from what is stored: the same"
        } else {
            "DECIDED AGAIN FROM WHAT IS STORED: NOT THE SAME"
        });
    })
}

async fn verify(pool: &PgPool, workspace: &str, last: i64, out: Out) -> anyhow::Result<()> {
    let all = decisions::newest_exposed(&mut *pool.acquire().await?, workspace, last).await?;
    let differ: Vec<&str> = all.iter().filter(|of| !again(of).1).map(|of| of.id.as_str()).collect();
    out.answer(&json!({ "decisions": all.len(), "differ": differ }), || {
        out.say(format!("{} decided again, {} differ", all.len(), differ.len()));
        differ.iter().for_each(|id| out.say(id));
    })?;
    anyhow::ensure!(
        differ.is_empty(),
        "{} decisions are not what they were made from",
        differ.len()
    );
    Ok(())
}
