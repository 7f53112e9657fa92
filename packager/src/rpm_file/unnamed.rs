//! A file that has no name before it is complete: a program that is killed leaves nothing behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, flock, fstatfs, linkat};
use rustix::io::Errno;
use tempfile::{Builder, NamedTempFile, TempPath};

/// A file in a directory, without a name there (`open(2)`, O_TMPFILE). Where the file system has no such files it has a
/// hidden name, which goes away when it is dropped.
#[derive(Debug)]
pub(super) struct UnnamedFile {
    file: File,
    /// Where it can be opened meanwhile.
    path: PathBuf,
    hidden: Option<TempPath>,
}

impl UnnamedFile {
    /// Creates one, and removes what programs that were killed left in the directory.
    pub(super) fn create(directory: &Path) -> io::Result<Self> {
        sweep(directory);
        match Self::unnamed(directory) {
            Some(unnamed) => Ok(unnamed),
            None => Self::hidden(directory),
        }
    }

    fn hidden(directory: &Path) -> io::Result<Self> {
        loop {
            let (file, hidden) = hidden_name().tempfile_in(directory)?.into_parts();
            // Before it was locked another program may have taken it for a leftover.
            if !lock(&file) || hidden.exists() {
                return Ok(Self { file, path: hidden.to_path_buf(), hidden: Some(hidden) });
            }
        }
    }

    fn unnamed(directory: &Path) -> Option<Self> {
        let flags = i32::try_from(OFlags::TMPFILE.bits()).ok()?;
        let file = OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(directory).ok()?;
        // It has a hidden name for a moment when it replaces another.
        lock(&file);
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        path.exists().then_some(Self { file, path, hidden: None })
    }

    pub(super) fn as_file(&self) -> &File {
        &self.file
    }

    /// Waits, on a file system that may find out only later that there is no room, until all of it is stored. Those of
    /// this machine's disks say so with each write; to wait for the disk then takes as long as all the rest.
    pub(super) fn reach_disk(&self) -> io::Result<()> {
        let kind = fstatfs(&self.file)?.f_type;
        if u32::try_from(kind).is_ok_and(|kind| LOCAL_FILE_SYSTEMS.contains(&kind)) {
            return Ok(());
        }
        self.file.sync_all()
    }

    /// Where this process can open it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, in the directory that it was created in. What has that name is replaced at once.
    pub(super) fn persist(self, path: &Path) -> io::Result<()> {
        if let Some(hidden) = self.hidden {
            return Ok(hidden.persist(path)?);
        }
        let link = |to: &Path| linkat(CWD, &self.path, CWD, to, AtFlags::SYMLINK_FOLLOW);
        match link(path) {
            // A link replaces nothing, a renaming does.
            Err(Errno::EXIST) => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let named: NamedTempFile<()> =
                    hidden_name().make_in(directory.unwrap_or(Path::new(".")), |to| Ok(link(to)?))?;
                named.persist(path).map_err(|error| error.error)
            }
            linked => Ok(linked?),
        }
    }
}

/// ext4, xfs, btrfs, tmpfs, overlayfs, zfs (`statfs(2)`).
const LOCAL_FILE_SYSTEMS: [u32; 6] = [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1];

const PREFIX: &str = ".pkg-";
const SUFFIX: &str = ".part";

fn hidden_name() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    builder
}

/// Locks a file for as long as it is open: whoever writes it lives. Tells whether that was possible.
fn lock(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Removes hidden files that nobody writes any more. What cannot be removed is in nobody's way.
fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours && is_file && File::open(entry.path()).is_ok_and(|file| lock(&file)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn has_a_name_when_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let names =
            || fs_err::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        let path = directory.path().join("a");
        for text in ["first", "second"] {
            let before = names();
            let unnamed = UnnamedFile::create(directory.path()).unwrap();
            unnamed.as_file().write_all(text.as_bytes()).unwrap();
            assert_eq!(fs_err::read_to_string(unnamed.path()).unwrap(), text);
            assert_eq!(names(), before);
            unnamed.persist(&path).unwrap();
            assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
            assert_eq!(names(), ["a"]);
        }
    }

    /// As on a file system that has no files without names.
    #[test]
    fn a_hidden_name_goes_away() {
        let directory = tempfile::tempdir().unwrap();
        let hidden = || UnnamedFile::hidden(directory.path()).unwrap();
        drop(hidden());
        hidden().persist(&directory.path().join("a")).unwrap();
        assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn leftovers_are_swept_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in [".pkg-dead.part", "shop.rpm", ".pkg-other", "a.part"] {
            fs_err::write(path(name), "").unwrap();
        }
        fs_err::create_dir(path(".pkg-folder.part")).unwrap();
        let living = UnnamedFile::hidden(directory.path()).unwrap();
        let next = UnnamedFile::create(directory.path()).unwrap();
        assert!(living.path().exists() && next.path().exists());
        assert!(!path(".pkg-dead.part").exists());
        for name in ["shop.rpm", ".pkg-other", "a.part", ".pkg-folder.part"] {
            assert!(path(name).exists(), "{name}");
        }
    }
}
