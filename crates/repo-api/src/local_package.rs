//! A file that is about to be uploaded.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::FileDigest;

/// An RPM file on this machine, with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPackage {
    /// Where it is.
    pub path: PathBuf,
    /// Its name without directories.
    pub file_name: String,
    /// Its size, bytes.
    pub size: u64,
    /// Its sha256.
    pub sha256: FileDigest,
}

/// Says why a file can't be published.
#[derive(Debug, thiserror::Error)]
pub enum LocalPackageError {
    /// It can't be read; the cause names it.
    #[error("a file can't be read")]
    Read(#[source] io::Error),
    /// It begins as no RPM does.
    #[error("`{0}` is not an RPM: it does not begin with the bytes ed ab ee db")]
    NotAnRpm(PathBuf),
}

/// The first bytes of every RPM (its lead's magic number).
const MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

impl LocalPackage {
    /// Reads a file once, in constant memory, for its size and digest.
    ///
    /// # Errors
    /// [`LocalPackageError`] for a file that can't be read or is no RPM at all.
    pub fn read(path: &Path) -> Result<Self, LocalPackageError> {
        Self::read_beginning(path, &MAGIC)
    }

    /// Reads any other file so.
    ///
    /// # Errors
    /// [`LocalPackageError::Read`]
    pub fn read_other(path: &Path) -> Result<Self, LocalPackageError> {
        Self::read_beginning(path, &[])
    }

    fn read_beginning(path: &Path, magic: &[u8]) -> Result<Self, LocalPackageError> {
        let mut file = fs_err::File::open(path).map_err(LocalPackageError::Read)?;
        let mut digest = Sha256::new();
        let mut size = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let filled = fill(&mut file, &mut buffer).map_err(LocalPackageError::Read)?;
            if size == 0 && !buffer[..filled].starts_with(magic) {
                return Err(LocalPackageError::NotAnRpm(path.to_owned()));
            }
            size += filled as u64;
            digest.update(&buffer[..filled]);
            if filled < buffer.len() {
                break;
            }
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        let file_name = name.to_string_lossy().into_owned();
        Ok(Self { path: path.to_owned(), file_name, size, sha256: FileDigest::from_bytes(digest.finalize().into()) })
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_size_and_digest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.rpm");
        let bytes = [&MAGIC[..], &vec![7; (2 << 20) - 4]].concat();
        fs_err::write(&path, &bytes).unwrap();
        let package = LocalPackage::read(&path).unwrap();
        assert_eq!((package.size, package.file_name.as_str()), (2 << 20, "a.rpm"));
        assert_eq!(package.sha256, FileDigest::from_bytes(Sha256::digest(&bytes).into()));
    }

    #[test]
    fn refuses_what_is_no_rpm() {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in [("empty.rpm", &b""[..]), ("short.rpm", b"\xed\xab"), ("text.rpm", b"hello, world")] {
            let path = directory.path().join(name);
            fs_err::write(&path, bytes).unwrap();
            assert!(matches!(LocalPackage::read(&path), Err(LocalPackageError::NotAnRpm(_))), "{name}");
        }
        let missing = LocalPackage::read(&directory.path().join("missing.rpm")).unwrap_err();
        assert!(matches!(missing, LocalPackageError::Read(_)), "{missing}");
    }
}
