//! `pkg withdraw`: a channel lists packages no longer.

use nevra::PackageQuery;
use repo_api::{ChannelName, WithdrawRequest};

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Withdraw packages from a channel.
///
/// The channel lists them no longer, so nobody installs them from it any more. Their files keep their URLs, for clients
/// that still hold older metadata.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The packages, each with its version, such as petclinic-1.4.0-57.
    #[arg(required = true, value_name = "NEVRA")]
    packages: Vec<PackageQuery>,
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    from: ChannelName,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg withdraw petclinic-1.4.0-57 --from dev --why 'loses sessions'";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let request = WithdrawRequest { packages: args.packages, who: who(), why: args.reason.why };
    let withdrawn = client.withdraw(&args.from, &request).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&withdrawn);
    } else {
        for nevra in &withdrawn.packages {
            printer.data(&format!("{nevra}  {}  commit {}", withdrawn.channel, withdrawn.commit));
        }
    }
    if !withdrawn.changed {
        printer.talk(&format!("channel {} listed none of it before", withdrawn.channel));
    }
    Ok(Exit::Done)
}
