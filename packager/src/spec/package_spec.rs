//! A spec that holds: what a package is made of.

use std::path::PathBuf;

use nevra::{Arch, Evr, Name, Nevra};
use rpm_header::ChangelogEntry;

use super::{Choice, ConfigurationFolder, Content, Location, SystemUser, TomcatApplication, Unit, Variables};
use crate::inside::{Provenance, ReleaseNotes};
use crate::layout::{Dependencies, Scriptlet, Trigger};
use crate::lint::LintPolicy;
use crate::version::FoundVersion;
use crate::{Compression, Target};

/// Everything that a spec says of one package, resolved and validated. Made by [`super::SpecFile::resolve`].
#[derive(Debug, Clone)]
pub struct PackageSpec {
    pub(super) name: Name,
    pub(super) evr: Evr,
    pub(super) arch: Arch,
    pub(super) build_number: u64,
    /// One line.
    pub summary: String,
    /// Paragraphs; the summary where the spec has none.
    pub description: String,
    /// An SPDX expression, as a rule.
    pub license: String,
    /// The project's page.
    pub url: Option<String>,
    /// Who distributes it.
    pub vendor: Option<String>,
    /// The group of packages it belongs to.
    pub group: Option<String>,
    /// Who made the package.
    pub packager: Option<String>,
    /// Where its bugs are reported.
    pub bug_url: Option<String>,
    /// The oldest system that has to read it.
    pub target: Target,
    /// How the payload is compressed.
    pub compression: Compression,
    /// Whether it says which jars are in it.
    pub sbom: Sbom,
    /// What it needs, gives and excludes.
    pub dependencies: Dependencies,
    /// The web application, where the profile is Tomcat's.
    pub tomcat: Option<TomcatApplication>,
    /// The folder of configuration files, where there is one.
    pub configuration: Option<ConfigurationFolder>,
    /// The environments that have a configuration package each.
    pub environments: Vec<String>,
    /// How the package makes sure that an environment is named.
    pub choice: Option<Choice>,
    /// The files, directories and links.
    pub contents: Vec<Content>,
    /// The units of systemd that are among the contents.
    pub units: Vec<Unit>,
    /// The system users that are made.
    pub users: Vec<SystemUser>,
    /// Lines of tmpfiles.d(5).
    pub tmpfiles: Vec<String>,
    /// The scripts, at most one of each kind.
    pub scripts: Vec<Scriptlet>,
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// The changelog, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// The version as it was found or written, and where.
    pub version: FoundVersion,
    /// Where the release was found, where the spec leaves it open.
    pub release_place: Option<String>,
    /// Where the sources and the build are.
    pub provenance: Provenance,
    /// The release notes.
    pub notes: Option<ReleaseNotes>,
    /// Which findings of lint are let pass or refused.
    pub lint: LintPolicy,
    /// The folder that the spec stands in; empty for the current one.
    pub directory: PathBuf,
    /// Where the spec begins to speak of this package.
    pub location: Location,
    /// The variables that expanded files may use.
    pub(crate) variables: Variables,
}

/// What a package says of the jars in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sbom {
    /// All of it: an SBOM, and `bundled(…)` tags.
    #[default]
    Written,
    /// Nothing: the jars are not looked into.
    LeftOut,
}

impl PackageSpec {
    /// The package's identity.
    #[must_use]
    pub fn nevra(&self) -> Nevra {
        Nevra { name: self.name.clone(), evr: self.evr.clone(), arch: self.arch.clone() }
    }

    /// The package's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Epoch, version and release.
    #[must_use]
    pub fn evr(&self) -> &Evr {
        &self.evr
    }

    /// The number that the release begins with.
    #[must_use]
    pub fn build_number(&self) -> u64 {
        self.build_number
    }
}
