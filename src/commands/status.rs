//! `pkg status`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show which version runs on which host.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg status` is being written")))
}
