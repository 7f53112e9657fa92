//! `pkg promote`: lists packages of one channel in another, the same bytes.

use nevra::PackageQuery;
use repo_api::{ChannelName, PromoteRequest};

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Promote packages from one channel to another.
///
/// Nothing is rebuilt or copied: the channels list the same files. All packages are promoted to all channels in one step,
/// or none is to any.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The packages, each with its version, such as petclinic-1.4.0-57.
    #[arg(required = true, value_name = "NEVRA")]
    packages: Vec<PackageQuery>,
    /// The channel that lists them.
    #[arg(long, value_name = "CHANNEL")]
    from: ChannelName,
    /// The channel that shall list them too; may be repeated.
    #[arg(long, value_name = "CHANNEL", required = true)]
    to: Vec<ChannelName>,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg promote petclinic-1.4.0-57 --from dev --to qa
  pkg promote petclinic-1.4.0-57 --from dev --to qa --to prod
  pkg promote petclinic-1.4.0-57 petclinic-config-1.4.0-57 --from qa --to prod --why 'change 4711 approved'";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let request =
        PromoteRequest { packages: args.packages, from: args.from, to: args.to, who: who(), why: args.reason.why };
    let promoted = client.promote(&request).await.map_err(failure)?;
    let to: Vec<&str> = promoted.to.iter().map(ChannelName::as_str).collect();
    let to = to.join(",");
    if printer.is_json() {
        printer.json(&promoted);
    } else {
        for package in &promoted.packages {
            printer.data(&format!("{}  {to}  commit {}", package.nevra, promoted.commit));
        }
    }
    if !promoted.changed {
        printer.talk(&format!("{to} had all of it before"));
    }
    Ok(Exit::Done)
}
