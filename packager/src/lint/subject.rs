//! What checks look at: a package before it is written, or as its headers have it.

use rpm_header::{FileEntry, PackageHeader};

use crate::{EntryKind, PackageLayout, Scriptlet, Source, SourceDate};

/// One package, seen by the checks.
#[derive(Debug)]
pub struct Subject<'a> {
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
    /// Sorted by path.
    pub(super) files: Vec<SubjectFile<'a>>,
    pub(super) scripts: Vec<Script<'a>>,
    /// The headers, where there are some: what a writer adds by itself is told from them alone.
    pub(super) header: Option<&'a PackageHeader>,
    /// The date of the sources, where they are at hand.
    pub(super) source_date: Option<SourceDate>,
}

/// One file, directory or link.
#[derive(Debug, Clone, Copy)]
pub(super) struct SubjectFile<'a> {
    pub(super) path: &'a str,
    pub(super) kind: SubjectKind<'a>,
    pub(super) permissions: u16,
    pub(super) user: &'a str,
    pub(super) group: &'a str,
    pub(super) is_config: bool,
    pub(super) is_ghost: bool,
    /// The content, where it is at hand.
    pub(super) content: Option<&'a Source>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectKind<'a> {
    Directory,
    Regular,
    Symlink(&'a str),
    /// A device, a pipe or a socket.
    Other,
}

/// A scriptlet or a trigger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script<'a> {
    /// Such as `%postun`.
    pub(super) name: &'static str,
    pub(super) interpreter: &'a str,
    pub(super) body: &'a str,
}

impl<'a> Subject<'a> {
    /// Sees a package that is to be written.
    #[must_use]
    pub fn of_layout(layout: &'a PackageLayout) -> Self {
        let files = layout.entries.iter().map(|entry| SubjectFile {
            path: &entry.path,
            kind: match &entry.kind {
                EntryKind::Directory | EntryKind::GhostDirectory => SubjectKind::Directory,
                EntryKind::File(_) | EntryKind::GhostFile => SubjectKind::Regular,
                EntryKind::Symlink(target) => SubjectKind::Symlink(target),
            },
            permissions: entry.permissions,
            user: &entry.user,
            group: &entry.group,
            is_config: entry.is_config(),
            is_ghost: !entry.is_shipped(),
            content: entry.source(),
        });
        Self {
            summary: &layout.about.summary,
            description: &layout.about.description,
            files: sorted(files.collect()),
            scripts: layout.scriptlets.iter().map(Script::of).collect(),
            header: None,
            source_date: Some(layout.source_date),
        }
    }

    /// Sees a package that was written, by whomever.
    #[must_use]
    pub fn of_header(header: &'a PackageHeader) -> Self {
        let files = header.files.iter().map(|file| SubjectFile {
            path: &file.path,
            kind: match file.mode & 0o170_000 {
                0o040_000 => SubjectKind::Directory,
                0o100_000 => SubjectKind::Regular,
                0o120_000 => SubjectKind::Symlink(&file.link_target),
                _ => SubjectKind::Other,
            },
            permissions: file.mode & 0o7777,
            user: &file.user,
            group: &file.group,
            is_config: file.is_config(),
            is_ghost: file.flags & FileEntry::GHOST != 0,
            content: None,
        });
        let scripts = header.scriptlets.iter().map(|scriptlet| Script {
            name: scriptlet.name,
            interpreter: scriptlet.interpreter.first().map_or("", String::as_str),
            body: &scriptlet.body,
        });
        Self {
            summary: &header.summary,
            description: &header.description,
            files: sorted(files.collect()),
            scripts: scripts.collect(),
            header: Some(header),
            source_date: None,
        }
    }

    /// Finds a file by its path.
    pub(super) fn file(&self, path: &str) -> Option<&SubjectFile<'a>> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok().map(|index| &self.files[index])
    }
}

fn sorted(mut files: Vec<SubjectFile<'_>>) -> Vec<SubjectFile<'_>> {
    files.sort_by(|left, right| left.path.cmp(right.path));
    files
}

impl<'a> Script<'a> {
    fn of(scriptlet: &'a Scriptlet) -> Self {
        let interpreter = scriptlet.interpreter.first().map_or("", String::as_str);
        Self { name: scriptlet.kind.name(), interpreter, body: &scriptlet.body }
    }
}
