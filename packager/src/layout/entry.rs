//! One file or directory of a package.

use std::path::PathBuf;

/// A file or a directory that a package owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path on the host.
    pub path: String,
    /// File or directory.
    pub kind: EntryKind,
    /// Permission bits.
    pub permissions: u16,
    /// The group; the owner is always root.
    pub group: String,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A file that an upgrade replaces.
    File(Source),
    /// `%config`: an upgrade replaces it and keeps an edited one as `.rpmsave`.
    Config(Source),
    /// `%config(noreplace)`: an edited one stays, the new one is laid beside it as `.rpmnew`.
    ConfigNoReplace(Source),
}

/// Where a file's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of this many bytes.
    File(PathBuf, u32),
    /// Written here.
    Text(String),
}

impl Entry {
    /// The content's source; none for a directory.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        match &self.kind {
            EntryKind::Directory => None,
            EntryKind::File(source) | EntryKind::Config(source) | EntryKind::ConfigNoReplace(source) => Some(source),
        }
    }

    /// The size in bytes; 0 for a directory.
    #[must_use]
    pub fn size(&self) -> u32 {
        match self.source() {
            None => 0,
            Some(Source::File(_, size)) => *size,
            Some(Source::Text(text)) => u32::try_from(text.len()).unwrap_or(u32::MAX),
        }
    }

    /// Type and permissions as in `st_mode`.
    #[must_use]
    pub fn mode(&self) -> u16 {
        let kind = if self.kind == EntryKind::Directory { 0o040_000 } else { 0o100_000 };
        kind | self.permissions
    }

    /// Whether it is configuration in rpm's sense.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(self.kind, EntryKind::Config(_) | EntryKind::ConfigNoReplace(_))
    }
}
