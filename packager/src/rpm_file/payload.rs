//! The payload: the files as an archive, compressed, streamed. One thread reads and digests the files, one digests the
//! archive, some compress, one writes what comes out and one digests it: hashing costs more than all else together.

use std::any::Any;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use sha2::{Digest, Sha256};

use crate::{Compression, Entry, PackageLayout, Target};

use super::WriteError;
use super::archive::{self, Archive, Incomplete, KnownContents};
use super::blocks::{self, BlockWriter, Chunk, Piece};
use super::compressor::{self, Compressor};

/// What is known of a payload once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadDigests {
    /// sha256 of each entry, hexadecimal; empty for what has no content of its own.
    pub(super) files: Vec<String>,
    /// As written, compressed.
    pub(super) compressed: Written,
    /// Bytes before compression.
    pub(super) archive_length: u64,
    /// sha256 before compression, hexadecimal, where the target's rpm knows what to do with it.
    pub(super) archive_sha256: Option<String>,
    /// CRC-32 as written: tells quickly whether what is read back is the same.
    pub(super) checksum: u32,
}

/// Digest and length of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// sha256, 64 hexadecimal digits.
    pub(super) sha256: String,
    /// Bytes.
    pub(super) length: u64,
}

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
        Self {
            files: layout.entries.iter().map(digest).collect(),
            archive_length: 0,
            archive_sha256: digests_archive(layout.target).then(|| nothing.sha256.clone()),
            compressed: nothing,
            checksum: 0,
        }
    }

    /// Streams a package's files to `out`, from where it stands.
    pub(super) fn write(layout: &PackageLayout, known: &KnownContents<'_>, out: &File) -> Result<Self, WriteError> {
        thread::scope(|scope| {
            let Compressor { input, output } =
                compressor::start(scope, layout.compression).map_err(WriteError::Thread)?;
            let mut receivers = vec![input];
            let digested = digests_archive(layout.target).then(|| {
                let (input, blocks) = blocks::channel();
                receivers.push(input);
                thread::Builder::new().spawn_scoped(scope, move || digest(blocks.iter().map(Piece::whole)))
            });
            let digested = digested.transpose().map_err(WriteError::Thread)?;
            let (to_digest, chunks) = sync_channel(blocks::WAITING);
            let compressed = thread::Builder::new().spawn_scoped(scope, move || digest(chunks.iter().flatten()));
            let compressed = compressed.map_err(WriteError::Thread)?;
            let written = thread::Builder::new().spawn_scoped(scope, || write_out(output, out, to_digest));
            let written = written.map_err(WriteError::Thread)?;
            let archive = archive::write(layout, known, BlockWriter::new(receivers));
            let (archive_sha256, written, sha256) = (digested.map(join), join(written), join(compressed));
            match archive {
                Err(Incomplete::Failed(error)) => Err(error),
                // The one that stopped tells why.
                Err(Incomplete::Stopped) => Err(WriteError::Output(written.err().unwrap_or_else(stopped))),
                Ok(Archive { files, length: archive_length }) => {
                    let (length, checksum) = written.map_err(WriteError::Output)?;
                    let compressed = Written { sha256, length };
                    Ok(Self { files, compressed, archive_length, archive_sha256, checksum })
                }
            }
        })
    }
}

/// Tells whether the archive is digested before compression as well: rpm 4.16 can tell by it a payload that was
/// compressed anew. For an older rpm it would be a quarter of all the work for nothing.
fn digests_archive(target: Target) -> bool {
    target >= Target::El9
}

fn stopped() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic: Box<dyn Any + Send>| resume_unwind(panic))
}

fn digest(pieces: impl Iterator<Item = Piece>) -> String {
    let mut digest = Sha256::new();
    pieces.for_each(|piece| digest.update(&*piece));
    hex::encode(digest.finalize())
}

/// Writes what comes out of the compressor, hands it on to be digested, and gives its length and CRC-32.
fn write_out(
    chunks: impl Iterator<Item = io::Result<Chunk>>,
    mut out: impl Write,
    to_digest: SyncSender<Chunk>,
) -> io::Result<(u64, u32)> {
    let (mut checksum, mut length) = (crc32fast::Hasher::new(), 0);
    for chunk in chunks {
        let chunk = chunk?;
        to_digest.send(chunk.clone()).map_err(|_| stopped())?;
        write_pieces(&chunk, &mut out)?;
        for piece in &chunk {
            checksum.update(piece);
            length += piece.len() as u64;
        }
    }
    Ok((length, checksum.finalize()))
}

/// Writes pieces with one call, where the system takes all of them.
fn write_pieces(chunk: &Chunk, out: &mut impl Write) -> io::Result<()> {
    let mut slices: Vec<_> = chunk.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match out.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
