//! Lists what is in a directory.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fs_err::File;
use walkdir::{DirEntry, WalkDir};

use super::contents_error::{ContentsProblem, Links};
use super::path_filter::PathFilter;

/// Something found in a directory or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The path below the top, with `/`.
    pub(super) name: String,
    pub(super) kind: ItemKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemKind {
    Directory,
    File { path: PathBuf, size: u64, is_executable: bool },
    Symlink { target: String },
}

/// Lists what a filter takes of a directory, sorted by name; every file can be opened.
pub(super) fn list(directory: &Path, filter: &PathFilter, links: Links) -> Result<Vec<Item>, ContentsProblem> {
    if !directory.is_dir() {
        let path = directory.to_owned();
        return Err(if directory.exists() {
            ContentsProblem::NotDirectory(path)
        } else {
            ContentsProblem::Missing(path)
        });
    }
    let name = |entry: &DirEntry| entry.path().strip_prefix(directory).unwrap_or(entry.path()).to_owned();
    let entries = WalkDir::new(directory).min_depth(1).sort_by_file_name().into_iter();
    let entries = entries.filter_entry(|entry| !filter.leaves_out(&name(entry).to_string_lossy()));
    let mut items = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| ContentsProblem::Read(error.into()))?;
        let name = name(&entry);
        if !filter.takes(&name.to_string_lossy()) {
            continue;
        }
        let name = name.to_str().filter(|name| !name.chars().any(char::is_control));
        let name = name.ok_or_else(|| ContentsProblem::Name(entry.path().to_owned()))?.to_owned();
        items.push(Item { kind: kind(&entry, links)?, name });
    }
    Ok(items)
}

fn kind(entry: &DirEntry, links: Links) -> Result<ItemKind, ContentsProblem> {
    let path = entry.path();
    if entry.file_type().is_dir() {
        Ok(ItemKind::Directory)
    } else if entry.file_type().is_file() {
        open(path)
    } else if entry.file_type().is_symlink() {
        let target = fs_err::read_link(path).map_err(ContentsProblem::Read)?;
        let target = target.to_str().filter(|target| !target.chars().any(char::is_control));
        let target = target.ok_or_else(|| ContentsProblem::Name(path.to_owned()))?.to_owned();
        if links == Links::Inside && !is_inside(&target, entry.depth()) {
            return Err(ContentsProblem::Kind(path.to_owned(), links));
        }
        Ok(ItemKind::Symlink { target })
    } else {
        Err(ContentsProblem::Kind(path.to_owned(), links))
    }
}

/// Whether a link so many levels below the top is relative and never leaves it.
fn is_inside(target: &str, depth: usize) -> bool {
    let mut level = depth.saturating_sub(1);
    for part in target.split('/') {
        level = match part {
            "" | "." => level,
            ".." if level == 0 => return false,
            ".." => level - 1,
            _ => level + 1,
        };
    }
    !target.starts_with('/')
}

/// Opens a file, so that one that cannot be read is found before anything is written, and takes its size.
pub(super) fn file(path: &Path) -> Result<ItemKind, ContentsProblem> {
    let metadata = match fs_err::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ContentsProblem::Missing(path.to_owned()));
        }
        metadata => metadata.map_err(ContentsProblem::Read)?,
    };
    if !metadata.is_file() {
        return Err(ContentsProblem::NotFile(path.to_owned()));
    }
    open(path)
}

/// Of a tree's many files the directory has told that they are files.
fn open(path: &Path) -> Result<ItemKind, ContentsProblem> {
    let metadata = File::open(path).and_then(|file| file.metadata()).map_err(ContentsProblem::Read)?;
    let is_executable = metadata.permissions().mode() & 0o100 != 0;
    Ok(ItemKind::File { path: path.to_owned(), size: metadata.len(), is_executable })
}

/// Splits a pattern into the directory that it begins in and the pattern below that.
pub(super) fn split_pattern(pattern: &Path) -> (PathBuf, String) {
    let is_fixed = |part: &std::ffi::OsStr| !part.to_string_lossy().contains(['*', '?', '[', '{']);
    let parts: Vec<_> = pattern.components().map(|part| part.as_os_str()).collect();
    let fixed = parts.iter().take_while(|part| is_fixed(part)).count().min(parts.len().saturating_sub(1));
    let directory: PathBuf = parts[..fixed].iter().collect();
    let rest: PathBuf = parts[fixed..].iter().collect();
    let directory = if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory };
    (directory, rest.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(directory: &Path, links: Links) -> Result<Vec<Item>, ContentsProblem> {
        list(directory, &PathFilter::default(), links)
    }

    #[test]
    fn lists_files_and_directories_sorted() {
        let directory = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(directory.path().join("b/c")).unwrap();
        fs_err::write(directory.path().join("b/c/x.xml"), "12345").unwrap();
        fs_err::write(directory.path().join("a.properties"), "").unwrap();
        let items = all(directory.path(), Links::Inside).unwrap();
        let names: Vec<_> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["a.properties", "b", "b/c", "b/c/x.xml"]);
        assert!(matches!(items[3].kind, ItemKind::File { size: 5, is_executable: false, .. }));
    }

    #[test]
    fn refuses_odd_things() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        assert!(matches!(all(&path("none"), Links::Allowed), Err(ContentsProblem::Missing(_))));
        for (target, depth, expected) in [
            ("a", 1, true),
            ("../a", 1, false),
            ("../a", 2, true),
            ("../../a", 2, false),
            ("./b/../../c", 2, true),
            ("/etc/shop/a", 1, false),
        ] {
            assert_eq!(is_inside(target, depth), expected, "{target}");
        }
        std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
        assert!(matches!(all(directory.path(), Links::Inside), Err(ContentsProblem::Kind(..))));
        let items = all(directory.path(), Links::Allowed).unwrap();
        assert_eq!(items[0].kind, ItemKind::Symlink { target: "/etc/passwd".to_owned() });
        assert!(matches!(all(&path("link"), Links::Allowed), Err(ContentsProblem::NotDirectory(_))));
        fs_err::write(path("a\nb"), "").unwrap();
        assert!(matches!(all(directory.path(), Links::Allowed), Err(ContentsProblem::Name(_))));
        assert!(matches!(file(&path("none")), Err(ContentsProblem::Missing(_))));
        assert!(matches!(file(directory.path()), Err(ContentsProblem::NotFile(_))));
        assert!(matches!(file(Path::new("/dev/null")), Err(ContentsProblem::NotFile(_))));
    }

    #[test]
    fn splits_patterns() {
        for (pattern, directory, rest) in [
            ("build/libs/*.jar", "build/libs", "*.jar"),
            ("*.jar", ".", "*.jar"),
            ("/a/**/x/b?", "/a", "**/x/b?"),
            ("a/b.txt", "a", "b.txt"),
        ] {
            assert_eq!(split_pattern(Path::new(pattern)), (PathBuf::from(directory), rest.to_owned()), "{pattern}");
        }
    }
}
