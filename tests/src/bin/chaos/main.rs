//! `make chaos`: faults against several processes under load, then judgement. Without arguments in random order for a
//! while; with names of scenarios (`kills`, `kills=10`, `all`) those, and their figures go to RELIABILITY.md.
//! Ends with 1 if a promise was broken or a bar missed.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the terminal that takes its length and seed from the environment"
)]

use std::{process::ExitCode, time::Duration};

use millrace_tests::{
    chaos::{self, ALL, Fault, Outcome, Plan, Scenario, Tally},
    reliability::{self, Figure},
};

/// Deliveries per second.
const RATE: u32 = 200;

#[tokio::main]
async fn main() -> ExitCode {
    let mut good = true;
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let [role, url] = &names[..]
        && role == "worker"
    {
        chaos::work(url).await;
    }
    if names.is_empty() {
        good = random().await;
    }
    for name in names {
        let (name, times) =
            name.split_once('=').map_or((&*name, None), |(n, t)| (n, t.parse().ok()));
        let chosen: Vec<&Scenario> =
            ALL.iter().filter(|s| s.name == name || name == "all").collect();
        if chosen.is_empty() {
            usage(name);
            return ExitCode::from(2);
        }
        for scenario in chosen {
            let figures = scenario.run(times.unwrap_or(scenario.times)).await;
            let command = match times {
                Some(times) => format!("make chaos ARGS={}={times}", scenario.name),
                None => format!("make chaos ARGS={}", scenario.name),
            };
            reliability::record(&command, &figures);
            good &= figures.iter().all(Figure::met);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage(name: &str) {
    println!("no scenario {name:?}; there are, each NAME or NAME=TIMES, and `all`:");
    for Scenario { name, times, about, .. } in ALL {
        println!("  {name:12} {times:>6}  {about}");
    }
}

async fn random() -> bool {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("MILLRACE_CHAOS_SECONDS").unwrap_or(300);
    let seed = number("MILLRACE_CHAOS_SEED").unwrap_or_else(rand::random::<u64>);
    println!("again: MILLRACE_CHAOS_SEED={seed} MILLRACE_CHAOS_SECONDS={seconds} make chaos");
    let length = Duration::from_secs(seconds);
    let plan = Plan { seed, length, rate: RATE, faults: Fault::ALL.to_vec() };
    let (outcome, faults) = chaos::run(&plan).await;
    print(&outcome, &faults);
    outcome.verdict.is_good()
}

fn print(outcome: &Outcome, faults: &Tally) {
    for (fault, times) in faults {
        println!("{fault:32} {times:>6}");
    }
    println!("{:32} {:>6}", "deliveries", outcome.deliveries);
    for (end, count) in outcome.refusals() {
        println!("{end:32} {count:>6}");
    }
    println!("{:32} {:>6}", "completions fenced off", outcome.fenced);
    println!("{:32} {:>6.1} s", "all done after the last fault", outcome.drained.as_secs_f64());
    println!("{:#?}", outcome.verdict);
}
