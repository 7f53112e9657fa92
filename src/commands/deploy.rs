//! `pkg deploy`

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Deploy packages to the hosts of an environment.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_args: Args, _printer: &Printer) -> Result<Exit, Failure> {
    Err(Failure::failed(anyhow::anyhow!("`pkg deploy` is being written")))
}
