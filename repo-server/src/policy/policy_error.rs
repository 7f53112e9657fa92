//! Why channels are not administered, or do not take packages in, as was asked.

use openpgp::ParseKeysError;
use repo_api::{ChannelName, ChannelSettingsError, TagName};

use crate::signing::PackageSignatureError;

/// Says why channels are not administered, or do not take packages in, as was asked.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Packages may come by promotion alone.
    #[error("channel `{channel}` takes packages by promotion alone{}", from(sources))]
    PromotionsOnly {
        /// The channel.
        channel: ChannelName,
        /// From which channels; from any, where there is none.
        sources: Vec<ChannelName>,
    },
    /// A package's signature does not do.
    #[error("channel `{channel}` does not take `{package}` as it is signed")]
    Signature {
        /// The channel.
        channel: ChannelName,
        /// The package, or what its uploader calls it.
        package: String,
        /// Why.
        #[source]
        source: PackageSignatureError,
    },
    /// The settings contradict themselves.
    #[error("the settings of channel `{channel}` don't hold")]
    Settings {
        /// The channel.
        channel: ChannelName,
        /// Why.
        #[source]
        source: ChannelSettingsError,
    },
    /// The keys can't be read.
    #[error("the `signature_keys` of channel `{channel}` can't be used")]
    Keys {
        /// The channel.
        channel: ChannelName,
        /// Why.
        #[source]
        source: ParseKeysError,
    },
    /// The channel exists.
    #[error("channel `{0}` exists already")]
    ChannelExists(ChannelName),
    /// The channel has other settings than the client knows.
    #[error("the settings of channel `{0}` were changed by somebody else")]
    SettingsChanged(ChannelName),
    /// The channel lists packages.
    #[error("channel `{channel}` lists {count} packages: withdraw them first")]
    ChannelNotEmpty {
        /// The channel.
        channel: ChannelName,
        /// How many.
        count: usize,
    },
    /// A tag names a commit as of which the channel lists packages.
    #[error("channel `{channel}` lists packages as of tag `{tag}`: remove the tag first")]
    ChannelTagged {
        /// The channel.
        channel: ChannelName,
        /// The tag.
        tag: TagName,
    },
    /// There is no such tag.
    #[error("there is no tag `{tag}`; there are {}", list(known))]
    UnknownTag {
        /// Its name.
        tag: TagName,
        /// The tags that exist.
        known: Vec<String>,
    },
    /// The tag names another commit.
    #[error("tag `{tag}` names commit {at} already: remove it first")]
    TagTaken {
        /// Its name.
        tag: TagName,
        /// The commit that it names.
        at: u64,
    },
    /// There is no such commit.
    #[error("there is no commit {at}; the newest is {newest}")]
    UnknownCommit {
        /// Its number.
        at: u64,
        /// The newest.
        newest: u64,
    },
    /// The channel's settings changed while its packages were looked at.
    #[error("the settings of channel `{0}` were changed meanwhile")]
    Meanwhile(ChannelName),
}

fn from(sources: &[ChannelName]) -> String {
    if sources.is_empty() {
        return String::new();
    }
    let sources: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
    format!(" from {}", sources.join(", "))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
