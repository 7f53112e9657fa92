//! A spec that holds: what a package is made of.

use std::path::PathBuf;

use nevra::{Arch, Evr, Name, Nevra};

use super::{ContextPath, Requirement};
use crate::Compression;

/// Everything that a spec says of a package, resolved and validated. Made by [`super::SpecFile::resolve`].
#[derive(Debug, Clone)]
pub struct PackageSpec {
    pub(super) name: Name,
    pub(super) evr: Evr,
    pub(super) build_number: u64,
    /// One line.
    pub summary: String,
    /// Paragraphs; the summary where the spec has none.
    pub description: String,
    /// An SPDX expression, as a rule.
    pub license: String,
    /// The project's page.
    pub url: Option<String>,
    /// What must be installed.
    pub requires: Vec<Requirement>,
    /// How the payload is compressed.
    pub compression: Compression,
    /// The application.
    pub tomcat: TomcatApplication,
    /// The folder of configuration files, where there is one.
    pub configuration: Option<PathBuf>,
    /// The folder that the spec stands in; empty for the current one.
    pub directory: PathBuf,
}

/// A web application and the Tomcat that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomcatApplication {
    /// The WAR, or a directory to be packed as one.
    pub war: PathBuf,
    /// Where it is served.
    pub context: ContextPath,
    /// The name of Tomcat's service, of its folder under `/etc` and of that under `/var/lib`.
    pub instance: String,
    /// The group that Tomcat runs as, which may read the configuration.
    pub group: String,
}

impl PackageSpec {
    /// The package's identity.
    #[must_use]
    pub fn nevra(&self) -> Nevra {
        Nevra { name: self.name.clone(), evr: self.evr.clone(), arch: Arch::noarch() }
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
