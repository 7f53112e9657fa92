//! `pkg history`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what was deployed to an environment, when, by whom and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg history` is being written")))
}
