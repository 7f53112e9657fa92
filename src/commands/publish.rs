//! `pkg publish`: uploads packages and lists them in a channel.

mod advisory;

use std::path::{Path, PathBuf};

use anyhow::Context;
use repo_api::{AttachRequest, AttachmentKind, ChannelName, Client, LocalPackage, PublishRequest, StagedPackage};
use repo_server::{Advisory, unpacked};

use super::attach;
use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Publish packages to a channel.
///
/// All packages become installable in one step, before the command returns, or none of them does. Publishing the same
/// file again changes nothing; another file of the same epoch, name, version, release and architecture is refused. Of the
/// release notes that packages carry (`pkg build --notes`) the channel shows an advisory: `dnf updateinfo info` on a host
/// tells them.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The RPM files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    to: ChannelName,
    /// Advisories about them: an updateinfo.xml, or one advisory in TOML or JSON (see `pkg attach --help`); may be
    /// repeated. Clients are shown them from the next commit on.
    #[arg(long = "advisory", value_name = "FILE")]
    advisories: Vec<PathBuf>,
    /// Show no advisory of the release notes that the packages carry.
    #[arg(long)]
    no_advisory: bool,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Prints one line per package: its NEVRA, the channel, and the commit since which it is there.

Examples:
  pkg publish dist/*.rpm --to dev
  pkg publish dist/*.rpm --to dev --advisory SHOP-2026-7.toml
  PKG_TOKEN=… pkg publish petclinic-1.4.0-57.noarch.rpm --to dev --server https://rpm.example.org --why 'build 57'";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let mut packages = Vec::new();
    for file in &args.files {
        packages.push(LocalPackage::read(file).map_err(Failure::input)?);
    }
    for path in &args.advisories {
        check_advisories(path)?;
    }
    for package in &packages {
        upload(&client, package, printer).await?;
    }
    let staged =
        |package: LocalPackage| StagedPackage { sha256: package.sha256, file_name: package.file_name, time: None };
    let mut about = Vec::new();
    for path in &args.advisories {
        about.push(attach::upload(&client, AttachmentKind::Updateinfo, path).await?);
    }
    let why = args.reason.why.clone();
    let request = PublishRequest { packages: packages.into_iter().map(staged).collect(), who: who(), why: why.clone() };
    let mut published = client.publish(&args.to, &request).await.map_err(failure)?;
    if !about.is_empty() {
        let request = AttachRequest { files: about, who: who(), why, ..Default::default() };
        let attached = client.attach(&args.to, &request).await.map_err(failure)?;
        printer.talk(&format!("advisories: {}, commit {}", attached.advisories.join(", "), attached.commit));
        published.changed |= attached.changed;
    }
    if printer.is_json() {
        printer.json(&published);
    } else {
        for package in &published.packages {
            printer.data(&format!("{}  {}  commit {}", package.nevra, published.channel, published.commit));
        }
    }
    if !published.changed {
        printer.talk(&format!("channel {} had all of it before", published.channel));
    }
    if !args.no_advisory {
        advisory::show(&client, &args.to, (&args.files, args.reason.why), printer).await?;
    }
    Ok(Exit::Done)
}

/// Tells what is wrong with a file of advisories before anything is published.
fn check_advisories(path: &Path) -> Result<(), Failure> {
    let text = fs_err::read(path).and_then(|file| unpacked(&file)).map_err(Failure::input)?;
    let read = Advisory::read_all(&text).with_context(|| format!("`{}` can't be used", path.display()));
    read.map(drop).map_err(Failure::input)
}

async fn upload(client: &Client, package: &LocalPackage, printer: &Printer) -> Result<(), Failure> {
    if client.has_upload(&package.sha256).await.map_err(failure)? {
        printer.detail(&format!("{} is on the server already", package.file_name));
        return Ok(());
    }
    printer.talk(&format!("uploading {} ({})", package.file_name, size(package.size)));
    client.upload(package).await.map_err(failure)
}

fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", tenths(1 << 10)),
        _ => format!("{} MiB", tenths(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (60 << 20, "60.0 MiB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
