//! `pkg rollback`

use deployer::Request;
use nevra::PackageQuery;

use super::deploy::{ChangeArgs, carry_out};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Take an environment back to the version before, by downgrade.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Go to this version instead of the one before.
    #[arg(long, value_name = "NEVRA")]
    to: Option<PackageQuery>,
    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg rollback prod --why \"orders fail\"           undo the last deployment that was not yet undone
  pkg rollback prod --to petclinic-1.3.2-41

Each host goes to what the journal says it ran before the version that it runs now was first deployed; a second
rollback goes one further back.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    carry_out(&args.environment, Request::Rollback(args.to), args.change, printer).await
}
