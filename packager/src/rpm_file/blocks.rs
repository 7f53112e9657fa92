//! A stream of bytes, cut into blocks that threads hand on to each other.

use std::ops::{Deref, Range};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel as unbounded, sync_channel};

/// Bytes of a block; the last one of a stream may be shorter. What is compressed block by block depends on it.
pub(super) const BLOCK_SIZE: usize = 256 * 1024;

/// Blocks that may wait between two threads: memory stays constant.
pub(super) const WAITING: usize = 4;

/// A block that several threads read.
pub(super) type Block = Arc<Bytes>;

/// A part of a block. What comes out of a compressor may be what went in: it is handed on, not copied.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    block: Block,
    range: Range<usize>,
}

/// Pieces that follow each other in a stream, and travel together.
pub(super) type Chunk = Vec<Piece>;

impl Piece {
    pub(super) fn new(block: &Block, range: Range<usize>) -> Self {
        Self { block: Arc::clone(block), range }
    }

    pub(super) fn whole(block: Block) -> Self {
        Self { range: 0..block.len(), block }
    }
}

impl From<Vec<u8>> for Piece {
    fn from(bytes: Vec<u8>) -> Self {
        Self::whole(Arc::new(bytes.into()))
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }
}

/// Bytes whose memory goes back where it came from.
#[derive(Debug)]
pub(super) struct Bytes {
    bytes: Vec<u8>,
    pool: Option<Sender<Vec<u8>>>,
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, pool: None }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            // The pool may be gone, and then the memory is freed.
            let _ = pool.send(std::mem::take(&mut self.bytes));
        }
    }
}

/// A receiver is gone: its thread has failed, and knows why.
#[derive(Debug)]
pub(super) struct Stopped;

/// Makes a way for blocks from one thread to another.
pub(super) fn channel() -> (SyncSender<Block>, Receiver<Block>) {
    sync_channel(WAITING)
}

/// Collects bytes into blocks, and hands each on to every receiver.
#[derive(Debug)]
pub(super) struct BlockWriter {
    block: Vec<u8>,
    filled: usize,
    /// Bytes of the blocks that were handed on.
    handed_on: u64,
    receivers: Vec<SyncSender<Block>>,
    /// Memory of blocks that nobody needs any more.
    pool: (Sender<Vec<u8>>, Receiver<Vec<u8>>),
}

impl BlockWriter {
    pub(super) fn new(receivers: Vec<SyncSender<Block>>) -> Self {
        Self { block: vec![0; BLOCK_SIZE], filled: 0, handed_on: 0, receivers, pool: unbounded() }
    }

    /// Takes bytes.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Stopped> {
        while !bytes.is_empty() {
            let room = self.room()?;
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            self.advance(count);
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Gives room for at least one byte, to be filled from its beginning.
    pub(super) fn room(&mut self) -> Result<&mut [u8], Stopped> {
        if self.filled == BLOCK_SIZE {
            let mut next = self.pool.1.try_recv().unwrap_or_default();
            next.resize(BLOCK_SIZE, 0);
            self.hand_on(next)?;
        }
        Ok(&mut self.block[self.filled..])
    }

    /// Takes what was filled into the room.
    pub(super) fn advance(&mut self, count: usize) {
        self.filled += count;
    }

    /// Hands the last block on, and gives the length of the whole stream in bytes.
    pub(super) fn finish(mut self) -> Result<u64, Stopped> {
        if self.filled > 0 {
            self.hand_on(Vec::new())?;
        }
        Ok(self.handed_on)
    }

    fn hand_on(&mut self, next: Vec<u8>) -> Result<(), Stopped> {
        let mut block = std::mem::replace(&mut self.block, next);
        block.truncate(std::mem::take(&mut self.filled));
        self.handed_on += block.len() as u64;
        let block = Arc::new(Bytes { bytes: block, pool: Some(self.pool.0.clone()) });
        self.receivers.iter().try_for_each(|receiver| receiver.send(Arc::clone(&block)).map_err(|_| Stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_alike_however_it_is_filled() {
        for step in [1000, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE] {
            let (sender, receiver) = sync_channel(8);
            let mut writer = BlockWriter::new(vec![sender]);
            let bytes: Vec<u8> = (0..2 * BLOCK_SIZE + 5).map(|number| (number % 251) as u8).collect();
            bytes.chunks(step).for_each(|piece| writer.write(piece).unwrap());
            assert_eq!(writer.finish().unwrap(), bytes.len() as u64);
            let blocks: Vec<_> = receiver.iter().collect();
            assert_eq!(blocks.iter().map(|block| block.len()).collect::<Vec<_>>(), [BLOCK_SIZE, BLOCK_SIZE, 5]);
            assert!(blocks.iter().flat_map(|block| block.iter()).eq(&bytes));
        }
    }

    #[test]
    fn stops_when_nobody_receives() {
        let (sender, receiver) = channel();
        drop(receiver);
        let mut writer = BlockWriter::new(vec![sender]);
        assert!(writer.write(&vec![0; BLOCK_SIZE + 1]).is_err());
    }
}
