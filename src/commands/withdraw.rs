//! `pkg withdraw`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Withdraw packages from a channel.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg withdraw` is being written")))
}
