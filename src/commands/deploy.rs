//! `pkg deploy`

mod approver;
mod carry_out;
mod holds;
mod locate;
mod observers;
mod pause;
mod progress;
mod screen;
mod signatures;
mod typing;

use deployer::Request;
use nevra::PackageQuery;

pub(crate) use self::carry_out::{ChangeArgs, carry_out, failure};
pub(crate) use self::locate::{environment, open};
pub(crate) use self::progress::{Progress, plan_lines};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Deploy packages to the hosts of an environment.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name, looked up in $PKG_ENVIRONMENTS, environments/ and
    /// specs/environments/.
    #[arg(value_name = "ENV")]
    environment: String,
    /// What to run: `name` (the newest), `name-version`, `name-version-release`, or the whole with `.arch`.
    #[arg(value_name = "PACKAGE", required = true)]
    packages: Vec<PackageQuery>,
    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg deploy dev petclinic                        the newest that the repository has
  pkg deploy prod petclinic-1.4.0-57 --why CHG-1234

Each host is drained, stopped, changed, started, checked and put back before the next one is touched. If a step fails,
every host that was touched is taken back.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    carry_out(&args.environment, Request::Deploy(args.packages), args.change, printer).await
}
