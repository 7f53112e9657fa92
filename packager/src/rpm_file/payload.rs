//! The payload: the files as an archive, compressed, streamed. One thread reads and digests the files, one digests the
//! archive, some compress, and one digests and writes what comes out: hashing costs more than all else together.

use std::any::Any;
use std::fs::File;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::Receiver;
use std::thread::{self, ScopedJoinHandle};

use sha2::{Digest, Sha256};

use crate::{Compression, Entry, PackageLayout};

use super::WriteError;
use super::archive::{self, Incomplete};
use super::blocks::{self, Block, BlockWriter};
use super::compressor::{self, Compressor};

/// What is known of a payload once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayloadDigests {
    /// sha256 of each entry, hexadecimal; empty for what has no content of its own.
    pub(super) files: Vec<String>,
    /// As written, compressed.
    pub(super) compressed: Written,
    /// Before compression.
    pub(super) archive: Written,
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
        let files = layout.entries.iter().map(digest).collect();
        Self { files, compressed: nothing.clone(), archive: nothing, checksum: 0 }
    }

    /// Streams a package's files to `out`, from where it stands.
    pub(super) fn write(layout: &PackageLayout, out: &File) -> Result<Self, WriteError> {
        thread::scope(|scope| {
            let (archive_input, archive_blocks) = blocks::channel();
            let Compressor { input, output } =
                compressor::start(scope, layout.compression).map_err(WriteError::Thread)?;
            let start = thread::Builder::new;
            let archive = start().spawn_scoped(scope, move || digest(&archive_blocks)).map_err(WriteError::Thread)?;
            let written = start().spawn_scoped(scope, || write_out(output, out)).map_err(WriteError::Thread)?;
            let files = archive::write(layout, BlockWriter::new(vec![archive_input, input]));
            let (archive, written) = (join(archive), join(written));
            match files {
                Err(Incomplete::Failed(error)) => Err(error),
                // The one that stopped tells why.
                Err(Incomplete::Stopped) => Err(WriteError::Output(written.err().unwrap_or_else(stopped))),
                Ok(files) => {
                    let (compressed, checksum) = written.map_err(WriteError::Output)?;
                    Ok(Self { files, compressed, archive, checksum })
                }
            }
        })
    }
}

fn stopped() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic: Box<dyn Any + Send>| resume_unwind(panic))
}

fn digest(blocks: &Receiver<Block>) -> Written {
    let mut stream = Stream::default();
    blocks.iter().for_each(|block| stream.take(&block));
    stream.written()
}

fn write_out(blocks: impl Iterator<Item = io::Result<Block>>, mut out: impl Write) -> io::Result<(Written, u32)> {
    let (mut stream, mut checksum) = (Stream::default(), flate2::Crc::new());
    for block in blocks {
        let block = block?;
        out.write_all(&block)?;
        stream.take(&block);
        checksum.update(&block);
    }
    Ok((stream.written(), checksum.sum()))
}

/// A stream's digest and length so far.
#[derive(Default)]
struct Stream {
    digest: Sha256,
    length: u64,
}

impl Stream {
    fn take(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
    }

    fn written(self) -> Written {
        Written { sha256: hex::encode(self.digest.finalize()), length: self.length }
    }
}
