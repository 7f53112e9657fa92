//! What yum clients are shown: repomd.xml, its signature, and the package in the list that it names.

use std::collections::{BTreeMap, BTreeSet};

use ledger::Digest;
use repo_api::ChannelName;
use repo_server::{MetadataKind, listed_files, parse_repomd, unpacked};

use super::evidence::{Evidence, ShownMetadata};
use super::link::{Link, short};
use super::repository::Repository;
use super::trust::Trust;

/// What channels show, each read once.
pub(super) struct Metadata {
    channels: BTreeMap<ChannelName, Result<Channel, String>>,
}

struct Channel {
    /// Since which commit, where the ledger could be read.
    commit: Option<u64>,
    shown: ShownMetadata,
    /// The sha256 of the packages that it lists.
    listed: BTreeSet<String>,
}

const LINK: &str = "metadata";

impl Metadata {
    /// Reads what these channels show.
    pub(super) async fn read(evidence: &Evidence, repository: &Repository, channels: BTreeSet<ChannelName>) -> Self {
        let mut read = BTreeMap::new();
        for channel in channels {
            let found = Channel::read(evidence, repository, &channel).await.map_err(|error| format!("{error:#}"));
            read.insert(channel, found);
        }
        Self { channels: read }
    }

    /// Whether a channel shows a package to yum clients, signed.
    pub(super) fn link(&self, channel: &ChannelName, sha256: &Digest, trust: &Trust) -> Link {
        let found = match self.channels.get(channel) {
            Some(Ok(found)) => found,
            Some(Err(error)) => return Link::not_proven(LINK, format!("{channel}: {error}")),
            None => return Link::not_proven(LINK, format!("{channel}: its metadata was not read")),
        };
        let sha256 = sha256.to_string();
        if !found.listed.contains(&sha256) {
            return Link::not_proven(LINK, format!("{channel}: no package with sha256 {} is listed", short(&sha256)));
        }
        let since = found.commit.map(|commit| format!(" as of commit {commit}")).unwrap_or_default();
        let what = format!("{channel} lists it{since}; repomd.xml, which names the list,");
        trust.of_file(LINK, &what, &found.shown.signature, &found.shown.repomd)
    }
}

impl Channel {
    async fn read(evidence: &Evidence, repository: &Repository, channel: &ChannelName) -> anyhow::Result<Self> {
        let since = repository.shown.get(channel);
        let shown = evidence.metadata(channel, since).await?;
        if let Some((_, view)) = since {
            let (found, expected) = (Digest::of(&shown.repomd), view.repomd);
            anyhow::ensure!(found == expected, "repomd.xml has sha256 {found}, by the ledger it is {expected}");
        }
        let entries = parse_repomd(&shown.repomd)?;
        let primary = entries.iter().find(|entry| entry.is(MetadataKind::Primary));
        let primary = primary.ok_or_else(|| anyhow::anyhow!("repomd.xml names no list of packages"))?;
        let expected = primary.checksum.as_ref().map(|(_, checksum)| checksum.as_str()).unwrap_or_default();
        let document = evidence.document(channel, since, (primary.file_name(), expected)).await?;
        let found = Digest::of(&document).to_string();
        anyhow::ensure!(found == expected, "the list of packages has sha256 {found}, repomd.xml says {expected}");
        let listed = listed_files(unpacked(&document)?.as_slice())?;
        Ok(Self {
            commit: since.map(|(commit, _)| *commit),
            shown,
            listed: listed.into_iter().map(|file| file.checksum).collect(),
        })
    }
}
