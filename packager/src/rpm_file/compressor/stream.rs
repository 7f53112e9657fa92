//! zstd and xz, whose libraries have threads of their own.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Scope;

use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;
use zstd::stream::raw::CParameter;

use crate::rpm_file::blocks::{self, BLOCK_SIZE, Block};

use super::{Compressor, spawn};

/// An encoder that writes what it makes to a channel.
pub(super) trait Encode: Write {
    /// Ends the stream, and gives back where it went.
    fn finish(self) -> io::Result<Sender>;
}

/// Collects what an encoder writes into blocks, and sends them on.
pub(super) struct Sender {
    block: Vec<u8>,
    receiver: SyncSender<io::Result<Block>>,
}

/// Bytes that zstd hands to a thread at a time, at least: less costs ratio, more costs memory. A job is never smaller
/// than the overlap that the level asks for.
const JOB_SIZE: u32 = 1024 * 1024;

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
            blocks.iter().try_for_each(|block| encoder.write_all(&block))?;
            encoder.finish()?.send()
        });
        if let Err(error) = result {
            // Nobody receives it when the one that writes has failed first, which tells why.
            let _ = receiver.send(Err(error));
        }
    })?;
    Ok(Compressor { input, output: Box::new(output.into_iter()) })
}

/// Makes an encoder of zstd. With threads, be it one, what comes out does not depend on their number.
pub(super) fn zstd(
    out: Sender,
    level: i32,
    workers: usize,
) -> io::Result<zstd::stream::write::Encoder<'static, Sender>> {
    let mut encoder = zstd::stream::write::Encoder::new(out, level)?;
    encoder.multithread(u32::try_from(workers).unwrap_or(1))?;
    encoder.set_parameter(CParameter::JobSize(JOB_SIZE))?;
    Ok(encoder)
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

impl Encode for zstd::stream::write::Encoder<'static, Sender> {
    fn finish(self) -> io::Result<Sender> {
        Self::finish(self)
    }
}

impl Encode for XzEncoder<Sender> {
    fn finish(self) -> io::Result<Sender> {
        Self::finish(self)
    }
}

impl Sender {
    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_SIZE));
        self.receiver.send(Ok(Arc::new(block.into()))).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.block.extend_from_slice(bytes);
        if self.block.len() >= BLOCK_SIZE {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
