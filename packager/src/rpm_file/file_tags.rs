//! The tags of the files, one value for each.

use std::collections::BTreeSet;

use rpm_header::FileEntry;

use crate::{Entry, EntryKind, PackageLayout, Role};

use super::header::SHA256;
use super::section::{Section, Value};
use super::tag;

/// RPMVERIFY flags (rpm's `include/rpm/rpmvf.h`) that make no sense for a file that is not shipped: digest, size, link
/// target and time.
const GHOSTS_UNVERIFIED: u32 = 1 | 1 << 1 | 1 << 2 | 1 << 5;

/// Puts in the tags of the files, all but the digests.
pub(super) fn put(header: &mut Section, layout: &PackageLayout) {
    let entries = &layout.entries;
    let numbers = |read: fn(&Entry) -> u32| Value::Int32(entries.iter().map(read).collect());
    let texts = |read: fn(&Entry) -> &str| Value::texts(entries.iter().map(read));
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    put_sizes(header, entries);
    put_paths(header, entries);
    header.put(tag::FILEMODES, Value::Int16(entries.iter().map(Entry::mode).collect()));
    header.put(tag::FILERDEVS, Value::Int16(vec![0; entries.len()]));
    header.put(tag::FILEMTIMES, numbers(|entry| entry.mtime));
    header.put(tag::FILEDIGESTALGO, Value::number(SHA256));
    header.put(tag::FILELINKTOS, texts(link_target));
    header.put(tag::FILEFLAGS, numbers(flags));
    header.put(tag::FILEUSERNAME, texts(|entry| &entry.user));
    header.put(tag::FILEGROUPNAME, texts(|entry| &entry.group));
    header.put(tag::FILEVERIFYFLAGS, numbers(|entry| if entry.is_shipped() { u32::MAX } else { !GHOSTS_UNVERIFIED }));
    header.put(tag::FILEDEVICES, numbers(|_| 1));
    // All different: the same device and inode would mean a hard link.
    header.put(tag::FILEINODES, Value::Int32((1..=count).collect()));
    header.put(tag::FILELANGS, texts(|_| ""));
    if entries.iter().any(|entry| entry.capabilities.is_some()) {
        header.put(tag::FILECAPS, texts(|entry| entry.capabilities.as_deref().unwrap_or_default()));
    }
}

/// Tells whether a file is too large for 32 bits: sizes have 64 bits then, and the archive another form.
pub(super) fn has_large_files(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.size() >= u64::from(u32::MAX))
}

fn put_sizes(header: &mut Section, entries: &[Entry]) {
    if has_large_files(entries) {
        header.put(tag::LONGFILESIZES, Value::Int64(entries.iter().map(Entry::size).collect()));
    } else {
        let sizes = entries.iter().map(|entry| u32::try_from(entry.size()).unwrap_or(u32::MAX));
        header.put(tag::FILESIZES, Value::Int32(sizes.collect()));
    }
    let total = entries.iter().map(Entry::size).fold(0, u64::saturating_add);
    match u32::try_from(total) {
        Ok(total) if total < u32::MAX => header.put(tag::SIZE, Value::number(total)),
        _ => header.put(tag::LONGSIZE, Value::Int64(vec![total])),
    }
}

/// Paths are stored as base names with indexes into a sorted list of directories.
fn put_paths(header: &mut Section, entries: &[Entry]) {
    let split = |entry: &'_ Entry| entry.path.rfind('/').map_or(0, |slash| slash + 1);
    let parts: Vec<_> = entries.iter().map(|entry| entry.path.split_at(split(entry))).collect();
    let directories: Vec<_> =
        parts.iter().map(|(directory, _)| *directory).collect::<BTreeSet<_>>().into_iter().collect();
    let index = |directory| directories.partition_point(|other| *other < directory);
    let indexes = parts.iter().map(|(directory, _)| u32::try_from(index(*directory)).unwrap_or(u32::MAX));
    header.put(tag::DIRINDEXES, Value::Int32(indexes.collect()));
    header.put(tag::BASENAMES, Value::texts(parts.iter().map(|(_, name)| *name)));
    header.put(tag::DIRNAMES, Value::texts(directories));
}

fn link_target(entry: &Entry) -> &str {
    match &entry.kind {
        EntryKind::Symlink(target) => target,
        _ => "",
    }
}

fn flags(entry: &Entry) -> u32 {
    let role = match entry.role {
        // Of a directory rpm would heed none of these.
        _ if matches!(entry.kind, EntryKind::Directory | EntryKind::GhostDirectory) => 0,
        Role::Plain => 0,
        Role::Config => FileEntry::CONFIG,
        Role::ConfigNoReplace => FileEntry::CONFIG | FileEntry::NO_REPLACE,
        Role::ConfigMissingOk => FileEntry::CONFIG | FileEntry::MISSING_OK,
        Role::ConfigNoReplaceMissingOk => FileEntry::CONFIG | FileEntry::NO_REPLACE | FileEntry::MISSING_OK,
        Role::Documentation => FileEntry::DOC,
        Role::License => FileEntry::LICENSE,
    };
    if entry.is_shipped() { role } else { role | FileEntry::GHOST }
}
