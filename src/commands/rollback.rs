//! `pkg rollback`

use std::path::{Path, PathBuf};

use deployer::{Action, PlanFile, Request};
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
    /// Carry out a plan that `pkg plan --rollback --out` wrote; refused when the hosts have changed since.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "without"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg rollback prod --why \"orders fail\"           undo the last deployment that was not yet undone
  pkg rollback prod --to petclinic-1.3.2-41
  pkg rollback prod --plan back.plan --approval back.plan.approval

Each host goes to what the journal says it ran before the version that it runs now was first deployed; a second
rollback goes one further back.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let request = match &args.plan {
        Some(path) => Request::Planned(Box::new(rollback_plan(path)?)),
        None => Request::Rollback(args.to),
    };
    carry_out(&args.environment, request, args.change, printer).await
}

fn rollback_plan(path: &Path) -> Result<PlanFile, Failure> {
    let file = PlanFile::read(path).map_err(Failure::input)?;
    if file.action == Action::Rollback {
        return Ok(file);
    }
    let error = anyhow::anyhow!("`{}` is the plan of a deployment, not of a rollback", path.display());
    Err(Failure::input(error)
        .hint("`pkg deploy --plan` carries it out; `pkg plan --rollback --out` writes one of the way back"))
}
