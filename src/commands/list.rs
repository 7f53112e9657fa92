//! `pkg list`: the channels, or what one of them lists.

use repo_api::{ChannelName, Client, Moment, Snapshot};

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// List the channels, or the packages of one.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The channel whose packages to list, also as it was: CHANNEL@COMMIT, CHANNEL@TAG.
    #[arg(value_name = "CHANNEL")]
    channel: Option<Snapshot>,
    /// What it listed as of a commit, or of a tag.
    #[arg(long, value_name = "COMMIT|TAG", requires = "channel")]
    at: Option<Moment>,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg list
  pkg list prod
  pkg list prod@4711
  pkg list prod --json";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    match args.channel {
        Some(Snapshot { channel, at }) => {
            if at.is_some() && args.at.is_some() {
                return Err(Failure::input(anyhow::anyhow!("`--at` and `@` both say when: one of them does")));
            }
            packages(&client, (&channel, at.or(args.at)), printer).await
        }
        None => channels(&client, printer).await,
    }
}

pub(super) async fn channels(client: &Client, printer: &Printer) -> Result<Exit, Failure> {
    let list = client.channels().await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&list);
        return Ok(Exit::Done);
    }
    for channel in &list.channels {
        printer.data(&format!(
            "{}  {} package{}  commit {}  {}",
            channel.name,
            channel.packages,
            if channel.packages == 1 { "" } else { "s" },
            channel.commit,
            channel.changed_at.format("%Y-%m-%dT%H:%M:%SZ"),
        ));
    }
    Ok(Exit::Done)
}

async fn packages(
    client: &Client,
    (channel, at): (&ChannelName, Option<Moment>),
    printer: &Printer,
) -> Result<Exit, Failure> {
    let list = match at {
        Some(at) => client.packages_at(channel, &at).await,
        None => client.packages(channel).await,
    };
    let list = list.map_err(failure)?;
    if printer.is_json() {
        printer.json(&list);
        return Ok(Exit::Done);
    }
    for package in &list.packages {
        printer.data(&format!(
            "{}  commit {}  {}  {}",
            package.nevra,
            package.commit,
            package.listed_at.format("%Y-%m-%dT%H:%M:%SZ"),
            printable(&package.listed_by),
        ));
    }
    if list.packages.is_empty() {
        printer.talk(&format!("channel {channel} is empty"));
    }
    Ok(Exit::Done)
}
