//! What a file entry is, as its mode says.

use rpm_header::FileEntry;

pub(super) fn file_kind(file: &FileEntry) -> &'static str {
    match file.mode & 0o170_000 {
        0o040_000 => "directory",
        0o120_000 => "link",
        0o100_000 => "file",
        _ => "device",
    }
}

pub(super) fn is_directory(file: &FileEntry) -> bool {
    file.mode & 0o170_000 == 0o040_000
}

pub(super) fn is_ghost(file: &FileEntry) -> bool {
    file.flags & FileEntry::GHOST != 0
}

/// Whether two entries install the same: kind, content and link target.
pub(super) fn is_same_content(left: &FileEntry, right: &FileEntry) -> bool {
    let kind = |file: &FileEntry| file.mode & 0o170_000;
    kind(left) == kind(right) && left.digest == right.digest && left.link_target == right.link_target
}
