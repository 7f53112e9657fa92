//! One thing that goes into a package, and where it comes from.

use std::path::PathBuf;

use super::{Expand, InstallPath, Location};
use crate::contents::PathFilter;
use crate::layout::Role;

/// One entry of `contents`, validated.
#[derive(Debug, Clone)]
pub struct Content {
    /// Where the spec says it.
    pub location: Location,
    /// What it is and where it comes from.
    pub kind: ContentKind,
    /// Where it is installed.
    pub destination: InstallPath,
    /// Whose it is and what rpm makes of it.
    pub attributes: Attributes,
}

/// What a content is, and where it comes from.
#[derive(Debug, Clone)]
pub enum ContentKind {
    /// A file.
    File {
        /// The file.
        source: PathBuf,
        /// Whether variables in it are replaced.
        expand: Expand,
    },
    /// A WAR, or a directory that is packed as one.
    War {
        /// The file or the directory.
        source: PathBuf,
    },
    /// A directory.
    Directory,
    /// A directory with everything in it.
    Tree {
        /// The directory.
        source: PathBuf,
        /// Which paths below it.
        filter: PathFilter,
        /// Whether variables in the files are replaced.
        expand: Expand,
    },
    /// The files that match a pattern.
    Glob {
        /// The pattern.
        pattern: PathBuf,
        /// Which of the paths below its fixed part.
        filter: PathFilter,
        /// Whether variables in the files are replaced.
        expand: Expand,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: String,
    },
    /// A file that is owned but not shipped.
    GhostFile,
    /// A directory that is owned but not shipped.
    GhostDirectory,
    /// An archive that is unpacked.
    Archive {
        /// The file.
        source: PathBuf,
        /// How many leading directories are left out.
        strip_components: usize,
        /// Which paths, as they are in the archive.
        filter: PathFilter,
    },
}

/// Whose a file is and what rpm makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The owner.
    pub user: String,
    /// The group.
    pub group: String,
    /// Permissions, at most 0o7777. None: 0644, or 0755 for directories and what its owner may execute.
    pub mode: Option<u16>,
    /// What rpm makes of it.
    pub role: Role,
    /// Capabilities in the text form of `cap_from_text(3)`.
    pub capabilities: Option<String>,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { user: "root".to_owned(), group: "root".to_owned(), mode: None, role: Role::Plain, capabilities: None }
    }
}

/// A folder of configuration files, installed as a whole.
#[derive(Debug, Clone)]
pub struct ConfigurationFolder {
    /// Where the spec says it.
    pub location: Location,
    /// The folder.
    pub source: PathBuf,
    /// Where it is installed.
    pub destination: InstallPath,
    /// The group that may read it; everybody may where there is none.
    pub group: Option<String>,
    /// Which paths below it.
    pub filter: PathFilter,
    /// Whether variables in the files are replaced.
    pub expand: Expand,
}
