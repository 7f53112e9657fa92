//! Why there is no plan.

use std::fmt;

use nevra::{Nevra, PackageQuery};

use crate::HostName;
use crate::facts::PackageManager;

/// Says why there is no plan. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The repositories do not offer what was asked for.
    #[error("`{query}` is not offered to `{host}`; {}", Offered(offered))]
    NotOffered {
        /// What was asked for.
        query: PackageQuery,
        /// The host.
        host: HostName,
        /// What they do offer of that name, newest first.
        offered: Vec<Nevra>,
    },
    /// A host has too little space for what is to come.
    #[error(
        "`{host}` has {} MB free under /var or /usr, and {} MB are needed; make room there, or leave it out",
        free >> 20, needed.div_ceil(1 << 20)
    )]
    Space {
        /// The host.
        host: HostName,
        /// What is free, in bytes.
        free: u64,
        /// What is needed, in bytes.
        needed: u64,
    },
    /// A host's rpm database can't be read.
    #[error("rpm's database on `{host}` can't be read: {reason}; `rpmdb --rebuilddb` there mends most of that")]
    Database {
        /// The host.
        host: HostName,
        /// What rpm says.
        reason: String,
    },
    /// A query fits packages of more than one name.
    #[error("`{query}` fits `{first}` and `{second}`; write the whole `name-version-release.arch`")]
    Ambiguous {
        /// What was asked for.
        query: PackageQuery,
        /// One package.
        first: Box<Nevra>,
        /// Another package.
        second: Box<Nevra>,
    },
    /// Hosts are offered different versions for one query.
    #[error("`{query}` is `{}` for `{}` and `{}` for `{}`; name the version", .first.1, .first.0, .second.1, .second.0)]
    Disagree {
        /// What was asked for.
        query: PackageQuery,
        /// A host and its newest.
        first: Box<(HostName, Nevra)>,
        /// Another host and its newest.
        second: Box<(HostName, Nevra)>,
    },
    /// Two targets are versions of one package.
    #[error("`{first}` and `{second}` are the same package; name one version")]
    Conflict {
        /// One.
        first: Box<Nevra>,
        /// The other.
        second: Box<Nevra>,
    },
    /// More than one version is installed, as an interrupted transaction leaves it.
    #[error("`{host}` has {} installed at once; {}", list(installed), repair(*manager))]
    Duplicates {
        /// The host.
        host: HostName,
        /// The versions.
        installed: Vec<Nevra>,
        /// What installs packages there.
        manager: PackageManager,
    },
    /// Two different packages that rpm takes for the same version.
    #[error("`{from}` on `{host}` and `{to}` are the same version to rpm; build it with a higher release")]
    SameVersion {
        /// The host.
        host: HostName,
        /// What is installed.
        from: Box<Nevra>,
        /// What was asked for.
        to: Box<Nevra>,
    },
}

struct Offered<'a>(&'a [Nevra]);

impl fmt::Display for Offered<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => formatter.write_str("the repositories have no package of that name"),
            offered => write!(formatter, "offered are {}", list(&offered[..offered.len().min(8)])),
        }
    }
}

fn list(packages: &[Nevra]) -> String {
    packages.iter().map(|package| format!("`{package}`")).collect::<Vec<_>>().join(", ")
}

/// How one of two versions is taken away. yum 3 has no command that leaves the packages alone that require them.
fn repair(manager: PackageManager) -> &'static str {
    match manager {
        PackageManager::Dnf4 | PackageManager::Dnf5 => "repair it with `dnf remove --duplicates`",
        PackageManager::Yum3 => "remove the wrong one with `rpm -e --nodeps`, then `yum reinstall` the other",
    }
}
