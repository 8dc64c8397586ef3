//! Benchmarks: each figure beside a reference of the same run. `make bench` runs them all, but for
//! `texts --FILE`, which needs a file of `text TAB label` lines.
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

mod classify;
mod ingest;
mod load;
mod memory;
mod pipeline;
mod queue;
mod report;
mod server;
mod texts;

use report::Report;

/// Name and code of every benchmark.
const ALL: [&str; 4] = ["ingest", "memory", "pipeline", "queue"];

#[tokio::main]
async fn main() {
    let (options, mut names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with("--"));
    if names.is_empty() {
        names = ALL.iter().map(ToString::to_string).collect();
    }
    for name in names {
        let mut report = Report::new(&name);
        match name.as_str() {
            "ingest" => ingest::run(&mut report).await,
            "classify" => classify::run(&mut report, &options).await,
            "pipeline" => pipeline::run(&mut report).await,
            "memory" => memory::run(&mut report).await,
            "texts" => {
                texts::run(&mut report, options.first().map_or("", |o| o.trim_start_matches("--")))
                    .await
            }
            "queue" => queue::run(&mut report, &options).await.unwrap(),
            other => panic!("no benchmark {other:?}; there are {}, and classify", ALL.join(", ")),
        }
        report.finish();
    }
}
