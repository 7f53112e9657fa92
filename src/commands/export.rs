//! `pkg export`: a channel as a plain folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use repo_api::{ChannelName, Client, ListedPackage, LocalPackage};
use repo_server::{install_repodata, parse_repomd};

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Copy a channel to a plain folder that any web server can serve.
///
/// The folder holds what the channel shows as of one commit: `Packages/` and a `repodata/` with the server's signature.
/// Packages that are there are not fetched again; the new `repodata` takes the place of the old one in one step, once
/// all of its packages are there.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The channel.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelName,
    /// The folder; made where it does not exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Remove packages from the folder that the channel does not list.
    #[arg(long)]
    prune: bool,
    /// Keep metadata that is no longer named for so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    keep: u32,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg export prod /srv/www/prod
  pkg export prod /srv/www/prod --prune --server https://rpm.example.org";

/// The most that one metadata document may have, bytes.
const DOCUMENT_LIMIT: usize = 1 << 30;

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let list = client.packages(&args.channel).await.map_err(failure)?;
    let packages = args.folder.join("Packages");
    fs_err::create_dir_all(&packages).map_err(Failure::failed)?;
    let mut fetched = 0;
    let mut names = BTreeSet::new();
    for package in &list.packages {
        names.insert(package.file_name());
        if fetch(&client, package, &packages).await? {
            fetched += 1;
            printer.detail(&format!("{}", package.nevra));
        }
    }
    let files = metadata(&client, &args.channel, list.commit).await?;
    let keep_for = Duration::from_secs(u64::from(args.keep) * 24 * 3600);
    install_repodata(&args.folder, &files, keep_for).map_err(Failure::failed)?;
    let removed = if args.prune { prune(&packages, &names).map_err(Failure::failed)? } else { 0 };
    if printer.is_json() {
        printer.json(&serde_json::json!({
            "channel": list.channel,
            "commit": list.commit,
            "packages": list.packages.len(),
            "fetched": fetched,
            "removed": removed,
        }));
    } else {
        printer.talk(&format!(
            "channel {} at commit {}: {} packages, {fetched} fetched, {removed} removed",
            list.channel,
            list.commit,
            list.packages.len(),
        ));
    }
    Ok(Exit::Done)
}

/// Fetches a package unless its file is there; tells whether it did.
async fn fetch(client: &Client, package: &ListedPackage, folder: &Path) -> Result<bool, Failure> {
    let path = folder.join(package.file_name());
    if fs_err::metadata(&path).is_ok_and(|metadata| metadata.len() == package.size)
        && LocalPackage::read(&path).is_ok_and(|there| there.sha256 == package.sha256)
    {
        return Ok(false);
    }
    let part = folder.join(format!(".{}.part", package.sha256));
    let sha256 = client.download(&package.url, &part).await.map_err(failure)?;
    if sha256 != package.sha256 {
        fs_err::remove_file(&part).map_err(Failure::failed)?;
        let (nevra, expected) = (&package.nevra, &package.sha256);
        return Err(Failure::failed(anyhow!("`{nevra}` came with sha256 `{sha256}`, the channel names `{expected}`")));
    }
    fs_err::rename(&part, &path).map_err(Failure::failed)?;
    Ok(true)
}

/// Reads all of a channel's metadata as of a commit.
async fn metadata(client: &Client, channel: &ChannelName, commit: u64) -> Result<Vec<(String, Vec<u8>)>, Failure> {
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

/// Removes the RPMs whose names are not listed, and what was left half-fetched.
fn prune(folder: &Path, names: &BTreeSet<String>) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.ends_with(".rpm") || (name.starts_with('.') && name.ends_with(".part"));
        if is_ours && !names.contains(&name) {
            fs_err::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}
