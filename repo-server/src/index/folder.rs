//! The `repodata` of a folder: made beside the old one, and put in its place in one step.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err::PathExt;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::error::IndexError;

const REPODATA: &str = "repodata";
const STAGING: &str = ".repodata.new";
const RETIRED: &str = ".repodata.old";
const LOCK: &str = ".repodata.lock";

/// What is written anew by every run.
const OWN: [&str; 5] = ["repomd.xml", "repomd.xml.asc", "repomd.xml.key", super::cache::CACHE, RETIRED_NAMES];

/// Remembers since when metadata is named no longer, where no cache does.
pub(super) const RETIRED_NAMES: &str = "pkg-retired.json";

/// A folder in which one run is at work.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held until the run ends, however it does.
    _lock: fs_err::File,
}

impl Folder {
    /// Locks a folder for one run, and clears away what a run that was killed has left.
    pub(super) fn lock(path: &Path) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Folder { folder: path.to_owned(), source };
        let lock = fs_err::OpenOptions::new().create(true).append(true).open(path.join(LOCK)).map_err(failed)?;
        match lock.file().try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(IndexError::Busy(path.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.recover().map_err(failed)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn repodata(&self) -> PathBuf {
        self.path.join(REPODATA)
    }

    /// Makes an empty place for the new `repodata`.
    pub(super) fn stage(&self) -> io::Result<PathBuf> {
        let staging = self.path.join(STAGING);
        fs_err::create_dir(&staging)?;
        Ok(staging)
    }

    /// Takes files of the old `repodata` over: metadata that clients may still ask for, and what is not ours. Gives what
    /// is retired, and since when.
    pub(super) fn keep(
        &self,
        staging: &Path,
        mut retired: BTreeMap<String, u64>,
        keep_for: Duration,
        now: u64,
    ) -> io::Result<BTreeMap<String, u64>> {
        let mut kept = BTreeMap::new();
        let new: BTreeSet<_> = names(staging)?.into_iter().collect();
        for name in names(&self.repodata())? {
            if new.contains(&name) || OWN.contains(&name.to_string_lossy().as_ref()) {
                continue;
            }
            if let Some(name) = name.to_str().filter(|name| is_hash_named(name)) {
                let since = retired.remove(name).unwrap_or(now);
                if now.saturating_sub(since) > keep_for.as_secs() {
                    continue;
                }
                kept.insert(name.to_owned(), since);
            }
            take_over(&self.repodata().join(&name), &staging.join(&name))?;
        }
        Ok(kept)
    }

    /// Puts the new `repodata` in the place of the old one: whoever looks sees one of them, whole.
    pub(super) fn switch(&self) -> io::Result<()> {
        let (staging, repodata, old) = (self.path.join(STAGING), self.repodata(), self.path.join(RETIRED));
        sync(&staging)?;
        if !repodata.fs_err_try_exists()? {
            fs_err::rename(&staging, &repodata)?;
            return sync(&self.path);
        }
        match renameat_with(CWD, &staging, CWD, &repodata, RenameFlags::EXCHANGE) {
            Ok(()) => fs_err::rename(&staging, &old)?,
            // NFS can't exchange: there is a moment without, which a run that comes after a kill in it mends.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                fs_err::rename(&repodata, &old)?;
                fs_err::rename(&staging, &repodata)?;
            }
            Err(error) => return Err(error.into()),
        }
        sync(&self.path)?;
        fs_err::remove_dir_all(&old)
    }

    fn recover(&self) -> io::Result<()> {
        let (staging, old) = (self.path.join(STAGING), self.path.join(RETIRED));
        if old.fs_err_try_exists()? {
            if !self.repodata().fs_err_try_exists()? {
                fs_err::rename(&old, self.repodata())?;
            } else {
                fs_err::remove_dir_all(&old)?;
            }
        }
        if staging.fs_err_try_exists()? { fs_err::remove_dir_all(&staging) } else { Ok(()) }
    }
}

/// Writes a file and makes it last.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Tells whether a name begins with a digest, as metadata's does.
fn is_hash_named(name: &str) -> bool {
    let digits = name.split('-').next().unwrap_or_default();
    name.contains('-') && digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn names(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    match fs_err::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn take_over(from: &Path, to: &Path) -> io::Result<()> {
    if fs_err::symlink_metadata(from)?.is_dir() {
        fs_err::create_dir(to)?;
        for name in names(from)? {
            take_over(&from.join::<&OsStr>(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    fs_err::hard_link(from, to)
}

fn sync(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}
