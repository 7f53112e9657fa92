//! xz and zstd, whose libraries have threads of their own.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Scope;

use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;

use crate::rpm_file::blocks::{self, BLOCK_SIZE, Block, Chunk};

use super::{Compressor, spawn};

/// An encoder that writes what it makes to a channel.
pub(super) trait Encode {
    /// Takes the next block.
    fn encode(&mut self, block: &Block) -> io::Result<()>;

    /// Ends the stream, and gives back where it went.
    fn finish(self) -> io::Result<Sender>;
}

/// Collects what an encoder writes into blocks, and sends them on.
pub(super) struct Sender {
    block: Vec<u8>,
    receiver: SyncSender<io::Result<Chunk>>,
}

/// xz takes less threads rather than more memory than this, as long as there is one.
const XZ_MEMORY: u64 = 512 * 1024 * 1024;

/// Starts the thread that feeds an encoder.
pub(super) fn start<'scope, E: Encode>(
    scope: &'scope Scope<'scope, '_>,
    make: impl FnOnce(Sender) -> io::Result<E> + Send + 'scope,
) -> io::Result<Compressor<'scope>> {
    let (input, blocks) = blocks::channel();
    let (receiver, output) = sync_channel(4);
    spawn(scope, move || {
        let sender = Sender { block: Vec::with_capacity(BLOCK_SIZE), receiver: receiver.clone() };
        let result = make(sender).and_then(|mut encoder| {
            blocks.iter().try_for_each(|block| encoder.encode(&block))?;
            encoder.finish()?.send()
        });
        if let Err(error) = result {
            // Nobody receives it when the one that writes has failed first, which tells why.
            let _ = receiver.send(Err(error));
        }
    })?;
    Ok(Compressor { input, output: Box::new(output.into_iter()) })
}

/// Makes an encoder of xz. The blocks' size, and so what comes out, follows from the level.
pub(super) fn xz(out: Sender, level: u32, workers: usize) -> io::Result<XzEncoder<Sender>> {
    let mut builder = MtStreamBuilder::new();
    builder.preset(level).check(Check::Crc64).threads(u32::try_from(workers).unwrap_or(1));
    let of_one = builder.threads(1).memusage().max(1);
    let threads = (XZ_MEMORY / of_one).clamp(1, workers as u64);
    let stream = builder.threads(u32::try_from(threads).unwrap_or(1)).encoder().map_err(io::Error::other)?;
    Ok(XzEncoder::new_stream(out, stream))
}

impl Encode for XzEncoder<Sender> {
    fn encode(&mut self, block: &Block) -> io::Result<()> {
        self.write_all(block)
    }

    fn finish(self) -> io::Result<Sender> {
        Self::finish(self)
    }
}

impl Sender {
    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_SIZE));
        self.hand_on(vec![block.into()])
    }

    /// Sends pieces on as they are, behind what was written before.
    pub(super) fn pass(&mut self, mut pieces: Chunk) -> io::Result<()> {
        if !self.block.is_empty() {
            // Little, as a rule: its memory is used again.
            pieces.insert(0, self.block.clone().into());
            self.block.clear();
        }
        self.hand_on(pieces)
    }

    fn hand_on(&self, pieces: Chunk) -> io::Result<()> {
        self.receiver.send(Ok(pieces)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK_SIZE - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK_SIZE {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
