//! Compressors that use every core, and give the same bytes whatever the number of cores.

mod gzip;
mod probe;
mod stream;
mod zstd_frames;

use std::io;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::{self, Scope};

use crate::Compression;

use super::blocks::{self, Block, Chunk, Piece};
use zstd_frames::ZstdFrames;

/// A compressor's two ends: where blocks go in, and where what they become comes out, piece by piece. An error ends the stream.
pub(super) struct Compressor<'scope> {
    pub(super) input: SyncSender<Block>,
    pub(super) output: Box<dyn Iterator<Item = io::Result<Chunk>> + Send + 'scope>,
}

/// The most threads that compress one package: each takes memory.
const MAX_WORKERS: usize = 8;

/// Starts the threads of a compressor.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    compression: Compression,
) -> io::Result<Compressor<'scope>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    start_with(scope, compression, workers)
}

fn start_with<'scope>(
    scope: &'scope Scope<'scope, '_>,
    compression: Compression,
    workers: usize,
) -> io::Result<Compressor<'scope>> {
    match compression {
        Compression::Gzip(level) => gzip::start(scope, level, workers),
        Compression::Zstd(level) => stream::start(scope, move |out| ZstdFrames::new(out, level, workers)),
        Compression::Xz(level) => stream::start(scope, move |out| stream::xz(out, level, workers)),
        Compression::None => {
            let (input, output) = blocks::channel();
            Ok(Compressor { input, output: Box::new(output.into_iter().map(|block| Ok(vec![Piece::whole(block)]))) })
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

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::read::GzDecoder;
    use liblzma::read::XzDecoder;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::rpm_file::blocks::{BLOCK_SIZE, BlockWriter};

    fn compress(bytes: &[u8], compression: Compression, workers: usize) -> Vec<u8> {
        thread::scope(|scope| {
            let Compressor { input, output } = start_with(scope, compression, workers).unwrap();
            let feed = scope.spawn(move || {
                let mut writer = BlockWriter::new(vec![input]);
                writer.write(bytes).unwrap();
                writer.finish().unwrap();
            });
            let compressed = output.flat_map(Result::unwrap).flat_map(|piece| piece.to_vec()).collect();
            feed.join().unwrap();
            compressed
        })
    }

    fn decompress(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut out = Vec::new();
        match compression {
            // One member, or this would stop after the first.
            Compression::Gzip(_) => GzDecoder::new(bytes).read_to_end(&mut out).map(drop),
            Compression::Xz(_) => XzDecoder::new(bytes).read_to_end(&mut out).map(drop),
            Compression::Zstd(_) => zstd::stream::copy_decode(bytes, &mut out),
            Compression::None => out.write_all(bytes),
        }
        .unwrap();
        out
    }

    /// Text, noise, zeros and noise again, longer than what any compressor takes at once.
    fn sample() -> Vec<u8> {
        let mut numbers = StdRng::seed_from_u64(1);
        let mut noise = vec![0; 7 * BLOCK_SIZE + 77];
        numbers.fill(&mut noise[..]);
        let words = (0..300_000).flat_map(|_| format!("word-{} ", numbers.gen_range(0..5000)).into_bytes());
        [words.collect(), noise.clone(), vec![0; 3 * BLOCK_SIZE], noise].concat()
    }

    #[test]
    fn the_number_of_threads_changes_no_byte() {
        let sample = sample();
        for compression in ["gzip:1", "gzip:6", "gzip:9", "zstd:3", "zstd:9", "xz:0", "none"] {
            let compression: Compression = compression.parse().unwrap();
            let expected = compress(&sample, compression, 1);
            assert!(decompress(&expected, compression) == sample, "{compression:?}");
            for workers in [2, 3, 8] {
                assert!(compress(&sample, compression, workers) == expected, "{compression:?} {workers}");
            }
        }
    }

    #[test]
    fn short_streams_are_whole() {
        let sample = sample();
        for compression in ["gzip:1", "zstd:3", "xz:0", "none"] {
            let compression: Compression = compression.parse().unwrap();
            for length in [0, 1, 100, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1] {
                let bytes = &sample[sample.len() - length..];
                assert!(decompress(&compress(bytes, compression, 2), compression) == bytes, "{compression:?} {length}");
            }
        }
    }

    #[test]
    fn noise_hardly_grows() {
        let noise = &sample()[sample().len() - BLOCK_SIZE..];
        for compression in ["gzip:9", "zstd:3", "xz:0"] {
            let compressed = compress(noise, compression.parse().unwrap(), 2);
            assert!(compressed.len() < noise.len() + 100, "{compression} {}", compressed.len());
        }
    }
}
