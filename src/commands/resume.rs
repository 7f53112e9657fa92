//! `pkg resume`

use deployer::Request;

use super::deploy::{ChangeArgs, carry_out};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Finish or back out a deployment that was paused, interrupted, or whose controller died.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Take every host that was touched back instead of finishing.
    #[arg(long)]
    back_out: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg resume prod
  pkg resume prod --back-out        take everything back that was touched

Takes the lease over once it has ended (a minute after the last sign of life), observes the hosts afresh and plans what
is left. A deployment that was taking hosts back goes on with that. One that left hosts changed can be resumed, too.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let request = if args.back_out { Request::BackOut } else { Request::Resume };
    carry_out(&args.environment, request, args.change, printer).await
}
