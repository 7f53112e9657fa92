//! Reads a file piece by piece, each piece once as long as what is read next is near.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;
use fs_err::os::unix::fs::FileExt;

/// Bytes that are read at once.
const SIZE: usize = 256 * 1024;
/// As much, and more, is read where it goes: what is large is read once and copied once.
const DIRECT: usize = 64 * 1024;

/// A file, and the piece of it that was read last. Unlike a [`std::io::BufReader`] it keeps the piece when it is sought in:
/// a WAR's many small members are not each a read of their own.
pub(super) struct Window {
    file: File,
    position: u64,
    piece: Vec<u8>,
    /// Where the piece begins in the file.
    start: u64,
    filled: usize,
}

impl Window {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, position: 0, piece: vec![0; SIZE], start: 0, filled: 0 })
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let is_here = (self.start..self.start + self.filled as u64).contains(&self.position);
        if !is_here && buffer.len() >= DIRECT {
            let count = self.file.read_at(buffer, self.position)?;
            self.position += count as u64;
            return Ok(count);
        }
        if !is_here {
            self.filled = self.file.read_at(&mut self.piece, self.position)?;
            self.start = self.position;
        }
        let here = &self.piece[(self.position - self.start) as usize..self.filled];
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.file.metadata()?.len().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_file_holds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..3 * SIZE + 5).map(|number| (number % 251) as u8).collect();
        fs_err::write(file.path(), &bytes).unwrap();
        let mut window = Window::open(file.path()).unwrap();
        for (start, length) in [(0, 10), (5, 100), (SIZE - 1, 2), (1, 3 * SIZE), (SIZE, 7), (3 * SIZE, 5), (3, 0)] {
            window.seek(SeekFrom::Start(start as u64)).unwrap();
            let mut read = vec![0; length];
            window.read_exact(&mut read).unwrap();
            assert!(read == bytes[start..start + length], "{start} {length}");
        }
        assert_eq!(window.seek(SeekFrom::End(-5)).unwrap(), 3 * SIZE as u64);
        let mut rest = Vec::new();
        window.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, &bytes[3 * SIZE..]);
    }
}
