//! `pkg list`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// List channels, or the packages of one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg list` is being written")))
}
