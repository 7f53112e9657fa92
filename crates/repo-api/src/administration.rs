//! The JSON bodies of what administers channels: settings, tags, holds, retention, differences, history.

use chrono::{DateTime, Utc};
use nevra::Nevra;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AttachmentKind, ChannelName, ChannelSettings, Moment, Snapshot, TagName};

/// Asks to create a channel, or to give it other settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelRequest {
    /// All its settings.
    #[serde(default)]
    pub settings: ChannelSettings,
    /// The settings that it has as far as the client knows: others are a conflict. Without them, the channel has to be
    /// new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ChannelSettings>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One channel with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelInfo {
    /// Its name.
    pub name: ChannelName,
    /// Its settings.
    pub settings: ChannelSettings,
    /// How many packages it lists.
    pub packages: usize,
    /// What it shows beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<AttachmentKind>,
    /// The commit since which it shows what it shows.
    pub commit: u64,
    /// When that commit was made.
    pub changed_at: DateTime<Utc>,
    /// The path of its URL on this server.
    pub url: String,
}

/// Asks for something that needs no more than a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Says which commit has what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The repository's newest commit, which has it.
    pub commit: u64,
    /// Whether anything changed; `false` where all was so before.
    pub changed: bool,
}

/// Asks for a tag: a name for all channels as of a commit, which keeps what they list then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagRequest {
    /// The commit; the newest, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagInfo {
    /// Its name.
    pub name: TagName,
    /// The commit that it names.
    pub at: u64,
    /// When it was set.
    pub set_at: DateTime<Utc>,
    /// By whom.
    pub set_by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// All tags by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagList {
    /// The tags.
    pub tags: Vec<TagInfo>,
}

/// Says what an environment's hosts run and would go back to: all of it, whatever was said before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The packages. Those that the repository does not know are kept in the list and hold nothing.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// The person or the job that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What an environment holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldInfo {
    /// The environment.
    pub environment: TagName,
    /// The packages that its hosts run or would go back to.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// By whom.
    pub said_by: String,
}

/// What all environments hold, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldList {
    /// The environments.
    pub holds: Vec<HoldInfo>,
}

/// Asks to withdraw what a channel's retention no longer keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetainRequest {
    /// Only to say what would go.
    #[serde(default)]
    pub dry_run: bool,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What retention withdrew, or would withdraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retained {
    /// The channel.
    pub channel: ChannelName,
    /// The channel's newest commit.
    pub commit: u64,
    /// Whether anything changed.
    pub changed: bool,
    /// What went, or would go.
    #[schemars(with = "Vec<String>")]
    pub withdrawn: Vec<Nevra>,
    /// What stays although the channel's rules would let it go.
    pub held: Vec<HeldPackage>,
}

/// A package that stays although the channel's rules would let it go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldPackage {
    /// The package.
    #[schemars(with = "String")]
    pub nevra: Nevra,
    /// What holds it: `tag NAME` and `environment NAME`.
    pub by: Vec<String>,
}

/// What differs between two channels, or a channel at two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The one.
    pub from: Snapshot,
    /// The other.
    pub to: Snapshot,
    /// The packages that differ, by name and architecture.
    pub packages: Vec<PackageDifference>,
}

/// What differs in one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageDifference {
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub arch: String,
    /// What becomes of its newest version.
    pub step: VersionStep,
    /// The newest version of the one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub before: Option<Nevra>,
    /// The newest version of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub after: Option<Nevra>,
    /// All that only the one lists.
    #[schemars(with = "Vec<String>")]
    pub gone: Vec<Nevra>,
    /// All that only the other lists.
    #[schemars(with = "Vec<String>")]
    pub come: Vec<Nevra>,
}

/// What becomes of a package's newest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VersionStep {
    /// The package is new.
    Added,
    /// The package is gone.
    Removed,
    /// A higher one.
    Up,
    /// A lower one.
    Down,
    /// The same; only older versions differ.
    Same,
}

/// A part of the repository's history, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// The changes.
    pub entries: Vec<LogEntry>,
    /// Where older ones go on: ask again with `before` set to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// One change of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// The commit that made it; others may be part of the same.
    pub commit: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: the token's name where there was one, else what the client called itself.
    pub who: String,
    /// From which address.
    pub from: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What: the kind of the change.
    pub action: String,
    /// The channels that it is about.
    pub channels: Vec<ChannelName>,
    /// The packages that it is about.
    #[schemars(with = "Vec<String>")]
    pub packages: Vec<Nevra>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Which part of the history is asked for, as the query of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Only what is about this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// Only what was done since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Only commits before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// At most so many changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Snapshot {
    /// The channel as of a commit.
    #[must_use]
    pub fn of_commit(channel: ChannelName, commit: u64) -> Self {
        Self { channel, at: Some(Moment::Commit(commit)) }
    }
}
