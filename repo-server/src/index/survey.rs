//! The RPMs below a folder.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

use super::error::UnusableFile;

/// What tells whether a file is the one that was read before: nobody can change a file and keep all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Bytes.
    pub(super) size: u64,
    /// When its content changed, nanoseconds since 1970.
    pub(super) modified: i64,
    /// When it or what the system knows of it changed.
    pub(super) changed: i64,
    /// Its inode.
    pub(super) inode: u64,
}

/// An RPM that was found.
#[derive(Debug, Clone)]
pub(super) struct FoundFile {
    /// Its path below the folder, with `/` between the parts: also its place in the repository.
    pub(super) href: String,
    pub(super) stamp: Stamp,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// In the order of their paths.
    pub(super) files: Vec<FoundFile>,
    pub(super) unusable: Vec<(PathBuf, UnusableFile)>,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// When its content changed, seconds since 1970.
    pub(super) fn time(&self) -> u64 {
        u64::try_from(self.modified / 1_000_000_000).unwrap_or_default()
    }
}

/// Finds the RPMs below a folder, but not in what belongs to repositories; links are followed. What can't be read is
/// told, but for the folder itself.
pub(super) fn survey(folder: &Path, excludes: &GlobSet) -> io::Result<Survey> {
    fs_err::read_dir(folder)?;
    let mut survey = Survey::default();
    let walk = WalkDir::new(folder).follow_links(true).into_iter().filter_entry(|entry| !is_repodata(entry));
    for entry in walk {
        match entry {
            Ok(entry) if is_rpm(&entry) => take(&mut survey, folder, &entry, excludes),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_owned();
                // A file that went away since its folder was read is no longer one of the folder's.
                if error.io_error().is_none_or(|error| error.kind() != io::ErrorKind::NotFound) {
                    survey.unusable.push((path, UnusableFile::Read(error.into())));
                }
            }
        }
    }
    survey.files.sort_unstable_by(|left, right| left.href.cmp(&right.href));
    Ok(survey)
}

fn take(survey: &mut Survey, folder: &Path, entry: &DirEntry, excludes: &GlobSet) {
    let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
    if excludes.is_match(below) || excludes.is_match(entry.file_name()) {
        return;
    }
    let Some(href) = below.to_str() else {
        survey.unusable.push((entry.path().to_owned(), UnusableFile::Name));
        return;
    };
    match entry.metadata() {
        Ok(metadata) => survey.files.push(FoundFile { href: href.to_owned(), stamp: Stamp::of(&metadata) }),
        Err(error) => survey.unusable.push((entry.path().to_owned(), UnusableFile::Read(error.into()))),
    }
}

/// `repodata`, and what runs leave beside it.
fn is_repodata(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() > 0 && entry.file_type().is_dir() && (name == "repodata" || name.starts_with(".repodata."))
}

fn is_rpm(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "rpm")
}
