//! What a commit of the repository's ledger says.

use std::collections::BTreeMap;

use ledger::{Author, Digest};
use nevra::Nevra;
use repo_api::{ChannelName, ChannelSettings, TagName};
use serde::{Deserialize, Serialize};

use super::attachments::AttachmentChange;
use super::collection::Collection;
use crate::repodata::{DocumentRecord, PageMembers};

/// The payload of a commit: what was done, and what every channel that it touched shows from then on. One commit carries
/// what several requests asked for at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was done, in order.
    pub entries: Vec<Entry>,
    /// What each changed channel shows now. All that is named here is in the store before the commit is made.
    pub shown: BTreeMap<ChannelName, Shown>,
}

/// What one request did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who asked for it.
    pub author: Author,
    /// What was done.
    pub action: Action,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Channels came to be, empty.
    ChannelsCreated {
        /// Their names.
        channels: Vec<ChannelName>,
    },
    /// Packages came to a channel from outside.
    Published {
        /// The channel.
        channel: ChannelName,
        /// The packages.
        packages: Vec<PackageRecord>,
    },
    /// Packages of one channel came to another.
    Promoted {
        /// The channel that listed them.
        from: ChannelName,
        /// The channels that list them too now.
        to: Vec<ChannelName>,
        /// The packages.
        packages: Vec<Nevra>,
        /// The advisories that name them, which go along.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attached: Vec<AttachmentChange>,
    },
    /// A channel lists packages no longer.
    Withdrawn {
        /// The channel.
        channel: ChannelName,
        /// The packages.
        packages: Vec<Nevra>,
    },
    /// A channel's retention withdrew packages.
    Retained {
        /// The channel.
        channel: ChannelName,
        /// The packages.
        packages: Vec<Nevra>,
    },
    /// A channel got settings; it came to be where it was not.
    ChannelSet {
        /// The channel.
        channel: ChannelName,
        /// All its settings.
        settings: ChannelSettings,
    },
    /// A channel that listed nothing is no more.
    ChannelRemoved {
        /// The channel.
        channel: ChannelName,
    },
    /// A commit got a name.
    Tagged {
        /// The name.
        tag: TagName,
        /// The commit.
        at: u64,
    },
    /// A name is no more.
    Untagged {
        /// The name.
        tag: TagName,
    },
    /// An environment said what its hosts run and would go back to, all of it.
    Held {
        /// The environment.
        environment: TagName,
        /// The packages; none, where nothing is held any longer.
        packages: Vec<Nevra>,
    },
    /// A channel shows other advisories, groups or module streams.
    Attached {
        /// The channel.
        channel: ChannelName,
        /// What came, became another, or went.
        attached: Vec<AttachmentChange>,
    },
    /// Blobs that nothing needs any longer are being deleted.
    CollectionBegun(Collection),
    /// They are deleted.
    CollectionEnded,
    /// Another key signs what channels show.
    Resigned {
        /// The channels.
        channels: Vec<ChannelName>,
        /// The fingerprint of the key.
        key: String,
    },
}

/// A package, as the repository knows it for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PackageRecord {
    /// Its whole identity.
    pub nevra: Nevra,
    /// The sha256 of its file, which is a blob.
    pub sha256: Digest,
    /// The size of its file, bytes.
    pub size: u64,
    /// When it first came, seconds since 1970.
    pub time: u64,
    /// The blob of its repodata fragments.
    pub fragments: Digest,
    /// The sha256 of the file that was uploaded, where the server signed it at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<Digest>,
    /// Whether the epoch stands in the name of its file, because a package with another one had the usual name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub epoch_in_name: bool,
}

/// What a channel shows to yum clients: the digests of blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    /// Its time, seconds since 1970; later than that of every earlier view of the channel, because yum 3 takes files
    /// of the same time for the same.
    pub time: u64,
    /// The fingerprint of the key that signed it, hexadecimal.
    pub key: String,
    /// repomd.xml.
    pub repomd: Digest,
    /// repomd.xml.asc.
    pub signature: Digest,
    /// What repomd.xml names.
    pub documents: Vec<DocumentRecord>,
}

/// What a channel shows from a commit on, and how its pages came from those before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What it shows.
    #[serde(flatten)]
    pub view: ChannelView,
    /// Its pages, in order; pages of before that are not named here are gone.
    pub pages: Vec<PageStep>,
}

/// Some pages of a channel after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageStep {
    /// Pages that were there before.
    Kept {
        /// The number of the first, as it was before.
        from: usize,
        /// How many.
        count: usize,
    },
    /// A new page. Its packages are the next of those that the commit lists and stand in no kept page.
    Fresh {
        /// How many packages it has.
        packages: usize,
        /// Its parts of the documents.
        members: PageMembers,
    },
}

impl Action {
    /// The channels that show something else after it.
    #[must_use]
    pub fn channels(&self) -> Vec<&ChannelName> {
        match self {
            Self::ChannelsCreated { channels } | Self::Resigned { channels, .. } => channels.iter().collect(),
            Self::Published { channel, .. }
            | Self::Withdrawn { channel, .. }
            | Self::Retained { channel, .. }
            | Self::Attached { channel, .. }
            | Self::ChannelSet { channel, .. } => vec![channel],
            Self::ChannelRemoved { .. } | Self::Tagged { .. } | Self::Untagged { .. } | Self::Held { .. } => Vec::new(),
            Self::CollectionBegun(_) | Self::CollectionEnded => Vec::new(),
            Self::Promoted { to, .. } => to.iter().collect(),
        }
    }
}

impl PackageRecord {
    /// The name of its file, by which clients know it: `name-version-release.arch.rpm`, or
    /// `name-epoch:version-release.arch.rpm` where the first was another package's.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(&self.nevra, self.epoch_in_name)
    }
}

/// The name of a package's file, with or without its epoch.
pub(crate) fn file_name(nevra: &Nevra, epoch_in_name: bool) -> String {
    if epoch_in_name { format!("{}.rpm", nevra.with_epoch()) } else { nevra.file_name() }
}
