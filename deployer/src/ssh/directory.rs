//! Where the sockets of shared connections are.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Longer control paths are refused: a Unix socket's path ends at 108 bytes and `ssh` appends 17 for a moment.
const DIRECTORY_LENGTH: usize = 48;

/// The directory of control sockets: nobody else may use what is there.
#[derive(Debug)]
pub(super) enum Directory {
    /// Of this process, gone with it.
    Own(TempDir),
    /// Of this user, for connections that later processes go on with.
    Kept(PathBuf),
}

impl Directory {
    pub(super) fn own() -> io::Result<Self> {
        let parent = runtime_directory().unwrap_or_else(|| PathBuf::from("/tmp"));
        Ok(Self::Own(tempfile::Builder::new().prefix("pkg-").tempdir_in(parent)?))
    }

    /// # Errors
    /// Where it can't be made, or is not this user's alone.
    pub(super) fn kept() -> io::Result<Self> {
        // /proc/self is owned by the effective user.
        let user = fs_err::metadata("/proc/self")?.uid();
        let path = match runtime_directory() {
            Some(directory) => directory.join("pkg"),
            None => PathBuf::from(format!("/tmp/pkg-{user}")),
        };
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs_err::symlink_metadata(&path)?;
        if !found.is_dir() || found.uid() != user || found.permissions().mode() & 0o077 != 0 {
            let reason = format!("`{}` is not a directory that is this user's alone", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(Self::Kept(path))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}

fn runtime_directory() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    let fits = directory.is_absolute() && directory.is_dir() && directory.as_os_str().len() <= DIRECTORY_LENGTH;
    (fits && !directory.to_string_lossy().contains('%')).then_some(directory)
}
