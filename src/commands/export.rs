//! `pkg export`: a channel as a plain folder, or as plain files in a bucket.

mod bucket;
mod folder;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ledger::Bucket;
use repo_api::{ChannelName, Client, ListedPackage};
use repo_server::parse_repomd;

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Copy a channel to a plain folder, or into a bucket, that any web server can serve.
///
/// The copy holds what the channel shows as of one commit: `Packages/` and a `repodata/` with the server's signature.
/// Packages that are there are not fetched again. In a folder, the new `repodata` takes the place of the old one in one
/// step, once all of its packages are there; in a bucket, `repomd.xml` and its signature come last. Buckets take their
/// settings from the environment, as the store of `pkg serve` does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The channel.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelName,
    /// The folder, made where it does not exist, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX.
    #[arg(value_name = "DIR|BUCKET")]
    to: String,
    /// Remove packages that the channel does not list.
    #[arg(long)]
    prune: bool,
    /// Keep metadata that is no longer named for so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    keep: u32,
    /// The directory of the server's store, where that is on this machine: packages are hard links to its files if DIR is
    /// on the same file system, and take no space. They must not be written to.
    #[arg(long, value_name = "STORE")]
    link: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg export prod /srv/www/prod
  pkg export prod /srv/www/prod --prune --server https://rpm.example.org
  pkg export prod /srv/www/prod --link /var/lib/pkg-repository/store
  pkg export prod s3://mirror/el9/prod --prune";

/// The most that one metadata document may have, bytes.
const DOCUMENT_LIMIT: usize = 1 << 30;

/// How a package got to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// It was there.
    There,
    /// It is another name of the store's file.
    Linked,
    /// It came from the server.
    Fetched,
}

/// The files of a `repodata`, by their names.
type Metadata = Vec<(String, Vec<u8>)>;

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let keep_for = Duration::from_secs(u64::from(args.keep) * 24 * 3600);
    let is_bucket = Bucket::is_location(&args.to);
    if is_bucket && args.link.is_some() {
        return Err(Failure::input(anyhow!("`--link` is for folders, and `{}` is a bucket", args.to)));
    }
    let list = client.packages(&args.channel).await.map_err(failure)?;
    let files = metadata(&client, &args.channel, list.commit).await?;
    let (arrivals, removed) = if is_bucket {
        let bucket = Bucket::open(&args.to).map_err(Failure::input)?;
        let mut export = bucket::Export::begin(bucket, &client).await?;
        let arrivals = export.bring(&list.packages, printer).await?;
        export.show(&files, keep_for).await?;
        (arrivals, if args.prune { export.prune(&list.packages).await? } else { 0 })
    } else {
        let export = folder::Export { folder: args.to.into(), store: args.link };
        let arrivals = export.bring(&client, &list.packages, printer).await?;
        export.show(&files, keep_for)?;
        (arrivals, if args.prune { export.prune(&list.packages)? } else { 0 })
    };
    let count = |kind| arrivals.iter().filter(|arrival| **arrival == kind).count();
    let (linked, fetched) = (count(Arrival::Linked), count(Arrival::Fetched));
    let (channel, commit, packages) = (&list.channel, list.commit, list.packages.len());
    if printer.is_json() {
        printer.json(&serde_json::json!({
            "channel": channel,
            "commit": commit,
            "packages": packages,
            "fetched": fetched,
            "linked": linked,
            "removed": removed,
        }));
    } else {
        let linked = if linked > 0 { format!("{linked} linked, ") } else { String::new() };
        printer.talk(&format!(
            "channel {channel} at commit {commit}: {packages} packages, {linked}{fetched} fetched, {removed} removed"
        ));
    }
    Ok(Exit::Done)
}

/// Reads all of a channel's metadata as of a commit.
async fn metadata(client: &Client, channel: &ChannelName, commit: u64) -> Result<Metadata, Failure> {
    let mut files = Vec::new();
    for name in ["repomd.xml", "repomd.xml.asc", "repomd.xml.key"] {
        let path = format!("{channel}/@{commit}/repodata/{name}");
        files.push((name.to_owned(), client.read_file(&path, DOCUMENT_LIMIT).await.map_err(failure)?));
    }
    let entries =
        parse_repomd(&files[0].1).context("the server's repomd.xml can't be read").map_err(Failure::failed)?;
    for entry in entries {
        let name = entry.file_name().to_owned();
        let path = format!("{channel}/@{commit}/repodata/{name}");
        files.push((name, client.read_file(&path, DOCUMENT_LIMIT).await.map_err(failure)?));
    }
    Ok(files)
}

/// Fetches a package into a file, whole or not at all.
async fn fetch(client: &Client, package: &ListedPackage, to: &std::path::Path) -> Result<(), Failure> {
    let sha256 = client.download(&package.url, to).await.map_err(failure)?;
    if sha256 == package.sha256 {
        return Ok(());
    }
    fs_err::remove_file(to).map_err(Failure::failed)?;
    let (nevra, expected) = (&package.nevra, &package.sha256);
    Err(Failure::failed(anyhow!("`{nevra}` came with sha256 `{sha256}`, the channel names `{expected}`")))
}
