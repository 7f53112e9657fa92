//! The bytes of a file in chunks, with as little work for each as the system allows.
//!
//! What the system has in memory is read where it is wanted, without a trip to another thread (`RWF_NOWAIT`, preadv2(2)),
//! into buffers that are used again and again: fresh memory would have to be zeroed and mapped for each.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{Stream, stream};
use rustix::io::{Errno, IoSliceMut, ReadWriteFlags, preadv2};

/// How much is read at a time, bytes: it stays in a core's own cache until it is sent.
const CHUNK: usize = 256 << 10;
/// How many buffers are kept for the next reader.
const KEPT: usize = 64;

static BUFFERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// Whether the file system has refused to read without waiting.
static MUST_WAIT: AtomicBool = AtomicBool::new(false);

/// A buffer that goes back when its bytes are no longer needed.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn new() -> Self {
        let kept = BUFFERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { bytes: kept.unwrap_or_else(|| vec![0; CHUNK]), filled: 0 }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = BUFFERS.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// Reads a range of a file.
pub(crate) fn chunks(file: File, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((Arc::new(file), range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let length = usize::try_from(range.end - range.start).map_or(CHUNK, |left| left.min(CHUNK));
        let mut buffer = Buffer::new();
        read_at_once(&file, &mut buffer, range.start, length)?;
        if buffer.filled == 0 {
            let (file, start) = (Arc::clone(&file), range.start);
            let read = tokio::task::spawn_blocking(move || {
                file.read_exact_at(&mut buffer.bytes[..length], start)?;
                buffer.filled = length;
                Ok(buffer)
            });
            buffer = read.await.unwrap_or_else(|error| Err(io::Error::other(error)))?;
        }
        let next = range.start + buffer.filled as u64..range.end;
        Ok(Some((Bytes::from_owner(buffer), (file, next))))
    })
}

/// Reads what can be had without waiting, which may be nothing.
fn read_at_once(file: &File, buffer: &mut Buffer, start: u64, length: usize) -> io::Result<()> {
    if MUST_WAIT.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut slices = [IoSliceMut::new(&mut buffer.bytes[..length])];
    match preadv2(file, &mut slices, start, ReadWriteFlags::NOWAIT) {
        Ok(filled) => buffer.filled = filled,
        Err(Errno::AGAIN | Errno::INTR) => {}
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => MUST_WAIT.store(true, Ordering::Relaxed),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use futures::TryStreamExt;

    use super::*;

    async fn read(file: &tempfile::NamedTempFile, range: Range<u64>) -> io::Result<Vec<u8>> {
        let pieces: Vec<Bytes> = chunks(file.reopen()?, range).try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn gives_the_bytes_of_the_range() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 17).map(|at| (at % 251) as u8).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let whole = bytes.len() as u64;
        for waiting in [false, true] {
            MUST_WAIT.store(waiting, Ordering::Relaxed);
            for range in [0..whole, 5..whole - 5, 0..0, 7..8, 0..CHUNK as u64, CHUNK as u64 - 1..whole] {
                let expected = &bytes[range.start as usize..range.end as usize];
                assert!(read(&file, range.clone()).await.unwrap() == expected, "{range:?} {waiting}");
            }
            assert!(read(&file, 0..whole + 1).await.is_err(), "a file that ends early");
        }
        MUST_WAIT.store(false, Ordering::Relaxed);
        assert!(BUFFERS.lock().unwrap().len() <= KEPT);
    }
}
