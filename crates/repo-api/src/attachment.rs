//! Advisories, groups and module streams of a channel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChannelName, FileDigest};

/// What a channel can show beside its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// Advisories: an updateinfo.xml, or one advisory in TOML or JSON. They add up by their ids.
    Updateinfo,
    /// Groups of packages: a comps.xml.
    Group,
    /// Module streams: a modules.yaml.
    Modules,
}

/// Asks to change what a channel shows beside its packages, all of it in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// Files to show, which have been uploaded before; plain or compressed with gzip, zstd or xz.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StagedAttachment>,
    /// The ids of advisories to show no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn_advisories: Vec<String>,
    /// What to show nothing of any longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<AttachmentKind>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A file that has been uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StagedAttachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// The sha256 of the whole file.
    pub sha256: FileDigest,
    /// What the uploader calls the file; it stands in messages only.
    pub file_name: String,
}

/// Says what a channel shows beside its packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attached {
    /// The commit since which the channel shows what was asked for.
    pub commit: u64,
    /// The channel.
    pub channel: ChannelName,
    /// Whether anything changed.
    pub changed: bool,
    /// The ids of all its advisories.
    pub advisories: Vec<String>,
    /// What else it shows.
    pub documents: Vec<AttachmentKind>,
}

impl AttachmentKind {
    /// Its name, as repomd.xml has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Updateinfo => "updateinfo",
            Self::Group => "group",
            Self::Modules => "modules",
        }
    }
}
