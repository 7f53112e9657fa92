//! The payload: the files as a cpio archive, compressed, streamed.

use std::io::{self, Read, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use fs_err::File;
use sha2::{Digest, Sha256};

use crate::{Compression, Entry, PackageLayout, Source};

use super::WriteError;
use super::cpio;
use super::digest_writer::{DigestWriter, Written};

/// What is known of a payload once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadDigests {
    /// sha256 of each entry, hexadecimal; empty for directories.
    pub(super) files: Vec<String>,
    /// As written, compressed.
    pub(super) compressed: Written,
    /// Before compression.
    pub(super) archive: Written,
}

const BUFFER_SIZE: usize = 128 * 1024;

impl Compression {
    /// PAYLOADCOMPRESSOR; none for an uncompressed payload, as rpmbuild has it.
    pub(super) fn compressor(self) -> Option<&'static str> {
        match self {
            Self::Zstd(_) => Some("zstd"),
            Self::Gzip(_) => Some("gzip"),
            Self::Xz(_) => Some("xz"),
            Self::None => None,
        }
    }

    /// PAYLOADFLAGS: the level.
    pub(super) fn flags(self) -> String {
        match self {
            Self::Zstd(level) => level.to_string(),
            Self::Gzip(level) | Self::Xz(level) => level.to_string(),
            Self::None => String::new(),
        }
    }
}

impl PayloadDigests {
    /// Stands in where only the length of the header matters: digests are as long as real ones.
    pub(super) fn unknown(layout: &PackageLayout) -> Self {
        let nothing = Written { sha256: hex::encode(Sha256::digest([])), length: 0 };
        let digest = |entry: &Entry| entry.source().map_or_else(String::new, |_| nothing.sha256.clone());
        Self { files: layout.entries.iter().map(digest).collect(), compressed: nothing.clone(), archive: nothing }
    }

    /// Streams a package's files to `out`.
    pub(super) fn write(layout: &PackageLayout, out: impl Write) -> Result<Self, WriteError> {
        let compressor = Compressor::new(layout.compression, DigestWriter::new(out)).map_err(WriteError::Output)?;
        let mut archive = DigestWriter::new(compressor);
        let mut files = Vec::with_capacity(layout.entries.len());
        for (inode, entry) in (1..).zip(&layout.entries) {
            cpio::write_entry(&mut archive, entry, inode).map_err(WriteError::Output)?;
            files.push(write_content(&mut archive, entry)?);
            cpio::write_padding(&mut archive, entry.size()).map_err(WriteError::Output)?;
        }
        cpio::write_trailer(&mut archive).map_err(WriteError::Output)?;
        let (compressor, archive) = archive.finish();
        let (mut out, compressed) = compressor.finish().map_err(WriteError::Output)?.finish();
        out.flush().map_err(WriteError::Output)?;
        Ok(Self { files, compressed, archive })
    }
}

/// Writes an entry's content and gives its sha256; nothing for a directory.
fn write_content(out: &mut impl Write, entry: &Entry) -> Result<String, WriteError> {
    match entry.source() {
        None => Ok(String::new()),
        Some(Source::Text(text)) => {
            out.write_all(text.as_bytes()).map_err(WriteError::Output)?;
            Ok(hex::encode(Sha256::digest(text)))
        }
        Some(Source::File(path, size)) => copy_file(out, path, *size),
    }
}

/// Copies a file of a size known before: cpio's header, which says it, is written already.
fn copy_file(out: &mut impl Write, path: &Path, size: u64) -> Result<String, WriteError> {
    let mut file = File::open(path).map_err(WriteError::Read)?;
    let mut buffer = vec![0; BUFFER_SIZE];
    let mut digest = Sha256::new();
    let mut copied = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(WriteError::Read(error)),
        };
        copied += count as u64;
        if copied > size || (count == 0 && copied < size) {
            return Err(WriteError::Changed { path: path.to_owned(), size });
        }
        if count == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&buffer[..count]);
        out.write_all(&buffer[..count]).map_err(WriteError::Output)?;
    }
}

/// The compressors.
enum Compressor<W: Write> {
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Gzip(GzEncoder<W>),
    None(W),
}

impl<W: Write> Compressor<W> {
    fn new(compression: Compression, out: W) -> io::Result<Self> {
        Ok(match compression {
            Compression::Zstd(level) => Self::Zstd(zstd::stream::write::Encoder::new(out, level)?),
            Compression::Gzip(level) => Self::Gzip(GzEncoder::new(out, flate2::Compression::new(level))),
            Compression::Xz(_) => return Err(io::Error::other("xz is not built in")),
            Compression::None => Self::None(out),
        })
    }

    fn finish(self) -> io::Result<W> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::None(out) => Ok(out),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::None(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::None(out) => out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_a_file_that_changed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "12345").unwrap();
        assert!(copy_file(&mut Vec::new(), file.path(), 5).is_ok());
        for size in [4, 6, 0] {
            let result = copy_file(&mut Vec::new(), file.path(), size);
            assert!(matches!(result, Err(WriteError::Changed { .. })), "{size}");
        }
    }
}
