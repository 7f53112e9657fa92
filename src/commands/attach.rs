//! `pkg attach`: advisories, groups and module streams of a channel.

use std::path::{Path, PathBuf};

use repo_api::{AttachRequest, AttachmentKind, ChannelName, Client, LocalPackage, StagedAttachment};

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Show advisories, groups of packages or module streams in a channel.
///
/// Clients see them with `dnf updateinfo`, `dnf group` and `dnf module`. Advisories add up by their ids; groups and
/// module streams are replaced as a whole. Files may be compressed with gzip, zstd or xz.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The channel.
    #[arg(value_name = "CHANNEL")]
    channel: ChannelName,
    /// Advisories: an updateinfo.xml, or one advisory in TOML or JSON; may be repeated.
    #[arg(long = "advisory", value_name = "FILE")]
    advisories: Vec<PathBuf>,
    /// Groups of packages: a comps.xml.
    #[arg(long, value_name = "FILE")]
    comps: Option<PathBuf>,
    /// Module streams: a modules.yaml.
    #[arg(long, value_name = "FILE")]
    modules: Option<PathBuf>,
    /// Show the advisory of this id no longer; may be repeated.
    #[arg(long = "withdraw", value_name = "ID")]
    withdrawn: Vec<String>,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
An advisory in TOML:
  id = 'SHOP-2026:7'
  title = 'shop: orders of others could be read'
  type = 'security'                 # or bugfix, enhancement, newpackage
  severity = 'Important'            # or Critical, Moderate, Low, None
  issued = '2026-02-03'
  description = 'Upgrade and restart.'
  packages = ['shop-1.4.1-58.noarch']
  [[references]]
  type = 'cve'                      # or bugzilla, vendor, self
  id = 'CVE-2026-1234'
  url = 'https://cve.example.org/CVE-2026-1234'

Examples:
  pkg attach prod --advisory SHOP-2026-7.toml
  pkg attach prod --comps comps.xml --why 'groups for the kiosks'
  pkg attach prod --withdraw SHOP-2026:7";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let mut files: Vec<(AttachmentKind, PathBuf)> =
        args.advisories.into_iter().map(|path| (AttachmentKind::Updateinfo, path)).collect();
    files.extend(args.comps.map(|path| (AttachmentKind::Group, path)));
    files.extend(args.modules.map(|path| (AttachmentKind::Modules, path)));
    if files.is_empty() && args.withdrawn.is_empty() {
        return Err(Failure::input(anyhow::anyhow!(
            "nothing is named: allowed are --advisory, --comps, --modules, --withdraw"
        )));
    }
    let mut request =
        AttachRequest { withdrawn_advisories: args.withdrawn, who: who(), why: args.reason.why, ..Default::default() };
    for (kind, path) in &files {
        request.files.push(upload(&client, *kind, path).await?);
    }
    let attached = client.attach(&args.channel, &request).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&attached);
    } else {
        for id in &attached.advisories {
            printer.data(&format!("{}  {}  commit {}", printable(id), attached.channel, attached.commit));
        }
        for kind in &attached.documents {
            printer.data(&format!("{}  {}  commit {}", kind.name(), attached.channel, attached.commit));
        }
    }
    if !attached.changed {
        printer.talk(&format!("channel {} had all of it before", attached.channel));
    }
    Ok(Exit::Done)
}

/// Uploads a file, unless the server has it.
pub(crate) async fn upload(client: &Client, kind: AttachmentKind, path: &Path) -> Result<StagedAttachment, Failure> {
    let file = LocalPackage::read_other(path).map_err(Failure::input)?;
    if !client.has_upload(&file.sha256).await.map_err(failure)? {
        client.upload(&file).await.map_err(failure)?;
    }
    Ok(StagedAttachment { kind, sha256: file.sha256, file_name: file.file_name })
}
