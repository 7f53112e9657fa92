//! `pkg resume`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Finish or back out a deployment whose controller died.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg resume` is being written")))
}
