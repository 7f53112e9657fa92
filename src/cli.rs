//! The command line: the commands, each with its arguments in its own file.

use clap::{Parser, Subcommand};

use crate::commands;
use crate::render::OutputArgs;

/// RPM packaging, a yum repository and deployment over SSH, for web applications.
#[derive(Debug, Parser)]
#[command(name = "pkg", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done · 1 failed, nothing changed · 2 wrong usage or input · 3 failed and rolled back · \
4 partly changed, a person is needed · 5 another deployment holds the lease · 6 approval missing";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Attach(commands::attach::Args),
    Build(commands::build::Args),
    Export(commands::export::Args),
    Import(commands::import::Args),
    Index(commands::index::Args),
    Init(commands::init::Args),
    Inspect(commands::inspect::Args),
    Serve(commands::serve::Args),
    Publish(commands::publish::Args),
    Promote(commands::promote::Args),
    Withdraw(commands::withdraw::Args),
    Fsck(commands::fsck::Args),
    Gc(commands::gc::Args),
    List(commands::list::Args),
    Diff(commands::diff::Args),
    Log(commands::log::Args),
    FindJar(commands::find_jar::Args),
    Channel(commands::channel::Args),
    Tag(commands::tag::Args),
    Key(commands::key::Args),
    Token(commands::token::Args),
    Notes(commands::notes::Args),
    Env(commands::env::Args),
    Plan(commands::plan::Args),
    Deploy(commands::deploy::Args),
    Rollback(commands::rollback::Args),
    Resume(commands::resume::Args),
    Status(commands::status::Args),
    History(commands::history::Args),
    Why(commands::why::Args),
    Verify(commands::verify::Args),
    Approve(commands::approve::Args),
    Run(commands::run::Args),
    Hosts(commands::hosts::Args),
    Completions(commands::completions::Args),
    #[command(hide = true)]
    Man(commands::man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn definition_holds() {
        super::Cli::command().debug_assert();
    }
}
