//! One file, directory or link of a package.

use std::path::PathBuf;

/// A file, a directory or a link that a package owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absolute path on the host, normal: no `.`, `..`, doubled or closing `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits, set-user-id and the like included: at most 0o7777.
    pub permissions: u16,
    /// The owner.
    pub user: String,
    /// The group.
    pub group: String,
    /// Modification time, seconds since 1970.
    pub mtime: u32,
    /// What rpm is to make of it.
    pub role: Role,
    /// Capabilities in the text form of `cap_from_text(3)`, such as `cap_net_bind_service=ep`.
    pub capabilities: Option<String>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File(Source),
    /// A symbolic link to this target.
    Symlink(String),
    /// `%ghost`: a file that is owned but not shipped.
    GhostFile,
    /// `%ghost %dir`: a directory that is owned but not shipped.
    GhostDirectory,
}

/// What rpm makes of a file on upgrades, and shows it as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// An upgrade replaces it.
    #[default]
    Plain,
    /// `%config`: an upgrade replaces it and keeps an edited one as `.rpmsave`.
    Config,
    /// `%config(noreplace)`: an edited one stays, the new one is laid beside it as `.rpmnew`.
    ConfigNoReplace,
    /// `%config(missingok)`: may be missing.
    ConfigMissingOk,
    /// `%config(noreplace,missingok)`.
    ConfigNoReplaceMissingOk,
    /// `%doc`.
    Documentation,
    /// `%license`.
    License,
}

/// Where a file's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of this many bytes.
    File(PathBuf, u64),
    /// Written here.
    Text(String),
}

impl Entry {
    /// Makes one that root owns and that has no role of its own.
    #[must_use]
    pub fn new(path: String, kind: EntryKind, permissions: u16, mtime: u32) -> Self {
        Self {
            path,
            kind,
            permissions,
            user: "root".to_owned(),
            group: "root".to_owned(),
            mtime,
            role: Role::Plain,
            capabilities: None,
        }
    }

    /// The content's source; none for what is no regular file in the payload.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        match &self.kind {
            EntryKind::File(source) => Some(source),
            _ => None,
        }
    }

    /// The size in bytes: a link's is the length of its target, a directory's 0.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.kind {
            EntryKind::File(Source::File(_, size)) => *size,
            EntryKind::File(Source::Text(text)) => text.len() as u64,
            EntryKind::Symlink(target) => target.len() as u64,
            EntryKind::Directory | EntryKind::GhostFile | EntryKind::GhostDirectory => 0,
        }
    }

    /// Type and permissions as in `st_mode`.
    #[must_use]
    pub fn mode(&self) -> u16 {
        let kind = match self.kind {
            EntryKind::Directory | EntryKind::GhostDirectory => 0o040_000,
            EntryKind::File(_) | EntryKind::GhostFile => 0o100_000,
            EntryKind::Symlink(_) => 0o120_000,
        };
        kind | self.permissions
    }

    /// Whether it is in the payload.
    #[must_use]
    pub fn is_shipped(&self) -> bool {
        !matches!(self.kind, EntryKind::GhostFile | EntryKind::GhostDirectory)
    }

    /// Whether it is configuration in rpm's sense.
    #[must_use]
    pub fn is_config(&self) -> bool {
        matches!(
            self.role,
            Role::Config | Role::ConfigNoReplace | Role::ConfigMissingOk | Role::ConfigNoReplaceMissingOk
        )
    }
}
