//! `pkg plan`

use std::path::PathBuf;
use std::sync::Arc;

use deployer::{HostName, Outlook, PlanFile, Request};
use nevra::PackageQuery;
use tokio::sync::watch;

use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what a deployment or a rollback would do. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// What to run: `name` (the newest), `name-version`, `name-version-release`, or the whole with `.arch`.
    #[arg(value_name = "PACKAGE", required_unless_present = "rollback")]
    packages: Vec<PackageQuery>,
    /// Show what `pkg rollback` would do.
    #[arg(long, conflicts_with = "packages")]
    rollback: bool,
    /// With `--rollback`: to this version instead of the one before.
    #[arg(long, value_name = "NEVRA", requires = "rollback")]
    to: Option<PackageQuery>,
    /// Leave these hosts out: they are not looked at and keep what they have.
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    without: Vec<HostName>,
    /// Write the plan to a file, for `pkg approve` and `pkg deploy --plan`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkg plan prod petclinic-1.4.0-57
  pkg plan prod petclinic-1.4.0-57 --out petclinic.plan     then: pkg deploy prod --plan petclinic.plan
  pkg plan prod --rollback

A saved plan has a digest over what every host has, what it is to have and in which order; `pkg deploy --plan` refuses it
when any of that has changed.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let mut environment = deploy::environment(&args.environment)?;
    deploy::leave_out(&mut environment, &args.without)?;
    let (_interrupted, interrupt) = watch::channel(deployer::Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let request = if args.rollback { Request::Rollback(args.to) } else { Request::Deploy(args.packages) };
    let planned = deployer.plan(&request).await;
    let (mut remarks, mut notes) = (Vec::new(), Vec::new());
    if let Ok(Outlook { plan, facts, .. }) = &planned {
        remarks = deploy::plan_remarks(deployer.environment(), plan, facts, printer).await;
        if !printer.is_json() {
            notes = deploy::plan_notes(deployer.environment(), plan, printer).await;
        }
    }
    deployer.close().await;
    let Outlook { action, plan, .. } = planned.map_err(deploy::failure)?;
    let file = PlanFile { remarks, ..PlanFile::new(plan, action, deploy::identity().who) };
    if let Some(path) = &args.out {
        file.write(path).map_err(Failure::failed)?;
        printer.talk(&format!("{} written, {}", path.display(), file.digest));
    }
    if printer.is_json() {
        printer.json(&file);
        return Ok(Exit::Done);
    }
    let remarks = deploy::remark_lines(&file.remarks);
    for line in deploy::plan_lines(&file.plan).iter().chain(&remarks).chain(&notes) {
        printer.data(line);
    }
    Ok(Exit::Done)
}
