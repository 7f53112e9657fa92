//! Compressors that use every core, and give the same bytes whatever the number of cores.

mod gzip;
mod stream;

use std::io;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::{self, Scope};

use crate::Compression;

use super::blocks::{self, Block};

/// A compressor's two ends: where blocks go in, and where what they become comes out. An error ends the stream.
pub(super) struct Compressor<'scope> {
    pub(super) input: SyncSender<Block>,
    pub(super) output: Box<dyn Iterator<Item = io::Result<Block>> + Send + 'scope>,
}

/// The most threads that compress one package: each takes memory.
const MAX_WORKERS: usize = 8;

/// Starts the threads of a compressor.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    compression: Compression,
) -> io::Result<Compressor<'scope>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    match compression {
        Compression::Gzip(level) => gzip::start(scope, level, workers),
        Compression::Zstd(level) => stream::start(scope, move |out| stream::zstd(out, level, workers)),
        Compression::Xz(level) => stream::start(scope, move |out| stream::xz(out, level, workers)),
        Compression::None => {
            let (input, output) = blocks::channel();
            Ok(Compressor { input, output: Box::new(output.into_iter().map(Ok)) })
        }
    }
}

/// Starts a thread of the compressor.
fn spawn<'scope>(scope: &'scope Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) -> io::Result<()> {
    thread::Builder::new().spawn_scoped(scope, work).map(drop)
}

/// Waits for results one after the other, each of which its own thread may still be at.
fn in_order<T>(results: Receiver<Receiver<T>>) -> impl Iterator<Item = T> {
    results.into_iter().map_while(|result| result.recv().ok())
}
