//! A stream of bytes, cut into blocks that threads hand on to each other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of a block; the last one of a stream may be shorter. What is compressed block by block depends on it.
pub(super) const BLOCK_SIZE: usize = 256 * 1024;

/// Blocks that may wait between two threads: memory stays constant.
const WAITING: usize = 4;

pub(super) type Block = Arc<Vec<u8>>;

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
}

impl BlockWriter {
    pub(super) fn new(receivers: Vec<SyncSender<Block>>) -> Self {
        Self { block: vec![0; BLOCK_SIZE], filled: 0, handed_on: 0, receivers }
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
            self.hand_on(vec![0; BLOCK_SIZE])?;
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
        let block = Arc::new(block);
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
