//! `pkg inspect`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what an RPM holds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg inspect` is being written")))
}
