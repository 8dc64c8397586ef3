//! `millrace completions`

use clap_complete::Shell;

use crate::out::Out;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  millrace completions bash > /etc/bash_completion.d/millrace
  millrace completions zsh > ~/.zfunc/_millrace
  millrace completions fish > ~/.config/fish/completions/millrace.fish")]
pub struct Args {
    /// Shell to complete in
    shell: Shell,
}

/// Print the script for `command`.
///
/// # Errors
/// If the script is no text.
pub fn run(args: &Args, mut command: clap::Command, out: Out) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "millrace", &mut script);
    let script = String::from_utf8(script)?;
    out.answer(&script, || out.say(script.trim_end()))
}
