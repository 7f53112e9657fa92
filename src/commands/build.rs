//! `pkg build`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Build an RPM from a package spec.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg build` is being written")))
}
