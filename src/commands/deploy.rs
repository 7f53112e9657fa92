//! `pkg deploy`

mod approver;
mod carry_out;
mod holds;
mod host_names;
mod locate;
mod observers;
mod pause;
mod plan_notes;
mod plan_remarks;
mod plan_text;
mod progress;
mod publish_notes;
mod screen;
mod signatures;
mod typing;

use std::path::PathBuf;

use deployer::{PlanFile, Request};
use nevra::PackageQuery;

pub(crate) use self::approver::is_person_present;
pub(crate) use self::carry_out::{ChangeArgs, carry_out, failure};
pub(crate) use self::host_names::rows;
pub(crate) use self::locate::{
    environment, identity, is_environment, is_server, known_environments, leave_out, open, repository_server,
    server_client,
};
pub(crate) use self::plan_notes::plan_notes;
pub(crate) use self::plan_remarks::{plan_remarks, remark_lines};
pub(crate) use self::plan_text::plan_lines;
pub(crate) use self::progress::Progress;
pub(crate) use self::signatures::key as signing_key;
pub(crate) use self::typing::line as typed_line;
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
    #[arg(value_name = "PACKAGE", required_unless_present = "plan")]
    packages: Vec<PackageQuery>,
    /// Carry out a plan that `pkg plan --out` wrote; refused when the hosts have changed since.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["packages", "without"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg deploy dev petclinic                        the newest that the repository has
  pkg deploy prod petclinic-1.4.0-57 --why CHG-1234
  pkg deploy prod petclinic --without web7        web7 is broken: leave it out
  pkg deploy prod --plan petclinic.plan           exactly what was looked at

The environment's strategy says in which order hosts are taken out, changed and put back. If a step fails, a person at the
terminal is asked what follows, or everything that was touched is taken back ([policy] of the environment).
Ctrl-C stops after the current step, a second one leaves at once: what runs on hosts goes on there.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let request = match &args.plan {
        Some(path) => Request::Planned(Box::new(PlanFile::read(path).map_err(Failure::input)?)),
        None => Request::Deploy(args.packages),
    };
    carry_out(&args.environment, request, args.change, printer).await
}
