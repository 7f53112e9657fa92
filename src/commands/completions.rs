//! `pkg completions`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Print a shell's completions of these commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pkg completions bash >/etc/bash_completion.d/pkg
  pkg completions zsh >~/.zfunc/_pkg")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args, printer: &Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pkg", &mut script);
    printer.data(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}
