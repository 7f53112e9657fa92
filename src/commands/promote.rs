//! `pkg promote`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Promote packages from one channel to another: the same bytes, no rebuild.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg promote` is being written")))
}
