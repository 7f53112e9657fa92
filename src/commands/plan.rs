//! `pkg plan`

use std::sync::Arc;

use nevra::PackageQuery;
use tokio::sync::watch;

use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what a deployment would do. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pkg plan prod petclinic-1.4.0-57")]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// What to run: `name` (the newest), `name-version`, `name-version-release`, or the whole with `.arch`.
    #[arg(value_name = "PACKAGE", required = true)]
    packages: Vec<PackageQuery>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let (_interrupted, interrupt) = watch::channel(deployer::Interrupt::None);
    let deployer = deploy::open(environment, Arc::new(deploy::Progress(printer.clone())), interrupt).await?;
    let plan = deployer.plan(args.packages).await;
    deployer.close().await;
    let plan = plan.map_err(deploy::failure)?;
    if printer.is_json() {
        printer.json(&plan);
        return Ok(Exit::Done);
    }
    for line in deploy::plan_lines(&plan) {
        printer.data(&line);
    }
    Ok(Exit::Done)
}
