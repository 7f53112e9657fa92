//! `pkg promote`: lists packages of one channel in another, the same bytes.

use nevra::PackageQuery;
use repo_api::{ChannelName, PromoteRequest};

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Promote packages from one channel to another.
///
/// Nothing is rebuilt or copied: the channel lists the same file. All packages are promoted in one step, or none is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The packages, each with its version, such as petclinic-1.4.0-57.
    #[arg(required = true, value_name = "NEVRA")]
    packages: Vec<PackageQuery>,
    /// The channel that lists them.
    #[arg(long, value_name = "CHANNEL")]
    from: ChannelName,
    /// The channel that shall list them too.
    #[arg(long, value_name = "CHANNEL")]
    to: ChannelName,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg promote petclinic-1.4.0-57 --from dev --to qa
  pkg promote petclinic-1.4.0-57 petclinic-config-1.4.0-57 --from qa --to prod --why 'change 4711 approved'";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let request =
        PromoteRequest { packages: args.packages, from: args.from, to: args.to, who: who(), why: args.reason.why };
    let promoted = client.promote(&request).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&promoted);
    } else {
        for package in &promoted.packages {
            printer.data(&format!("{}  {}  commit {}", package.nevra, promoted.to, promoted.commit));
        }
    }
    if !promoted.changed {
        printer.talk(&format!("channel {} had all of it before", promoted.to));
    }
    Ok(Exit::Done)
}
