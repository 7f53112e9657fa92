//! `pkg publish`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Publish RPMs to a channel of a repository.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg publish` is being written")))
}
