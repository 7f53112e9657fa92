//! `pkg serve`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Serve a yum repository.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg serve` is being written")))
}
