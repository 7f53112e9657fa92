//! `pkg plan`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what a deployment would do.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg plan` is being written")))
}
