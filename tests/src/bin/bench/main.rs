//! Benchmarks: each figure beside a reference of the same run. `make bench` runs them all, but for a long one
//! (`snapshot`) and those on input from elsewhere: `texts PATH` (lines of `text TAB label`), `payloads FOLDER`.
//! `words` is quick, and needs no server.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot measure ends; its tables go to the terminal; it signs with the real clock and names its own databases"
)]

mod code;
mod embed;
mod ingest;
mod judge;
mod learning;
mod load;
mod memory;
mod payloads;
mod pipeline;
mod queue;
mod report;
mod server;
mod social;
mod texts;
mod words;

use report::Report;

/// Name and code of every benchmark.
const ALL: [&str; 5] = ["embed", "ingest", "memory", "pipeline", "queue"];

#[tokio::main]
async fn main() {
    let (options, mut names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    if names.is_empty() {
        names = ALL.iter().map(ToString::to_string).collect();
    }
    let mut names = names.into_iter();
    while let Some(name) = names.next() {
        let mut report = Report::new(&name);
        match name.as_str() {
            "ingest" => ingest::run(&mut report).await,
            "pipeline" => pipeline::run(&mut report).await,
            "words" => words::run(&mut report),
            "embed" => embed::run(&mut report).await,
            "learning" => learning::run(&mut report, &options).await,
            "social" => social::run(&mut report, &options).await,
            "memory" => memory::run(&mut report).await,
            "texts" => texts::run(&mut report, &names.next().unwrap()).await,
            "payloads" => {
                payloads::run(&names.next().unwrap()).await;
                continue;
            }
            "code" => code::latency::run(&mut report, &names.by_ref().collect::<Vec<_>>()).await,
            "fresh" => code::fresh::run(&mut report, &names.next().unwrap()).await,
            "search" => code::run(&mut report, &names.by_ref().collect::<Vec<_>>()).await,
            "snapshot" => queue::held::run(&mut report).await.unwrap(),
            "queue" => queue::run(&mut report, &options).await.unwrap(),
            other => panic!(
                "no benchmark {other:?}; there are {}, words, social, learning, snapshot, code PATH..., fresh PATH, search PATH..., texts PATH, payloads FOLDER",
                ALL.join(", ")
            ),
        }
        report.finish();
    }
}
