//! `millrace search`: what code answers a question.

use millrace_config::Settings;
use millrace_jobs::{
    codebase::{
        chunk::Kind,
        glob,
        search::{self, Question, Weights},
    },
    embed,
    store::codebase::search::Filter,
};

use super::index::{Of, connection, workspace};
use crate::{db, out::Out};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace search \"how are retries scheduled\"
  millrace search \"parse the config file\" --path 'src/**/*.rs' --kind function --limit 5")]
pub struct Args {
    /// What you want to know, in words or in code
    question: String,
    #[command(flatten)]
    of: Of,
    /// Only paths like this: * in a name, ** over folders, {a,b} either
    #[arg(long)]
    path: Option<String>,
    /// Only these languages
    #[arg(long, value_delimiter = ',')]
    lang: Option<Vec<String>>,
    /// Only these kinds
    #[arg(long, value_delimiter = ',', value_parser = Kind::ALL.map(Kind::as_str))]
    kind: Option<Vec<String>>,
    /// The question is a piece of code: find what means the same
    #[arg(long)]
    related: bool,
    /// How many results
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
}

/// Ask.
///
/// # Errors
/// If nothing is indexed or the database does not answer.
pub async fn run(settings: &Settings, args: Args, out: Out) -> anyhow::Result<()> {
    let pool = db::connect(settings).await?;
    let workspace = workspace(&pool, args.of.workspace.as_deref()).await?;
    let of = connection(&pool, &workspace, args.of.project.as_deref()).await?;
    let embedder = embed::open(settings)?;
    let question = Question {
        text: args.question,
        related: args.related,
        filter: Filter {
            path: args.path.as_deref().map(glob::regex),
            languages: args.lang,
            kinds: args.kind,
            cosine_min: None,
        },
        limit: args.limit.into(),
        weights: Weights::DEFAULT,
    };
    let mut conn = pool.acquire().await?;
    let hits = search::search(&mut conn, &*embedder, &of, &question).await?;
    out.answer(&hits, || {
        if hits.is_empty() {
            out.say("nothing found");
        }
        for hit in &hits {
            let symbol = hit.symbol_name.as_deref().unwrap_or_default();
            out.say(format!(
                "{}:{}-{}  {} {symbol}  {:.3}",
                hit.file_path, hit.start_line, hit.end_line, hit.symbol_type, hit.score
            ));
            for (nth, line) in (hit.excerpt_line..).zip(hit.excerpt.lines()) {
                out.say(format!("{nth:>6}  {line}"));
            }
            out.say("");
        }
    })
}
