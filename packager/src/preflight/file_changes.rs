//! Files that come, go and change.

use std::collections::BTreeMap;

use rpm_header::{FileEntry, PackageHeader};
use serde::Serialize;

use super::file_kind::file_kind;

/// The files that differ, each list by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileChanges {
    /// Only in the new package.
    pub added: Vec<String>,
    /// Only in the old package.
    pub removed: Vec<String>,
    /// In both, and different. Modification times alone don't count.
    pub changed: Vec<FileChange>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// In what it differs; never empty.
    pub aspects: Vec<Aspect>,
}

/// One thing in which a file differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aspect {
    /// `kind`, `content` (digests), `target` (of a link), `mode`, `owner`, `group`, `flags`, `capabilities` or `size`.
    pub what: &'static str,
    /// In the old package.
    pub before: String,
    /// In the new package.
    pub after: String,
}

pub(super) fn between(old: &PackageHeader, new: &PackageHeader) -> FileChanges {
    let before: BTreeMap<&str, &FileEntry> = old.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let after: BTreeMap<&str, &FileEntry> = new.files.iter().map(|file| (file.path.as_str(), file)).collect();
    let only = |these: &BTreeMap<&str, &FileEntry>, those: &BTreeMap<&str, &FileEntry>| {
        these.keys().filter(|path| !those.contains_key(*path)).map(|path| (*path).to_owned()).collect()
    };
    let both = before.iter().filter_map(|(path, old)| Some((path, *old, *after.get(path)?)));
    let changed = both.map(|(path, old, new)| FileChange { path: (*path).to_owned(), aspects: aspects(old, new) });
    FileChanges {
        added: only(&after, &before),
        removed: only(&before, &after),
        changed: changed.filter(|change| !change.aspects.is_empty()).collect(),
    }
}

fn aspects(old: &FileEntry, new: &FileEntry) -> Vec<Aspect> {
    let aspect = |what, read: &dyn Fn(&FileEntry) -> String| {
        let (before, after) = (read(old), read(new));
        (before != after).then_some(Aspect { what, before, after })
    };
    let flags = |file: &FileEntry| file.flag_names().collect::<Vec<_>>().join(", ");
    let content = |file: &FileEntry| file.digest.clone();
    // Algorithms of digests have changed over the years: sizes tell then.
    let comparable = old.digest.len() == new.digest.len();
    let content = if comparable { aspect("content", &content) } else { aspect("size", &|file| file.size.to_string()) };
    [
        aspect("kind", &|file| file_kind(file).to_owned()),
        content,
        aspect("target", &|file| file.link_target.clone()),
        aspect("mode", &|file| format!("{:04o}", file.mode & 0o7777)),
        aspect("owner", &|file| file.user.clone()),
        aspect("group", &|file| file.group.clone()),
        aspect("flags", &flags),
        aspect("capabilities", &|file| file.capabilities.clone()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
