//! Everything that goes into one package besides the files' bytes: what the writer needs, and no spec behind it.

use nevra::Nevra;
use rpm_header::{ChangelogEntry, Dependency};

use crate::{Compression, SourceDate, Target};

use super::{Entry, Scriptlet, Trigger};

/// One package, laid out: whatever made it (a profile, a plain spec), the writer writes just this.
#[derive(Debug, Clone)]
pub struct PackageLayout {
    /// Identity and description.
    pub about: About,
    /// The oldest system that has to read it.
    pub target: Target,
    /// The payload's compressor and level.
    pub compression: Compression,
    /// BUILDTIME.
    pub source_date: SourceDate,
    /// What it needs, gives and excludes. The writer adds what follows from the rest: `name = evr`, `config(name)`,
    /// interpreters and `rpmlib(…)`.
    pub dependencies: Dependencies,
    /// The files and directories, sorted by path as bytes, each path once.
    pub entries: Vec<Entry>,
    /// The scriptlets, at most one of each kind.
    pub scriptlets: Vec<Scriptlet>,
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// The changelog, newest first.
    pub changelog: Vec<ChangelogEntry>,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Name, epoch, version, release and architecture.
    pub nevra: Nevra,
    /// SUMMARY, one line.
    pub summary: String,
    /// DESCRIPTION, paragraphs.
    pub description: String,
    /// LICENSE, an SPDX expression as a rule.
    pub license: String,
    /// URL.
    pub url: Option<String>,
    /// VENDOR.
    pub vendor: Option<String>,
    /// GROUP; `Unspecified` where there is none, as rpmbuild has it.
    pub group: Option<String>,
    /// PACKAGER.
    pub packager: Option<String>,
    /// BUILDHOST.
    pub build_host: Option<String>,
    /// DISTURL: where the build is, as the Open Build Service writes it.
    pub dist_url: Option<String>,
    /// VCS: where the sources are kept, and the commit.
    pub vcs: Option<String>,
    /// BUGURL.
    pub bug_url: Option<String>,
}

/// What a package needs, gives and excludes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// PROVIDES.
    pub provides: Vec<Dependency>,
    /// REQUIRES.
    pub requires: Vec<Dependency>,
    /// CONFLICTS.
    pub conflicts: Vec<Dependency>,
    /// OBSOLETES.
    pub obsoletes: Vec<Dependency>,
    /// RECOMMENDS.
    pub recommends: Vec<Dependency>,
    /// SUGGESTS.
    pub suggests: Vec<Dependency>,
    /// SUPPLEMENTS.
    pub supplements: Vec<Dependency>,
    /// ENHANCES.
    pub enhances: Vec<Dependency>,
}
