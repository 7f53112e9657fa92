//! `pkg import`: a repository of another maker becomes a channel's.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use repo_api::{
    AttachRequest, AttachmentKind, ChannelName, Client, LocalPackage, PublishRequest, StagedAttachment, StagedPackage,
};
use repo_server::{ListedFile, MetadataKind, RepomdEntry, listed_files, parse_repomd, unpacked};
use tempfile::TempDir;

use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Publish everything that a yum repository lists: packages, advisories, groups, module streams.
///
/// The repository is a folder with a `repodata` (of createrepo_c, Pulp, Nexus …) or the URL of one. Every file is held
/// against the checksum that the repository names. Importing again brings what is new.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder that holds `repodata`, or its URL.
    #[arg(value_name = "DIR|URL")]
    source: String,
    /// The channel.
    #[arg(long, value_name = "CHANNEL")]
    to: ChannelName,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Packages become visible some hundred at a time.

Examples:
  pkg import /srv/repo --to dev
  pkg import https://old.example.org/el9/x86_64/ --to vendor --why 'off the old server'";

/// How many packages go into one commit.
const BATCH: usize = 200;
/// The most that one metadata document may have, bytes.
const DOCUMENT_LIMIT: usize = 1 << 30;

/// Where a repository is.
enum Source {
    Folder(PathBuf),
    /// What is fetched lies in a folder for as long as it is needed.
    Url(Client, TempDir),
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let source = Source::open(&args.source)?;
    let repomd = source.read("repodata/repomd.xml").await?;
    let entries = parse_repomd(&repomd).with_context(|| of(&args.source)).map_err(Failure::input)?;
    let primary = entries.iter().find(|entry| entry.is(MetadataKind::Primary));
    let primary = primary.ok_or_else(|| Failure::input(anyhow!("`{}` lists no primary.xml", args.source)))?;
    let primary = unpacked(&source.read(&primary.href).await?).with_context(|| of(&args.source));
    let files = listed_files(Cursor::new(primary.map_err(Failure::input)?)).with_context(|| of(&args.source));
    let files = files.map_err(Failure::input)?;
    let (mut commit, mut changed) = (0, false);
    for (number, batch) in files.chunks(BATCH).enumerate() {
        let published = publish(&client, &source, batch, &args).await?;
        (commit, changed) = (published.commit, changed || published.changed);
        printer.talk(&format!("{} of {} packages", number * BATCH + batch.len(), files.len()));
    }
    let mut attachments = Vec::new();
    for kind in [AttachmentKind::Updateinfo, AttachmentKind::Group, AttachmentKind::Modules] {
        if let Some(entry) = entries.iter().find(|entry| entry.kind == kind.name()) {
            attachments.push(attachment(&client, &source, kind, entry).await?);
        }
    }
    let brought: Vec<&str> = attachments.iter().map(|attachment| attachment.kind.name()).collect();
    if !attachments.is_empty() {
        let request = AttachRequest {
            files: attachments.clone(),
            who: who(),
            why: args.reason.why.clone(),
            ..Default::default()
        };
        let attached = client.attach(&args.to, &request).await.map_err(failure)?;
        (commit, changed) = (attached.commit, changed || attached.changed);
    }
    for entry in entries.iter().filter(|entry| is_left(entry)) {
        printer.warning(&format!("`{}` metadata is left out", printable(&entry.kind)));
    }
    if printer.is_json() {
        let (channel, packages) = (&args.to, files.len());
        printer.json(&serde_json::json!({
            "channel": channel, "commit": commit, "changed": changed, "packages": packages, "attachments": brought,
        }));
    } else {
        printer.data(&format!("{}  {} packages  commit {commit}", args.to, files.len()));
    }
    Ok(Exit::Done)
}

async fn publish(
    client: &Client,
    source: &Source,
    batch: &[ListedFile],
    args: &Args,
) -> Result<repo_api::Published, Failure> {
    let mut packages = Vec::with_capacity(batch.len());
    for file in batch {
        let path = source.fetch(&file.href).await?;
        let package = LocalPackage::read(&path).map_err(Failure::input)?;
        if file.algorithm == "sha256" && file.checksum != package.sha256.to_string() {
            return Err(Failure::input(anyhow!(
                "`{}` has sha256 `{}`, the repository names `{}`",
                file.href,
                package.sha256,
                file.checksum
            )));
        }
        upload(client, &package).await?;
        source.forget(&path)?;
        packages.push(StagedPackage { sha256: package.sha256, file_name: package.file_name, time: file.time });
    }
    let request = PublishRequest { packages, who: who(), why: args.reason.why.clone() };
    client.publish(&args.to, &request).await.map_err(failure)
}

async fn attachment(
    client: &Client,
    source: &Source,
    kind: AttachmentKind,
    entry: &RepomdEntry,
) -> Result<StagedAttachment, Failure> {
    let path = source.fetch(&entry.href).await?;
    let file = LocalPackage::read_other(&path).map_err(Failure::input)?;
    upload(client, &file).await?;
    source.forget(&path)?;
    Ok(StagedAttachment { kind, sha256: file.sha256, file_name: file.file_name })
}

async fn upload(client: &Client, file: &LocalPackage) -> Result<(), Failure> {
    if client.has_upload(&file.sha256).await.map_err(failure)? {
        return Ok(());
    }
    client.upload(file).await.map_err(failure)
}

/// What the channel makes anew by itself, or has from its attachments, is not left out.
fn is_left(entry: &RepomdEntry) -> bool {
    const MADE: [&str; 3] = ["primary", "filelists", "other"];
    let made = MADE.iter().any(|made| entry.kind.starts_with(made));
    !made && !entry.kind.starts_with("group") && !["updateinfo", "modules"].contains(&entry.kind.as_str())
}

fn of(source: &str) -> String {
    format!("the metadata of `{source}` can't be read")
}

impl Source {
    fn open(source: &str) -> Result<Self, Failure> {
        if source.starts_with("http://") || source.starts_with("https://") {
            let client = Client::new(source, None).map_err(failure)?;
            return Ok(Self::Url(client, tempfile::tempdir().map_err(Failure::failed)?));
        }
        Ok(Self::Folder(PathBuf::from(source.strip_prefix("file://").unwrap_or(source))))
    }

    async fn read(&self, href: &str) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Folder(folder) => fs_err::read(within(folder, href)?).map_err(Failure::input),
            Self::Url(client, _) => client.read_file(&escaped(href), DOCUMENT_LIMIT).await.map_err(failure),
        }
    }

    /// Brings a file to this machine, if it is not here.
    async fn fetch(&self, href: &str) -> Result<PathBuf, Failure> {
        match self {
            Self::Folder(folder) => within(folder, href),
            Self::Url(client, folder) => {
                let name = href.rsplit('/').next().filter(|name| !name.is_empty() && *name != "..");
                let path = folder.path().join(name.unwrap_or("file"));
                client.download(&escaped(href), &path).await.map_err(failure)?;
                Ok(path)
            }
        }
    }

    fn forget(&self, path: &Path) -> Result<(), Failure> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Url(..) => fs_err::remove_file(path).map_err(Failure::failed),
        }
    }
}

/// A file below a folder: metadata of others may name anything.
fn within(folder: &Path, href: &str) -> Result<PathBuf, Failure> {
    let steps_out = href.starts_with('/') || href.split('/').any(|part| part == "..");
    if steps_out || href.is_empty() {
        return Err(Failure::input(anyhow!(
            "the repository names `{href}`, which is not below `{}`",
            folder.display()
        )));
    }
    Ok(folder.join(href))
}

/// A place in a repository as part of a URL.
fn escaped(href: &str) -> String {
    let mut url = String::with_capacity(href.len());
    for byte in href.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/=+^:@".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}
