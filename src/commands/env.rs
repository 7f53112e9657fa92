//! `pkg env`: environments, as their files and the repository server know them.

mod check;
mod explain;
mod rules;
mod server;

use chrono::{DateTime, Utc};
use repo_api::TagName;

use super::connection::{ReasonArgs, ServerArgs};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Explain an environment's file; ask the repository server what runs in the environments whose ledgers it keeps, and set the rules for deploying there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pkg env check prod
  pkg env list
  pkg env show prod --at 2026-11-20T06:00:00Z
  pkg env set prod --approval person
  pkg env set prod --approval two --approvers approvers.txt
  pkg env set prod --freeze 'Christmas' --until 2026-12-27T06:00:00Z
  pkg env set prod --thaw

A server keeps the ledger of an environment whose file says `ledger = \"https://SERVER\"`. Its rules hold there whatever the
file says: see docs/deploying.md.";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Explain an environment's file as it is understood: hosts, clusters, who is out when, who has to agree. Asks no host.
    Check {
        /// A path to an environment file (.toml), or its name.
        #[arg(value_name = "ENV")]
        environment: String,
    },
    /// List the environments that your token may watch, with what runs there.
    List {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show which versions an environment's hosts run, or ran at a time, and the rules for deploying there.
    Show {
        /// Its name.
        environment: TagName,
        /// As of this time, such as 2026-11-20T06:00:00Z.
        #[arg(long, value_name = "TIME")]
        at: Option<DateTime<Utc>>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Set the rules for deploying to an environment; what is not named stays.
    Set {
        /// Its name.
        environment: TagName,
        #[command(flatten)]
        rules: rules::RuleArgs,
        #[command(flatten)]
        reason: ReasonArgs,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    match args.command {
        Command::Check { environment } => check::run(&environment, printer),
        Command::List { server } => server::list(&server.client()?, printer).await,
        Command::Show { environment, at, server } => server::show(&server.client()?, &environment, at, printer).await,
        Command::Set { environment, rules, reason, server } => {
            rules::set(&server.client()?, &environment, rules, reason, printer).await
        }
    }
}
