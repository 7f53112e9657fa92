//! gzip (RFC 1952): one member, its deflate stream made of blocks that threads compress side by side, each with the end
//! of the block before as its dictionary. Blocks that do not get smaller, as those of a WAR full of jars, are stored.

use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use crc32fast::Hasher;
use flate2::{Compress, FlushCompress, Status};

use crate::rpm_file::blocks::{self, Block, Chunk, Piece};

use super::probe::Probe;
use super::{Compressor, in_order, spawn};

/// Magic, deflate, no flags, no time, and no operating system named.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty last block of fixed codes, padded to a byte.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// How far back deflate may refer.
const WINDOW: usize = 32 * 1024;

/// The most bytes of a stored block (RFC 1951, section 3.2.4).
const STORED_MAX: usize = 0xffff;

/// A block to be compressed.
struct Job {
    block: Block,
    /// The one before it.
    dictionary: Option<Block>,
    result: SyncSender<io::Result<Deflated>>,
}

/// A compressed block, which ends at a byte.
struct Deflated {
    pieces: Chunk,
    /// Of the block before compression.
    crc: Hasher,
    /// Bytes of the block before compression.
    length: u64,
}

/// Starts one thread that hands out blocks, and others that compress them.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    level: u32,
    workers: usize,
) -> io::Result<Compressor<'scope>> {
    let (input, blocks) = blocks::channel();
    let (job_sender, jobs) = channel();
    // What bounds the memory: a block is handed out only when one of this many results is taken.
    let (result_sender, results) = sync_channel(2 * workers);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..workers {
        let jobs = Arc::clone(&jobs);
        spawn(scope, move || work(level, &jobs))?;
    }
    spawn(scope, move || hand_out(&blocks, &job_sender, &result_sender))?;
    Ok(Compressor { input, output: Box::new(Member::new(in_order(results))) })
}

fn hand_out(blocks: &Receiver<Block>, jobs: &Sender<Job>, results: &SyncSender<Receiver<io::Result<Deflated>>>) {
    let mut dictionary = None;
    for block in blocks {
        let (result, receiver) = sync_channel(1);
        let job = Job { block: Arc::clone(&block), dictionary: dictionary.replace(block), result };
        if results.send(receiver).is_err() || jobs.send(job).is_err() {
            return;
        }
    }
}

fn work(level: u32, jobs: &Mutex<Receiver<Job>>) {
    let mut deflater = Deflater::new(level);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Where nobody waits for the result any more, the next round finds no job.
        let _ = job.result.send(deflater.deflate(&job.block, job.dictionary.as_ref().map(|block| &block[..])));
    }
}

/// Compresses one block after the other, each on its own.
struct Deflater {
    level: flate2::Compression,
    probe: Probe,
}

impl Deflater {
    fn new(level: u32) -> Self {
        // zlib-rs's 1 makes text 40% larger than its 2, to be a fifth faster; its 9 is slower than its 8, and no smaller.
        let level = flate2::Compression::new(level.clamp(2, 8));
        Self { level, probe: Probe::default() }
    }

    fn deflate(&mut self, block: &Block, dictionary: Option<&[u8]>) -> io::Result<Deflated> {
        let mut crc = Hasher::new();
        crc.update(block);
        let length = block.len() as u64;
        if !self.probe.may_shrink(block) {
            return Ok(Deflated { pieces: store(block), crc, length });
        }
        let bytes = self.compress(block, dictionary)?;
        let pieces = if bytes.len() < block.len() { vec![bytes.into()] } else { store(block) };
        Ok(Deflated { pieces, crc, length })
    }

    /// Begins anew with each block: zlib-rs's reset leaves its window as it was, and what comes out would now and then
    /// depend on the blocks that the thread happened to get before.
    fn compress(&self, block: &[u8], dictionary: Option<&[u8]>) -> io::Result<Vec<u8>> {
        let mut deflate = Compress::new(self.level, false);
        if let Some(dictionary) = dictionary {
            let end = &dictionary[dictionary.len().saturating_sub(WINDOW)..];
            deflate.set_dictionary(end).map_err(io::Error::other)?;
        }
        // Room for what does not shrink at all, so that one call does it as a rule.
        let mut bytes = Vec::with_capacity(block.len() + block.len() / 1000 + 64);
        loop {
            let taken = deflate.total_in() as usize;
            let status = deflate.compress_vec(&block[taken..], &mut bytes, FlushCompress::Sync);
            match status.map_err(io::Error::other)? {
                // All is out when there is room left.
                Status::Ok | Status::BufError if bytes.len() < bytes.capacity() => return Ok(bytes),
                _ => bytes.reserve(block.len() / 4 + 64),
            }
        }
    }
}

/// Makes stored blocks: each a header, and a part of what came in. They begin and end at a byte.
fn store(block: &Block) -> Chunk {
    let starts = (0..block.len()).step_by(STORED_MAX);
    let pieces = starts.flat_map(|start| {
        let end = block.len().min(start + STORED_MAX);
        let length = (end - start) as u16;
        let header = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        [header.into(), Piece::new(block, start..end)]
    });
    pieces.collect()
}

/// Puts header, blocks and trailer together.
struct Member<B> {
    blocks: B,
    crc: Hasher,
    /// Bytes before compression.
    length: u64,
    at: At,
}

/// What comes next.
enum At {
    Header,
    Blocks,
    End,
}

impl<B> Member<B> {
    fn new(blocks: B) -> Self {
        Self { blocks, crc: Hasher::new(), length: 0, at: At::Header }
    }

    fn end(&self) -> Vec<u8> {
        let crc = self.crc.clone().finalize();
        // The length modulo 2^32, as RFC 1952 has it.
        [&LAST_BLOCK[..], &crc.to_le_bytes(), &self.length.to_le_bytes()[..4]].concat()
    }
}

impl<B: Iterator<Item = io::Result<Deflated>>> Iterator for Member<B> {
    type Item = io::Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.at {
            At::Header => {
                self.at = At::Blocks;
                Some(Ok(vec![HEADER.to_vec().into()]))
            }
            At::Blocks => match self.blocks.next() {
                Some(deflated) => Some(deflated.map(|deflated| {
                    self.crc.combine(&deflated.crc);
                    self.length += deflated.length;
                    deflated.pieces
                })),
                None => {
                    self.at = At::End;
                    Some(Ok(vec![self.end().into()]))
                }
            },
            At::End => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpm_file::blocks::BLOCK_SIZE;

    /// Which blocks a thread gets is chance, and so it must not matter.
    #[test]
    fn no_block_depends_on_those_before() {
        let text = |start: usize| -> Vec<u8> {
            let words = (start..).step_by(7919).flat_map(|number| format!("word-{} ", number % 5003).into_bytes());
            words.take(BLOCK_SIZE).collect()
        };
        let blocks = (0..6).map(|number| text(number * 31)).chain([vec![0; BLOCK_SIZE]]);
        let blocks: Vec<Block> = blocks.map(|bytes| Arc::new(bytes.into())).collect();
        let bytes = |deflated: Deflated| deflated.pieces.iter().flat_map(|piece| piece.to_vec()).collect::<Vec<_>>();
        for level in [1, 6] {
            let alone = |block: &Block| bytes(Deflater::new(level).deflate(block, None).unwrap());
            let expected: Vec<_> = blocks.iter().map(alone).collect();
            let mut used = Deflater::new(level);
            for step in [1, 3] {
                for index in (0..blocks.len()).map(|number| number * step % blocks.len()) {
                    let again = bytes(used.deflate(&blocks[index], None).unwrap());
                    assert!(again == expected[index], "gzip:{level}, block {index}");
                }
            }
        }
    }
}
