//! `pkg hosts`

mod check;
mod keys;
mod prepare;

use deployer::{Environment, Item, cloud_init, items, kickstart};

use self::keys::pinned_keys;
use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Check that hosts are ready to be deployed to, and bring them to the environment's standard set-up.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is known of each host, and what it lacks. Changes nothing.
    Check(CheckArgs),
    /// Bring hosts to the standard set-up, saying first what changes; a second run changes nothing.
    Prepare(PrepareArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Log in as this user, who must be root: for hosts that have no sudo rule yet.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PrepareArgs {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Only these hosts, such as `web1,web2`.
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    hosts: Vec<deployer::HostName>,
    /// Log in as this user, who must be root: for hosts that have no sudo rule yet.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Don't ask at a terminal. Does not stand for a person where the environment wants one.
    #[arg(long, short)]
    yes: bool,
    /// Go on although the environment is outside of its windows or frozen. Needs a person at a terminal.
    #[arg(long, value_name = "REASON")]
    despite_freeze: Option<String>,
    /// Print the same as cloud-init's user data instead, for images.
    #[arg(long, conflicts_with = "kickstart")]
    cloud_init: bool,
    /// Print the same as a part of a kickstart file instead, for images.
    #[arg(long)]
    kickstart: bool,
}

const EXAMPLES: &str = "\
Examples:
  pkg hosts check prod
  pkg hosts prepare prod --user root              the first time
  pkg hosts prepare prod --cloud-init >user-data

The set-up is the [standard] section of the environment's file: repositories with their keys, each pinned by its
fingerprint, packages, directories, services, and the login that may become root.
Exit codes: 0 all is as it should be, 1 a host lacks something or can't be seen, 4 some hosts could not be prepared.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    match args.command {
        Command::Check(args) => check::run(args, printer).await,
        Command::Prepare(args) => {
            let environment = deploy::environment(&args.environment)?;
            let wanted = wanted(&environment).await?;
            if args.cloud_init || args.kickstart {
                let text = if args.kickstart { kickstart(&wanted) } else { cloud_init(&wanted) };
                printer.data(text.trim_end());
                return Ok(Exit::Done);
            }
            if wanted.is_empty() {
                let error = anyhow::anyhow!("environment `{}` has no [standard] section", environment.name);
                return Err(Failure::input(error));
            }
            prepare::run(args, environment, &wanted, printer).await
        }
    }
}

/// What each host is to have, with the keys fetched and held against their fingerprints.
async fn wanted(environment: &Environment) -> Result<Vec<Item>, Failure> {
    let keys = pinned_keys(&environment.standard).await.map_err(Failure::failed)?;
    Ok(items(&environment.standard, &keys))
}
