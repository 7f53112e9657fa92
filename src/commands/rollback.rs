//! `pkg rollback`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Take an environment back to the version before, by downgrade.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg rollback` is being written")))
}
