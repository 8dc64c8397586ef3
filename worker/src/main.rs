//! The `millrace` binary.

use std::process::ExitCode;

use clap::Parser;
use millrace_worker::cli::Cli;

fn main() -> ExitCode {
    millrace_worker::cli::run(Cli::parse())
}
