//! The spec as it is written: keys and texts, nothing resolved yet. What is said here of a key is also what editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::located::{Located, Text};
use super::raw_contents::{RawConfiguration, RawContent, RawEnvironment};
use super::raw_scripts::{RawChangelogEntry, RawScripts, RawTrigger};
use super::raw_system::{RawSystemd, RawTomcat, RawUser};
use super::raw_version::RawVersion;

/// A package spec. Every text may use variables: ${NAME} comes from `--set NAME=VALUE`, a `--set-file`, or the
/// environment; $${NAME} stands for ${NAME} itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "package")]
pub(super) struct RawSpec {
    /// The package's name. A spec with `packages` and without a name makes only those.
    pub(super) name: Option<Text>,
    /// One line.
    pub(super) summary: Option<Text>,
    /// Paragraphs; the summary where there is none.
    pub(super) description: Option<Text>,
    /// An SPDX expression, such as "Apache-2.0".
    pub(super) license: Option<Text>,
    /// The project's page.
    pub(super) url: Option<Text>,
    /// Who distributes it.
    pub(super) vendor: Option<Text>,
    /// The group of packages it belongs to, such as "Applications/Internet".
    pub(super) group: Option<Text>,
    /// Who made the package: "Name <mail>".
    pub(super) packager: Option<Text>,
    /// Where its bugs are reported.
    pub(super) bug_url: Option<Text>,
    /// The architecture: "noarch" (the default), "x86_64", "aarch64" …
    pub(super) arch: Option<Text>,
    /// Goes before the version in rpm's order; 0 where there is none, and best left out.
    pub(super) epoch: Option<u32>,
    /// The version: written ("1.4.0", "${VERSION}"), "auto", or where it is found ({ from = "war" }).
    pub(super) version: Option<Located<RawVersion>>,
    /// What makes the version one before its release, such as "rc1": 1.4.0~rc1 sorts below 1.4.0.
    pub(super) prerelease: Option<Text>,
    /// Begins with the build's number: "57" or "57.gabc123"; "auto" takes the CI build's number and the commit.
    pub(super) release: Option<Text>,
    /// The oldest system that has to read the package: "el7", "el8" (the default), "el9" or "el10".
    pub(super) target: Option<Text>,
    /// The payload's compressor: "zstd", "gzip", "xz", each also with a level as in "zstd:19", or "none".
    pub(super) compression: Option<Text>,
    /// Whether the package says which jars are in it, by an SBOM and by `bundled(…)`; true where it is left out. Without,
    /// jars are not looked into, and what is deflated in a WAR is not checked.
    pub(super) sbom: Option<bool>,
    /// The oldest version that a rollback from this one may go to, since this one changes what older ones can't read, such as
    /// a database: "4.0.0" (of whatever release) or "4.0.0-118". Deployments say so aloud, and ask.
    pub(super) oldest_rollback: Option<Text>,
    /// How the package is laid out: "tomcat" (the default where there is a `tomcat` table) or "plain".
    pub(super) profile: Option<Text>,

    /// What must be installed: "name", "name >= version" or a rich "(a or b)".
    #[serde(default)]
    pub(super) requires: Vec<Text>,
    /// What must be installed before the package's `pre` script runs.
    #[serde(default)]
    pub(super) requires_pre: Vec<Text>,
    /// What must be installed before the package's `post` script runs.
    #[serde(default)]
    pub(super) requires_post: Vec<Text>,
    /// What must still be installed when the package's `preun` script runs.
    #[serde(default)]
    pub(super) requires_preun: Vec<Text>,
    /// What must still be installed when the package's `postun` script runs.
    #[serde(default)]
    pub(super) requires_postun: Vec<Text>,
    /// What it gives besides its own name: "name" or "name = version".
    #[serde(default)]
    pub(super) provides: Vec<Text>,
    /// What must not be installed beside it.
    #[serde(default)]
    pub(super) conflicts: Vec<Text>,
    /// What it takes the place of.
    #[serde(default)]
    pub(super) obsoletes: Vec<Text>,
    /// What is installed with it where it can be had.
    #[serde(default)]
    pub(super) recommends: Vec<Text>,
    /// What goes well with it.
    #[serde(default)]
    pub(super) suggests: Vec<Text>,
    /// With what it is installed by itself.
    #[serde(default)]
    pub(super) supplements: Vec<Text>,
    /// What it goes well with.
    #[serde(default)]
    pub(super) enhances: Vec<Text>,

    /// The web application, for Tomcat.
    pub(super) tomcat: Option<RawTomcat>,
    /// The folder of configuration files, installed in /etc/<name>.
    pub(super) configuration: Option<RawConfiguration>,
    /// Configuration of each environment: a package <name>-config-<environment> each, of which a host has just one.
    #[serde(default)]
    pub(super) environments: BTreeMap<String, Located<RawEnvironment>>,
    /// The files, directories and links.
    #[serde(default)]
    pub(super) contents: Vec<Located<RawContent>>,
    /// The units and drop-ins of systemd.
    #[serde(default)]
    pub(super) systemd: Vec<Located<RawSystemd>>,
    /// The system users that the package's files and services need, with a group of the same name.
    #[serde(default)]
    pub(super) users: Vec<Located<RawUser>>,
    /// Lines of tmpfiles.d(5), installed as /usr/lib/tmpfiles.d/<name>.conf.
    #[serde(default)]
    pub(super) tmpfiles: Vec<Text>,
    /// The scripts that rpm runs around the transaction.
    pub(super) scripts: Option<RawScripts>,
    /// The scripts that rpm runs when other packages, or files, come or go.
    #[serde(default)]
    pub(super) triggers: Vec<Located<RawTrigger>>,
    /// A file of release notes, Markdown, text, or JSON of `pkg notes`: installed as documentation, and the newest entry
    /// of the changelog.
    pub(super) notes: Option<Text>,
    /// What lint lets pass and what it refuses, by name.
    pub(super) lint: Option<RawLint>,
    /// What changed.
    #[serde(default)]
    pub(super) changelog: Vec<Located<RawChangelogEntry>>,
    /// Further packages of the same version. They inherit what says who made it, the version and the changelog; not the
    /// name, summary, dependencies, contents and scripts.
    #[serde(default)]
    pub(super) packages: Vec<Located<RawSpec>>,
}

/// What lint lets pass and what it refuses.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "lint")]
pub(super) struct RawLint {
    /// Lints whose findings are passed over.
    #[serde(default)]
    pub(super) allow: Vec<Text>,
    /// Lints whose findings are refused, also where they would only be told.
    #[serde(default)]
    pub(super) deny: Vec<Text>,
}
