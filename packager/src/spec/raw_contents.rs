//! What a spec says of files: `[[contents]]`, `[configuration]` and `[environments]`, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::located::{Located, Text};

/// One entry of `contents`. Which keys it takes depends on its type.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "content")]
pub(super) struct RawContent {
    /// What it is.
    #[serde(rename = "type")]
    pub(super) kind: ContentType,
    /// Where it comes from, relative to the spec: a file, a directory for a "tree", a pattern such as "libs/**/*.jar" for
    /// a "glob".
    pub(super) source: Option<Text>,
    /// Where it is installed: an absolute path; one that ends in "/" is the directory for the file.
    pub(super) destination: Option<Text>,
    /// What a symlink points to.
    pub(super) target: Option<Text>,
    /// The owner; "root" where there is none.
    pub(super) owner: Option<Text>,
    /// The group; "root" where there is none.
    pub(super) group: Option<Text>,
    /// Permissions in octal, such as "0644". Directories of a tree get the right to enter where there is one to read.
    pub(super) mode: Option<Text>,
    /// Capabilities as for setcap(8), such as "cap_net_bind_service=ep".
    pub(super) capabilities: Option<Text>,
    /// What the files of a tree, a glob or an archive are.
    pub(super) role: Option<RawRole>,
    /// Keeps an edited configuration file on upgrades; the new one is laid beside it as .rpmnew.
    pub(super) noreplace: Option<Located<bool>>,
    /// The configuration file may be missing.
    pub(super) missingok: Option<Located<bool>>,
    /// Only paths that match one of these, and what lies below them; a pattern without "/" matches names at any depth.
    /// Paths of an archive are those in it: "*/conf" is a folder in its only folder.
    pub(super) include: Option<Vec<Text>>,
    /// No paths that match one of these, nor what lies below them; as `include`.
    pub(super) exclude: Option<Vec<Text>>,
    /// Replaces variables within the files' text.
    pub(super) expand: Option<Located<bool>>,
    /// How many leading directories of an archive's paths are left out.
    pub(super) strip_components: Option<Located<u32>>,
}

/// The types of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "type")]
pub(super) enum ContentType {
    /// A file.
    File,
    /// A WAR, or a directory that is packed as one.
    War,
    /// A configuration file: an edited one is kept as .rpmsave, with `noreplace` it stays.
    Config,
    /// A directory that is owned, with nothing in it.
    Directory,
    /// A directory with everything in it.
    Tree,
    /// The files that match a pattern, with the directories between its fixed part and them.
    Glob,
    /// A symbolic link.
    Symlink,
    /// A file that is owned but not shipped; a directory if the destination ends in "/".
    Ghost,
    /// Documentation, in /usr/share/doc/<name> by default.
    Doc,
    /// The text of a licence, in /usr/share/licenses/<name> by default.
    License,
    /// A .tar, .tar.gz, .tar.xz, .tar.zst or .zip that is unpacked into the package.
    Archive,
}

/// What the files of a tree are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "role")]
pub(super) enum RawRole {
    /// Configuration.
    Config,
    /// Documentation.
    Doc,
    /// Texts of licences.
    License,
}

/// The keys of `[configuration]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "configuration")]
pub(super) struct RawConfiguration {
    /// The folder, relative to the spec.
    pub(super) directory: Option<Text>,
    /// The group that may read it; the default is Tomcat's.
    pub(super) group: Option<Text>,
    /// Replaces variables within the files' text.
    pub(super) expand: Option<Located<bool>>,
    /// No paths that match one of these; a pattern without "/" matches names at any depth.
    pub(super) exclude: Option<Vec<Text>>,
}

/// The keys of `[environments.NAME]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "environment")]
pub(super) struct RawEnvironment {
    /// The folder, relative to the spec.
    pub(super) directory: Option<Text>,
    /// Replaces variables within the files' text.
    pub(super) expand: Option<Located<bool>>,
    /// No paths that match one of these; a pattern without "/" matches names at any depth.
    pub(super) exclude: Option<Vec<Text>>,
    /// What only hosts of this environment provide, such as "environment(prod)": without it, dnf picks one of the packages
    /// by itself where none is named.
    #[serde(default)]
    pub(super) requires: Vec<Text>,
    /// Variables of this environment, for `expand`.
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Text>,
}
