//! What becomes of configuration: rpm's rules (`lib/rpmfi.c`, `rpmfilesDecideFate`; `lib/transaction.c`,
//! `handleOverlappedFiles`), as measured with rpm 4.18.

use std::collections::{BTreeMap, BTreeSet};

use rpm_header::{FileEntry, PackageHeader};
use serde::Serialize;

use super::file_kind::{is_directory, is_ghost, is_same_content};

/// What a transaction does to one configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigurationChange {
    /// The file.
    pub path: String,
    /// What becomes of it where the administrator edited it; of a file that only the package to come has, where one of
    /// that name is there already.
    pub edited: EditFate,
    /// Whether the packages bring different content, so that one that was not edited changes.
    pub content_changes: bool,
}

/// What becomes of an edited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditFate {
    /// It stays as it is.
    Kept,
    /// It stays; what the package brings is laid beside it as `.rpmnew`.
    KeptBesideNew,
    /// It becomes `.rpmsave`, and what the package brings takes its place.
    Replaced,
    /// It becomes `.rpmsave`, and nothing takes its place.
    Removed,
    /// A file that no package owned becomes `.rpmorig`, and what the package brings takes its place.
    ReplacedAsOriginal,
}

/// Tells the fate of each file that is configuration in either package, by path.
pub(super) fn changes(from: &PackageHeader, to: &PackageHeader) -> Vec<ConfigurationChange> {
    let (before, after) = (by_path(from), by_path(to));
    let paths: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    paths.into_iter().filter_map(|path| change(before.get(path).copied(), after.get(path).copied())).collect()
}

fn by_path(header: &PackageHeader) -> BTreeMap<&str, &FileEntry> {
    let files = header.files.iter().filter(|file| !is_directory(file));
    files.map(|file| (file.path.as_str(), file)).collect()
}

fn change(before: Option<&FileEntry>, after: Option<&FileEntry>) -> Option<ConfigurationChange> {
    let path = before.or(after)?.path.clone();
    if !before.is_some_and(FileEntry::is_config) && !after.is_some_and(FileEntry::is_config) {
        return None;
    }
    let content_changes = match (before, after) {
        (Some(before), Some(after)) => !is_ghost(after) && !is_same_content(before, after),
        (None, None) => false,
        (Some(one), None) | (None, Some(one)) => !is_ghost(one),
    };
    Some(ConfigurationChange { path, edited: fate(before, after), content_changes })
}

fn fate(before: Option<&FileEntry>, after: Option<&FileEntry>) -> EditFate {
    let keeps_edits = |file: &FileEntry| file.flags & FileEntry::NO_REPLACE != 0;
    match (before, after) {
        (Some(before), None) if is_ghost(before) => EditFate::Kept,
        (_, None) => EditFate::Removed,
        (_, Some(after)) if is_ghost(after) => EditFate::Kept,
        (Some(before), Some(after)) if after.is_config() && is_same_content(before, after) => EditFate::Kept,
        (_, Some(after)) if keeps_edits(after) => EditFate::KeptBesideNew,
        (Some(_), Some(_)) => EditFate::Replaced,
        (None, Some(_)) => EditFate::ReplacedAsOriginal,
    }
}
