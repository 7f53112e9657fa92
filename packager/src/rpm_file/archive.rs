//! The archive: every shipped entry with its content, read once.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crc32fast::Hasher;
use fs_err::File;
use sha2::{Digest as _, Sha256};

use crate::{Entry, EntryKind, PackageLayout, Source};

use super::blocks::{BlockWriter, Stopped};
use super::cpio::{self, Form};
use super::{WriteError, file_tags};

/// Why an archive is not complete.
#[derive(Debug)]
pub(super) enum Incomplete {
    /// A thread further on stopped, and knows why.
    Stopped,
    /// Reading failed.
    Failed(WriteError),
}

impl From<Stopped> for Incomplete {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// What a file held when it was looked into before: it is not digested by sha256 again, but told by its CRC-32 whether
/// it still is the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownContent<'a> {
    /// 64 hexadecimal digits.
    pub(crate) sha256: &'a str,
    pub(crate) crc32: u32,
}

/// What is known of files before they are written, by their path on the host.
pub(crate) type KnownContents<'a> = BTreeMap<&'a str, KnownContent<'a>>;

/// A digest of a file as it is copied.
enum Digest<'a> {
    Sha256(Sha256),
    Known(Hasher, KnownContent<'a>),
}

/// What is known of an archive once it is written.
#[derive(Debug)]
pub(super) struct Archive {
    /// sha256 of each entry, hexadecimal; empty for what has no content of its own.
    pub(super) files: Vec<String>,
    /// Bytes.
    pub(super) length: u64,
}

/// Writes the archive.
pub(super) fn write(
    layout: &PackageLayout,
    known: &KnownContents<'_>,
    mut out: BlockWriter,
) -> Result<Archive, Incomplete> {
    let form = if file_tags::has_large_files(&layout.entries) { Form::Stripped } else { Form::Newc };
    let mut digests = Vec::with_capacity(layout.entries.len());
    for (number, entry) in (0..).zip(&layout.entries) {
        if !entry.is_shipped() {
            digests.push(String::new());
            continue;
        }
        out.write(&cpio::entry(form, number, entry))?;
        digests.push(write_content(&mut out, entry, known.get(entry.path.as_str()))?);
        out.write(cpio::padding(entry.size()))?;
    }
    out.write(&cpio::trailer())?;
    Ok(Archive { files: digests, length: out.finish()? })
}

fn write_content(out: &mut BlockWriter, entry: &Entry, known: Option<&KnownContent<'_>>) -> Result<String, Incomplete> {
    match &entry.kind {
        EntryKind::File(Source::File(path, size)) => copy_file(out, (path, *size), Digest::of(known)),
        EntryKind::File(Source::Text(text)) => {
            out.write(text.as_bytes())?;
            Ok(hex::encode(Sha256::digest(text)))
        }
        EntryKind::Symlink(target) => {
            out.write(target.as_bytes())?;
            Ok(String::new())
        }
        EntryKind::Directory | EntryKind::GhostFile | EntryKind::GhostDirectory => Ok(String::new()),
    }
}

/// Copies a file of a size known before: the archive's header, which says it, is written already.
fn copy_file(out: &mut BlockWriter, (path, size): (&Path, u64), mut digest: Digest<'_>) -> Result<String, Incomplete> {
    let failed = |error| Incomplete::Failed(WriteError::Read(error));
    let changed = || Incomplete::Failed(WriteError::Changed { path: path.to_owned(), size });
    let mut file = File::open(path).map_err(failed)?;
    let before = state(&file).map_err(failed)?;
    let mut copied = 0;
    // Where the end is known it need not be read: a file that grows shows it below. Those of /proc say nothing of theirs.
    while copied < size || size == 0 {
        let room = out.room()?;
        let count = match file.read(room) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        digest.update(&room[..count]);
        copied += count as u64;
        if copied > size || (count == 0 && copied < size) {
            return Err(changed());
        }
        if count == 0 {
            break;
        }
        out.advance(count);
    }
    // Bytes that were replaced by as many others show in the time of the change alone.
    if before.0 != size || state(&file).map_err(failed)? != before {
        return Err(changed());
    }
    digest.finish().ok_or_else(|| Incomplete::Failed(WriteError::ChangedSince(path.to_owned())))
}

fn state(file: &File) -> io::Result<(u64, SystemTime)> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.modified()?))
}

impl<'a> Digest<'a> {
    fn of(known: Option<&KnownContent<'a>>) -> Self {
        known.map_or_else(|| Self::Sha256(Sha256::new()), |known| Self::Known(Hasher::new(), *known))
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(digest) => digest.update(bytes),
            Self::Known(checksum, _) => checksum.update(bytes),
        }
    }

    /// Gives the sha256, hexadecimal; none where the content is another than was known.
    fn finish(self) -> Option<String> {
        match self {
            Self::Sha256(digest) => Some(hex::encode(digest.finalize())),
            Self::Known(checksum, known) => (checksum.finalize() == known.crc32).then(|| known.sha256.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpm_file::blocks;

    #[test]
    fn notices_a_file_of_another_size() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "12345").unwrap();
        let (sender, _receiver) = blocks::channel();
        let mut out = BlockWriter::new(vec![sender]);
        assert!(copy_file(&mut out, (file.path(), 5), Digest::of(None)).is_ok());
        for size in [4, 6, 0] {
            let result = copy_file(&mut out, (file.path(), size), Digest::of(None));
            assert!(matches!(result, Err(Incomplete::Failed(WriteError::Changed { .. }))), "{size}");
        }
    }

    #[test]
    fn notices_another_content_than_was_known() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "12345").unwrap();
        let (sender, _receiver) = blocks::channel();
        let mut out = BlockWriter::new(vec![sender]);
        let mut copy = |text: &str| {
            let known = KnownContent { sha256: "00", crc32: crc32fast::hash(text.as_bytes()) };
            copy_file(&mut out, (file.path(), 5), Digest::of(Some(&known)))
        };
        assert_eq!(copy("12345").unwrap(), "00");
        assert!(matches!(copy("12354"), Err(Incomplete::Failed(WriteError::ChangedSince(_)))));
    }
}
