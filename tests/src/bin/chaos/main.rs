//! `make chaos`: faults in random order for a while, then judgement. Ends with 1 if a promise was broken.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the terminal that takes its length and seed from the environment"
)]

use std::{process::ExitCode, time::Duration};

use millrace_tests::chaos::{self, Fault, Outcome, Plan};

/// Deliveries per second.
const RATE: u32 = 200;

#[tokio::main]
async fn main() -> ExitCode {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("MILLRACE_CHAOS_SECONDS").unwrap_or(300);
    let seed = number("MILLRACE_CHAOS_SEED").unwrap_or_else(rand::random::<u64>);
    println!("again: MILLRACE_CHAOS_SEED={seed} MILLRACE_CHAOS_SECONDS={seconds} make chaos");
    let length = Duration::from_secs(seconds);
    let plan = Plan { seed, length, rate: RATE, faults: Fault::ALL.to_vec() };
    let outcome = chaos::run(&plan).await;
    print(&outcome);
    if outcome.verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(outcome: &Outcome) {
    for (fault, times) in &outcome.faults {
        println!("{fault:32} {times:>6}");
    }
    println!("{:32} {:>6}", "deliveries", outcome.deliveries);
    for (status, count) in &outcome.refusals {
        let what =
            if *status == 0 { "connection broke".into() } else { format!("answer {status}") };
        println!("{what:32} {count:>6}");
    }
    println!("{:32} {:>6}", "completions fenced off", outcome.fenced);
    println!("{:32} {:>6.1} s", "all done after the last fault", outcome.drained.as_secs_f64());
    println!("{:#?}", outcome.verdict);
}
