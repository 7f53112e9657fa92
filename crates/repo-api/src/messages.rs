//! The JSON bodies of requests and answers.

use chrono::{DateTime, Utc};
use nevra::{Nevra, PackageQuery};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChannelName, FileDigest};

/// Asks to list uploaded packages in a channel, all of them in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The packages, which have been uploaded before.
    #[schemars(length(min = 1))]
    pub packages: Vec<StagedPackage>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A package that has been uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StagedPackage {
    /// The sha256 of the whole file.
    pub sha256: FileDigest,
    /// What the uploader calls the file. It stands in messages only: the repository names files after their NEVRA.
    pub file_name: String,
    /// The file's time, seconds since 1970, where it comes from another repository; without one, and where it lies ahead,
    /// the time of its publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// Says that a file is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uploaded {
    /// The sha256 of the whole file.
    pub sha256: FileDigest,
    /// Its size, bytes.
    pub size: u64,
}

/// Says what a channel lists after a publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// The commit since which the channel has all of the packages.
    pub commit: u64,
    /// The channel.
    pub channel: ChannelName,
    /// Whether anything changed; `false` where the channel had all of them before.
    pub changed: bool,
    /// The packages, in the order of the request.
    pub packages: Vec<PublishedPackage>,
}

/// A package with its place in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedPackage {
    /// Its whole identity.
    #[schemars(with = "String")]
    pub nevra: Nevra,
    /// The sha256 of its file.
    pub sha256: FileDigest,
    /// The path of its URL on this server.
    pub url: String,
}

/// Asks to list packages of one channel in another too, all of them in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    /// The packages; each must name exactly one version that `from` lists.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub packages: Vec<PackageQuery>,
    /// The channel that lists them.
    pub from: ChannelName,
    /// The channels that shall list them too.
    #[schemars(length(min = 1))]
    pub to: Vec<ChannelName>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Says what a channel lists after a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Promoted {
    /// The commit since which all of the channels have all of the packages.
    pub commit: u64,
    /// The channel that they came from.
    pub from: ChannelName,
    /// The channels that have them now.
    pub to: Vec<ChannelName>,
    /// Whether anything changed.
    pub changed: bool,
    /// The packages, in the order of the request, with their URLs in the first of the channels.
    pub packages: Vec<PublishedPackage>,
}

/// Asks to list packages in a channel no longer, all of them in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// The packages; each must name exactly one version that the channel lists.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub packages: Vec<PackageQuery>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Says what a channel lists no longer. The files keep their URLs: a client may still hold metadata that names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawn {
    /// The commit since which the channel has none of the packages.
    pub commit: u64,
    /// The channel.
    pub channel: ChannelName,
    /// Whether anything changed.
    pub changed: bool,
    /// The packages, in the order of the request.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
}

/// All channels, as of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelList {
    /// The repository's newest commit.
    pub commit: u64,
    /// The channels by name.
    pub channels: Vec<ChannelSummary>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelSummary {
    /// Its name.
    pub name: ChannelName,
    /// How many packages it lists.
    pub packages: usize,
    /// The newest commit that changed it.
    pub commit: u64,
    /// When that commit was made.
    pub changed_at: DateTime<Utc>,
    /// The path of its base URL on this server, for yum clients.
    pub url: String,
}

/// What a channel lists, as of its newest commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageList {
    /// The channel.
    pub channel: ChannelName,
    /// The newest commit that changed the channel.
    pub commit: u64,
    /// The packages by name, older versions first.
    pub packages: Vec<ListedPackage>,
}

/// A package that a channel lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedPackage {
    /// Its whole identity.
    #[schemars(with = "String")]
    pub nevra: Nevra,
    /// The sha256 of its file.
    pub sha256: FileDigest,
    /// The size of its file, bytes.
    pub size: u64,
    /// The path of its URL on this server.
    pub url: String,
    /// The commit that put it there.
    pub commit: u64,
    /// When that commit was made.
    pub listed_at: DateTime<Utc>,
    /// Who made that commit.
    pub listed_by: String,
}

impl ListedPackage {
    /// The name of its file, in which the epoch stands where a package with another one has the usual name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let with_epoch = format!("{}.rpm", self.nevra.with_epoch());
        // A colon stands in a URL's path as it is, and in no file name without an epoch.
        let has_epoch = self.url.rsplit('/').next().is_some_and(|name| name.contains(':'));
        if has_epoch { with_epoch } else { self.nevra.file_name() }
    }
}
